"""Any page of a large table at once: where its blocks begin, which rows a search finds, in which order a sort puts
them. Each is found by reading the file once, and kept in the workspace's cache.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine import home
from engine.data import roles, spool
from engine.errors import BadMapping, from_os_error
from engine.words import Words

if TYPE_CHECKING:
    from engine.data.table import Table

_COUNTED = 1 << 24  # bytes; larger files are not counted before somebody looks beyond their front
_FRONT = 1 << 21  # bytes from which their rows are estimated
_KEY = 64  # characters by which rows are sorted


def count(table: "Table") -> tuple[int, bool]:
    """Rows, and whether they were counted."""
    size = table.source.path.stat().st_size
    if size <= _COUNTED or place(table, "index").exists():
        return _rows_in(_index(table)), True
    rows = read = 0
    for block in table.blocks():
        rows += len(block.rows)
        read = block.end
        if read > _FRONT:
            break
    return round(rows * size / read) if read else 0, False


class Page(NamedTuple):
    """Some rows of a table: their cells, how many there are in all, and each one's number in the table, from 0."""

    rows: list[list[str]]
    total: int
    numbers: list[int]


def page(
    table: "Table",
    start: int,
    size: int,
    search: str,
    sort: str | None,
    descending: bool,
    among: np.ndarray | None,
) -> Page:
    if sort is not None and sort not in table.columns:
        have = ", ".join(table.columns[:30])
        raise BadMapping(
            reason=Words(
                f"there is no column '{sort}'; the columns are {have}", f"没有“{sort}”这一列，现有的列是 {have}"
            )
        )
    if not search and sort is None and among is None:
        total, exact = count(table)
        if not exact and start + size < _front_rows(table):
            return Page(table.head(start + size)[start:], total, list(range(start, start + size)))
        index = _index(table)
        total = _rows_in(index)
        numbers = np.arange(min(start, total), min(start + size, total))
        return Page(_rows(table, index, numbers), total, numbers.tolist())
    index = _index(table)
    wanted = np.arange(_rows_in(index)) if among is None else among
    if search:
        found = _found(table, search)
        wanted = found if among is None else np.intersect1d(found, among, assume_unique=True)
    if sort is not None:
        rank = _rank(table, sort)
        wanted = wanted[np.argsort(-rank[wanted] if descending else rank[wanted], kind="stable")]
    numbers = wanted[start : start + size]
    return Page(_rows(table, index, numbers), len(wanted), numbers.tolist())


def _front_rows(table: "Table") -> int:
    """Rows in the first block, which cost nothing to find."""
    return next((len(block.rows) for block in table.blocks()), 0)


def _rows_in(index: np.ndarray) -> int:
    return int(index[-1, 1])


def _rows(table: "Table", index: np.ndarray, numbers: np.ndarray) -> list[list[str]]:
    """The rows of these numbers, in their order; a block is read once for all its rows that follow each other."""
    places = np.searchsorted(index[:, 1], numbers, side="right") - 1
    rows = []
    held, block = -1, None
    for number, place in zip(numbers.tolist(), places.tolist(), strict=True):
        if place != held:
            # Byte 0 means from the front, header and all.
            begin, first = index[place].tolist()
            block = next(table.blocks(begin if place else None, first))
            held = place
        rows.append(block.rows[number - block.row])
    return rows


def place(table: "Table", name: str) -> Path:
    """Where the array called `name` of this table is kept."""
    return spool.folder() / f"view-{table.key()}" / f"{name}.npy"


def kept(table: "Table", name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The array called `name` of this table, from the cache or made now."""
    file = place(table, name)
    if not file.exists():
        made = io.BytesIO()
        np.save(made, make())
        try:
            file.parent.mkdir(exist_ok=True)
            home.write_atomically(file, made.getbuffer())
        except OSError as error:
            raise from_os_error(error, file) from error
    return np.load(file, mmap_mode="r")


def _index(table: "Table") -> np.ndarray:
    """int64 [blocks + 1, 2]: where each block begins, and its first row; the last line is the end."""

    def make() -> np.ndarray:
        begins, end, rows = [], 0, 0
        for block in table.blocks():
            begins.append((block.start, block.row))
            end, rows = block.end, block.row + len(block.rows)
        return np.array([*begins, (end, rows)], np.int64)

    return kept(table, "index", make)


def _cells(table: "Table") -> Iterator[tuple[int, list[list[str]]]]:
    for block in table.blocks():
        yield block.row, block.rows


def _found(table: "Table", search: str) -> np.ndarray:
    """Numbers of the rows that hold `search`, int64."""
    needle = search.casefold()

    def make() -> np.ndarray:
        numbers = []
        for first, rows in _cells(table):
            numbers += [i for i, row in enumerate(rows, first) if needle in "\x1f".join(row).casefold()]
        return np.array(numbers, np.int64)

    return kept(table, "search-" + hashlib.sha256(needle.encode()).hexdigest()[:24], make)


def _rank(table: "Table", column: str) -> np.ndarray:
    """Where each row stands when sorted by `column`, int64; equal values keep their order by the stable sort later.

    Numbers are sorted by value where at least nine filled cells of ten are numbers; others come after them.
    """
    i = table.columns.index(column)

    def make() -> np.ndarray:
        import pyarrow as pa
        import pyarrow.compute as pc

        parts = []
        for _, rows in _cells(table):
            parts.append(pa.array([row[i][:_KEY] for row in rows], pa.string()))
        keys = pa.chunked_array(parts, pa.string())
        sample = [cell for cell in keys[:1000].to_pylist() if cell]
        if sample and sum(map(roles.is_number, sample)) >= 0.9 * len(sample):
            values = (float(cell) if roles.is_number(cell) else np.inf for cell in map(pa.StringScalar.as_py, keys))
            order = np.fromiter(values, np.float64, len(keys))
            return np.unique(order, return_inverse=True)[1].astype(np.int64)
        codes = keys.combine_chunks().dictionary_encode()
        words = codes.dictionary
        sorted_words = np.asarray(pc.sort_indices(words))
        place = np.empty(len(words), np.int64)
        place[sorted_words] = np.arange(len(words))
        return place[np.asarray(codes.indices)]

    return kept(table, f"sort-{i}", make)
