"""The background thread of the app: takes jobs from the queue, each in its turn, and supervises them side by side.

jobs = Jobs(); jobs.start(); jobs.submit(run); ... jobs.shutdown()       workers outlive the app
"""

import logging
import threading
from collections.abc import Callable

from filelock import FileLock

from engine.errors import from_os_error
from engine.runs import jobs, locks, queue, store, turns
from engine.runs.bounds import BOUNDS, Bounds
from engine.runs.kinds import KINDS
from engine.runs.standby import Standby
from engine.runs.status import ACTIVE, ENDED, QUEUED
from engine.runs.store import Run
from engine.runs.supervisor import Supervisor

_TICK = 0.5

_log = logging.getLogger(__name__)


class Jobs:
    """`before` is called with a run that is about to get the device (the generation
    process gives its memory back then); `standby` may have a worker waiting."""

    def __init__(
        self,
        bounds: Bounds = BOUNDS,
        before: Callable[[Run], None] | None = None,
        standby: Standby | None = None,
    ):
        self._bounds = bounds
        self._before = before
        self._standby = standby
        self._leave = threading.Event()
        self._wake = threading.Event()
        self._waiting: dict[Run, FileLock] = {}
        self._threads: dict[Run, threading.Thread] = {}
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)

    def start(self) -> None:
        """Take up what waits in the queue and what other processes left behind, and go on till `shutdown`."""
        self._thread.start()

    def shutdown(self) -> None:
        """Let go of everything. Workers go on; the next start of the app finds them."""
        self._leave.set()
        self._wake.set()
        self._thread.join()
        if self._standby is not None:
            self._standby.close()
        for thread in list(self._threads.values()):
            thread.join()
        for claim in self._waiting.values():
            claim.release()

    def expect_training(self) -> None:
        """A run is likely soon: have a worker waiting, unless one works."""
        if self._standby is not None and not self._threads and not self._leave.is_set():
            self._standby.prepare()

    def submit(self, run: Run) -> None:
        """Put a run just made at the end of the queue; one that needs no device starts at once."""
        jobs.line_up(run)
        self._wake.set()

    def resume(self, run: Run, checkpoint: int | None = None, num_train_epochs: float | None = None) -> None:
        """See `prepare_resume`; the run goes to the end of the queue."""
        jobs.prepare_resume(run, checkpoint, num_train_epochs)
        self.submit(run)

    def stop(self, run: Run, now: bool = False) -> None:
        """Ask a run to finish its step and save, or to end `now`. One that waits leaves the queue."""
        run.request("kill" if now else "stop")
        self._wake.set()

    def cancel(self, run: Run) -> None:
        """Take a waiting run out of the queue."""
        self.stop(run)

    def reorder(self, run: Run, place: int) -> None:
        """Move a waiting run to `place` in the queue (1 is the next to start)."""
        line = [other.id for other in turns.waiting() if other != run]
        line.insert(max(place - 1, 0), run.id)
        queue.arrange(line)
        self._wake.set()

    def position(self, run: Run) -> int | None:
        """Its place in the queue (1 is the next to start); None when it does not wait."""
        line = turns.waiting()
        return line.index(run) + 1 if run in line else None

    def _loop(self) -> None:
        while not self._leave.is_set():
            try:
                self._tick()
            except OSError as error:
                # A full disk must not end the queue: the next tick tries again.
                _log.warning("queue: %s", from_os_error(error, "workspace"))
            self._wake.wait(_TICK)
            self._wake.clear()

    def _tick(self) -> None:
        for run, thread in list(self._threads.items()):
            if not thread.is_alive():
                del self._threads[run]
        for run in store.jobs():
            if run.status()["state"] not in ENDED and run not in self._threads and run not in self._waiting:
                self._adopt(run)
        for run in list(self._waiting):
            if run.path.is_dir():
                self._try_turn(run)
            else:
                self._waiting.pop(run).release()

    def _adopt(self, run: Run) -> None:
        claim = locks.claim(run.path)
        if claim is None:
            return
        state = run.status()["state"]
        if state in ACTIVE:
            self._carry(run, claim, None)
        elif state == QUEUED:
            jobs.wait_with(run)
            self._waiting[run] = claim
        else:
            claim.release()

    def _try_turn(self, run: Run) -> None:
        if run.requested():
            jobs.cancel(run)
            self._waiting.pop(run).release()
            return
        device = turns.take(run) if KINDS[run.kind].needs_device else None
        if device is None and KINDS[run.kind].needs_device:
            return
        self._carry(run, self._waiting.pop(run), device)

    def _carry(self, run: Run, claim: FileLock, device: FileLock | None) -> None:
        def work() -> None:
            held = device
            try:
                if KINDS[run.kind].needs_device and held is None:
                    # Taken over: others leave the device alone while this worker lives, so its lock is free.
                    held = locks.device(wait=5)
                elif self._before is not None and held is not None:
                    self._before(run)
                Supervisor(run, self._bounds, self._leave, self._standby).work()
            finally:
                if held is not None:
                    held.release()
                claim.release()
                self._wake.set()

        self._threads[run] = threading.Thread(target=work, name=f"run {run.id}", daemon=True)
        self._threads[run].start()
