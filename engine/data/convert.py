"""A table, or several, made into training data: read once in blocks, cleaned, split, written, and every row accounted
for in `report.json`.

Memory stays small: rows go to a file as they come, and only numbers (about 30 bytes a row) are kept until the split.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from engine import home
from engine.data import formats, roles, shapes, splitting, tables
from engine.data.cleaning import REASONS, Cleaning
from engine.errors import BadMapping, NoRows, Unsupported
from engine.words import Words

Progress = Callable[[int, int], None]  # bytes read, bytes in all

_KEPT = 0
_CODES = {reason: code for code, reason in enumerate(REASONS, 1)}


@dataclass
class _Read:
    """What is remembered of every row until the split: 8 + 8 + 4 + 1 (+ 4) bytes."""

    whole: array = field(default_factory=lambda: array("q"))  # hash of the whole training row
    question: array = field(default_factory=lambda: array("q"))  # hash of what is asked
    size: array = field(default_factory=lambda: array("I"))  # bytes of its line in the rows' file
    code: array = field(default_factory=lambda: array("B"))  # why it is dropped, or _KEPT
    stratum: array = field(default_factory=lambda: array("i"))
    lost: Counter = field(default_factory=Counter)


def convert(
    files: list[Path] | Path | str,
    out: Path | str,
    *,
    mapping: roles.Mapping | None = None,
    train: int | None = None,
    val: int | None = None,
    share: float = 0.1,
    seed: int = 42,
    format: str = "qa",
    encoding: str | None = None,
    cleaning: Cleaning | None = None,
    stratify: str | None = None,
    progress: Progress | None = None,
) -> dict:
    """Write `out/train.json`, `out/val.json` and `out/report.json`.

    Args:
        mapping: role -> column or template; None: the one suggested for each file.
        train, val: rows on each side; with both None, `share` of the rows validate and the rest train.
        stratify: a column whose values are mixed alike on both sides.

    Returns:
        `train`, `val`, `unused`, `dropped` (reason -> rows), `files` (written), `input_rows`, `out`;
        `input_rows == train + val + unused + sum(dropped)`.

    Raises:
        NotATable, NotFound, BadMapping, NoRows, Unsupported, Exists, DiskFull: as they say; then `out` is not there.
    """
    files = [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
    cleaning = cleaning or Cleaning()
    opened = [tables.open_table(file, encoding) for file in files]
    mappings = [_mapping(table, mapping, format, stratify) for table in opened]
    with home.new_folder(Path(out).absolute()) as folder, ThreadPoolExecutor(1) as beside:
        hashes = beside.map(home.sha256, files)
        spool = folder / ".rows"
        read = _Read()
        strata: dict[str, int] = {}
        with open(spool, "wb", buffering=1 << 20) as lines:
            for table, used in zip(opened, mappings, strict=True):
                _read(table, used, format, cleaning, stratify, strata, read, lines, progress)
        code, side = _decide(read, train, val, share, seed, cleaning, stratify is not None)
        _write(spool, folder, np.frombuffer(read.size, np.uint32), side)
        spool.unlink()
        report = _report(code, side, read, format)
        report["sources"] = [
            {"name": file.name, "sha256": digest, "bytes": file.stat().st_size, "mapping": used}
            for file, digest, used in zip(files, hashes, mappings, strict=True)
        ]
        home.write_atomically(folder / "report.json", orjson.dumps(report))
    place = Path(out).absolute()
    written = [str(place / name) for name in ("train.json", "val.json", "report.json")]
    keys = ("train", "val", "unused", "dropped", "input_rows")
    return {**{key: report[key] for key in keys}, "files": written, "out": str(place)}


def _mapping(table: tables.Table, given: roles.Mapping | None, format: str, stratify: str | None) -> roles.Mapping:
    mapping = given if given is not None else table.suggest()
    roles.check(mapping, table.columns)
    needed = formats.get(format).needs
    missing = [role for role in needed if role not in mapping]
    if missing and "messages" not in mapping:
        have = ", ".join(table.columns[:30])
        raise BadMapping(
            reason=Words(
                f"format {format} needs a column for {', '.join(missing)}; the columns of '{table.path.name}' are {have}. "
                f"Say which one, for example --map {missing[0]}=COLUMN",
                f"{format} 格式需要为 {'、'.join(missing)} 指定一列；“{table.path.name}”的列有：{have}。"
                f"请指定，例如 --map {missing[0]}=列名",
            )
        )
    if stratify is not None:
        roles.check({"text": stratify}, table.columns)
    return mapping


def _read(table, mapping, format, cleaning, stratify, strata, read, lines, progress) -> None:
    """Read one table to its end: its rows' lines to the file, their numbers to `read`."""
    readers = [(role, roles.reader(template, table.columns)) for role, template in mapping.items()]
    needs = formats.get(format).needs
    shape = shapes.shape(format)
    stratum = roles.reader(stratify, table.columns) if stratify else None
    total = table.source.path.stat().st_size
    empty = _CODES["empty"] if cleaning.empty else _KEPT
    for block in table.blocks():
        out = []
        for row in block.rows:
            values = {role: reads(row) for role, reads in readers}
            code = _KEPT
            for role in needs:
                value = values[role]
                if not value or value.isspace():
                    code = empty
            if stratum:
                read.stratum.append(strata.setdefault(stratum(row), len(strata)))
            if code:
                read.code.append(code)
                read.whole.append(0)
                read.question.append(0)
                read.size.append(0)
                continue
            made, lost = shape(values)
            line = orjson.dumps(made, option=orjson.OPT_APPEND_NEWLINE)
            read.code.append(_KEPT)
            read.whole.append(hash(line))
            read.question.append(hash(values[needs[0]]))
            read.size.append(len(line))
            out.append(line)
            if lost:
                read.lost[lost] += 1
        lines.write(b"".join(out))
        if progress:
            progress(block.end, total)


def _decide(read: _Read, train, val, share, seed, cleaning, stratified) -> tuple[np.ndarray, np.ndarray]:
    """Why each row is dropped, and on which side the others are."""
    code = np.frombuffer(read.code, np.uint8).copy()
    kept = np.flatnonzero(code == _KEPT)
    if cleaning.duplicate:
        whole = np.frombuffer(read.whole, np.int64)[kept]
        _, first = np.unique(whole, return_index=True)
        again = np.ones(len(kept), bool)
        again[first] = False
        code[kept[again]] = _CODES["duplicate"]
        kept = kept[~again]
    if not len(kept):
        raise NoRows(read=len(code), dropped=len(code), hint=_NO_ROWS)
    wanted = (train or 0) + (val or 0)
    if wanted > len(kept):
        raise Unsupported(
            reason=Words(
                f"{wanted} rows are asked for (train {train or 0}, validation {val or 0}), but only {len(kept)} are left "
                f"after cleaning. Ask for fewer.",
                f"要求 {wanted} 行（训练 {train or 0}，验证 {val or 0}），但清洗后只剩 {len(kept)} 行。请减少数量。",
            )
        )
    questions = np.frombuffer(read.question, np.int64)[kept]
    strata = np.frombuffer(read.stratum, np.int32)[kept] if stratified else None
    side = np.zeros(len(code), np.uint8)
    side[kept] = splitting.split(questions, train, val, share, seed, strata)
    return code, side


_NO_ROWS = Words(
    "Check which columns are the question and the answer.",
    "请检查哪一列是问题、哪一列是回答。",
)


def _write(spool: Path, folder: Path, sizes: np.ndarray, side: np.ndarray) -> None:
    """Copy each line of the rows' file to its side, in the order of the source."""
    step = 50_000
    with open(spool, "rb") as lines, open(folder / "train.json", "wb") as train, open(folder / "val.json", "wb") as val:
        for at in range(0, len(sizes), step):
            ends = np.cumsum(sizes[at : at + step], dtype=np.int64)
            part = memoryview(lines.read(int(ends[-1])))
            here = side[at : at + step]
            for name, target in ((splitting.TRAIN, train), (splitting.VAL, val)):
                chosen = here == name
                first = np.flatnonzero(chosen & ~np.roll(chosen, 1) | (chosen & (np.arange(len(chosen)) == 0)))
                last = np.flatnonzero(
                    chosen & ~np.roll(chosen, -1) | (chosen & (np.arange(len(chosen)) == len(chosen) - 1))
                )
                starts = ends - sizes[at : at + step]
                target.write(
                    b"".join([part[a:b] for a, b in zip(starts[first].tolist(), ends[last].tolist(), strict=True)])
                )


def ranges(numbers: np.ndarray) -> list[list[int]]:
    """Sorted numbers as [first, last] pairs."""
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    first = numbers[np.append(0, breaks + 1)]
    last = numbers[np.append(breaks, len(numbers) - 1)]
    return np.stack([first, last], axis=1).tolist()


def _report(code: np.ndarray, side: np.ndarray, read: _Read, format: str) -> dict:
    """Counts, and for every reason the numbers of its rows as [first, last] pairs; the first row is 1."""
    dropped = {reason: np.flatnonzero(code == number) + 1 for reason, number in _CODES.items()}
    dropped = {reason: rows for reason, rows in dropped.items() if len(rows)}
    unused = np.flatnonzero((code == _KEPT) & (side == splitting.UNUSED)) + 1
    val = np.flatnonzero(side == splitting.VAL) + 1
    return {
        "format": format,
        "input_rows": len(code),
        "train": int((side == splitting.TRAIN).sum()),
        "val": len(val),
        "unused": len(unused),
        "dropped": {reason: len(rows) for reason, rows in dropped.items()},
        "lost": dict(read.lost),
        "rows": {**{r: ranges(rows) for r, rows in dropped.items()}, "unused": ranges(unused), "val": ranges(val)},
    }


_ = hashlib
