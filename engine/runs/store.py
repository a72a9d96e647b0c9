"""The directory of a job: how it is made, found, named and deleted. A run can be reproduced from it alone.

config.json   what was asked for; never changed         events.jsonl  what happened
card.json     kind, name, note, tags: a person's words  worker.log    what the worker printed
status.json   the state, written by the supervisor      stop          a request, "stop" or "kill"
resume.json   where the next worker begins              checkpoints/  final/  ...: the worker's
"""

import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from engine import home
from engine.errors import NotFound, Unsupported, from_os_error
from engine.models import library
from engine.runs import events, locks, processes, status, wholeness
from engine.runs.kinds import KINDS, folders, kind_of
from engine.words import Words

_RUN = Words("run", "训练任务")
_HINT = Words("List them with 'python -m engine runs'.", "用“python -m engine runs”查看全部任务。")
_LIVES = Words("Run '{name}' is still going on: stop it first.", "任务“{name}”仍在进行，请先停止。")
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True)
class Run:
    """A job by its directory. Reads its files anew at each call: other processes write them."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def config(self) -> dict:
        """What was asked for; empty when the file is damaged."""
        return _read(self.path / "config.json")

    @property
    def card(self) -> dict:
        """`kind`, `name` (or None), `note`, `tags`, `parent` (the id of the run it was cloned from, or None)."""
        return _card(kind_of(self.path), None, None) | _read(self.path / "card.json")

    @property
    def kind(self) -> str:
        return kind_of(self.path)

    @property
    def log(self) -> events.Log:
        return events.log(self.path / "events.jsonl")

    def status(self) -> dict:
        """The state as its supervisor last wrote it; see `status.initial` for the keys."""
        return status.read(self.path)

    def events(self, after: int = 0) -> list[dict]:
        """The events with a number above `after`."""
        return self.log.after(after)

    def series(self, cursor: str = "", limit: int = 1200) -> dict:
        """The points of its charts since `cursor`, thinned to `limit`; see `events.Log.series`."""
        return self.log.series(cursor, limit)

    def checkpoints(self) -> list[int]:
        """The steps of the checkpoints that are whole, rising."""
        return [step for step, folder in self._checkpoints() if wholeness.whole(folder)]

    def drop_checkpoints(self, after: int) -> None:
        """Remove the checkpoints of later steps, also those that are not whole."""
        for step, folder in self._checkpoints():
            if step > after:
                shutil.rmtree(folder)

    def _checkpoints(self) -> list[tuple[int, Path]]:
        found = ((_CHECKPOINT.fullmatch(folder.name), folder) for folder in self.path.glob("checkpoints/*"))
        return sorted((int(match[1]), folder) for match, folder in found if match)

    def has_model(self) -> bool:
        """Whether it has saved a final model."""
        return library.holds_model(self.path / "final")

    def size(self) -> int:
        """Bytes on the disk."""
        return home.size_of(self.path)

    def log_tail(self, lines: int = 200) -> str:
        """The last lines that the worker printed."""
        try:
            with open(self.path / "worker.log", "rb") as file:
                file.seek(max(0, file.seek(0, 2) - 400 * lines))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def rename(self, name: str) -> None:
        self._write_card(name=name.strip() or None)

    def note(self, text: str) -> None:
        self._write_card(note=text)

    def tag(self, tags: list[str]) -> None:
        """Set the tags; empty and repeated ones are left out."""
        self._write_card(tags=list(dict.fromkeys(tag.strip() for tag in tags if tag.strip())))

    def request(self, what: str) -> None:
        """Ask whoever supervises the run for a "stop" (finish the step, save) or a "kill" (at once)."""
        home.write_atomically(self.path / "stop", what.encode())

    def requested(self) -> str | None:
        """ "stop", "kill", or None when nothing was asked."""
        try:
            text = (self.path / "stop").read_text()
        except FileNotFoundError:
            return None
        return "kill" if text == "kill" else "stop"

    def delete(self) -> int:
        """Remove the directory; returns the bytes that this frees.

        Raises:
            Unsupported: it is still going on, or waits in the queue.
        """
        home.inside(self.path, home.folder(self.path.parent.name))
        held = locks.claim(self.path, wait=2.0 if self.status()["state"] in status.ENDED else 0.0)
        if held is None or processes.alive(self.status()["worker"]):
            if held is not None:
                held.release()
            raise Unsupported(reason=_LIVES.filled(name=self.id))
        try:
            size = self.size()
            # Out of sight in one step: a deletion cut short leaves no half of a run in the list.
            hidden = self.path.with_name(f".{self.id}.deleted")
            self.path.rename(hidden)
        finally:
            held.release()
        shutil.rmtree(hidden, ignore_errors=True)
        return size

    def _write_card(self, **changes: object) -> None:
        try:
            home.write_json(self.path / "card.json", self.card | changes)
        except OSError as error:
            raise from_os_error(error, self.path) from error


def create(config: dict, kind: str = "train", name: str | None = None, parent: str | None = None) -> Run:
    """A new job, `queued`, with a directory that appears whole. Somebody must still submit it.

    Raises:
        DiskFull: there is no room even for that.
    """
    root = home.folder(KINDS[kind].folder)
    path = root / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    with home.new_folder(path) as folder:
        home.write_json(folder / "config.json", config)
        home.write_json(folder / "card.json", _card(kind, name, parent))
        home.write_json(folder / "status.json", status.initial(kind))
        (folder / "events.jsonl").touch()
    return Run(path)


def clone(run: Run, config: dict) -> Run:
    """A new job of the same kind with `config`, which the caller made from `run.config`; it remembers its parent."""
    return create(config, kind=run.kind, parent=run.id)


def runs() -> list[Run]:
    """The training runs of this workspace, newest first."""
    return [run for run in _listed(KINDS["train"].folder) if run.kind == "train"]


def jobs() -> list[Run]:
    """Every job of every kind, newest first."""
    return sorted((run for name in folders() for run in _listed(name)), key=_age)


def find(ref: str | Path) -> Run:
    """The job with an id, or in a folder.

    Raises:
        NotFound: there is none.
    """
    places = [home.home() / name / str(ref) for name in folders()] if Path(ref).name == str(ref) else []
    for path in [*places, home.typed(ref)]:
        if (path / "config.json").is_file() and (path / "card.json").is_file():
            return Run(path.resolve())
    raise NotFound(kind=_RUN, name=str(ref), hint=_HINT)


def here(ref: str | Path) -> Run:
    """As `find`, for what comes from a page: only jobs of this workspace.

    Raises:
        NotFound: there is none here.
    """
    run = find(ref)
    if not run.path.is_relative_to(home.home()):
        raise NotFound(kind=_RUN, name=str(ref), hint=_HINT)
    return run


def _read(path: Path) -> dict:
    try:
        written = home.read_json(path)
    except (FileNotFoundError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def _listed(name: str) -> list[Run]:
    found = [Run(path.parent) for path in home.folder(name).glob("[!.]*/config.json")]
    return sorted(found, key=_age)


def _age(run: Run) -> tuple[float, str]:
    return -run.status()["created"], run.id


def _card(kind: str, name: str | None, parent: str | None) -> dict:
    return {"kind": kind, "name": name, "note": "", "tags": [], "parent": parent}
