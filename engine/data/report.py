"""report.json: what became of every row. It counts; it decides nothing."""

from collections import Counter

import numpy as np

from engine.data import roles, splitting
from engine.data.cleaning import CODES
from engine.data.segment import Part
from engine.data.table import Table
from engine.words import Words


def ranges(numbers: np.ndarray) -> np.ndarray:
    """Sorted numbers as [first, last] pairs, int64 [pairs, 2]."""
    if not len(numbers):
        return np.zeros((0, 2), np.int64)
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    return np.stack([numbers[np.append(0, breaks + 1)], numbers[np.append(breaks, len(numbers) - 1)]], axis=1)


def account(parts: list[Part], code: np.ndarray, side: np.ndarray) -> dict:
    """Counts, and for every reason the numbers of its rows as [first, last] pairs; the first row is 1."""
    dropped = {reason: np.flatnonzero(code == number) + 1 for reason, number in CODES.items()}
    rows = {reason: numbers for reason, numbers in dropped.items() if len(numbers)}
    counts = {reason: len(numbers) for reason, numbers in rows.items()}
    rows["unused"] = np.flatnonzero((code == 0) & (side == splitting.UNUSED)) + 1
    rows["val"] = np.flatnonzero(side == splitting.VAL) + 1
    return {
        "input_rows": len(code),
        "train": int((side == splitting.TRAIN).sum()),
        "val": len(rows["val"]),
        "unused": len(rows["unused"]),
        "dropped": counts,
        **_told(parts, code),
        "rows": {reason: ranges(numbers).tolist() for reason, numbers in rows.items()},
    }


def _told(parts: list[Part], code: np.ndarray) -> dict:
    """What was changed, found and lost in the rows that stay: `{kind: {"count", "rows"}}`."""
    lost: Counter = Counter()
    told: dict[str, dict[str, list[int]]] = {"changed": {}, "found": {}}
    first = 0
    for part in parts:
        lost += part.lost
        for name, kinds in (("changed", part.changed), ("found", part.found)):
            for kind, numbers in kinds.items():
                told[name].setdefault(kind, []).extend(first + i for i in numbers if not code[first + i])
        first += len(part.code)
    return {
        **{
            name: {
                kind: {"count": len(numbers), "rows": ranges(np.array(numbers, np.int64) + 1).tolist()}
                for kind, numbers in kinds.items()
                if numbers
            }
            for name, kinds in told.items()
        },
        "lost": dict(lost),
    }


def sources(opened: list[Table], mappings: list[roles.Mapping], parts: list[Part], hashes: list[str]) -> list[dict]:
    told = []
    for number, (table, mapping, digest) in enumerate(zip(opened, mappings, hashes, strict=True)):
        mine = [part for part in parts if part.order == number]
        rows = sum(len(part.code) for part in mine)
        told.append(
            {
                "name": table.path.name,
                "sha256": digest,
                "bytes": table.path.stat().st_size,
                "rows": rows,
                "format": table.format,
                "encoding": table.encoding,
                "delimiter": table.delimiter,
                "quote": table.quote,
                "header": table.header,
                "mapping": mapping,
                "problems": [words._asdict() for words in _mended(table, mine)],
            }
        )
    return told


def _mended(table: Table, parts: list[Part]) -> list[Words]:
    """What had to be mended in any part of `table`, with row numbers of the whole."""
    whole = table.fresh()
    first = 0
    for part in parts:
        damage = part.table.source.damage
        whole.source.damage.bad_bytes += [first + row for row in damage.bad_bytes]
        whole.source.damage.bad_count += damage.bad_count
        if damage.open_quote is not None:
            whole.source.damage.open_quote = first + damage.open_quote
        whole.long_rows += part.table.long_rows
        whole.short_rows += part.table.short_rows
        first += len(part.code)
    return whole.mended()
