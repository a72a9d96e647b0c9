"""Quantising a real matrix: the same values as bitsandbytes, and figures that can be checked by hand."""

import bitsandbytes.functional as bnb
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine import home
from engine.errors import NotFound
from engine.models import formats, quantise
from tests.tiny import make_model


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).normal(0, 0.02, 64 * 1000).astype(np.float32)


def by_bitsandbytes(weights: np.ndarray, key: str, double: bool) -> np.ndarray:
    packed, state = bnb.quantize_4bit(
        torch.from_numpy(weights), blocksize=64, quant_type=key, compress_statistics=double
    )
    return bnb.dequantize_4bit(packed, state).reshape(-1).numpy()


def test_nf4_equals_bitsandbytes_to_the_last_bit(weights):
    mine = quantise.quantise(weights, formats.get("nf4")).values
    assert np.array_equal(mine, by_bitsandbytes(weights, "nf4", False))


def test_fp4_equals_bitsandbytes_where_no_two_levels_are_equally_near(weights):
    mine = quantise.quantise(weights, formats.get("fp4"))
    levels = np.sort(formats.get("fp4").levels)
    middles = (levels[1:] + levels[:-1]) / 2
    # It rounds the levels to four digits before it takes their middles.
    clear = np.abs(mine.shares[:, None] - middles).min(axis=1) > 1e-4
    assert clear.mean() > 0.99
    assert np.array_equal(mine.values[clear], by_bitsandbytes(weights, "fp4", False)[clear])


@pytest.mark.parametrize("key", ["nf4", "fp4"])
def test_double_quantisation_is_as_near_as_bitsandbytes(weights, key):
    mine = quantise.quantise(weights, formats.get(key), double=True).values
    theirs = by_bitsandbytes(weights, key, True)
    # Its mean of the scales differs in the last bit, and so may a scale halfway between two levels.
    assert np.isclose(mine, theirs, rtol=1e-5, atol=1e-9).mean() > 0.99
    assert np.linalg.norm(mine - weights) == pytest.approx(np.linalg.norm(theirs - weights), rel=1e-4)


def test_levels_of_scales_are_the_dynamic_map_of_bitsandbytes():
    assert np.allclose(quantise._dynamic_levels(), bnb.create_dynamic_map().numpy(), atol=1e-7)


def test_int8_is_off_by_half_a_step_at_most(weights):
    mine = quantise.quantise(weights, formats.get("int8"))
    scales = np.abs(weights.reshape(-1, 64)).max(axis=1, keepdims=True)
    assert (np.abs((mine.values - weights).reshape(-1, 64)) <= scales / 254 * 1.0001).all()


def test_bits_a_weight():
    some = np.ones(64, np.float32)
    for key, bits in (("int8", 8), ("nf4", 4)):
        assert quantise.quantise(some, formats.get(key)).bits == bits + 0.5
        assert quantise.quantise(some, formats.get(key), double=True).bits == bits + 8 / 64 + 32 / (64 * 256)


def test_lengths_that_fill_no_block():
    for length in (1, 63, 65):
        some = np.linspace(-1, 1, length, dtype=np.float32)
        done = quantise.quantise(some, formats.get("nf4"), double=True)
        assert len(done.values) == length and np.abs(done.values - some).max() < 0.2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_reads_a_matrix_in_every_format(tmp_path, dtype):
    matrix = torch.randn(3, 130).to(dtype)
    make_model(tmp_path / "model")
    save_file({"a": torch.zeros(5), "w": matrix}, tmp_path / "model" / "model.safetensors")
    found = quantise.find(tmp_path / "model", "w")
    assert found.shape == (3, 130)
    assert np.array_equal(quantise.read(found), matrix.float().reshape(-1).numpy())
    with pytest.raises(NotFound, match="'a'"):
        quantise.find(tmp_path / "model", "a")  # not a matrix


def test_the_demo_model_measured():
    name = "model.layers.0.mlp.down_proj.weight"
    matrix = quantise.find(home.DEMO_MODEL, name)
    weights = quantise.read(matrix)
    assert np.array_equal(weights, load_file(matrix.file)[name].float().reshape(-1).numpy())
    found = {
        key: quantise.measured(matrix, weights, quantise.quantise(weights, formats.get(key)))
        for key in ("int8", "fp4", "nf4")
    }
    assert found["int8"]["error"] < found["nf4"]["error"] < found["fp4"]["error"]
    for each in found.values():
        assert sum(each["histogram"]) == pytest.approx(1)
        assert sum(share for _, share in each["levels"]) == pytest.approx(1)
        assert [level for level, _ in each["levels"]] == sorted(level for level, _ in each["levels"])
    assert found["nf4"]["bytes"] == 256 * 768 * 4.5 / 8
