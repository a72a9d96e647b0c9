"""A table, or several, made into training data: read once in blocks, cleaned, split, written, and every row accounted
for in `report.json`.

Memory stays small: rows go to a file as they come, and only numbers (about 25 bytes a row) are kept until the split.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from threading import Lock

import numpy as np
import orjson

from engine import home
from engine.data import card, lengths, mappings, near, repeats, report, roles, segment, splitting, tables
from engine.data.cleaning import CODES, Cleaning
from engine.data.jsonlines import Rows
from engine.data.segment import Order, Part
from engine.errors import NoRows, Unsupported
from engine.words import Words

Progress = Callable[[int, int], None]  # bytes read, bytes in all

_VERSION = 1  # of report.json


def convert(
    files: list[Path | str] | Path | str,
    out: Path | str,
    *,
    mapping: roles.Mapping | None = None,
    train: int | None = None,
    val: int | None = None,
    share: float = 0.1,
    seed: int = 42,
    format: str = "qa",
    told: tables.Told = tables.Told(),  # noqa: B008 - it cannot be changed
    cleaning: Cleaning | None = None,
    stratify: str | None = None,
    progress: Progress | None = None,
) -> dict:
    """Write `out/train.json`, `out/val.json` and `out/report.json`. The same settings give the same bytes.

    Args:
        mapping: role -> column or template; what it leaves out is suggested for each file (`mappings.fitted`).
        train, val: rows on each side; with both None, `share` of the rows validate and the rest train.
        told: how the files are to be read, where that is not to be found.
        stratify: a column whose values are mixed alike on both sides.

    Returns:
        `train`, `val`, `unused`, `dropped` (reason -> rows), `files` (written), `input_rows`, `out`;
        `input_rows == train + val + unused + sum(dropped)`.

    Raises:
        NotATable, NotFound, BadMapping, NoRows, Unsupported, Exists, DiskFull: as they say; then `out` is not there.
    """
    files = [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
    cleaning = cleaning or Cleaning()
    out = Path(out).absolute()
    opened = [tables.open_table(file, *told) for file in files]
    used = mappings.fitted(opened, mapping, format)
    if stratify is not None:
        for table in opened:
            roles.check({"text": stratify}, table.columns)
    with home.new_folder(out) as folder, ThreadPoolExecutor(1) as beside:
        hashes = beside.map(home.sha256, files)
        orders = [
            Order(k, table, each, format, cleaning, stratify, folder / f".rows.{k}")
            for k, (table, each) in enumerate(zip(opened, used, strict=True))
        ]
        parts = segment.read_all(orders, _summed(progress, opened))
        code, side = _decide(parts, train, val, share, seed, cleaning)
        _write(parts, side, folder)
        said = {
            "version": _VERSION,
            "format": format,
            "demo": any(file.resolve().is_relative_to(home.ASSETS) for file in files),
            **report.account(parts, code, side),
            "settings": {"seed": seed, "share": share, "stratify": stratify, "cleaning": cleaning.model_dump()},
            "sources": report.sources(opened, used, parts, list(hashes)),
        }
        (folder / "report.json").write_bytes(orjson.dumps(said))
        sizes = np.concatenate([part.size for part in parts])[side == splitting.TRAIN]
        rows = Rows(folder / "train.json", np.append(0, np.cumsum(sizes, dtype=np.int64)))
        measured = lengths.characters(rows, format)
        (folder / "README.md").write_text(card.text(said, measured), encoding="utf-8")
        for left in folder.glob(".rows.*"):
            left.unlink()
    written = [str(out / name) for name in ("train.json", "val.json", "report.json", "README.md")]
    keys = ("train", "val", "unused", "dropped", "input_rows")
    return {**{key: said[key] for key in keys}, "files": written, "out": str(out)}


def _summed(progress: Progress | None, opened: list[tables.Table]) -> segment.Progress | None:
    """`progress` for pieces read in several threads; it runs in the context of the caller, by which a page knows for
    whom it is told."""
    if progress is None:
        return None
    total = sum(table.source.path.stat().st_size for table in opened)
    done, lock, context = [0], Lock(), copy_context()

    def add(count: int) -> None:
        with lock:
            done[0] = min(done[0] + count, total)
            context.run(progress, done[0], total)

    return add


def _decide(
    parts: list[Part], train: int | None, val: int | None, share: float, seed: int, cleaning: Cleaning
) -> tuple[np.ndarray, np.ndarray]:
    """Why each row is dropped, and on which side each of the others is."""
    code = np.concatenate([part.code for part in parts])
    kept = np.flatnonzero(code == 0)
    if cleaning.duplicate:
        again = ~repeats.is_first(_taken(parts, "whole")[kept])
        code[kept[again]] = CODES["duplicate"]
        kept = kept[~again]
    if cleaning.near_duplicate:
        alike = [row for row, _ in near.repeated(_Texts(parts, kept), cleaning.similarity)]
        code[kept[alike]] = CODES["near_duplicate"]
        kept = np.delete(kept, alike)
    if not len(kept):
        raise NoRows(read=len(code), dropped=len(code), hint=_NO_ROWS)
    wanted = (train or 0) + (val or 0)
    if wanted > len(kept):
        raise Unsupported(
            reason=Words(
                f"{wanted} rows are asked for ({train or 0} to train, {val or 0} to validate), but only {len(kept)} are "
                "left after cleaning. Ask for fewer.",
                f"要求 {wanted} 行（训练 {train or 0}，验证 {val or 0}），但清洗后只剩 {len(kept)} 行。请减少数量。",
            )
        )
    questions = _taken(parts, "question")[kept]
    strata = _strata(parts)
    side = np.zeros(len(code), np.uint8)
    side[kept] = splitting.split(questions, train, val, share, seed, None if strata is None else strata[kept])
    return code, side


def _taken(parts: list[Part], name: str) -> np.ndarray:
    """The arrays called `name` of all parts as one; the parts let go of theirs."""
    whole = np.concatenate([vars(part)[name] for part in parts])
    for part in parts:
        vars(part)[name] = whole[:0]
    return whole


class _Texts(Sequence):
    """The text of the rows `numbers`, read when asked for."""

    def __init__(self, parts: list[Part], numbers: np.ndarray):
        self._numbers = numbers
        self._firsts = np.cumsum([0, *(len(part.code) for part in parts)])
        self._files = [np.memmap(part.lines, np.uint8, "r") if part.size.any() else b"" for part in parts]
        self._ends = [np.cumsum(part.size, dtype=np.int64) for part in parts]
        self._sizes = [part.size for part in parts]

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, i: int) -> str:
        number = self._numbers[i]
        part = int(np.searchsorted(self._firsts, number, side="right")) - 1
        row = number - self._firsts[part]
        end = self._ends[part][row]
        line = orjson.loads(bytes(self._files[part][end - self._sizes[part][row] : end]))
        return "\n".join(value if isinstance(value, str) else str(value) for value in line.values())


_NO_ROWS = Words("Check which columns are the question and the answer.", "请检查哪一列是问题、哪一列是回答。")


def _strata(parts: list[Part]) -> np.ndarray | None:
    """One number for each value of the column to stratify by, whichever part it was met in."""
    if parts[0].stratum is None:
        return None
    numbers: dict[str, int] = {}
    same = [np.array([numbers.setdefault(value, len(numbers)) for value in part.strata], np.int32) for part in parts]
    return np.concatenate([names[part.stratum] for names, part in zip(same, parts, strict=True) if len(names)])


def _write(parts: list[Part], side: np.ndarray, folder: Path) -> None:
    """Copy each line to its side, in the order of the sources."""
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_copy, parts, side == name, folder / file)
            for name, file in ((splitting.TRAIN, "train.json"), (splitting.VAL, "val.json"))
        ]
    for job in jobs:
        job.result()


def _copy(parts: list[Part], wanted: np.ndarray, target: Path) -> None:
    """Copy the lines of the rows that are `wanted`; long stretches without one are not even read."""
    row = 0
    with open(target, "wb", buffering=1 << 20) as out:
        for part in parts:
            with open(part.lines, "rb", buffering=0) as lines:
                start = 0
                for at in range(0, len(part.size), _STEP):
                    sizes = part.size[at : at + _STEP].astype(np.int64)
                    ends = np.cumsum(sizes)
                    chosen = report.ranges(np.flatnonzero(wanted[row + at : row + at + len(sizes)]))
                    if len(chosen):
                        first = int((ends - sizes)[chosen[0, 0]])
                        lines.seek(start + first)
                        text = memoryview(lines.read(int(ends[chosen[-1, 1]]) - first))
                        begins = ((ends - sizes)[chosen[:, 0]] - first).tolist()
                        stops = (ends[chosen[:, 1]] - first).tolist()
                        out.writelines([text[a:b] for a, b in zip(begins, stops, strict=True)])
                    start += int(ends[-1])
            row += len(part.size)


_STEP = 10_000  # rows
