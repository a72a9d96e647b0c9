"""SIGKILL of the worker and of the app at random moments of a real run: nothing is lost, nothing is torn, and the end is
the same to the last bit.

`TUNEDESK_KILLS=30 pytest tests/faults/test_kills.py` does thirty of each; by default it is a few, for their time.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import home
from engine.runs import jobs, processes, queue, store
from engine.runs.status import ENDED
from engine.training import config as configs
from tests.tiny import make_data, make_model

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TUNEDESK_KILLS", "2"))
SETTINGS = {"max_steps": 120, "save_steps": 7, "eval_steps": 30, "batch_size": 4, "precision": "fp32"}


class App:
    """The app as a process that can be killed and started again."""

    def __init__(self) -> None:
        self._process = self._start()

    def _start(self) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("app.py"))],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
        )
        assert process.stdout.readline() == b"ready\n"
        return process

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def restart(self) -> None:
        self.end()
        self._process = self._start()


@pytest.fixture
def app(tmp_path, monkeypatch) -> Iterator[App]:
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    started = App()
    yield started
    started.end()
    for run in store.jobs():
        if (worker := run.status()["worker"]) is not None:
            processes.kill(worker)


@pytest.fixture
def submit(tmp_path) -> Callable[[], store.Run]:
    """Puts the same run into the queue each time."""
    model, data = make_model(tmp_path / "model"), make_data(tmp_path / "data")
    config = configs.build(str(model), str(data), method="lora", settings=SETTINGS)

    def once() -> store.Run:
        run = store.create(config.model_dump(mode="json"))
        queue.append(run.id)
        return run

    return once


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.02)


def ended(run: store.Run) -> bool:
    return run.status()["state"] in ENDED


def curve(run: store.Run) -> dict[str, list]:
    shown = run.series(limit=10**6)
    return {
        "step": shown["steps"]["step"],
        "loss": shown["steps"]["loss"],
        "learning_rate": shown["steps"]["learning_rate"],
    }


def whole(run: store.Run) -> None:
    """Every file of a run that ended can be read, and none is left half-written."""
    for path in run.path.rglob("*.json"):
        home.read_json(path)
    left = [path for path in run.path.rglob(".*") if path.name not in (".supervisor",)]
    assert not left
    seqs = [event["seq"] for event in run.events()]
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.timeout(0 if KILLS > 2 else 600)
def test_kills_at_random_moments_change_nothing_in_the_end(app, submit):
    calm = submit()
    began = time.monotonic()
    until(lambda: ended(calm))
    usual = time.monotonic() - began
    assert calm.status()["state"] == "finished"
    last = (calm.path / "final" / "adapter_model.safetensors").read_bytes()

    draw = random.Random(7)
    victims = ["worker", "app"] * KILLS
    draw.shuffle(victims)
    while victims:
        run = submit()
        while not ended(run) or run.status()["state"] != "finished":
            if victims:
                deadline = time.monotonic() + draw.uniform(0, usual)
                until(lambda: ended(run) or time.monotonic() > deadline)  # noqa: B023 - called at once
                if not ended(run) and kill(victims[-1], run, app):
                    victims.pop()
            until(lambda: ended(run) or victims)  # noqa: B023
            if ended(run) and run.status()["state"] != "finished":
                assert run.status()["state"] in ("failed", "interrupted")
                jobs.prepare_resume(run)
                queue.append(run.id)
        whole(run)
        assert curve(run) == curve(calm)
        assert (run.path / "final" / "adapter_model.safetensors").read_bytes() == last


def kill(victim: str, run: store.Run, app: App) -> bool:
    """Whether there was something to kill: before a worker is started there is none."""
    if victim == "app":
        app.restart()
        return True
    worker = run.status()["worker"]
    if not processes.alive(worker):
        return False
    os.kill(worker["pid"], signal.SIGKILL)
    until(lambda: ended(run))
    return True
