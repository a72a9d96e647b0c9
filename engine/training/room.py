"""Waiting for room on a full disk: training pauses, says so, and goes on when somebody has made room."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from engine import home
from engine.errors import DiskFull
from engine.runs.events import Events
from engine.words import Words

# Bytes left on a disk that a write has just failed on, below which the disk was the reason.
_NO_ROOM = 1_000_000
# How much more room there must be before it is worth another try.
_MORE = 500_000
_PATIENCE = 1800.0
_LOOK_EVERY = 1.0

_WAITING = Words(
    "The disk is full. Training waits and goes on by itself as soon as there is room; nothing saved is lost.",
    "磁盘已满。训练已暂停，腾出空间后会自动继续；已保存的内容不会丢失。",
)


class Room:
    """For the run in the folder `run`, which tells what happens by `events`."""

    def __init__(self, run: Path, events: Events):
        self._run, self._events = run, events

    def keep(self, write: Callable[[], object], remove: Callable[[], object]) -> None:
        """Call `write`; when it fails for want of room, `remove` what it left and call it again once there is more.

        Raises:
            DiskFull: nobody made room for half an hour, or the run is to stop.
        """
        while True:
            try:
                write()
                return
            except Exception as error:
                # torch calls a full disk a RuntimeError, and removing what was half written makes room again: ask first.
                full = shutil.disk_usage(self._run).free < _NO_ROOM
                remove()
                if not full:
                    raise
                self._wait(error)

    def _wait(self, error: Exception) -> None:
        before, until = shutil.disk_usage(self._run).free, time.monotonic() + _PATIENCE
        self._events.write("warning", **_WAITING._asdict())
        self._events.write("phase", phase="waiting")
        while shutil.disk_usage(self._run).free < before + _MORE:
            if (self._run / "stop").exists() or time.monotonic() > until:
                raise DiskFull(path=str(self._run), free=home.free_text(self._run)) from error
            time.sleep(_LOOK_EVERY)
        self._events.write("phase", phase="training")
