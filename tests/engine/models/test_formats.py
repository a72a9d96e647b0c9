"""Number formats: the bits are those of torch and of bitsandbytes."""

import bitsandbytes.functional as bnb
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.models import formats

FLOATING = {
    "fp32": (torch.float32, torch.int32),
    "fp16": (torch.float16, torch.int16),
    "bf16": (torch.bfloat16, torch.int16),
}


@pytest.mark.parametrize("key", FLOATING)
@given(number=st.floats(-(2.0**127), 2.0**127, width=32, allow_subnormal=False))
def test_floating_formats_hold_what_torch_holds(key, number):
    form = formats.get(key)
    bits, value = formats.held(number, 1, form)
    dtype, integer = FLOATING[key]
    expected = torch.tensor(number, dtype=torch.float32).to(dtype)
    assert value == float(expected)
    assert int(bits, 2) == int(expected.view(integer)) % 2**form.bits
    assert len(bits) == form.bits


def test_a_tenth_bit_by_bit():
    assert formats.held(0.1, 1, formats.get("bf16"))[0] == "0011110111001101"
    assert formats.held(0.1, 1, formats.get("int8")) == ("00001101", pytest.approx(13 / 127))
    assert formats.held(-1, 1, formats.get("int8")) == ("10000001", -1)
    assert formats.held(0.1, 1, formats.get("nf4")) == ("1000", pytest.approx(0.0796, abs=1e-4))


@pytest.mark.parametrize("key", ["nf4", "fp4"])
def test_levels_of_four_bits_are_those_of_bitsandbytes(key):
    codes = torch.arange(16, dtype=torch.uint8).repeat(4)
    packed = (codes[::2] << 4 | codes[1::2]).unsqueeze(1)
    _, state = bnb.quantize_4bit(torch.ones(1, 64), blocksize=64, quant_type=key)
    values = bnb.dequantize_4bit(packed, state)
    assert np.array_equal(formats.get(key).levels, values.reshape(-1)[:16].numpy())


@given(share=st.floats(-1, 1, allow_subnormal=False), key=st.sampled_from(["int8", "fp4", "nf4"]))
def test_no_level_is_nearer_than_the_one_taken(share, key):
    levels = formats.get(key).levels.astype(np.float64)
    code = int(formats.encode(np.array([share]), formats.get(key))[0])
    assert abs(levels[code] - share) <= np.abs(levels - share).min() + 1e-7


def test_a_block_of_zeros_holds_zero():
    for form in formats.FORMATS:
        assert formats.held(0.0, 0.0, form)[1] == 0


def test_fields_add_up_to_the_bits():
    assert [(form.key, form.bits) for form in formats.FORMATS] == [
        ("fp32", 32),
        ("fp16", 16),
        ("bf16", 16),
        ("int8", 8),
        ("fp4", 4),
        ("nf4", 4),
    ]
