"""The worker that waits: a run takes it, another kind of start does without it, and it never outlives its owner."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine.runs import standby as standbys
from engine.runs import store
from engine.runs.background import Jobs
from engine.runs.standby import Standby

from .conftest import HERE, ROOT, state, wait_for


@pytest.fixture
def standby(workspace):
    kept = Standby("fake_worker")
    yield kept
    kept.close()


@pytest.fixture
def queueing(bounds, standby):
    thread = Jobs(bounds, standby=standby)
    thread.start()
    yield thread
    thread.shutdown()


def waiting() -> list[int]:
    """Of those that this process and its own started: others may test here too."""
    return [p.pid for p in psutil.Process().children(recursive=True) if waits(p.pid)]


def waits(pid: int) -> bool:
    try:
        return psutil.Process(pid).cmdline()[-2:] == ["fake_worker", "--standby"]
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def test_a_run_takes_the_worker_that_waits(queueing):
    queueing.expect_training()
    (pid,) = waiting()
    run = store.create({"steps": 10**6})
    queueing.submit(run)
    wait_for(lambda: (run.status()["step"] or 0) > 0)
    assert run.status()["worker"]["pid"] == pid
    # One works: another would only take its memory.
    queueing.expect_training()
    assert waiting() == [pid]
    queueing.stop(run)
    wait_for(lambda: state(run) == "stopped")


def test_only_one_waits(queueing):
    for _ in range(3):
        queueing.expect_training()
    assert len(waiting()) == 1


def test_a_worker_that_died_while_it_waited_is_not_missed(queueing):
    queueing.expect_training()
    psutil.Process(waiting()[0]).kill()
    run = store.create({"steps": 3})
    queueing.submit(run)
    wait_for(lambda: state(run) == "finished")


def test_a_run_on_several_devices_gets_a_worker_of_its_own_and_the_memory(queueing):
    queueing.expect_training()
    (pid,) = waiting()
    run = store.create({"steps": 3, "launch": "accelerate launch --num_processes 1"})
    queueing.submit(run)
    wait_for(lambda: not waits(pid))
    wait_for(lambda: state(run) in ("finished", "failed"))
    assert run.status()["attempt"] == 1


def test_none_waits_where_memory_is_short(queueing, monkeypatch):
    monkeypatch.setattr(standbys, "_ROOM", 1 << 60)
    queueing.expect_training()
    assert waiting() == []


def test_it_ends_with_its_owner_however_that_ends(workspace):
    code = "import time; from engine.runs.standby import Standby; Standby('fake_worker').prepare(); print(flush=True); time.sleep(60)"
    owner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    owner.stdout.readline()
    wait_for(waiting)
    (pid,) = waiting()
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_for(lambda: not waits(pid))


def test_the_real_worker_waits_and_writes_into_the_log_of_the_run_that_it_gets(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    command = [sys.executable, "-W", "ignore", "-m", "engine.training.worker", "--standby"]
    worker = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    standbys.hand_over(worker, run)
    # There is no config.json in it: the worker says so in the run's events, and its trace is in the run's log.
    assert worker.wait() == 1
    assert '"type":"error"' in (run / "events.jsonl").read_text()
    assert Path(run / "worker.log").is_file() and HERE.is_dir()
