"""A step's rows, in packs: few, full within the budget, and even."""

import numpy as np
import pytest

from engine.training import batching


@pytest.mark.parametrize("seed", range(20))
def test_every_row_is_in_one_pack_and_no_pack_is_over_the_budget(seed):
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 120, 30)
    rows = draw.permutation(30)[:17]
    packs = batching.split(rows, lengths, 200)
    assert sorted(np.concatenate(packs)) == sorted(rows)
    assert all(lengths[pack].sum() <= 200 for pack in packs)
    assert all((np.diff(lengths[pack]) <= 0).all() for pack in packs)
    assert len(packs) <= 2 * lengths[rows].sum() / 200 + 1


def test_packs_are_even():
    assert [pack.tolist() for pack in batching.split(np.arange(4), np.array([100, 90, 80, 70]), 300)] == [
        [0, 3],
        [1, 2],
    ]


def test_even_packs_are_not_taken_where_one_would_be_over_the_budget():
    lengths = np.array([5, 5, 4, 3, 3])
    packs = batching.split(np.arange(5), lengths, 10)
    assert [pack.tolist() for pack in packs] == [[0, 1], [2, 3, 4]]


def test_a_row_longer_than_the_budget_has_a_pack_of_its_own():
    packs = batching.split(np.arange(3), np.array([50, 9, 8]), 20)
    assert [pack.tolist() for pack in packs] == [[0], [1, 2]]


def test_no_rows_no_packs():
    assert batching.split(np.arange(0), np.array([5, 5]), 10) == []
