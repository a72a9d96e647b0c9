"""Products in pieces: the numbers of whole ones, whatever format a weight rests in."""

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit

from engine.training import budget, linear, products


@pytest.fixture(params=[None, 20], ids=["whole", "cut"])
def widest(request, monkeypatch):
    """Columns that one call makes."""
    if request.param:
        monkeypatch.setattr(products, "_widest", lambda like, columns: request.param)


@pytest.fixture(params=["fp32", "bf16", "nf4"])
def weight(request, monkeypatch):
    """(a weight of 64 by 128, the same in fp32)"""
    monkeypatch.setattr(budget, "WIDENED", 1024)
    products._room.cache_clear()
    torch.manual_seed(0)
    wide = torch.randn(64, 128)
    if request.param == "nf4":
        made = Linear4bit(128, 64, bias=False, quant_type="nf4", compute_dtype=torch.float32)
        made.weight.data = wide
        packed = made.to("cpu").weight
        yield packed, dequantize_4bit(packed.data, packed.quant_state)
    else:
        rests = wide.to({"fp32": torch.float32, "bf16": torch.bfloat16}[request.param])
        yield rests, rests.float()
    products._room.cache_clear()


@pytest.mark.usefixtures("widest")
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_wide_weights(weight, bias):
    rests, wide = weight
    x, gradient = torch.randn(7, 128), torch.randn(7, 64)
    offset = torch.randn(64) if bias else None
    torch.testing.assert_close(products.product(x, rests, offset), torch.nn.functional.linear(x, wide, offset))
    torch.testing.assert_close(products.product_back(gradient, rests), gradient @ wide)
    torch.testing.assert_close(products.product_across(gradient, x), gradient.T @ x)


@pytest.mark.usefixtures("widest")
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_that_trains_has_the_gradients_of_a_plain_one(bias):
    plain = torch.nn.Linear(128, 64, bias=bias, dtype=torch.float64)
    ours = torch.nn.Linear(128, 64, bias=bias, dtype=torch.float64)
    ours.load_state_dict(plain.state_dict())
    linear.use(ours)
    x = torch.randn(3, 5, 128, dtype=torch.float64)
    found = []
    for layer in (plain, ours):
        states = x.clone().requires_grad_()
        out = layer(states)
        out.sin().sum().backward()
        found.append([out, states.grad, *(p.grad for p in layer.parameters())])
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)


def test_processors_of_amd_get_pieces_in_fp32_and_nothing_else_does(monkeypatch):
    for name, cut in (("AMD EPYC (2 cores)", True), ("Intel(R) Xeon(R) Processor (2 cores)", False)):
        products._is_amd.cache_clear()
        monkeypatch.setattr("engine.hardware.processor_name", lambda name=name: name)
        assert products.differs(torch.ones(1), torch.ones(1)) == cut
        assert not products.differs(torch.ones(1).bfloat16(), torch.ones(1).bfloat16())
    products._is_amd.cache_clear()
