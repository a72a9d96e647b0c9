"""What happened in a run: `events.jsonl`, appended to by one process at a time and read by many, cheaply.

A line is flat: `{"seq": 12, "time": 1790000000.1, "type": "step", "step": 5, "loss": 1.234}`. `seq` rises through all
workers of a run; a last line torn by a crash is cut off by the next writer and ignored by readers. The worker writes
while it lives; its supervisor only before and after. What the types mean is not known here, except that a `resume` event
takes the curves back to its checkpoint.
"""

import errno
import math
import os
import re
import threading
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path

import orjson

from engine.runs.series import Curve

# The columns that every run has; see `metrics` for the others.
STEP_COLUMNS = ("step", "epoch", "loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb")
EVAL_COLUMNS = ("step", "eval_loss")
_TAIL = 65536
_LOOK_EVERY = 1.0
# Logs kept in memory: a page shows one run, an overlay a handful. About 3 MB for a run of 50,000 steps.
_KEPT_LOGS = 24


class Events:
    """The writer. Opening cuts off a torn last line and goes on with the next `seq`. Safe to use from several threads.

    A number that is not finite is written as null: JSON has no NaN. `patience`: how many seconds a write waits for room
    on a full disk.
    """

    def __init__(self, path: Path, patience: float = 0.0):
        self._patience = patience
        self._lock = threading.Lock()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        self._end, self._seq = _repair(self._handle)

    def write(self, type: str, **fields: object) -> dict:
        """Append one event and return it.

        Raises:
            OSError: no room (ENOSPC) and the like; nothing is left of the line, and writing may be tried again.
        """
        with self._lock:
            event = {"seq": self._seq + 1, "time": round(time.time(), 3), "type": type}
            event.update({name: None if _not_finite(value) else value for name, value in fields.items()})
            line = orjson.dumps(event, default=_plain) + b"\n"
            until = time.monotonic() + self._patience
            while not self._written(line, may_wait=time.monotonic() < until):
                time.sleep(_LOOK_EVERY)
            self._end += len(line)
            self._seq += 1
            return event

    def close(self) -> None:
        os.close(self._handle)

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _written(self, line: bytes, may_wait: bool) -> bool:
        try:
            self._write_all(line)
        except OSError as error:
            os.ftruncate(self._handle, self._end)
            if error.errno in (errno.ENOSPC, errno.EDQUOT) and may_wait:
                return False
            raise
        return True

    def _write_all(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._handle, line) :]


class Log:
    """The reader: takes in what was appended since it last looked, never the whole file again. Safe between threads."""

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._inode = -1
        self._end = 0
        self._seqs = array("q")
        self._starts = array("q")
        self._rare: list[dict] = []
        self._steps = Curve(STEP_COLUMNS, "loss")
        self._evals = Curve(EVAL_COLUMNS, "eval_loss")
        self._rewinds = 0

    def after(self, seq: int = 0) -> list[dict]:
        """The events whose number is above `seq`, in order."""
        with self._lock:
            self._take_in()
            place = bisect_right(self._seqs, seq)
            if place == len(self._seqs):
                return []
            with open(self._path, "rb") as file:
                file.seek(self._starts[place])
                lines = file.read(self._end - self._starts[place]).split(b"\n")
        return [event for event in map(_parsed, lines) if event is not None and event["seq"] > seq]

    def notable(self, after: int = 0) -> list[dict]:
        """The events other than steps above number `after`: few, whatever the length of the run."""
        with self._lock:
            self._take_in()
            return [event for event in self._rare if event["seq"] > after]

    def series(self, cursor: str = "", limit: int = 1200) -> dict:
        """What a chart that knows the points up to `cursor` must draw: at most about `limit` points in all.

        Returns `{"cursor", "reset", "steps": {column: [...]}, "evals": {column: [...]}}`; `reset` means: forget what
        was drawn, these are all the points. The first call gives no cursor.
        """
        with self._lock:
            self._take_in()
            strides = self._steps.stride(limit), self._evals.stride(limit)
            widths = self._steps.width, self._evals.width
            key = ".".join(map(str, (self._inode, self._rewinds, *strides, *widths)))
            known = re.fullmatch(re.escape(key) + r":(\d+)\.(\d+)", cursor)
            after = (int(known[1]), int(known[2])) if known else (0, 0)
            steps, step_end = self._steps.points(after[0], strides[0])
            evals, eval_end = self._evals.points(after[1], strides[1])
        return {"cursor": f"{key}:{step_end}.{eval_end}", "reset": known is None, "steps": steps, "evals": evals}

    def losses(self) -> dict:
        """What a state says of the curves: the last `loss` and `eval_loss`, and as `best` the lowest of these, `{"step",
        "eval_loss"}`; each None where there is none."""
        with self._lock:
            self._take_in()
            columns, _ = self._evals.points(0, 1)
            loss, eval_loss = self._steps.last("loss"), self._evals.last("eval_loss")
        known = [pair for pair in zip(columns["eval_loss"], columns["step"], strict=True) if pair[0] is not None]
        best = {"step": min(known)[1], "eval_loss": min(known)[0]} if known else None
        return {"loss": loss, "eval_loss": eval_loss, "best": best}

    def last_seq(self) -> int:
        with self._lock:
            self._take_in()
            return self._seqs[-1] if self._seqs else 0

    def _take_in(self) -> None:
        try:
            facts = self._path.stat()
        except FileNotFoundError:
            self._forget()
            return
        if facts.st_ino != self._inode or facts.st_size < self._end:
            self._forget()
            self._inode = facts.st_ino
        if facts.st_size == self._end:
            return
        with open(self._path, "rb") as file:
            file.seek(self._end)
            fresh = file.read()
        for line in fresh[: fresh.rfind(b"\n") + 1].splitlines(keepends=True):
            event = _parsed(line)
            if event is not None and event["seq"] > (self._seqs[-1] if self._seqs else 0):
                self._seqs.append(event["seq"])
                self._starts.append(self._end)
                self._sort_in(event)
            self._end += len(line)

    def _sort_in(self, event: dict) -> None:
        if event["type"] == "step":
            self._steps.add(event)
            return
        self._rare.append(event)
        if event["type"] == "eval":
            self._evals.add(event)
        elif event["type"] == "resume":
            self._steps.rewind(event["step"])
            self._evals.rewind(event["step"])
            self._rewinds += 1


_logs: OrderedDict[Path, Log] = OrderedDict()
_logs_lock = threading.Lock()


def log(path: Path) -> Log:
    """The reader of the file at `path`, shared by all pages of this process."""
    with _logs_lock:
        found = _logs.pop(path, None) or Log(path)
        _logs[path] = found
        while len(_logs) > _KEPT_LOGS:
            _logs.popitem(last=False)
        return found


def _parsed(line: bytes) -> dict | None:
    """The event of one line; None for a line damaged by a crash or a full disk."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) and {"seq", "type"} <= event.keys() else None


def _repair(handle: int) -> tuple[int, int]:
    """Cut off what follows the last line break; returns the size of the file and the highest `seq` in it."""
    size = os.lseek(handle, 0, os.SEEK_END)
    window = _TAIL
    while True:
        start = max(0, size - window)
        os.lseek(handle, start, os.SEEK_SET)
        tail = os.read(handle, size - start)
        whole = tail[: tail.rfind(b"\n") + 1]
        seqs = [event["seq"] for event in map(_parsed, whole.splitlines()) if event is not None]
        if seqs or start == 0:
            end = start + len(whole)
            if end < size:
                os.ftruncate(handle, end)
            return end, max(seqs, default=0)
        window *= 16


def _plain(value: object) -> list:
    """`Words` in an error's details are tuples with names, which orjson leaves to its caller."""
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{value!r} cannot be written as JSON")


def _not_finite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
