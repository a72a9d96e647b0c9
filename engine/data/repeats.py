"""Which rows are alike, by 64-bit hashes, in little memory. It sees numbers alone, no text."""

import numpy as np

_PIECES = 16  # sorted one after the other, so that the sort's own memory is a sixteenth


def first_like(hashes: np.ndarray) -> np.ndarray:
    """For each row the number of the first row with the same hash (int64 [rows] -> int32 [rows])."""
    first = np.empty(len(hashes), np.int32)
    some_bits = np.ascontiguousarray(hashes).view(np.uint8)[::8] % _PIECES
    for piece in range(_PIECES):
        rows = np.flatnonzero(some_bits == piece).astype(np.int32)
        if not len(rows):
            continue
        # A stable sort would have the first row of each run in front, and takes four times as long.
        rows = rows[np.argsort(hashes[rows])]
        same = hashes[rows]
        starts = np.flatnonzero(np.append(True, same[1:] != same[:-1]))
        first[rows] = np.repeat(np.minimum.reduceat(rows, starts), np.diff(np.append(starts, len(rows))))
    return first


def is_first(hashes: np.ndarray) -> np.ndarray:
    """Whether no row before has the same hash; bool [rows]."""
    return first_like(hashes) == np.arange(len(hashes), dtype=np.int32)
