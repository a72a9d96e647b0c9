"""Which rows train, which validate, which are left over: seeded, stratified, and never the same question on both
sides. It sees numbers alone, no text.
"""

import numpy as np

UNUSED, TRAIN, VAL = 0, 1, 2


def split(
    questions: np.ndarray,
    train: int | None,
    val: int | None,
    share: float,
    seed: int,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """The side of each row: TRAIN, VAL or UNUSED, as uint8.

    Args:
        questions: uint64 [rows]; equal numbers are the same question, and stay together.
        train, val: how many rows of each; with both None, `share` of the rows validate and the rest train.
        strata: int [rows]; each side gets the same mixture of these where it can.

    Rows of one question fill a count to the end only where the rest of them can be left unused.
    """
    side = np.zeros(len(questions), np.uint8)
    order, starts = _shuffled(questions, seed, strata)
    counted = train is not None or val is not None
    want_val = (val or 0) if counted else round(len(questions) * share)
    taken = _fill(starts, np.zeros(len(starts) - 1, bool), want_val, side, order, VAL, exact=False)
    if not counted:
        side[side == UNUSED] = TRAIN
        return side
    short = want_val - int((side == VAL).sum())
    want_train = train or 0
    if short:
        taken = _fill(starts, taken, short, side, order, VAL, exact=True)
    _fill(starts, taken, want_train, side, order, TRAIN, exact=True)
    return side


def _shuffled(questions: np.ndarray, seed: int, strata: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows with those of one question side by side, in a random order of the questions, and where each question
    starts (with the end of the last). With strata, any piece of that order holds about the whole's mixture."""
    _, first, group = np.unique(questions, return_index=True, return_inverse=True)
    # Numbered by first appearance: the split must not depend on the values of the hashes.
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    group = rank[group]
    first = np.sort(first)
    position = np.random.default_rng(seed).permutation(len(first)).astype(np.float64)
    if strata is not None:
        of = strata[first]
        by = np.lexsort((position, of))
        sizes = np.bincount(of)
        within = np.arange(len(by)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        position[by] = (within + 0.5) / sizes[of[by]] + position[by] * 1e-12
    order = np.lexsort((np.arange(len(group)), position[group]))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return order, np.append(starts, len(order))


def _fill(
    starts: np.ndarray, taken: np.ndarray, want: int, side: np.ndarray, order: np.ndarray, name: int, exact: bool
) -> np.ndarray:
    """Give whole questions to side `name` until `want` rows are on it; `exact` may break the last one.

    Returns which questions are taken now.
    """
    sizes = np.diff(starts)
    free = np.flatnonzero(~taken)
    taken = taken.copy()
    upto = int(np.searchsorted(np.cumsum(sizes[free]), want, side="right"))
    chosen = list(free[:upto])
    left = want - int(sizes[free[:upto]].sum())
    for group in free[upto:]:
        if not left:
            break
        if sizes[group] <= left:
            chosen.append(group)
            left -= int(sizes[group])
    for group in chosen:
        side[order[starts[group] : starts[group + 1]]] = name
    taken[chosen] = True
    if exact and left:
        remaining = np.flatnonzero(~taken)
        if len(remaining):
            group = remaining[0]
            side[order[starts[group] : starts[group] + left]] = name
            taken[group] = True
    return taken
