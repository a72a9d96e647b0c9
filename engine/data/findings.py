"""What each switch of the cleaning would touch in a table, by itself: row numbers, kept in the cache. Nothing is
changed, so that a person can look at the rows before deciding.
"""

import hashlib
import json
from collections.abc import Callable, Iterable

import numpy as np
import orjson

from engine.data import near, personal, preview, repeats, roles
from engine.data.cleaning import REASONS, Cleaner, Cleaning
from engine.data.shapes import Shaper
from engine.data.table import Table
from engine.words import Words

KINDS = {
    **REASONS,
    "control": Words("control characters", "控制字符"),
    "html": Words("HTML tags", "HTML 标签"),
    "width": Words("full-width letters and digits", "全角字母和数字"),
    **personal.KINDS,
}

_NOTHING = {"empty": False, "duplicate": False, "near_duplicate": False, "long": "keep", "short": False}
_NOTHING |= {"control": False, "html": False, "width": False, "repeats": False, "personal": False}
# The switches that need one row at a time, each with the value that makes it look.
_ALONE = {"empty": True, "short": True, "long": "drop", "repeats": True, "control": True, "html": True, "width": True}
_ALONE |= {"personal": True}

Progress = Callable[[int, int], None]  # bytes read, bytes in all


def look(
    table: Table, mapping: roles.Mapping, format: str, cleaning: Cleaning, progress: Progress | None = None
) -> dict[str, np.ndarray]:
    """`{kind: numbers of its rows from 0, int64}` for the `KINDS` that occur.

    Of `cleaning` only the limits count, and `near_duplicate`: that search takes far more time and memory than all
    others and is made only where it is switched on.
    """
    found = preview.kept(
        table,
        _name(mapping, format, cleaning),
        lambda: _table(_looked(table.fresh(), mapping, format, cleaning, progress)),
    )
    kinds = np.asarray(found[:, 0])
    return {name: np.asarray(found[kinds == k, 1]) for k, name in enumerate(KINDS) if (kinds == k).any()}


def known(table: Table, mapping: roles.Mapping, format: str, cleaning: Cleaning) -> bool:
    """Whether `look` has its answer already."""
    return preview.place(table, _name(mapping, format, cleaning)).exists()


def _name(mapping: roles.Mapping, format: str, cleaning: Cleaning) -> str:
    limits = [cleaning.max_chars, cleaning.min_chars, cleaning.near_duplicate and cleaning.similarity]
    told = json.dumps([mapping, format, limits], sort_keys=True)
    return f"findings-{hashlib.sha256(told.encode()).hexdigest()[:24]}"


def _table(found: dict[str, Iterable[int]]) -> np.ndarray:
    """int64 [findings, 2]: the kind's place in `KINDS`, and the row."""
    pairs = [(kind, row) for kind, name in enumerate(KINDS) for row in found.get(name, ())]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _looked(
    table: Table, mapping: roles.Mapping, format: str, cleaning: Cleaning, progress: Progress | None
) -> dict[str, Iterable[int]]:
    shaper = Shaper(format, mapping, table.columns)
    cleaners = {name: Cleaner(cleaning.model_copy(update={**_NOTHING, name: value})) for name, value in _ALONE.items()}
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    readable, hashes, texts = [], [], []
    size = table.source.path.stat().st_size
    for block in table.blocks():
        codes = bytearray(len(block.rows))
        columns = shaper.columns(block.rows, codes)
        broken = {i for i, code in enumerate(codes) if code}
        for name, cleaner in cleaners.items():
            alone = bytearray(len(block.rows))
            cleaner.clean(
                {role: list(values) for role, values in columns.items()}, shaper.format.filled, alone, block.row
            )
            if name in REASONS:
                found[name] += [block.row + i for i, code in enumerate(alone) if code and i not in broken]
        found["unreadable"] += [block.row + i for i in sorted(broken)]
        lines, _ = shaper.lines(columns, codes)
        readable += [block.row + i for i in range(len(block.rows)) if i not in broken]
        hashes += map(hash, lines)
        if cleaning.near_duplicate:
            texts += ["\n".join(map(str, orjson.loads(line).values())) for line in lines]
        if progress:
            progress(block.end, size)
    numbers = np.array(readable, np.int64)
    first = repeats.is_first(np.array(hashes, np.int64))
    found["duplicate"] = numbers[~first].tolist()
    if cleaning.near_duplicate:
        once = numbers[first]
        kept = [text for text, is_first in zip(texts, first, strict=True) if is_first]
        found["near_duplicate"] = [int(once[row]) for row, _ in near.repeated(kept, cleaning.similarity)]
    for cleaner in cleaners.values():
        for told in (cleaner.changed, cleaner.found):
            found |= told
    return found
