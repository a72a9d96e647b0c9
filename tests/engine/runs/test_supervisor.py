"""One worker from start to end: obeyed and ignored stops, deaths of every kind, hanging, too little memory."""

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from engine.runs import jobs, locks, processes, store
from engine.runs.bounds import Bounds
from engine.runs.supervisor import Supervisor

from .conftest import state, wait_for


def carry(run: store.Run, bounds: Bounds) -> dict:
    return jobs.supervise(run, bounds)


def test_a_run_goes_to_its_end(workspace, bounds):
    run = store.create({"steps": 25})
    status = carry(run, bounds)
    assert status["state"] == "finished"
    assert status == run.status()
    assert status["result"] == {"stopped": False, "steps": 25, "final_loss": 0.4, "eval_loss": 0.5}
    assert (status["step"], status["max_steps"], status["best"]) == (25, 25, {"step": 25, "eval_loss": 0.5})
    assert status["worker"] is None and status["supervisor"] is None and status["error"] is None
    assert run.checkpoints() == [10, 20]


def test_nothing_of_a_supervisor_killed_while_it_wrote_is_left_behind(workspace, bounds):
    run = store.create({"steps": 5})
    (run.path / ".status.json.left").write_text("{")
    assert carry(run, bounds)["state"] == "finished"
    assert [path.name for path in run.path.glob(".*") if path.name != ".supervisor"] == []


def test_a_stop_is_obeyed_and_the_run_resumes_from_its_last_checkpoint(workspace, bounds):
    run = store.create({"steps": 1000, "delay": 0.02})
    worker = threading.Thread(target=carry, args=(run, bounds))
    worker.start()
    wait_for(lambda: run.checkpoints())
    assert jobs.stop(run)["state"] == "stopped"
    worker.join()
    assert run.status()["result"]["stopped"]
    reached = run.status()["step"]

    (run.path / "config.json").write_text('{"steps": 60, "delay": 0}')
    jobs.prepare_resume(run)
    assert state(run) == "queued" and run.requested() is None
    status = carry(run, bounds)
    assert status["state"] == "finished" and status["step"] == 60 and status["attempt"] == 2
    resume = next(event for event in run.events() if event["type"] == "resume")
    assert resume["step"] == reached // 10 * 10
    steps = run.series(limit=10**6)["steps"]["step"]
    assert steps == list(range(1, 61))
    seqs = [event["seq"] for event in run.events()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_worker_that_does_not_obey_is_ended_after_the_bound(workspace, bounds):
    run = store.create({"steps": 10**6, "obeys": False})
    worker = threading.Thread(target=carry, args=(run, replace(bounds, stop=1.0)))
    worker.start()
    wait_for(lambda: run.status()["step"] > 0)
    run.request("stop")
    wait_for(lambda: state(run) == "stopping")
    worker.join()
    assert state(run) == "stopped" and run.status()["result"] is None
    warning = next(event for event in run.events() if event["type"] == "warning")
    assert "1 s" in warning["en"] and "1 秒" in warning["zh"]


def test_stopping_at_once_ends_the_worker_and_all_its_children(workspace, bounds):
    run = store.create({"steps": 10**6, "obeys": False})
    worker = threading.Thread(target=carry, args=(run, bounds))
    worker.start()
    wait_for(lambda: run.status()["step"] > 0)
    who = run.status()["worker"]
    assert jobs.stop(run, now=True)["state"] == "stopped"
    worker.join()
    assert not processes.alive(who)


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("exit", "WorkerDied", "exit code 3"),
        ("killed", "WorkerDied", "SIGKILL"),
        ("error", "LossNotFinite", None),
    ],
)
def test_a_worker_that_dies_leaves_a_failed_run_that_resumes(workspace, bounds, kind, error, says):
    run = store.create({"steps": 20, "trouble": {"step": 15, "kind": kind, "once": True}})
    status = carry(run, bounds)
    assert status["state"] == "failed" and status["error"]["error"] == error
    if says:
        assert says in status["error"]["details"]["reason"][0]
    if kind == "exit":
        assert "something went wrong" in run.log_tail()
    jobs.prepare_resume(run)
    assert carry(run, bounds)["state"] == "finished"


def test_a_hung_worker_is_ended_and_can_be_resumed(workspace, bounds):
    run = store.create({"steps": 20, "trouble": {"step": 12, "kind": "hang", "once": True}})
    status = carry(run, replace(bounds, floor=1.0))
    assert status["state"] == "interrupted" and status["error"]["error"] == "WorkerHung"
    jobs.prepare_resume(run)
    status = carry(run, bounds)
    assert status["state"] == "finished" and status["error"] is None


def test_out_of_memory_goes_on_by_itself_with_half_the_rows(workspace, bounds):
    run = store.create({"steps": 20, "rows": 8, "rows_that_fit": 2, "out_of_memory": "python"})
    status = carry(run, bounds)
    assert status["state"] == "finished"
    assert status["micro_batch"] == 2 and status["attempt"] == 3
    said = [event for event in run.events() if event["type"] == "warning"]
    assert len(said) == 2 and "half as many" in said[0]["en"] and "减半" in said[0]["zh"]


def test_out_of_memory_stands_when_one_row_does_not_fit(workspace, bounds):
    run = store.create({"steps": 20, "rows": 4, "rows_that_fit": 0, "out_of_memory": "python"})
    status = carry(run, bounds)
    assert status["state"] == "failed" and status["error"]["error"] == "OutOfMemory" and status["attempt"] == 3


def test_the_kernels_kill_counts_as_out_of_memory(workspace, bounds, monkeypatch):
    group = Path(f"/sys/fs/cgroup/memory/fake-{os.getpid()}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("80000000")
    except OSError:
        pytest.skip("a control group with a memory limit cannot be made here")
    monkeypatch.setenv("FAKE_CGROUP", str(group))
    try:
        run = store.create({"steps": 5, "rows": 2, "rows_that_fit": 1, "out_of_memory": "kernel"})
        status = carry(run, bounds)
    finally:
        group.rmdir()
    assert status["state"] == "finished" and status["attempt"] == 2 and status["micro_batch"] == 1


def test_a_full_disk_under_the_state_is_survived(workspace, bounds, monkeypatch):
    """The state is kept in memory and written when there is room; here the folder refuses new files for a while."""
    run = store.create({"steps": 200, "save_steps": 1000, "delay": 0})
    claim = locks.claim(run.path)
    supervisor = Supervisor(run, bounds, threading.Event())
    real = store.home.write_json
    room = threading.Event()

    def write_json(path, value):
        if value.get("step", 0) > 5 and not room.is_set():
            raise OSError(28, "No space left on device")
        real(path, value)

    monkeypatch.setattr("engine.home.write_json", write_json)
    worker = threading.Thread(target=supervisor.work)
    worker.start()
    wait_for(lambda: supervisor.status["state"] == "finished")
    assert state(run) != "finished"
    room.set()
    worker.join()
    claim.release()
    assert state(run) == "finished" and run.status()["step"] == 200


def test_a_launch_other_than_accelerate_is_refused(workspace, bounds):
    run = store.create({"steps": 5, "launch": "rm -rf /"})
    status = carry(run, bounds)
    assert status["state"] == "failed" and status["error"]["error"] == "Unsupported"


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_the_worker_of_another_supervisor_is_taken_over(workspace, bounds):
    run = store.create({"steps": 1000, "delay": 0.02})
    claim = locks.claim(run.path)
    leave = threading.Event()
    first = threading.Thread(target=Supervisor(run, bounds, leave).work)
    first.start()
    wait_for(lambda: run.status()["step"] > 3)
    who = run.status()["worker"]
    leave.set()
    first.join()
    assert processes.alive(who)
    second = threading.Thread(target=Supervisor(run, bounds, threading.Event()).work)
    second.start()
    run.request("stop")
    second.join()
    claim.release()
    assert state(run) == "stopped" and run.status()["attempt"] == 1


def test_signal_names():
    assert processes.signal_name(signal.SIGSEGV) == "SIGSEGV"
    assert processes.signal_name(99) == "signal 99"
