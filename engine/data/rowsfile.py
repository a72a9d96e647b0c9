"""Rows of text as a file of our own: one JSON array of cells a line. Whatever is not a delimited file already (Excel,
JSON, Parquet, archives, text in blocks) is written as one once, and then read as fast, and from any place, as a CSV.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson

from engine.data.delimited import BLOCK, Block, Damage


class RowsFile:
    """Read as a `DelimitedFile` is."""

    def __init__(self, path: Path):
        self.path = path
        self.damage = Damage()

    def blocks(self, start: int | None = None, row: int = 0, stop: int | None = None) -> Iterator[Block]:
        """The blocks from byte `start`, where row number `row` begins, to byte `stop`, where a line ends."""
        at = start or 0
        with open(self.path, "rb") as file:
            file.seek(at)
            while stop is None or at < stop:
                lines = file.readlines(BLOCK if stop is None else min(BLOCK, stop - at))
                if not lines:
                    return
                end = at + sum(map(len, lines))
                yield Block(at, end, row, [orjson.loads(line) for line in lines])
                at = end
                row += len(lines)


def write(path: Path, rows: Iterator[list[str]]) -> int:
    """Write `rows` to `path`; returns how many. A lone surrogate, which no file of text can hold, becomes U+FFFD."""
    count = 0
    with open(path, "wb") as file:
        for row in rows:
            try:
                line = orjson.dumps(row)
            except TypeError:
                line = orjson.dumps([cell.encode("utf-8", "replace").decode() for cell in row])
            file.write(line + b"\n")
            count += 1
    return count
