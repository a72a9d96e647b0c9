import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine import home
from engine.errors import NotFound, OutsideFolder, Unsupported
from engine.runs import locks, plan, processes, queue, status, store
from engine.runs.events import Events


@pytest.fixture(autouse=True)
def _here(workspace):
    pass


def test_a_new_run_is_whole_queued_and_found():
    run = store.create({"model": "m"}, name="first")
    assert run.config == {"model": "m"}
    assert run.status()["state"] == "queued" and run.events() == []
    assert run.card == {"kind": "train", "name": "first", "note": "", "tags": [], "parent": None}
    assert store.find(run.id) == store.find(run.path) == run
    other = store.create({}, kind="evaluate")
    assert store.runs() == [run] and set(store.jobs()) == {run, other}
    assert not list(run.path.parent.glob(".*"))


@pytest.mark.parametrize("ref", ["nothing", "../runs", "/etc", "", ".", "..", "a/b"])
def test_what_is_not_a_run_is_not_found(ref):
    store.create({})
    with pytest.raises(NotFound):
        store.find(ref)


def test_a_clone_remembers_its_parent_and_a_run_its_names():
    run = store.create({"seed": 1})
    copy = store.clone(run, run.config | {"seed": 2})
    assert copy.card["parent"] == run.id and copy.config == {"seed": 2}
    copy.rename("  <b>名字</b> ")
    copy.note("two\nlines")
    copy.tag(["a", " b ", "", "a"])
    assert copy.card == {
        "kind": "train",
        "name": "<b>名字</b>",
        "note": "two\nlines",
        "tags": ["a", "b"],
        "parent": run.id,
    }


def test_runs_are_listed_newest_first():
    old, new = store.create({}), store.create({})
    for run, created in ((old, 100.0), (new, 200.0)):
        home.write_json(run.path / "status.json", run.status() | {"created": created})
    assert store.runs() == [new, old]


def test_a_damaged_state_is_made_anew_from_the_events():
    run = store.create({})
    with Events(run.path / "events.jsonl") as file:
        file.write("phase", phase="training", max_steps=20)
        file.write("step", step=7, loss=0.5)
    (run.path / "status.json").write_text('{"state": "runn')
    found = run.status()
    assert (found["state"], found["step"], found["loss"], found["max_steps"]) == ("interrupted", 7, 0.5, 20)
    with Events(run.path / "events.jsonl") as file:
        file.write("done", stopped=True, steps=7)
    (run.path / "status.json").unlink()
    assert run.status()["state"] == "stopped"
    for odd in ("[]", "{}", "null", "\ufeff"):
        (run.path / "status.json").write_text(odd)
        assert run.status()["state"] == "stopped"


def test_damaged_small_files_do_no_harm():
    run = store.create({})
    for name in ("card.json", "resume.json", "config.json"):
        (run.path / name).write_text("{")
    (home.home() / "queue.json").write_text("[")
    assert run.kind == "train" and run.card["name"] is None and run.config == {}
    (run.path / "card.json").write_text('{"kind": "from a later version"}')
    assert run.kind == "train"
    assert plan.read(run.path)["checkpoint"] is None
    queue.append(run.id)
    assert queue.order() == [run.id]


def checkpoint(run: store.Run, step: int, **files: bytes) -> Path:
    folder = run.path / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text('{"best_global_step": null}')
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def test_only_whole_checkpoints_count():
    run = store.create({})
    for step in (9, 10, 11):
        checkpoint(run, step)
    (run.path / "checkpoints" / "checkpoint-11" / "trainer_state.json").unlink()
    (run.path / "checkpoints" / "tmp-12").mkdir()
    (run.path / "checkpoints" / ".writing" / "checkpoint-12").mkdir(parents=True)
    assert run.checkpoints() == [9, 10]


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_checkpoint_that_was_cut_short_does_not_count(name, share):
    run = store.create({})
    checkpoint(run, 10)
    folder = checkpoint(run, 20)
    save_file({"a": torch.arange(100), "b": torch.ones(3)}, folder / "model.safetensors", metadata={"format": "pt"})
    for other in ("optimizer.pt", "rng_state.pth"):
        torch.save({"state": torch.arange(100)}, folder / other)
    assert run.checkpoints() == [10, 20]
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * share)])
    assert run.checkpoints() == [10]


def test_checkpoints_after_a_step_are_dropped_with_those_that_are_not_whole():
    run = store.create({})
    for step in (5, 10, 20):
        checkpoint(run, step)
    (run.path / "checkpoints" / "checkpoint-20" / "trainer_state.json").unlink()
    run.drop_checkpoints(after=5)
    assert [path.name for path in run.path.glob("checkpoints/*")] == ["checkpoint-5"]


def test_deleting_frees_what_it_says_and_refuses_a_living_run(tmp_path):
    run = store.create({"steps": 1})
    (run.path / "big").write_bytes(b"x" * 10_000)
    claim = locks.claim(run.path)
    with pytest.raises(Unsupported):
        run.delete()
    claim.release()
    size = run.size()
    assert run.delete() == size >= 10_000
    assert store.runs() == [] and not run.path.exists() and not list(home.folder("runs").iterdir())


def test_a_run_elsewhere_is_never_deleted(tmp_path):
    run = store.create({})
    outside = tmp_path / "runs" / run.id
    outside.parent.mkdir()
    os.rename(run.path, outside)
    with pytest.raises(OutsideFolder):
        store.find(outside).delete()
    assert outside.exists()


def test_the_best_step_is_the_one_with_the_lowest_validation_loss():
    state = status.initial("train")
    for seq, (step, loss) in enumerate([(10, 2.0), (20, 1.0), (30, 1.5), (40, None)], 1):
        status.fold(state, {"seq": seq, "type": "eval", "step": step, "eval_loss": loss})
    assert state["best"] == {"step": 20, "eval_loss": 1.0}


def test_the_queue_keeps_its_order_and_moves():
    for id in ("a", "b", "c"):
        queue.append(id)
    queue.arrange(["c", "a"])
    assert queue.order() == ["c", "a", "b"]
    queue.append("a")
    assert queue.order() == ["c", "b", "a"]
    queue.remove("b")
    assert queue.order() == ["c", "a"]


def test_a_claim_is_exclusive_and_freed_by_death():
    run = store.create({})
    code = (
        "import sys, pathlib; from engine.runs import locks; held = locks.claim(pathlib.Path(sys.argv[1]));"
        "print(held is not None, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "True\n"
        assert locks.claim(run.path) is None
        other.kill()
        other.wait()
        held = locks.claim(run.path)
        assert held is not None
        held.release()


def test_a_process_is_known_by_more_than_its_number():
    me = processes.me()
    assert processes.alive(me)
    assert not processes.alive(me | {"born": "another"})
    assert not processes.alive(None)
    child = subprocess.Popen([sys.executable, "-c", ""])
    who = processes.identity(child.pid)
    while processes.alive(who):
        pass  # a zombie till it is waited for: not alive
    assert processes.identity(child.pid)["born"] is None
    child.wait()
    processes.kill(who)
