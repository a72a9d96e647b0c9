"""Properties of the split, for any sizes of groups."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import splitting
from engine.data.splitting import TRAIN, UNUSED, VAL

groups = st.lists(st.integers(0, 30), min_size=1, max_size=200)


def apart(questions, side):
    return not set(questions[side == TRAIN]) & set(questions[side == VAL])


@settings(deadline=None)
@given(groups, st.integers(0, 2**31), st.floats(0, 0.9))
def test_by_share(numbers, seed, share):
    questions = np.array(numbers, np.int64)
    side = splitting.split(questions, None, None, share, seed)
    assert apart(questions, side) and not (side == UNUSED).any()
    assert (side == VAL).sum() <= round(len(numbers) * share)
    assert np.array_equal(side, splitting.split(questions * 7919 - 3, None, None, share, seed))


@settings(deadline=None)
@given(groups, st.integers(0, 2**31), st.data())
def test_by_counts(numbers, seed, data):
    questions = np.array(numbers, np.int64)
    train = data.draw(st.integers(0, len(numbers)))
    val = data.draw(st.integers(0, len(numbers) - train))
    side = splitting.split(questions, train, val, 0.1, seed)
    assert apart(questions, side)
    assert (side == TRAIN).sum() <= train and (side == VAL).sum() <= val
    largest = np.bincount(questions).max()
    if train + val + largest <= len(numbers):
        assert ((side == TRAIN).sum(), (side == VAL).sum()) == (train, val)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=50, max_size=300), st.integers(0, 99))
def test_stratified(kinds, seed):
    strata = np.array(kinds, np.int32)
    side = splitting.split(np.arange(len(kinds)), None, None, 0.2, seed, strata)
    for kind in set(kinds):
        assert abs((side[strata == kind] == VAL).sum() - 0.2 * (strata == kind).sum()) <= 1.5
