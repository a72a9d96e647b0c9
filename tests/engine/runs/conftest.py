"""A workspace of its own for each test, with workers and apps that are real processes and train nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.runs import kinds, processes, store
from engine.runs.bounds import Bounds
from engine.runs.store import Run

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(HERE)]))
    monkeypatch.setitem(kinds.KINDS, "train", kinds.Kind(module="fake_worker", folder="runs", needs_device=True))
    yield tmp_path / "workspace"
    for run in store.jobs():
        if (worker := run.status()["worker"]) is not None:
            processes.kill(worker)


@pytest.fixture
def bounds() -> Bounds:
    """Patient: no worker is taken for hung or disobedient because the machine has other work. A test of one that is sets
    its own."""
    return Bounds(stop=60.0, quiet=120.0, floor=60.0, patience=5.0, poll=0.02)


@pytest.fixture
def app(workspace: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Starts the app's queue in a process of its own; what still runs at the end of the test is killed."""
    started = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, str(HERE / "fake_app.py")], cwd=ROOT, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_for(condition: Callable[[], object], patience: float = 120.0) -> None:
    """Until `condition()` holds; how long it takes is not what a test is about."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def state(run: Run) -> str:
    return run.status()["state"]
