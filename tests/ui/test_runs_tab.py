"""What the runs tab tells a page: only the rows that changed, curves laid over each other, events in words."""

import pytest

from engine.runs import store
from engine.runs.events import Events
from engine.runs.status import Writer
from ui import columns, overlay, run_log, runs_tab
from ui.text import Text

EN, ZH = Text("en"), Text("zh")


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))


def made(name: str, rate: float = 0.1, method: str = "lora", steps: int = 3) -> store.Run:
    config = {"model": "/m/tiny", "data": "/d/foods", "objective": "sft", "method": method}
    run = store.create(config | {"method_params": {"r": 8}, "training": {"learning_rate": rate}}, name=name)
    with Events(run.path / "events.jsonl") as events:
        for step in range(1, steps + 1):
            events.write("step", step=step, loss=rate / step)
        events.write("eval", step=steps, eval_loss=0.5)
    return run


def test_a_list_is_told_only_what_changed(services):
    first, second = made("first"), made("second")
    told = runs_tab.listed(EN, services, "", {})
    assert set(told["order"]) == set(told["rows"]) == {first.id, second.id}
    known = {id: told["rows"][id]["mark"] for id in told["order"]}
    assert runs_tab.listed(EN, services, "", known) is None
    first.rename("renamed")
    told = runs_tab.listed(EN, services, "", known)
    assert list(told["rows"]) == [first.id] and told["rows"][first.id]["name"] == "renamed"
    second.delete()
    told = runs_tab.listed(EN, services, "", known | {first.id: told["rows"][first.id]["mark"]})
    assert told["order"] == [first.id] and told["rows"] == {}


def test_a_run_is_listed_with_what_it_earns_and_by_the_name_of_the_run_before_it(services):
    first = made("first")
    config = {"model": str(first.path / "final"), "data": "/d/foods", "objective": "rloo", "method": "lora"}
    second = store.create(config, name="second")
    Writer(second.path).update(loss=1e-8, reward=0.75)
    row = runs_tab.listed(EN, services, "", {})["rows"][second.id]
    assert (row["model"], row["loss"], row["best"]) == ("first", "0.750", EN("chart.reward"))
    first.delete()
    assert runs_tab.listed(EN, services, "", {})["rows"][second.id]["model"] == "final"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("apple", 1),
        ("APPLE lora", 1),
        ("apple full", 0),
        ("tiny foods", 2),
        ("fruit", 1),
        ("red", 1),
        ("queued", 2),
    ],
)
def test_the_search_looks_at_everything_a_person_knows_of_a_run(services, query, found):
    apple = made("Apple")
    made("Pear", method="full")
    apple.note("About fruit")
    apple.tag(["red"])
    assert len(runs_tab.listed(EN, services, query, {"gone": ""})["order"]) == found


def test_runs_that_this_version_does_not_understand_are_listed_all_the_same(services):
    damaged, later = made("damaged"), made("later", method="from a later version")
    (damaged.path / "config.json").write_text("{")
    rows = runs_tab.listed(ZH, services, "", {})["rows"]
    assert rows[damaged.id]["model"] == "–"
    for each in (damaged, later):
        (each.path / "final").mkdir()
    # A folder that somebody emptied is no model.
    assert columns.comparable() == []
    for each in (damaged, later):
        (each.path / "final" / "config.json").write_text("{}")
    assert columns.comparable() == [later]
    assert rows[later.id]["method"] == "from a later version"
    assert [row[0] for row in overlay.shown(ZH, [damaged.id, later.id])["table"]["rows"]]


def test_an_overlay_has_the_curves_and_the_settings_that_differ():
    slow, fast = made("slow", rate=0.1), made("fast", rate=0.2)
    shown = overlay.shown(EN, [slow.id, fast.id, "gone", 7])
    assert shown["runs"] == [[slow.id, "slow"], [fast.id, "fast"]]
    assert [name for name, _ in shown["metrics"]][:2] == ["loss", "eval_loss"]
    table = {row[0]: row[1:] for row in shown["table"]["rows"]}
    assert table["Learning rate"] == ["0.1", "0.2"]
    assert not {"Rank", "Method", "Model"} & table.keys()
    assert overlay.shown(EN, "nonsense")["runs"] == []


def test_an_overlay_is_sent_only_what_is_new():
    run = made("one")
    first = overlay.points(run, "", "loss")
    assert first["reset"] and first["x"] == [1, 2, 3]
    assert overlay.points(run, first["cursor"], "loss")["x"] == []
    assert overlay.points(run, "", "eval_loss")["y"] == [0.5]
    assert overlay.points(run, "", "reward") == {**first, "x": [], "y": []}


def test_what_happened_is_said_in_words():
    run = made("one")
    with Events(run.path / "events.jsonl") as events:
        events.write("phase", phase="loading")
        events.write("phase", phase="tokenising", done=1)
        events.write("checkpoint", step=3, path="checkpoints/checkpoint-3")
        events.write("warning", en="Careful.", zh="小心。")
        events.write("resume", step=3)
        events.write("error", error="OutOfMemory", details={})
        events.write("sample", step=4, question="北京在哪？", answer="在" * 400, reward=0.5)
        events.write("done", stopped=True, steps=3)
    said = [run_log.told(ZH, event) for event in run.log.notable()]
    assert [kind for _, kind, _ in filter(None, said)] == [
        *("eval", "phase", "checkpoint", "warning", "resume", "error", "sample", "done")
    ]
    assert said[4][2] == "小心。" and "内存不足" in said[6][2]
    assert said[2] is None
    assert all(part in said[7][2] for part in ("北京在哪？", "0.5", "在" * 300 + "…")) and "在" * 301 not in said[7][2]


def test_a_damaged_line_of_the_list_does_not_hide_the_others(services):
    made("whole")
    broken = made("broken")
    for name in ("config.json", "card.json", "status.json", "events.jsonl"):
        (broken.path / name).write_bytes(b"\x00\xff{")
    assert len(runs_tab.listed(EN, services, "", {})["order"]) == 2
