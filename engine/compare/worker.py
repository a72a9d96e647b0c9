"""The process that evaluates, exports, judges or uploads: `python -m engine.compare.worker JOB`.

It reads the job's `config.json`, does the work, and writes what happens to `events.jsonl`. It may be ended at any moment:
an evaluation keeps every batch of answers, an export appears whole or not at all.
"""

import contextlib
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from engine import home
from engine.compare import judge, judging, tasks
from engine.compare.settings import GenerationParams
from engine.errors import OutOfMemory, TuneDeskError, WorkError, from_os_error
from engine.fields import validated
from engine.models.source import Source
from engine.runs import store
from engine.runs.events import Events
from engine.runs.store import Run

_EVERY = 0.5


def main(job: Run) -> int:
    with Events(job.path / "events.jsonl") as events:
        events.write("phase", phase="loading")
        try:
            result = _WORK[job.kind](job, Told(events))
        except TuneDeskError as error:
            return _failed(events, error)
        except MemoryError:
            return _failed(events, OutOfMemory())
        except OSError as error:
            return _failed(events, from_os_error(error, job.path))
        except Exception as error:
            # Whatever a library raises must reach the person; the trace goes to worker.log.
            traceback.print_exc()
            return _failed(events, WorkError(reason=f"{type(error).__name__}: {error}"))
        events.write("done", **{"stopped": False} | result)
        return 0


class Told:
    """How far the work is, told now and then: a count (`step` of `max_steps`) and a phase."""

    def __init__(self, events: Events):
        self._events = events
        self._lock = threading.Lock()
        self._when = -_EVERY
        self._phase = ""

    def phase(self, phase: str) -> None:
        self._events.write("phase", phase=phase)

    def count(self, done: int, total: int, **facts: object) -> None:
        with self._lock:
            if done < total and time.monotonic() - self._when < _EVERY:
                return
            self._when = time.monotonic()
            self._events.write("progress", step=done, max_steps=total, **facts)

    def progress(self, phase: str, done: int, total: int, **facts: object) -> None:
        """A count within a phase, and what else is known by then."""
        if phase != self._phase:
            self._phase = phase
            self.phase(phase)
        self.count(done, total, **facts)


class Here:
    """Answers in this process: one copy of the models, and nothing to start or to talk to."""

    def __init__(self) -> None:
        from engine.compare.desk import Desk

        self._desk = Desk()

    def batch(self, model: str, conversations: list[list[dict]], longest: int, **settings: object) -> Iterator[dict]:
        params = validated(GenerationParams, settings)
        return self._desk.answers(model, conversations, params, longest, lambda: False)

    def losses(self, model: str, conversations: list[list[dict]], max_length: int) -> Iterator[dict]:
        return self._desk.losses(model, conversations, max_length, lambda: False)


def _evaluate(job: Run, told: Told) -> dict:
    from engine.compare.evaluate import evaluate

    config = job.config
    data = Path(config["data"]) if config["data"] else None
    run = store.find(config["run"])
    here = Here()
    told.phase("evaluating")
    result = evaluate(run, here, data=data, limit=config["limit"], progress=told.count)
    return {"rows": result["rows"], "verdict": result["verdict"]}


def _export(job: Run, told: Told) -> dict:
    from engine.compare import export

    config = job.config
    run = store.find(config["run"])
    name = re.sub(r"[^\w.-]+", "-", run.card["name"] or run.id).strip("-.") or run.id
    out = job.path / f"{name}-{config['format']}"
    expected = export.expected_bytes(run, config["format"])
    finished = threading.Event()

    def watch() -> None:
        """What lies in the job's directory grows until it is as much as the base has."""
        while not finished.wait(_EVERY):
            with contextlib.suppress(FileNotFoundError):  # a file that was there a moment ago has got its name
                told.count(min(home.size_of(job.path), expected - 1), expected)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        export.export(run, config["format"], out, told.phase)
    finally:
        finished.set()
        watcher.join()
    return {"path": out.name, "bytes": home.size_of(out)}


def _judge(job: Run, told: Told) -> dict:
    from engine import hardware
    from engine.training.scoring import Scorer

    here = Here()
    work = judging.Judging(
        job.path,
        job.config,
        here,
        judge.make_judge(job.config, here, lambda run: Scorer(run, hardware.best())),
        tell=told.progress,
        stop=lambda: job.requested() is not None,
    )
    result = work.run()
    if result["pairs"]:
        follower = judge.follow_up(job.config)
        result["run"] = follower.id if follower else None
    return result


def _upload(job: Run, told: Told) -> dict:
    # What the client reads when it is imported. Offline is what other workers are.
    os.environ |= {
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    from engine.compare.upload import upload

    config = job.config
    folder = tasks.made(store.find(config["export"]))
    told.phase("uploading")
    return {"address": upload(folder, Source(**config["to"]), config["private"], told.count)}


_WORK = {tasks.EVALUATE: _evaluate, tasks.EXPORT: _export, tasks.UPLOAD: _upload, judge.KIND: _judge}


def _failed(events: Events, error: TuneDeskError) -> int:
    events.write("error", **error.record())
    return 1


if __name__ == "__main__":
    sys.exit(main(Run(Path(sys.argv[1]))))
