"""Files of delimited rows (CSV, TSV and their kin), read in blocks that can be started at any block's beginning.

A block begins at a row's beginning and is small, so any page of a large file is a short read; from the same beginning
it is always the same block. The dialect is told (`dialects` finds it); of columns and roles nothing is known here.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.errors import NotATable
from engine.words import Words

BLOCK = 1 << 17  # bytes; a page of 50 rows out of a sorted file is 50 blocks at worst, 2 ms each
_LONGEST_CELL = 1 << 26  # characters; a longer cell is a quote that never closes
# A row of its own at a block's end, unless a quoted cell is still open there and swallows it.
_END = "\x01end of block\x02"

csv.field_size_limit(_LONGEST_CELL)


@dataclass(frozen=True)
class Dialect:
    encoding: str
    delimiter: str
    quote: str | None = '"'
    escape: str | None = None


@dataclass
class Block:
    """Rows that lie between two bytes of the file. `row`: the number of the first, from 0 (a header counts)."""

    start: int
    end: int
    row: int
    rows: list[list[str]]


@dataclass
class Damage:
    """What had to be mended while reading: bytes that are not of the encoding (by line), a quote never closed."""

    bad_bytes: list[int] = field(default_factory=list)  # numbers of the first rows met, at most 10
    bad_count: int = 0
    open_quote: int | None = None


class DelimitedFile:
    """Rows of cells from the bytes of `path`; the encoding must keep line ends as the bytes 10 and 13.

    That holds for UTF-8, GB18030, Big5, Shift-JIS and the single-byte ones; UTF-16 is rewritten first (`unpacked`).
    """

    def __init__(self, path: Path, dialect: Dialect):
        self.path = path
        self.dialect = dialect
        self.damage = Damage()
        self._mark = 3 if dialect.encoding == "utf-8-sig" else 0
        self._codec = "utf-8" if dialect.encoding == "utf-8-sig" else dialect.encoding
        self._options = {
            "delimiter": dialect.delimiter,
            "quotechar": dialect.quote,
            "quoting": csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            "escapechar": dialect.escape,
            "doublequote": dialect.escape is None,
        }

    def blocks(self, start: int | None = None, row: int = 0, stop: int | None = None) -> Iterator[Block]:
        """The blocks from byte `start` on, where row number `row` begins; by default all of them.

        With `stop`, a byte where a line begins, the last block ends there or, where a cell goes on over it, at the
        first end of a row behind it.

        Raises:
            NotATable: a cell is too long to be one; the row is named.
        """
        at = self._mark if start is None else start
        with open(self.path, "rb", buffering=0) as file:
            file.seek(at)
            pending = b""
            want = BLOCK
            while True:
                part = _read_fully(file, want - len(pending))
                last = len(pending) + len(part) < want
                pending += part
                cut = len(pending) if last else _line_end(pending[:want])
                if stop is not None and at < stop < at + cut and want == BLOCK:
                    cut, last = stop - at, False
                if last and not cut:
                    return
                rows, whole = self._rows(pending[:cut], row, last) if cut else ([], False)
                if not whole:
                    want *= 2  # a long line, or a quoted cell that goes on
                    continue
                yield Block(at, at + cut, row, rows)
                at += cut
                row += len(rows)
                pending = pending[cut:]
                want = BLOCK
                if last or (stop is not None and at >= stop):
                    return

    def _rows(self, part: bytes, row: int, last: bool) -> tuple[list[list[str]], bool]:
        """The rows in `part`, and whether they end where it ends. Blank lines are no rows."""
        if not part.endswith((b"\n", b"\r")):
            part += b"\n"
        text = self._decoded(part, row)
        quick = self._quick(text, part)
        if quick is not None:
            return quick, True
        try:
            rows = list(csv.reader(io.StringIO(text + _END, newline=""), **self._options))
        except csv.Error as error:
            reason = Words(
                f"near row {row + 1} a cell has no end ({error}); check the quotation marks there",
                f"第 {row + 1} 行附近有一个单元格没有结尾（{error}），请检查那里的引号",
            )
            raise NotATable(file=self.path.name, reason=reason) from error
        if rows[-1] == [_END]:
            rows.pop()
        elif not last:
            return [], False
        else:
            rows[-1][-1] = rows[-1][-1].removesuffix(_END).removesuffix("\n")
            self.damage.open_quote = row + len(rows)
        return ([each for each in rows if each] if [] in rows else rows), True

    def _quick(self, text: str, part: bytes) -> list[list[str]] | None:
        """The rows of `text`, decoded from `part`, where a plain split of its lines gives them, in a third of the time:
        every quoted cell ends on its line. None where it does not."""
        quote, delimiter = self.dialect.quote, self.dialect.delimiter
        if self.dialect.escape:
            return None
        # Counted in the bytes by numpy, which takes a fifth of the time that it takes to count in the text.
        each = np.frombuffer(part, np.uint8)
        returns = np.count_nonzero(each == 13)
        lines = text.split("\r\n" if returns else "\n")
        lines.pop()
        if returns and not returns == np.count_nonzero(each == 10) == len(lines):
            return None  # line ends of several kinds
        if quote is None or quote not in text:
            return [line.split(delimiter) for line in lines if line]
        quoted = [i for i, line in enumerate(lines) if quote in line]
        found = list(csv.reader([*(lines[i] for i in quoted), _END], **self._options))
        if len(found) != len(quoted) + 1 or found[-1] != [_END]:
            return None  # a quoted cell goes on over a line end
        rows = [line.split(delimiter) for line in lines]
        for i, row in zip(quoted, found, strict=False):
            rows[i] = row
        return [row for row, line in zip(rows, lines, strict=True) if line] if "" in lines else rows

    def _decoded(self, part: bytes, row: int) -> str:
        try:
            return part.decode(self._codec)
        except UnicodeDecodeError:
            if len(self.damage.bad_bytes) < 10:
                self.damage.bad_bytes.append(row + 1)
            text = part.decode(self._codec, errors="replace")
            self.damage.bad_count += text.count("\ufffd")
            return text


def _read_fully(file: io.RawIOBase, size: int) -> bytes:
    """`size` bytes, or fewer at the end of the file alone."""
    parts = []
    while size > 0:
        part = file.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _line_end(part: bytes) -> int:
    """Where the last whole line in `part` ends; 0 if none does."""
    end = part.rfind(b"\n") + 1
    if end:
        return end
    # Old Macintosh line ends; the last byte may be half of a "\r\n".
    return part.rfind(b"\r", 0, len(part) - 1) + 1


def keeps_line_ends(encoding: str) -> bool:
    """Whether the bytes 10 and 13 are line ends and nothing else in `encoding`."""
    return codecs.lookup(encoding).name not in _WIDE


_WIDE = {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-7", "hz", "iso2022_jp"}
