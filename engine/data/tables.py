"""Any file a person has, as a table of text: format, encoding and layout are found, cells are given exactly.

It knows nothing of what the columns are for (`roles`) or how pages are found in a large file (`preview`).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.data import delimited, dialects, encodings, roles
from engine.data.delimited import Block, DelimitedFile, Dialect
from engine.data.rowsfile import RowsFile
from engine.errors import NotATable, NotFound
from engine.words import Words

FILE = Words("file", "文件")
_HEAD = 1 << 18  # bytes from which dialect, header and mapping are judged
_COUNTED = 1 << 24  # files up to this size are counted exactly; above it `rows` is an estimate until indexed


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

    def blocks(self, start: int | None = None, row: int = 0, stop: int | None = None) -> Iterator[Block]:
        """Blocks of rows as wide as `columns`; row numbers count from 0 and leave out the header.

        `start` and `row` continue at a block that was read before; `stop` is a byte where a line begins.
        """
        skip = self.header and not start
        offset = 1 if self.header else 0
        for block in self.source.blocks(start, row + offset if start else 0, stop):
            if skip and block.rows:
                block.rows = block.rows[1:]
                block.row += 1
                skip = False
            block.row -= offset
            self._square(block.rows)
            if block.rows:
                yield block

    def _square(self, rows: list[list[str]]) -> None:
        """Make every row as wide as the table. Cells beyond the last column belong to it: an answer with a comma
        in it that nobody quoted is whole again."""
        width = len(self.columns)
        if set(map(len, rows)) == {width}:
            return
        joint = self.delimiter or ""
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
        return roles.suggest(self.columns, self.head(), self.header or self.layout is not None)

    def key(self) -> str:
        """A name for this file as it is now and is read now, for caches."""
        stat = self.path.stat()
        read = [self.encoding, self.delimiter, self.header, self.columns, str(self.source.path)]
        told = [str(self.path.resolve()), stat.st_size, stat.st_mtime_ns, *read]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def refuse(path: Path, en: str, zh: str) -> NotATable:
    return NotATable(file=path.name, reason=Words(en, zh))


def open_table(
    path: Path | str,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
) -> Table:
    """The table in the file `path`; what is not given is found.

    Raises:
        NotFound: there is no such file.
        NotATable: it cannot be read as a table, and why, with the place.
    """
    path = Path(path).expanduser().absolute()
    if not path.exists():
        raise NotFound(kind=FILE, name=str(path), hint=Words("Check the path.", "请检查路径。"))
    if path.stat().st_size == 0:
        raise refuse(path, "it is empty", "它是空文件")
    return _delimited(path, encoding, delimiter, header)


def _delimited(path: Path, encoding: str | None, delimiter: str | None, header: bool | None) -> Table:
    notes = []
    if encoding:
        encoding = encodings.check(encoding, path.name)
    else:
        found = encodings.find(path)
        encoding = found.encoding
        notes.append(Words(f"Encoding: {found.note.en}.", f"编码：{found.note.zh}。"))
    with open(path, "rb") as file:
        raw = file.read(_HEAD)
    text = dialects.lines_of(raw.decode(encoding, errors="replace"), len(raw) < _HEAD)
    if delimiter is None:
        delimiter, _ = dialects.find_delimiter(text)
    delimiter = delimiter or ","
    quote, escape = dialects.find_quotes(text, delimiter)
    rows = dialects.parsed(text, delimiter, quote, escape)
    if not rows:
        raise refuse(path, "there are no rows in it", "其中没有任何行")
    if header is None:
        header = dialects.has_header(rows)
    columns = dialects.column_names(rows[0]) if header else dialects.default_names(max(map(len, rows)))
    dialect = Dialect(encoding, delimiter, quote, escape)
    table = Table(path, "tsv" if delimiter == "\t" else "csv", DelimitedFile(path, dialect), columns)
    table.encoding, table.delimiter, table.header, table.notes = encoding, delimiter, header, notes
    return table


_ = delimited.keeps_line_ends
