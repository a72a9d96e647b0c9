"""The points of a chart: columns that grow with a run, thinned to what a screen can show.

Knows nothing of files. Thinning keeps, of each bucket of neighbouring points, the lowest and the highest loss, so that
no spike is hidden; the bucket doubles as the run grows, and a page that drew the old buckets is told to start anew.
"""

import math
from array import array

from engine.runs.metrics import measured


class Curve:
    """Points of one kind (`step` events or `eval` events): a column of floats for each name, NaN where one is missing.

    `columns` are always there; another begins with the first event that measures it.
    """

    def __init__(self, columns: tuple[str, ...], extreme: str):
        self._columns = {name: array("d") for name in columns}
        self._extreme = self._columns[extreme]
        self._steps = self._columns["step"]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self._columns)

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, event: dict) -> None:
        for name in measured(event):
            if name not in self._columns:
                self._columns[name] = array("d", [math.nan]) * len(self)
        for name, column in self._columns.items():
            value = event.get(name)
            column.append(math.nan if value is None else value)

    def rewind(self, step: int) -> None:
        """Forget the points after `step`: a resumed run walks that stretch again."""
        keep = len(self)
        while keep and self._steps[keep - 1] > step:
            keep -= 1
        for column in self._columns.values():
            del column[keep:]

    def last(self, name: str) -> float | int | None:
        """The newest value of a column; None where there is none."""
        return _short(self._columns[name][-1]) if len(self) else None

    def stride(self, limit: int) -> int:
        """How many neighbouring points share one bucket so that at most about `limit` points are shown."""
        stride = 1
        while len(self) > limit * stride / (1 if stride == 1 else 2):
            stride *= 2
        return stride

    def points(self, after: int, stride: int) -> tuple[dict[str, list], int]:
        """Columns of the points from raw point `after` on, and how many raw points they cover. Whole buckets only."""
        end = len(self) // stride * stride
        chosen = range(after, end) if stride == 1 else self._peaks(after, end, stride)
        return {name: [_short(column[i]) for i in chosen] for name, column in self._columns.items()}, end

    def _peaks(self, start: int, end: int, stride: int) -> list[int]:
        chosen = []
        for left in range(start, end, stride):
            bucket = range(left, left + stride)
            known = [i for i in bucket if not math.isnan(self._extreme[i])] or [left]
            pair = {min(known, key=self._extreme.__getitem__), max(known, key=self._extreme.__getitem__)}
            chosen += sorted(pair)
        return chosen


def _short(value: float) -> float | int | None:
    """Six digits are more than a screen shows; a whole number is sent as one."""
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 1e15 else float(f"{value:.6g}")
