"""A table of text: named columns, and rows that can be read in blocks, by page, searched and sorted.

It knows nothing of how the file was recognised (`tables`).
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.data import preview, roles, spool
from engine.data.delimited import Block, Damage, DelimitedFile
from engine.data.rowsfile import RowsFile
from engine.words import Words


@dataclass
class Table:
    """A file opened as a table. `columns`: unique names; `notes`: what was found, for a person; `problems`: what was
    mended or looks wrong. Cells are the file's text, unchanged."""

    path: Path
    format: str
    source: DelimitedFile | RowsFile
    columns: list[str]
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    layout: str | None = None
    notes: list[Words] = field(default_factory=list)
    problems: list[Words] = field(default_factory=list)
    long_rows: int = 0  # rows with more cells than columns, met so far
    short_rows: int = 0
    quote: str | None = None  # of delimited text; None where a quote is a character like others

    def blocks(self, start: int | None = None, row: int = 0, stop: int | None = None) -> Iterator[Block]:
        """Blocks of rows as wide as `columns`; row numbers count from 0 and leave out the header.

        `start` and `row` continue at a block that was read before; `stop` is a byte where a line begins.
        """
        headed = self.header and isinstance(self.source, DelimitedFile)
        offset = 1 if headed else 0
        skip = headed and not start
        for block in self.source.blocks(start, row + offset if start else 0, stop):
            if skip and block.rows:
                block.rows = block.rows[1:]
                block.row += 1
                skip = False
            block.row -= offset
            self._square(block.rows)
            yield block

    def _square(self, rows: list[list[str]]) -> None:
        """Make every row as wide as the table. Cells beyond the last column belong to it: an answer with a comma
        in it that nobody quoted is whole again."""
        width = len(self.columns)
        if set(map(len, rows)) <= {width}:
            return
        joint = self.delimiter or " "
        for i, row in enumerate(rows):
            if len(row) < width:
                rows[i] = row + [""] * (width - len(row))
                self.short_rows += 1
            elif len(row) > width:
                while len(row) > width and not row[-1]:
                    row.pop()
                self.long_rows += len(row) > width
                rows[i] = [*row[: width - 1], joint.join(row[width - 1 :])]

    def head(self, count: int = 200) -> list[list[str]]:
        """The first rows."""
        rows: list[list[str]] = []
        for block in self.blocks():
            rows += block.rows
            if len(rows) >= count:
                break
        return rows[:count]

    def suggest(self) -> roles.Mapping:
        """The mapping of roles to columns that fits this table."""
        return roles.suggest(self.columns, self.head(), self.header)

    def key(self) -> str:
        """A name for this file as it is now and is read now, for caches."""
        return spool.stamp(self.source.path, self.encoding, self.delimiter, self.quote, self.header, *self.columns)

    def count(self) -> tuple[int, bool]:
        """How many rows there are, and whether that was counted (else it is an estimate from the front)."""
        return preview.count(self)

    def page(
        self,
        start: int = 0,
        count: int = 50,
        search: str = "",
        sort: str | None = None,
        descending: bool = False,
        among: np.ndarray | None = None,
    ) -> preview.Page:
        """`count` rows from row `start` on, and how many there are in all.

        Args:
            search: only rows that hold this text in some cell, whatever its capitals.
            sort: the column to sort by; numbers by value, text by its characters.
            among: only the rows of these numbers (int64, rising, from 0).

        The first look beyond the front of a large file, and each new search or sort, reads it once; the outcome is
        kept in the workspace's cache.
        """
        return preview.page(self, start, count, search, sort, descending, among)

    def fresh(self) -> "Table":
        """The same table, with nothing read of it and nothing mended so far."""
        table = replace(self, source=copy(self.source), long_rows=0, short_rows=0)
        table.source.damage = Damage()
        return table

    def mended(self) -> list[Words]:
        """What had to be mended in the rows read so far."""
        told = []
        damage = self.source.damage
        if damage.bad_count:
            rows = ", ".join(map(str, damage.bad_bytes[:5]))
            told.append(
                Words(
                    f"{damage.bad_count} characters are not valid {self.encoding} (near rows {rows}); they show as \ufffd. "
                    "If there are many, choose another encoding.",
                    f"有 {damage.bad_count} 个字符不是有效的 {self.encoding}（在第 {rows} 行附近），显示为 \ufffd；如果很多，请另选编码。",
                )
            )
        if damage.open_quote is not None:
            told.append(
                Words(
                    f"In row {damage.open_quote} a quotation mark opens and never closes; all that follows is in one cell.",
                    f"第 {damage.open_quote} 行有一个引号没有闭合，其后的内容都进入了同一个单元格。",
                )
            )
        if self.long_rows:
            told.append(
                Words(
                    f"{self.long_rows} rows have more cells than there are columns; the last column takes the rest.",
                    f"有 {self.long_rows} 行的单元格多于列数，多出的内容并入最后一列。",
                )
            )
        if self.short_rows:
            told.append(
                Words(
                    f"{self.short_rows} rows have fewer cells than there are columns; the missing ones are empty.",
                    f"有 {self.short_rows} 行的单元格少于列数，缺少的按空白处理。",
                )
            )
        return told
