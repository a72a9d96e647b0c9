"""Weights that rest in 16 bits, multiplied in fp32: the numbers of the fp32 model."""

import gc
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine import hardware
from engine.models import library
from engine.training import frozen, loading, methods
from engine.training.batching import Layout
from engine.training.learner import Learner
from tests.engine.training.packs import pack
from tests.tiny import make_model


@pytest.fixture
def stored(tmp_path):
    """A model whose files are in bf16."""
    folder = make_model(tmp_path / "fp32")
    AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(tmp_path / "bf16")
    return tmp_path / "bf16"


@pytest.mark.parametrize(
    "method", [m.key for m in methods.METHODS if m.at_rest(m.params(), "bf16", "fp32", "cpu") == "bf16"]
)
def test_a_model_at_rest_learns_as_a_wide_one(stored, method):
    found = {}
    for rests in (False, True):
        spec = methods.get(method)
        torch.manual_seed(0)
        base = AutoModelForCausalLM.from_pretrained(
            stored,
            dtype=torch.bfloat16 if rests else torch.float32,
            quantization_config=spec.quantisation(spec.params(), torch.float32),
        )
        model = spec.prepare(base, spec.params(), 20)
        if rests:
            frozen.widen(model)
        learner = Learner(model, spec).train()
        if rests:
            kept = {name: value for name, value in learner.named_parameters() if value.requires_grad}
            with torch.no_grad():
                for name, value in found[False][1].items():
                    kept[name].copy_(value)
        start = {name: p.detach().clone() for name, p in learner.named_parameters() if p.requires_grad}
        layout = Layout.of(spec.layout, spec.params().model_dump().get("num_virtual_tokens", 0))
        loss = learner(pack(layout=layout), 0.1)
        loss.backward()
        gradients = {name: p.grad for name, p in learner.named_parameters() if p.requires_grad}
        found[rests] = loss.item(), start, gradients
    assert found[True][0] == pytest.approx(found[False][0], rel=1e-6)
    torch.testing.assert_close(found[True][2], found[False][2], rtol=1e-4, atol=1e-7)


def test_what_rests_takes_half(stored):
    base = AutoModelForCausalLM.from_pretrained(stored, dtype=torch.bfloat16)
    model = methods.get("lora").prepare(base, methods.get("lora").params(), 20)
    frozen.widen(model)
    sizes = {name: p.itemsize for name, p in model.named_parameters()}
    assert {size for name, size in sizes.items() if "base_layer" in name and name.endswith("weight")} == {2}
    assert {size for name, size in sizes.items() if "lora_" in name or "norm" in name} == {4}


def test_only_files_that_are_all_in_16_bits_count_as_such(stored, tmp_path):
    assert library.stored_format(stored) == "bf16"
    assert library.stored_format(tmp_path / "fp32") == "fp32"


@pytest.mark.parametrize("method, params", [("lora", {"init_lora_weights": "pissa"}), ("dora", {}), ("full", {})])
def test_a_method_that_works_on_the_weights_gets_them_wide(method, params):
    spec = methods.get(method)
    assert spec.at_rest(spec.params(**params), "bf16", "fp32", "cpu") == "fp32"


def test_weights_rest_only_where_the_products_are_fp32_on_a_processor():
    spec = methods.get("lora")
    assert spec.at_rest(spec.params(), "fp16", "fp32", "cpu") == "fp16"
    assert spec.at_rest(spec.params(), "fp16", "bf16", "cpu") == "bf16"
    assert spec.at_rest(spec.params(), "bf16", "fp32", "cuda") == "fp32"


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel what is mapped")
def test_a_base_packed_into_4_bits_lets_go_of_its_file(stored):
    spec = methods.get("qlora")
    for quantisation, held in ((None, True), (spec.quantisation(spec.params(), torch.float32), False)):
        model = loading.load_model(stored, torch.bfloat16, hardware.devices()[-1], quantisation)
        assert (str(stored) in Path("/proc/self/maps").read_text()) == held
        assert model.get_input_embeddings().weight.dtype == torch.bfloat16
        del model
        gc.collect()
