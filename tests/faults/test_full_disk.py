"""The disk fills up under a real run: it waits for room and goes on, or ends with the reason and its last checkpoint."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import faults
from engine import home
from engine.runs import jobs, store
from engine.runs.bounds import Bounds
from engine.runs.status import ENDED
from engine.training import config as configs
from tests.tiny import make_data, make_model


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A workspace of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        sys.platform != "linux"
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", str(disk)], capture_output=True).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    monkeypatch.setenv("TUNEDESK_HOME", str(disk))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def waiting(small_disk: Path, tmp_path: Path) -> Iterator[store.Run]:
    """A run that has met the full disk; the file `filler` is what fills it."""
    model, data = make_model(tmp_path / "model"), make_data(tmp_path / "data")
    config = configs.build(str(model), str(data), settings={"max_steps": 40, "save_steps": 5, "save_total_limit": 1})
    run = store.create(config.model_dump(mode="json"))
    (small_disk / "filler").write_bytes(os.urandom(1_400_000))
    worker = threading.Thread(target=jobs.supervise, args=(run, Bounds(poll=0.05)))
    worker.start()
    while not any(event["type"] == "phase" and event["phase"] == "waiting" for event in run.events()):
        assert worker.is_alive()
        time.sleep(0.05)
    yield run
    worker.join()


def test_training_waits_for_room_and_goes_on(small_disk: Path, waiting: store.Run):
    assert waiting.checkpoints() and waiting.status()["state"] == "running"
    (small_disk / "filler").unlink()
    while waiting.status()["state"] not in ENDED:
        time.sleep(0.05)
    assert waiting.status()["state"] == "finished" and waiting.status()["attempt"] == 1
    assert waiting.series()["steps"]["step"] == list(range(1, 41))
    assert faults.problems(waiting) == []


def test_a_stop_while_it_waits_leaves_the_reason_and_the_last_checkpoint(small_disk: Path, waiting: store.Run):
    kept = waiting.checkpoints()
    status = jobs.stop(waiting)
    assert (status["state"], status["error"]["error"]) == ("failed", "DiskFull")
    assert home.read_json(waiting.path / "status.json") == status
    assert kept and waiting.checkpoints() == kept
    (small_disk / "filler").unlink()
    jobs.prepare_resume(waiting)
    assert jobs.supervise(waiting, Bounds(poll=0.05))["state"] == "finished"
    assert faults.problems(waiting) == []
