"""Drawing one token: the same choice that transformers' own processors leave."""

import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from engine.compare.row import Memory, choose
from engine.compare.settings import GenerationParams


@pytest.mark.parametrize("settings", [{}, {"top_p": 0.6}, {"top_k": 5}, {"top_k": 20, "top_p": 0.7}, {"top_p": 0.999}])
def test_shares_of_draws_are_those_of_transformers(settings):
    params = GenerationParams(**{"temperature": 1.5, "top_p": 1, **settings})
    logits = torch.randn(400, generator=torch.Generator().manual_seed(3)) * 2
    scores = TemperatureLogitsWarper(params.temperature)(None, logits[None])
    if params.top_k:
        scores = TopKLogitsWarper(params.top_k)(None, scores)
    if params.top_p < 1:
        scores = TopPLogitsWarper(params.top_p)(None, scores)
    expected = scores[0].softmax(0)
    generator = torch.Generator().manual_seed(0)
    draws = torch.tensor([choose(logits, params, [], generator) for _ in range(4000)])
    found = torch.bincount(draws, minlength=400) / 4000
    assert not found[expected == 0].any()
    assert (found - expected).abs().max() < 0.03


def test_a_memory_is_taken_up_only_where_a_turn_ended():
    memory = Memory([1, 2, 3, 4, 5], [], [(3, 5)])
    assert memory.reusable([1, 2, 3, 4, 5, 6, 7]) == 5
    assert memory.reusable([1, 2, 3, 4, 9, 9]) == 4  # the answer was written otherwise
    assert memory.reusable([1, 2, 3]) == 0  # the same question: computed anew, to the same bits
    memory = Memory([1, 2, 3, 4, 5], [], [(3, 5)])
    assert memory.reusable([1, 2, 8, 4, 5, 6]) == 0


def test_a_second_turn_asked_again_starts_where_it_started_before():
    memory = Memory([1, 2, 3, 4, 5, 6, 7, 8], [], [(2, 4), (6, 8)])
    assert memory.reusable([1, 2, 3, 4, 5, 6]) == 4
