"""Tables that are not delimited text, written once as a rows file in the workspace's cache and read from there.

It keeps a few and forgets the oldest, but none that was opened within six hours. What is in the file the readers
(`json_rows`, `sheets`, ...) know.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine import home
from engine.data import rowsfile
from engine.data.rowsfile import RowsFile
from engine.errors import from_os_error
from engine.words import Words

_KEPT = 20  # tables
_IN_USE = 6 * 3600.0  # seconds since a table was opened, in which it may still be read: several are read as one
_VERSION = 1  # raise it when the same file should give other rows


@dataclass
class Found:
    """What a reader learns of a table while it yields its rows. `columns` may grow until the last row."""

    format: str
    columns: list[str] = field(default_factory=list)
    encoding: str | None = None
    header: bool | None = True  # whether the columns have names of their own; None: the reader finds it
    layout: str | None = None
    notes: list[Words] = field(default_factory=list)
    problems: list[Words] = field(default_factory=list)


Reader = Callable[[Path, Found], Iterator[list[str]]]


def stamp(path: Path, *more: object) -> str:
    """A name for the file as it is now, read as `more` says."""
    stat = path.stat()
    told = [_VERSION, str(path.resolve()), stat.st_size, stat.st_mtime_ns, *map(str, more)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def folder() -> Path:
    path = home.folder("cache") / "tables"
    path.mkdir(exist_ok=True)
    return path


def filled(name: str, fill: Callable[[Path], None]) -> Path:
    """The cache's folder `name`, made by `fill` where it is not there yet; it appears whole.

    Raises:
        DiskFull: there was no room for it.
    """
    place = folder() / name
    if place.is_dir():
        place.touch()
        return place
    temporary = Path(tempfile.mkdtemp(dir=folder(), prefix=".filling."))
    try:
        fill(temporary)
        if not place.exists():
            temporary.rename(place)
    except OSError as error:
        raise from_os_error(error, place) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    kept = sorted((p for p in folder().iterdir() if not p.name.startswith(".")), key=lambda p: -p.stat().st_mtime)
    for old in kept[_KEPT:]:
        if time.time() - old.stat().st_mtime > _IN_USE:
            shutil.rmtree(old, ignore_errors=True)
    return place


def rows_of(path: Path, reader: Reader, found: Found, *how: object) -> tuple[RowsFile, Found]:
    """The rows that `reader` finds in `path`, and what it found; `how` is what else decides them."""

    def fill(place: Path) -> None:
        rowsfile.write(place / "rows", reader(path, found))
        home.write_json(place / "found.json", vars(found))

    place = filled(stamp(path, reader.__module__, reader.__name__, *how), fill)
    kept = home.read_json(place / "found.json")
    for name in ("notes", "problems"):
        kept[name] = [Words(*words) for words in kept[name]]
    return RowsFile(place / "rows"), Found(**kept)
