"""A JSON Lines file as a sequence of rows, read where it is asked for. It knows nothing of what is in the rows."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.data.formats import Row
from engine.errors import NotATable
from engine.words import Words


class Rows(Sequence):
    """A JSON Lines file, read a row at a time; 8 bytes of memory a row.

    Args:
        offsets: where each line starts, and the end of the last (int64); by default the file is read to find them.
    """

    def __init__(self, path: Path, offsets: np.ndarray | None = None):
        self.path = path
        self._offsets = _line_starts(path) if offsets is None else offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, i: int) -> Row:
        """Row `i`, from 0.

        Raises:
            NotATable: the line is not a JSON object; it is named.
        """
        start, end = self._offsets[i], self._offsets[i + 1]
        with open(self.path, "rb") as file:
            file.seek(start)
            line = file.read(end - start)
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _broken(self.path, i, str(error)) from None
        if not isinstance(row, dict):
            raise _broken(self.path, i, "not an object")
        return row


def _broken(path: Path, i: int, reason: str) -> NotATable:
    say = Words(f"line {i + 1} is not a JSON object ({reason})", f"第 {i + 1} 行不是 JSON 对象（{reason}）")
    return NotATable(file=str(path), reason=say)


def _line_starts(path: Path) -> np.ndarray:
    """Where each line starts, and the end of the last; int64. Blank lines are joined to the line after."""
    starts = [np.zeros(1, np.int64)]
    at = 0
    with open(path, "rb") as file:
        while part := file.read(1 << 24):
            starts.append(np.flatnonzero(np.frombuffer(part, np.uint8) == 10) + (at + 1))
            at += len(part)
    found = np.concatenate(starts)
    if found[-1] != at:
        found = np.append(found, at)
    lengths = np.diff(found)
    blank = np.flatnonzero(lengths <= 2)  # a lone line end, as at the end of a file written by hand
    return np.delete(found, blank + 1) if len(found) > 1 else found
