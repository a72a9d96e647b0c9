"""The disk fills up under a real run: it ends with the reason, its state is written, and it goes on when there is room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import home
from engine.runs import jobs, store
from engine.runs.bounds import Bounds
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


def test_a_full_disk_ends_a_run_with_its_reason_and_room_lets_it_go_on(small_disk: Path, tmp_path: Path):
    model, data = make_model(tmp_path / "model"), make_data(tmp_path / "data")
    config = configs.build(str(model), str(data), settings={"max_steps": 40, "save_steps": 5, "save_total_limit": 1})
    run = store.create(config.model_dump(mode="json"))
    filler = small_disk / "filler"
    filler.write_bytes(os.urandom(1_400_000))
    status = jobs.supervise(run, Bounds(poll=0.05))
    assert (status["state"], status["error"]["error"]) == ("failed", "DiskFull")
    assert home.read_json(run.path / "status.json") == status
    assert run.checkpoints()
    filler.unlink()
    jobs.prepare_resume(run)
    assert jobs.supervise(run, Bounds(poll=0.05))["state"] == "finished"
    assert [path.name for path in run.path.glob(".*")] == [".supervisor"]
