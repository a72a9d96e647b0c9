"""What a pack is said to leave for the backward pass, against what autograd really keeps, with every method."""

import weakref
from itertools import chain

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from transformers import AutoModelForCausalLM

from engine import hardware
from engine.models import shape
from engine.models.shape import Shape
from engine.training import budget, loading, memory, methods
from engine.training.batching import Layout
from engine.training.config import TrainingParams
from engine.training.learner import Learner
from engine.training.memory import Plan
from tests.engine.training import plain
from tests.engine.training.packs import pack
from tests.engine.training.test_estimate import HERE, QWEN
from tests.tiny import make_model

# Unequal, so that attention pads them as it does real rows.
LENGTHS = [64, 63, 61, 60]
CASES = [
    *[(spec.key, {}) for spec in methods.METHODS],
    *[(key, {"lora_dropout": 0.1}) for key in ("lora", "qlora", "dora", "adalora")],
    ("lora", {"target_modules": "q_proj"}),
    ("lora", {"r": 32}),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The same model with 2 and with 4 layers: what they differ in is what two layers take."""
    folder = tmp_path_factory.mktemp("layers")
    sizes = {"hidden_size": 96, "intermediate_size": 320, "num_attention_heads": 6, "num_key_value_heads": 2}
    return [make_model(folder / str(layers), num_hidden_layers=layers, **sizes) for layers in (2, 4)]


class _Kept:
    def __init__(self, tensor):
        self.tensor = tensor


def held(model, method: str, params: dict, dtype: torch.dtype) -> tuple[float, int]:
    """(bytes that are alive for the backward pass beside parameters, tokens) after a forward pass."""
    spec = methods.get(method)
    chosen = spec.params(**params)
    weights, compute = loading.base_precision(dtype, trains_base=spec.saves == "model")
    base = AutoModelForCausalLM.from_pretrained(
        model, dtype=weights, quantization_config=spec.quantisation(chosen, weights)
    )
    base.config.use_cache = False
    learner = Learner(spec.prepare(base, chosen, 20), spec, compute).train()
    virtual = learner.model.active_peft_config.num_virtual_tokens if spec.layout != "weights" else 0
    given = pack(LENGTHS, Layout.of(spec.layout, virtual))
    own = {each.untyped_storage().data_ptr() for each in chain(learner.parameters(), learner.buffers())}
    own |= {m.weight.data.untyped_storage().data_ptr() for m in learner.modules() if isinstance(m, Linear4bit)}
    alive = weakref.WeakValueDictionary()

    def keep(tensor: torch.Tensor) -> _Kept:
        kept, storage = _Kept(tensor), tensor.untyped_storage()
        if storage.data_ptr() not in own:
            alive[storage.data_ptr()] = kept
        return kept

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
        loss = learner(given, 1.0)
    found = sum(kept.tensor.untyped_storage().nbytes() for kept in alive.values())
    del loss
    return found, given.tokens


def planned(model: Shape, method: str, dtype: str, **params: object) -> Plan:
    spec = methods.get(method)
    return Plan(model, spec, spec.params(**params), TrainingParams(), HERE, dtype)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
@pytest.mark.parametrize("method, params", CASES, ids=plain.names(CASES))
def test_what_is_kept_is_what_autograd_keeps(models, method, params, dtype):
    params = params | ({"num_layers": 4} if method == "freeze" else {})
    (two, tokens), (four, _) = (held(model, method, params, hardware.torch_dtype(dtype)) for model in models)
    plan = planned(shape.of_folder(models[1]), method, dtype, **params)
    virtual = plan.params.model_dump().get("num_virtual_tokens", 0) * len(LENGTHS) / sum(LENGTHS)
    once, _ = memory.dense(plan)
    said = once + tokens * memory.kept(plan, virtual)
    assert 2 * (four - two) == pytest.approx(said, rel=0.08)


def test_freeze_tuning_keeps_its_last_layers_only():
    few, all = (memory.kept(planned(QWEN, "freeze", "fp32", num_layers=n)) for n in (6, QWEN.layers))
    assert few == pytest.approx(all / 4)


# Tokens that keep a processor busy with this model.
MOST = budget.within(10**12, "cpu", QWEN.hidden_size, 1, whole=False)


def packed(method: str, mean: float = 200, longest: int = 500, free: int = 32 * 10**9, **params: object) -> memory.Pack:
    return memory.pack(planned(QWEN, method, "bf16", **params), mean, longest, free)


def test_virtual_tokens_take_room_in_a_pack():
    pack = packed("prompt_tuning", longest=150, num_virtual_tokens=100)
    assert (pack.tokens, pack.virtual) == (MOST, 0.5)
    assert packed("prompt_tuning", longest=2000, num_virtual_tokens=100).tokens == 2100


def test_a_pack_is_larger_where_it_makes_a_gradient_of_all_weights():
    wide = budget.within(10**12, "cpu", QWEN.hidden_size, 1, whole=True)
    assert packed("full", mean=2000, longest=100).tokens == wide > packed("lora", longest=100).tokens == MOST


def test_a_pack_is_smaller_where_memory_is_short():
    assert packed("lora", longest=100, free=2 * 10**9).tokens < packed("lora", longest=100).tokens == MOST
    assert packed("lora", free=10**9, longest=300).tokens == 300
