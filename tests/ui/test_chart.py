"""What the live view is told of a run: only what is new, in every state, in the page's language."""

import pytest

from engine.runs import store
from engine.runs.events import Events
from engine.runs.status import Writer
from ui import chart
from ui.text import Text

CONFIG = {"model": "m", "data": "d", "method": "lora", "objective": "sft"}


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))


def in_state(state: str, objective: str = "sft", **changes: object) -> store.Run:
    run = store.create(CONFIG | {"objective": objective}, name="<b>mine</b>")
    writer = Writer(run.path)
    writer.update(state=state, **changes)
    assert writer.settle()
    return run


def test_without_a_run_it_says_what_to_do(services):
    said = chart.news(Text("zh"), services, None, "")
    assert (said["state"], said["stats"], said["news"]["steps"]["step"]) == (None, [], [])
    assert "开始训练" in said["empty"]
    assert chart.news(Text("zh"), services, "no-such-run", "") == said


def test_only_new_points_are_sent(services):
    run = in_state("running", max_steps=10, step=2, phase="training")
    with Events(run.path / "events.jsonl") as events:
        for step in (1, 2):
            events.write("step", step=step, loss=3.0 / step)
        first = chart.news(Text("en"), services, run.id, "")
        assert first["news"]["reset"] and first["news"]["steps"]["loss"] == [3.0, 1.5]
        events.write("step", step=3, loss=1.0)
        events.write("eval", step=3, eval_loss=1.25)
        second = chart.news(Text("en"), services, run.id, first["news"]["cursor"])
    assert not second["news"]["reset"]
    assert (second["news"]["steps"]["step"], second["news"]["evals"]["eval_loss"]) == ([3], [1.25])


def test_a_page_is_sent_only_what_it_lacks(services):
    t, run = Text("en"), in_state("running", step=1, max_steps=10)
    with Events(run.path / "events.jsonl") as events:
        events.write("warning", en="It repeats itself.", zh="它在重复。")
        first = chart.unknown(t, services, {"run": run.id})
        asked = {"run": run.id, "cursor": first["news"]["cursor"], "mark": first["mark"]}
        asked["mark"] = chart.unknown(t, services, asked)["mark"]  # It drew the points: there are none any more.
        assert chart.unknown(t, services, asked) is None
        events.write("step", step=2, loss=1.0)
        second = chart.unknown(t, services, asked)
        assert second["news"]["steps"]["step"] == [2] and "told" not in second
        events.write("warning", en="It cheats.", zh="它在作弊。")
        third = chart.unknown(t, services, asked | {"mark": second["mark"]})
    assert first["told"]["warnings"] == ["It repeats itself."]
    assert third["told"]["warnings"] == ["It repeats itself.", "It cheats."]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("state", "changes", "kind"),
    [
        ("queued", {}, "info"),
        ("starting", {"phase": "loading"}, "info"),
        ("running", {"phase": "training", "step": 4, "max_steps": 8}, ""),
        ("running", {"phase": "waiting", "step": 4, "max_steps": 8}, "bad"),
        ("stopping", {"step": 4}, "info"),
        ("finished", {"seconds": 3725.0, "step": 8}, "good"),
        ("stopped", {"step": 4}, "info"),
        ("stopped", {"step": 0}, "info"),
        ("interrupted", {}, "bad"),
        ("failed", {"error": {"error": "OutOfMemory", "details": {}}}, "bad"),
    ],
)
def test_every_state_has_words(services, lang, state, changes, kind):
    run = in_state(state, **changes)
    said = chart.news(Text(lang), services, run.id, "")
    assert said["state_text"] and said["title"] == "<b>mine</b>"
    assert (said["message_kind"], bool(said["message"])) == (kind, bool(kind))
    assert {card["label"] for card in said["stats"]} and all(card["value"] for card in said["stats"])


def test_a_waiting_run_says_how_many_are_before_it(services):
    in_state("running", step=1)
    run = in_state("queued")
    assert chart.runs_ahead(services, run) == 1
    assert "1" in chart.news(Text("en"), services, run.id, "")["message"]


def test_where_rewards_are_earned_they_come_first_with_what_was_tried_and_warned_of(services):
    run = in_state("running", "rloo", step=3, reward=0.25, kl=0.01)
    with Events(run.path / "events.jsonl") as events:
        events.write("step", step=1, loss=1e-9, reward=0.25, kl=0.01)
        for step in range(5):
            events.write("sample", step=step, question="<b>?</b>", answer="a" * 1000, reward=step / 4)
        events.write("warning", en="It repeats itself.", zh="它在重复。")
    said = chart.news(Text("en"), services, run.id, "")
    assert said["metrics"][0] == ["reward", "Mean reward"]
    assert [card["label"] for card in said["stats"]][1:3] == ["Mean reward", "From the start (KL)"]
    assert said["told"]["tried"][0]["note"] == "step 4 · reward 1.000"
    assert len(said["told"]["tried"]) == 3 and len(said["told"]["tried"][0]["answer"]) < 400
    assert said["told"]["warnings"] == ["It repeats itself."]
    assert chart.news(Text("zh"), services, run.id, "")["told"]["warnings"] == ["它在重复。"]


@pytest.mark.parametrize("objective", ["rloo", "grpo"])
def test_where_rewards_will_be_earned_the_figures_say_so_before_the_first(services, objective):
    said = chart.news(Text("en"), services, in_state("starting", objective).id, "")
    assert [card["label"] for card in said["stats"]][1:3] == ["Mean reward", "From the start (KL)"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "–"), (0, "0 s"), (59.4, "59 s"), (130, "2 min 10 s"), (11130, "3 h 5 min")]
)
def test_time_is_said_as_people_do(seconds, said):
    assert chart.duration(Text("en"), seconds) == said


@pytest.mark.parametrize(("value", "said"), [(None, "–"), (0.0, "0"), (1.23456, "1.235"), (0.00012, "0.00012")])
def test_numbers_have_the_digits_that_matter(value, said):
    assert chart.number(value) == said


@pytest.mark.parametrize(("seconds", "said"), [(None, "–"), (45.2, "0:45"), (273, "4:33"), (3723, "1:02:03")])
def test_the_clock(seconds, said):
    assert chart.clock(seconds) == said
