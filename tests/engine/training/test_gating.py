"""The gated feed-forward as one step: the numbers of the two operations that it replaces."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine.training import gating
from engine.training.packing import ATTENTION
from tests.engine.training.packs import pack
from tests.tiny import make_model


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_values_and_gradients_are_the_same_to_the_bit(tmp_path, dtype):
    found = []
    for fused in (False, True):
        model = AutoModelForCausalLM.from_pretrained(make_model(tmp_path / str(fused)), dtype=dtype)
        model.set_attn_implementation(ATTENTION)
        if fused:
            gating.fuse(model)
            assert model.model.layers[0].mlp.forward.__func__ is gating._forward
        given = pack()
        states = model.model(
            input_ids=given.ids, position_ids=given.positions, packing=given.packing, use_cache=False
        ).last_hidden_state
        states.square().sum().backward()
        found.append((states, {name: p.grad for name, p in model.model.named_parameters()}))
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)
