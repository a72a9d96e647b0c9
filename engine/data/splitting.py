"""Which rows train, which validate, which are left over: seeded, stratified, and never the same question on both
sides. It sees numbers alone, no text.
"""

import numpy as np

from engine.data import repeats
from engine.fields import Params, param
from engine.words import Words

UNUSED, TRAIN, VAL = 0, 1, 2


class Split(Params):
    """How many rows go to each side."""

    train: int | None = param(
        None,
        Words("Training rows", "训练行"),
        Words("Rows to learn from. Empty: all that do not validate.", "用来学习的行数。留空则取验证行以外的全部。"),
        ge=1,
    )
    val: int | None = param(
        None,
        Words("Validation rows", "验证行"),
        Words("Rows kept back to test with. Empty: 10% of the rows.", "留作检验的行数。留空则取 10%。"),
        ge=0,
    )
    share: float = param(
        0.1,
        Words("Share that validates", "验证比例"),
        Words(
            "Where both counts are empty: 0.1 keeps back 10% of the rows.", "两个行数都留空时使用：0.1 表示留出 10%。"
        ),
        advanced=True,
        ge=0,
        le=0.9,
    )
    seed: int = param(
        42,
        Words("Seed", "随机种子"),
        Words("The same seed splits the rows in the same way.", "种子相同，划分结果就相同。"),
        advanced=True,
        ge=0,
        lt=2**32,
    )


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
    # Questions are numbered by first appearance: the split must not depend on the values of the hashes.
    first = repeats.first_like(questions)
    leads = first == np.arange(len(first), dtype=np.int32)
    group = (np.cumsum(leads, dtype=np.int32) - 1)[first]
    del first
    position = np.random.default_rng(seed).permutation(int(leads.sum())).astype(np.int32)
    if strata is not None:
        position = _mixed(position, strata[leads])
    place = position[group]
    # By place, then by row: whole numbers are sorted several times as fast as their positions are found.
    order = (np.sort(place.astype(np.int64) << 32 | np.arange(len(place))) & 0xFFFFFFFF).astype(np.int32)
    starts = np.zeros(len(position) + 1, np.int32)
    np.cumsum(np.bincount(place), out=starts[1:])
    return order, starts


def _mixed(position: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """New places for questions in random order such that each stratum is spread evenly over them."""
    order = np.lexsort((position, strata))
    sizes = np.bincount(strata)
    within = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    spread = np.empty(len(order))
    spread[order] = (within + 0.5) / sizes[strata[order]]
    mixed = np.empty(len(order), np.int32)
    mixed[np.lexsort((position, spread))] = np.arange(len(order), dtype=np.int32)
    return mixed


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
    chosen = np.zeros(len(sizes), bool)
    chosen[free[:upto]] = True
    left = want - int(sizes[chosen].sum())
    for group in free[upto:]:
        if not left:
            break
        if sizes[group] <= left:
            chosen[group] = True
            left -= int(sizes[group])
    side[order[np.repeat(chosen, sizes)]] = name
    taken |= chosen
    if exact and left:
        remaining = np.flatnonzero(~taken)
        if len(remaining):
            group = remaining[0]
            side[order[starts[group] : starts[group] + left]] = name
            taken[group] = True
    return taken
