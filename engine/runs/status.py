"""The state of a job, `status.json`: what is in it, how events change it, and its one writer.

Only the process that holds the claim on a job writes this file. It is a summary of the events, so a damaged file is
made anew from them.
"""

import contextlib
import os
import time
from pathlib import Path

from engine import home
from engine.runs import events
from engine.runs.kinds import kind_of

QUEUED = "queued"
ACTIVE = ("starting", "running", "stopping")
ENDED = ("finished", "stopped", "failed", "interrupted")

# Fields of an event that are at once the current state of the run.
_CURRENT = (
    "phase",
    "step",
    "max_steps",
    "epoch",
    "loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
    "memory_gb",
    "eta_s",
    "micro_batch",
    "micro_batch_divisor",
    "rows",
    "eval_loss",
    "reward",
    "kl",
    "bytes",
    "bytes_total",
    "bytes_per_second",
    "prompt_tokens",
    "completion_tokens",
    "cost",
)
_BOOKKEEPING = ("seq", "time", "type")
_WRITE_EVERY = 1.0
_RESERVE = ".reserve"
_RESERVED = 16384

_cache: dict[Path, tuple[tuple[int, int], dict]] = {}


def initial(kind: str) -> dict:
    """The state of a job just made.

    Times are seconds since 1970, `seconds` the time that workers have spent on it. `supervisor` and `worker` are
    identities (`processes.identity`), `attempt` counts workers, `seq` is the last event taken in, `micro_batch` and
    `rows` (to learn from) what the present worker reported, tokens and `cost` what a judge on the network has taken.
    `error` is a record (`errors.from_record`), `result` what the worker's `done` event said.
    """
    return {
        "state": QUEUED,
        "kind": kind,
        "created": time.time(),
        "started": None,
        "ended": None,
        "seconds": 0.0,
        "supervisor": None,
        "worker": None,
        "attempt": 0,
        "seq": 0,
        "oom_kills": 0,
        "phase": None,
        "step": 0,
        "max_steps": None,
        "loss": None,
        "eval_loss": None,
        "reward": None,
        "kl": None,
        "best": None,
        "micro_batch": None,
        "micro_batch_divisor": 1,
        "rows": None,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost": 0.0,
        "error": None,
        "result": None,
    }


def fold(status: dict, event: dict) -> None:
    """Take what `event` tells into `status`."""
    status["seq"] = event["seq"]
    status.update({name: event[name] for name in _CURRENT if name in event})
    kind = event["type"]
    if kind == "eval":
        best = status["best"]
        if event["eval_loss"] is not None and (best is None or event["eval_loss"] < best["eval_loss"]):
            status["best"] = {"step": event["step"], "eval_loss": event["eval_loss"]}
    elif kind == "error":
        status["error"] = {"error": event["error"], "details": event["details"]}
    elif kind == "done":
        status["result"] = {name: value for name, value in event.items() if name not in _BOOKKEEPING}
        status["error"] = None
    elif kind == "resume":
        status.update(error=None, result=None, eta_s=None, micro_batch=None, step=event["step"])


def read(job: Path) -> dict:
    """The state of the job in the folder `job`; made from its events when the file is damaged or gone."""
    path = job / "status.json"
    try:
        facts = path.stat()
        stamp = (facts.st_ino, facts.st_mtime_ns)
        known = _cache.get(job)
        if known is None or known[0] != stamp:
            written = home.read_json(path)
            if not isinstance(written, dict) or "state" not in written:
                return _from_events(job)
            known = (stamp, initial(kind_of(job)) | written)
            _cache[job] = known
        return dict(known[1])
    except (FileNotFoundError, ValueError):
        return _from_events(job)


def _from_events(job: Path) -> dict:
    status = initial(kind_of(job))
    status["created"] = job.stat().st_mtime
    log = events.log(job / "events.jsonl")
    for event in log.after(0):
        fold(status, event)
    status |= log.losses()
    status["state"] = end_state(status) or "interrupted"
    return status


def end_state(status: dict) -> str | None:
    """How the last worker ended by its own account: "finished", "stopped", "failed"; None when it did not say."""
    if status["result"] is not None:
        return "stopped" if status["result"].get("stopped") else "finished"
    return "failed" if status["error"] is not None else None


class Writer:
    """The one writer of a job's state. A write that fails (a full disk) is kept in memory and tried again."""

    def __init__(self, job: Path):
        self._job = job
        self.status = read(job)
        self._dirty = False
        self._written = -_WRITE_EVERY

    def update(self, **changes: object) -> None:
        """Change the state and write it now; for the end of the job the reserve is given up."""
        self.status.update(changes)
        if changes.get("state") in ENDED:
            (self._job / _RESERVE).unlink(missing_ok=True)
        self._dirty = True
        self._write()

    def take(self, event: dict) -> None:
        """Fold one event in; it is written at the next `tick`."""
        fold(self.status, event)
        self._dirty = True

    def tick(self) -> None:
        """Write what changed, at most once a second."""
        if self._dirty and time.monotonic() - self._written >= _WRITE_EVERY:
            self._write()

    def reserve(self) -> None:
        """Keep a little room aside, so that even on a full disk the end of the job can be written down."""
        with contextlib.suppress(OSError):
            (self._job / _RESERVE).write_bytes(os.urandom(_RESERVED))

    def settle(self, patience: float = 10.0) -> bool:
        """Write what changed, trying for `patience` seconds; whether it is on the disk now."""
        until = time.monotonic() + patience
        while self._dirty and not self._write() and time.monotonic() < until:
            time.sleep(0.2)
        return not self._dirty

    def _write(self) -> bool:
        try:
            home.write_json(self._job / "status.json", self.status)
        except OSError:
            if not os.path.isdir(self._job):
                self._dirty = False
            return False
        finally:
            self._written = time.monotonic()
        self._dirty = False
        return True
