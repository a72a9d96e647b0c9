"""Whether a checkpoint is whole: cheap looks at its files, for one that a full disk or a power cut has cut short.

Nothing is loaded: a safetensors file says in its head how long it is, and what torch saves is a zip with its list at the
end.
"""

import json
import zipfile
from pathlib import Path

# Written last, so a checkpoint without it never was complete.
_LAST = "trainer_state.json"


def whole(checkpoint: Path) -> bool:
    """Whether the files in the folder `checkpoint` are all there and as long as they say they are."""
    try:
        return (checkpoint / _LAST).is_file() and all(_as_long_as_it_says(file) for file in checkpoint.iterdir())
    except OSError:
        return False


def _as_long_as_it_says(file: Path) -> bool:
    if file.suffix == ".safetensors":
        return file.stat().st_size == _length(file)
    if file.suffix in (".pt", ".pth"):
        return zipfile.is_zipfile(file)
    if file.suffix == ".json":
        return _parses(file)
    return True


def _length(file: Path) -> int | None:
    """Bytes that a safetensors file ought to have: its head's length, its head, and the last tensor's end."""
    with open(file, "rb") as handle:
        head = int.from_bytes(handle.read(8), "little")
        text = handle.read(head) if head < 100_000_000 else b""
    try:
        tensors = json.loads(text)
        return (
            8 + head + max((facts["data_offsets"][1] for name, facts in tensors.items() if name[0] != "_"), default=0)
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _parses(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except ValueError:
        return False
    return True
