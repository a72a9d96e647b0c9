"""What is foretold of a run, against common sense; against real peaks: python -m engine bench fit."""

import dataclasses
import weakref

import pytest

from engine import home
from engine.models import shape
from engine.models.shape import Matrix
from engine.training import calibration, config, estimate, methods
from engine.training.calibration import Machine
from engine.training.config import TrainingParams
from engine.training.estimate import _Rows

HERE = Machine("cpu", "test", 32 * 10**9, ("bf16", "fp32"), {"bf16": 300.0, "fp32": 150.0}, 5.0, 500_000_000)
ROWS = _Rows(train=1000, val=100, mean=200, answer=120, longest=500)
QWEN = shape.of_config(
    {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "vocab_size": 151_936,
        "tie_word_embeddings": True,
    }
)


def told(method: str = "lora", model=QWEN, rows=ROWS, here=HERE, **training: object) -> estimate.Estimate:
    spec = methods.get(method)
    return estimate._estimate(model, rows, spec, spec.params(), TrainingParams(**training), here)


def test_methods_are_ordered_by_what_they_cost():
    memory = {key: told(key).memory for key in ("full", "freeze", "lora", "qlora")}
    assert memory["full"] > memory["lora"] > memory["qlora"] and memory["full"] > memory["freeze"]
    assert told("full").seconds > told("lora").seconds


class _Kept:
    def __init__(self, tensor):
        self.tensor = tensor


@pytest.mark.parametrize(("dtype", "dropout"), [("bf16", 0.0), ("bf16", 0.1), ("fp32", 0.0), ("fp32", 0.1)])
def test_what_dora_keeps_is_what_peft_keeps(dtype, dropout):
    import torch
    from peft import LoraConfig, get_peft_model

    tokens, width, out, rank = 64, 96, 160, 2
    name = {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
    kept = {}
    for dora in (False, True):
        base = torch.nn.Sequential(torch.nn.Linear(width, out, dtype=name))
        model = get_peft_model(base, LoraConfig(r=rank, target_modules=["0"], lora_dropout=dropout, use_dora=dora))
        own = {each.data_ptr() for each in model.parameters()}
        held = weakref.WeakValueDictionary()

        def pack(tensor, own=own, held=held):
            kept = _Kept(tensor)
            if tensor.data_ptr() not in own:
                held[tensor.data_ptr()] = kept
            return kept

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
            result = model(torch.randn(tokens, width, dtype=name, requires_grad=True))
        kept[dora] = sum(each.tensor.numel() * each.tensor.element_size() for each in held.values())
        del result
    size = 2 if dtype == "bf16" else 4
    one = dataclasses.replace(QWEN, layers=1, matrices=(Matrix("q_proj", out, width, 1),))
    more = [methods.get(key).params(target_modules="q_proj", lora_dropout=dropout) for key in ("dora", "lora")]
    dora, lora = (estimate._values(one, methods.get("dora"), params, TrainingParams(), size) for params in more)
    whole, _ = estimate._dense(one, more[0], TrainingParams(), size)
    assert kept[True] - kept[False] == pytest.approx(whole + tokens * (dora - lora), rel=0.1)


def test_parts_add_up_and_steps_are_counted():
    found = told(num_train_epochs=2, batch_size=16)
    assert sum(found.parts.values()) == found.memory
    assert (found.steps, found.tokens) == (125, 125 * 16 * 200)
    assert told(max_steps=7).steps == 7


def test_longer_rows_more_memory_and_checkpointing_less():
    assert told(rows=dataclasses.replace(ROWS, longest=4000)).memory > told().memory
    assert told(gradient_checkpointing=True).memory < told().memory
    assert told(gradient_checkpointing=True).seconds > told().seconds


def test_the_verdict_follows_the_memory_there_is(monkeypatch):
    need = told().memory
    for free, verdict in ((2 * need, "fits"), (1.1 * need, "tight"), (0.9 * need, "no")):
        monkeypatch.setattr(estimate, "available", lambda here, free=free: int(free))
        found = told()
        assert (found.verdict, bool(found.advice)) == (verdict, verdict != "fits")


def test_the_first_advice_saves_most(monkeypatch):
    monkeypatch.setattr(estimate, "available", lambda here: 10**9)
    advice = told("full").advice
    assert "QLoRA" in advice[0].en and "QLoRA" in advice[0].zh


def test_a_run_of_the_demo_is_foretold(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    monkeypatch.setattr(calibration, "machine", lambda: HERE)
    from tests.tiny import make_data

    data = make_data(tmp_path / "data" / "tiny")
    found = estimate.estimate(config.build(str(home.DEMO_MODEL), str(data)))
    assert found.verdict == "fits" and found.steps == 6 and found.seconds > 0
    assert found.share == found.trainable_parameters / shape.of_folder(home.DEMO_MODEL).parameters
