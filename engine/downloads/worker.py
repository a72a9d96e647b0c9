"""The process that downloads: `python -m engine.downloads.worker JOB`.

It lists the repository, refuses what cannot be used, checks the room, fetches several files at once, checks each, and
moves all of it to its place in one step. What is here already is not fetched again, whoever stopped the last worker.
"""

import os
import sys
import threading
import time
import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import disk_usage, rmtree

from filelock import FileLock, Timeout

from engine import home
from engine.downloads import queue
from engine.errors import Damaged, DiskFull, NetworkFailed, TooLittleRoom, TuneDeskError, WorkError, from_os_error
from engine.models import hub, library, selection
from engine.models.hub import File, TryAgain
from engine.models.source import Source
from engine.runs import processes
from engine.runs.events import Events
from engine.runs.store import Run
from engine.words import Words

# What the clients read when they are imported. Offline is what other workers are; failures are retried here, where they
# can be told; Xet's own protocol cannot go on with a part that another process left.
_CLIENTS = {
    "HF_HUB_OFFLINE": "0",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "0",
    "MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT": "604800",
    "TQDM_DISABLE": "1",
}
_PATIENT = {"HF_HUB_DOWNLOAD_TIMEOUT": "20", "MODELSCOPE_DOWNLOAD_TIMEOUT": "20"}

_AT_ONCE = 4
# Room that stays free for others.
_MARGIN = 100_000_000
_WINDOW = 10.0
_WAITING_SAYS = 60.0

_AGAIN = Words(
    "{host}: {reason}. Trying again in {seconds} s, from where it stopped.",
    "{host}：{reason}。将在 {seconds} 秒后从中断处重试。",
)
_ANEW = Words("{file} arrived damaged and is fetched anew.", "{file} 校验不一致，正在重新下载。")


@dataclass(frozen=True)
class Patience:
    """How failures that may pass are met: up to `attempts` in a row without a byte gained, `first` seconds apart, then
    twice as long each time, at most `longest`."""

    attempts: int = 8
    first: float = 1.0
    longest: float = 60.0

    def pause(self, failures: int) -> float:
        return min(self.longest, self.first * 2 ** (failures - 1))


def main(job: Path) -> int:
    os.environ.update(_CLIENTS | {name: os.environ.get(name, value) for name, value in _PATIENT.items()})
    with Events(job / "events.jsonl") as events:
        try:
            with _Turn(job, events):
                Download(job, Source(**home.read_json(job / "config.json")["source"]), events).run()
        except TryAgain as error:
            return _failed(events, NetworkFailed(**error.details))
        except TuneDeskError as error:
            return _failed(events, error)
        except OSError as error:
            return _failed(events, from_os_error(error, job))
        except Exception as error:
            # Whatever a client raises must reach the person; the trace goes to worker.log.
            traceback.print_exc()
            return _failed(events, WorkError(reason=type(error).__name__))
        return 0


class Download:
    """`job`: its folder; the files lie in `files/` there until all of them are whole."""

    def __init__(self, job: Path, source: Source, events: Events, patience: Patience = Patience()):
        self._job, self._source, self._events, self._patience = job, source, events, patience
        self._files = job / "files"
        self._client = hub.client(source)
        self._failures, self._best, self._lock = 0, -1, threading.Lock()

    def run(self) -> None:
        """Raises:
        NotFound, AccessDenied, Unsupported: the repository is not there, not open, or of no use here.
        TooLittleRoom, DiskFull, Damaged, NetworkFailed: as they say; what has arrived is kept.
        """
        self._events.write("phase", phase="listing")
        listing = self._patiently(self._client.listing, ())
        files = selection.needed(self._source, listing)
        self._files.mkdir(exist_ok=True)
        home.write_json(self._job / "plan.json", {"revision": listing.revision, "files": [asdict(f) for f in files]})
        self._check_room(files)
        self._events.write("phase", phase="downloading")
        done = threading.Event()
        meter = threading.Thread(target=self._measure, args=(files, done), daemon=True)
        meter.start()
        try:
            if self._source.kind == "model":
                # The configuration first: a model that is refused costs no more than that.
                self._fetch(files[0], listing.revision, files)
                selection.refuse_code(self._source, home.read_json(self._files / selection.CONFIG))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for task in [pool.submit(self._fetch, file, listing.revision, files) for file in files]:
                    task.result()
        finally:
            done.set()
            meter.join()
        self._events.write("phase", phase="saving")
        path = self._settle(files)
        self._events.write(
            "done", stopped=False, path=str(path), bytes=sum(f.size for f in files), files=[f.path for f in files]
        )

    def _fetch(self, file: File, revision: str, files: tuple[File, ...]) -> None:
        target = self._files / file.path
        target.parent.mkdir(parents=True, exist_ok=True)

        def get() -> None:
            if not target.exists():
                self._client.fetch(file, revision, self._files)
            hub.check(file, self._files)

        try:
            self._patiently(get, files)
        except Damaged:
            self._events.write("warning", **_ANEW.filled(file=file.path)._asdict())
            self._patiently(get, files)

    def _patiently(self, work, files: tuple[File, ...]):
        """`work()`, tried again while that may help. Files that come at once share one count of failures."""
        while True:
            try:
                return work()
            except TryAgain as error:
                with self._lock:
                    here = sum(hub.present(file, self._files) for file in files)
                    self._failures = 1 if here > self._best else self._failures + 1
                    self._best = max(here, self._best)
                    failures = self._failures
                if failures >= self._patience.attempts:
                    raise
                pause = max(self._patience.pause(failures), min(error.wait or 0, self._patience.longest))
                said = _AGAIN.filled(host=error.details["host"], reason=error.details["reason"], seconds=round(pause))
                self._events.write("warning", **said._asdict())
                time.sleep(pause)

    def _check_room(self, files: tuple[File, ...]) -> None:
        missing = sum(file.size - hub.present(file, self._files) for file in files)
        free = disk_usage(self._files).free
        if missing and missing + _MARGIN > free:
            need, left = home.size_text(missing), home.size_text(free)
            raise TooLittleRoom(name=self._source.id, need=need, path=str(self._files), free=left)

    def _measure(self, files: tuple[File, ...], done: threading.Event) -> None:
        """Once a second: bytes here, bytes a second over the last ten seconds, seconds left."""
        total = sum(file.size for file in files)
        seen: deque[tuple[float, int]] = deque()
        while not done.wait(1.0):
            now, here = time.monotonic(), sum(hub.present(file, self._files) for file in files)
            seen.append((now, here))
            while now - seen[0][0] > _WINDOW:
                seen.popleft()
            rate = (here - seen[0][1]) / (now - seen[0][0]) if now > seen[0][0] else 0.0
            left = (total - here) / rate if rate > 0 else None
            try:
                self._events.write("progress", bytes=here, bytes_total=total, bytes_per_second=rate, eta_s=left)
            except OSError:
                continue  # A full disk: the fetch says so.

    def _settle(self, files: tuple[File, ...]) -> Path:
        """Move what is whole to its place.

        Raises:
            NotAModel: all came as announced, and yet it is none.
        """
        rmtree(self._files / ".locks", ignore_errors=True)
        if self._source.kind == "dataset":
            return _to_uploads(self._source, self._files, files)
        library.describe(self._files)
        target = queue.place(self._source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            # The same model by another job, or one that was spoilt: it makes way.
            rmtree(target)
        self._files.rename(target)
        return target


def _to_uploads(source: Source, folder: Path, files: tuple[File, ...]) -> Path:
    """Tables lie among the uploads, each under the data set's name and its own."""
    uploads = home.folder("uploads")
    for file in files:
        os.replace(folder / file.path, uploads / queue.table_name(source, file.path))
    rmtree(folder)
    return uploads


class _Turn:
    """Downloads go one after the other, in the order in which they were asked for, so that each is as fast as it can be."""

    def __init__(self, job: Path, events: Events):
        self._job, self._events = job, events
        self._lock = FileLock(job.parent / ".turn")

    def __enter__(self) -> None:
        said = -_WAITING_SAYS
        while not self._first():
            if time.monotonic() - said >= _WAITING_SAYS:
                said = time.monotonic()
                self._events.write("phase", phase="waiting")
            time.sleep(0.3)

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _first(self) -> bool:
        """Whether it is this one's turn; the turn is taken then."""
        ahead = [path for path in self._job.parent.glob("[!.]*") if path.name < self._job.name]
        if any(map(_waits, ahead)):
            return False
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True


def _waits(job: Path) -> bool:
    status = Run(job).status()
    return status["phase"] == "waiting" and processes.alive(status["worker"])


def _failed(events: Events, error: TuneDeskError) -> int:
    try:
        events.write("error", **error.record())
    except OSError:
        if not isinstance(error, DiskFull):
            raise
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
