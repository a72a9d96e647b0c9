"""Rows that are almost the same: MinHash over pieces of three characters, candidates by bands, then counted exactly.

Broder, "On the resemblance and containment of documents" (1997). It costs about 50 microseconds and 130 bytes a row,
far more than anything else here, and is therefore a switch.
"""

from collections.abc import Iterator, Sequence

import numpy as np

_HASHES, _BANDS = 32, 8  # with 4 hashes a band, two rows that share 85 % meet in some band with 99.7 %
_ROWS = _HASHES // _BANDS
_RANDOM = np.random.default_rng(20240229)
_FACTORS = _RANDOM.integers(1, 2**62, _HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFT = np.uint64(32)


def repeated(texts: Sequence[str], similarity: float) -> Iterator[tuple[int, int]]:
    """(row, the earlier row it nearly repeats) for rows whose pieces are shared to at least `similarity` (Jaccard).

    A row is compared with rows that stay, so of many alike exactly the first stays.
    """
    signatures = np.array([_signature(text) for text in texts], np.uint32).reshape(len(texts), _HASHES)
    meets: list[list[tuple[int, int]]] = [[] for _ in texts]
    for band in range(_BANDS):
        keys = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS]).view(f"V{4 * _ROWS}")
        _, group, sizes = np.unique(keys.ravel(), return_inverse=True, return_counts=True)
        for row in np.flatnonzero(sizes[group] > 1).tolist():
            meets[row].append((band, int(group[row])))
    staying: dict[tuple[int, int], list[int]] = {}
    for row, places in enumerate(meets):
        if not places:
            continue
        mine = _pieces(texts[row])
        others = sorted({other for place in places for other in staying.get(place, ())})
        like = next((other for other in others if _share(mine, _pieces(texts[other])) >= similarity), None)
        if like is not None:
            yield row, like
            continue
        for place in places:
            held = staying.setdefault(place, [])
            if len(held) < 20:  # a phrase that thousands share must not make this quadratic
                held.append(row)


def _signature(text: str) -> np.ndarray:
    """uint32 [_HASHES]: for each hash the smallest value over the pieces of `text`."""
    codes = np.frombuffer(_plain(text).encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    if len(codes) < 3:
        codes = np.pad(codes, (0, 3 - len(codes)))
    pieces = (codes[:-2] << np.uint64(42)) ^ (codes[1:-1] << np.uint64(21)) ^ codes[2:]
    mixed = (pieces ^ (pieces >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> _SHIFT
    return ((mixed[:, None] * _FACTORS) >> _SHIFT).min(axis=0)


def _plain(text: str) -> str:
    """Without blanks and capitals, which make no difference here."""
    return "".join(text.split()).casefold()


def _pieces(text: str) -> set[str]:
    plain = _plain(text)
    return {plain[i : i + 3] for i in range(max(1, len(plain) - 2))}


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)
