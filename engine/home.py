"""Where things live: the workspace, the shipped assets, and how files are written so that none is ever half there."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import Exists, OutsideFolder, Unsupported, from_os_error
from engine.words import Words

ASSETS = Path(__file__).resolve().parent.parent / "assets"
DEMO_MODEL = ASSETS / "demo-model"
DEMO_DATA = ASSETS / "demo-data" / "medical.csv"
_BAD_HOME = Words("The workspace '{path}' cannot be used: {reason}.", "无法使用工作区“{path}”：{reason}。")


def home() -> Path:
    """The workspace: `TUNEDESK_HOME`, else `./workspace`. Created on first use."""
    folder = typed(os.environ.get("TUNEDESK_HOME") or "workspace").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def enter(folder: str | None) -> None:
    """Make `folder` the workspace that everything below uses, workers included; None: the usual one.

    Raises:
        Unsupported: it cannot be used.
    """
    if folder:
        os.environ["TUNEDESK_HOME"] = str(typed(folder).absolute())
    try:
        home()
    except OSError as error:
        wanted = os.environ.get("TUNEDESK_HOME") or "workspace"
        raise Unsupported(reason=_BAD_HOME.filled(path=wanted, reason=error.strerror)) from error


def typed(path: Path | str) -> Path:
    """A path as a person types it: `~` is their home. What only begins like it (`~$table.xlsx`) stays."""
    return Path(os.path.expanduser(path))


def folder(name: str) -> Path:
    """A folder of the workspace: `models`, `data`, `runs`, `cache` or `uploads`. Created on first use."""
    path = home() / name
    path.mkdir(exist_ok=True)
    return path


def inside(path: Path | str, root: Path) -> Path:
    """`path` (absolute, or relative to `root`), resolved through links.

    Raises:
        OutsideFolder: it leaves `root`.
    """
    resolved = (root / path).resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise OutsideFolder(path=str(path), folder=str(root))
    return resolved


def write_json(path: Path, value: object) -> None:
    """Replace `path` with `value` as JSON, atomically: a reader sees the old file or the new, never a part."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=1).encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` with `content`: temporary file, fsync, `os.replace`."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict:
    return json.loads(path.read_bytes())


def must_be_free(path: Path) -> None:
    """Raises:
    Exists: `path` is there, and no empty folder.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Exists(path=str(path))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it appears at `path` whole when the block ends, and not at all when the block fails.

    Raises:
        Exists: `path` is there and not empty.
        DiskFull: writing in the block ran out of room.
    """
    must_be_free(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise from_os_error(error, path.parent) from error
    try:
        temporary.chmod(0o755)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise from_os_error(error, path.parent) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what `new_folder` left in `folder` where its process was killed."""
    for left in folder.glob(".*.????????"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def size_of(path: Path) -> int:
    """Bytes in the files below `path`, links not followed."""
    return sum(entry.lstat().st_size for entry in path.rglob("*") if not entry.is_dir())


def free_text(path: object) -> str:
    """The room left on the disk that holds `path`, as "1.2 GB"."""
    place = Path(str(path))
    while not place.exists():
        place = place.parent
    return size_text(shutil.disk_usage(place).free)


def size_text(size: float) -> str:
    """Bytes as people write them: 999 B, 1.5 kB, 12 MB, 3.4 GB (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
