"""A worker that waits with its imports done, so that a run begins at once. It ends with the process that keeps it."""

import subprocess
import sys
import threading
from pathlib import Path

import psutil

from engine import home
from engine.runs import processes

# With less memory free than this it would take room from others for a few seconds' gain.
_ROOM = 3_000_000_000


class Standby:
    """Keeps at most one waiting worker of `module`, which is started as `python -m module --standby`, reads the directory
    of its job from a line on standard input, and ends when that is closed. Safe to use from several threads."""

    def __init__(self, module: str):
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    def prepare(self) -> None:
        """Have one waiting, unless memory is short."""
        with self._lock:
            if self._waits() or psutil.virtual_memory().available < _ROOM:
                return
            self._end()
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module, "--standby"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=home.ASSETS.parent,
                env=processes.environment(),
                start_new_session=True,
            )

    def take(self, module: str) -> subprocess.Popen | None:
        """The waiting worker, when it is one of `module`; another gives its memory back. None when there is none."""
        with self._lock:
            if module != self._module or not self._waits():
                self._end()
                return None
            taken, self._process = self._process, None
            return taken

    def close(self) -> None:
        with self._lock:
            self._end()

    def _waits(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process = None


def hand_over(worker: subprocess.Popen, job: Path) -> None:
    """Let a waiting worker begin with `job`.

    Raises:
        OSError: it died meanwhile.
    """
    with worker.stdin as line:
        line.write(f"{job}\n".encode())
