"""One stretch of a table made into training rows: lines to a file, and for every row a few numbers.

A large file is read as several stretches by processes of their own (`python -m engine.data.segment`), since parsing
text keeps one core busy; a small one in this process by the same code. It does not decide about duplicates or sides.
"""

import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.data import roles
from engine.data.cleaning import Cleaner, Cleaning
from engine.data.shapes import Shaper
from engine.data.table import Table
from engine.errors import TuneDeskError

Progress = Callable[[int], None]  # bytes of the table read since the last call


@dataclass(frozen=True)
class Order:
    """What to read and what to make of it. `stop` None: to the end."""

    number: int  # of the table among those converted together
    table: Table
    mapping: roles.Mapping
    format: str
    cleaning: Cleaning
    stratify: str | None
    lines: Path  # the file to write
    start: int | None = None
    stop: int | None = None


@dataclass
class Part:
    """What came of it; the arrays have one entry a row. 21 to 25 bytes a row."""

    order: int  # the number of its order
    lines: Path
    end: int  # where in the table the last row read ends
    code: np.ndarray  # uint8: why it is dropped (cleaning.CODES), 0: it stays
    size: np.ndarray  # uint32: bytes of its line, 0 where it is dropped
    whole: np.ndarray  # int64: hash of the line, by which repetitions are found
    question: np.ndarray  # int64: hash of what is asked; Python's hashes, 64 bits, the same within one conversion
    strata: list[str] = field(default_factory=list)  # the values of the column to stratify by ...
    stratum: np.ndarray | None = None  # ... and which one each row has, int32
    lost: Counter = field(default_factory=Counter)
    changed: dict[str, list[int]] = field(default_factory=dict)  # row numbers from 0, in this part
    found: dict[str, list[int]] = field(default_factory=dict)
    table: Table | None = None  # as it is after reading, with its counts of mended rows


def read(order: Order, progress: Progress | None = None) -> Part:
    """Carry out `order`.

    Raises:
        NotATable: a row cannot be read.
        OSError: its lines could not be written.
    """
    table = order.table.fresh()
    shaper = Shaper(order.format, order.mapping, table.columns)
    cleaner = Cleaner(order.cleaning)
    stratum = roles.reader(order.stratify, table.columns) if order.stratify else None
    strata: dict[str, int] = {}
    codes, sizes, wholes, questions, of = [], [], [], [], []
    count = 0
    end = order.start or 0
    with open(order.lines, "wb", buffering=1 << 20) as file:
        for block in table.blocks(order.start, stop=order.stop):
            code = bytearray(len(block.rows))
            columns = shaper.columns(block.rows, code)
            cleaner.clean(columns, shaper.format.filled, code, count)
            lines, asked = shaper.lines(columns, code)
            file.write(b"".join(lines))
            code = np.frombuffer(code, np.uint8)
            kept = code == 0
            codes.append(code)
            sizes.append(_spread(kept, list(map(len, lines)), np.uint32))
            wholes.append(_spread(kept, list(map(hash, lines)), np.int64))
            questions.append(_spread(kept, list(map(hash, asked)), np.int64))
            if stratum:
                of.append(np.array([strata.setdefault(stratum(row), len(strata)) for row in block.rows], np.int32))
            count += len(code)
            if progress:
                progress(block.end - end)
            end = block.end
    return Part(
        order=order.number,
        lines=order.lines,
        end=end,
        code=_joined(codes, np.uint8),
        size=_joined(sizes, np.uint32),
        whole=_joined(wholes, np.int64),
        question=_joined(questions, np.int64),
        strata=list(strata),
        stratum=_joined(of, np.int32) if stratum else None,
        lost=shaper.lost,
        changed=cleaner.changed,
        found=cleaner.found,
        table=table,
    )


def _spread(kept: np.ndarray, values: list[int], dtype: type) -> np.ndarray:
    """`values` of the rows that stay, with zeros for the others."""
    if len(values) == len(kept):
        return np.array(values, dtype)
    spread = np.zeros(len(kept), dtype)
    spread[kept] = values
    return spread


def _joined(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


_WORTH = 32 << 20  # bytes of a table that are worth a process of their own, which takes a third of a second to start


def read_all(orders: list[Order], progress: Progress | None = None) -> list[Part]:
    """Carry out `orders`, of a whole table each, in as many processes as pay; the parts come in the tables' order.

    Raises:
        NotATable, OSError: as `read`.
    """
    sizes = [order.table.source.path.stat().st_size for order in orders]
    workers = min(os.cpu_count() or 1, 8, sum(sizes) // _WORTH)
    if workers < 2:
        return [read(order, progress) for order in orders]
    cut = [piece for order, size in zip(orders, sizes, strict=True) for piece in _cut(order, size, workers)]
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda order: _elsewhere(order, progress), cut))
    done: list[Part] = []
    for order, part in zip(cut, parts, strict=True):
        before = done[-1] if done and done[-1].order == order.number else None
        if part and before and before.end != order.start:
            # A quoted cell went over the cut: what was read behind it began in the middle of a row.
            if order.stop is not None and before.end >= order.stop:
                continue
            part = _elsewhere(replace(order, start=before.end), progress)
        if part is None:
            return [read(order, progress) for order in orders]  # says what is wrong, with the right row number
        done.append(part)
    return done


def _cut(order: Order, size: int, workers: int) -> list[Order]:
    """`order` as several that each begin where a line does; a cut inside a quoted cell shows when they are joined."""
    count = max(1, min(workers, size // _WORTH))
    starts = []
    with open(order.table.source.path, "rb") as file:
        for k in range(1, count):
            file.seek(size * k // count)
            line = file.readline(1 << 20)
            if line.endswith(b"\n"):
                starts.append(file.tell())
    bounds = [None, *sorted(set(starts)), None]
    return [
        replace(order, start=a, stop=b, lines=order.lines.with_name(f"{order.lines.name}.{k}"))
        for k, (a, b) in enumerate(pairwise(bounds))
    ]


def _elsewhere(order: Order, progress: Progress | None) -> Part | None:
    """`read` in another process; None where it failed."""
    # One hash seed for all of them, so that equal rows have equal hashes.
    told = {**os.environ, "PYTHONHASHSEED": "0"}
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "engine.data.segment"]
    with subprocess.Popen(command, cwd=root, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            process.stdin.write(pickle.dumps(order))
            process.stdin.close()
            for line in process.stdout:
                if progress:
                    progress(int(line))
        except BaseException:
            process.kill()
            raise
    result = order.lines.with_name(order.lines.name + ".part")
    return pickle.loads(result.read_bytes()) if process.returncode == 0 else None


def main() -> int:
    order = pickle.load(sys.stdin.buffer)
    try:
        part = read(order, lambda count: print(count, flush=True))
    except (TuneDeskError, OSError):
        return 1
    order.lines.with_name(order.lines.name + ".part").write_bytes(pickle.dumps(part))
    return 0


if __name__ == "__main__":
    # The classes in the pickle must be those of the module, not of `__main__`.
    from engine.data import segment

    sys.exit(segment.main())
