"""Every method, held against the plain loop over PEFT: the same losses, the same weights, usable anywhere."""

import numpy as np
import pytest
import torch
from bitsandbytes.nn import Linear4bit
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.loss.loss_utils import LOSS_MAPPING
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm

from engine import home
from engine.data import encode
from engine.training import methods, ranks
from engine.training.batching import Layout, StepLoader
from engine.training.learner import Learner
from tests.engine.training import plain
from tests.tiny import make_model

STEPS, BATCH = 20, 6
# Dropout off; small enough for the tiny model.
PARAMS: dict[str, dict] = {
    "prompt_tuning": {"num_virtual_tokens": 4},
    "p_tuning": {"num_virtual_tokens": 4},
    "prefix_tuning": {"num_virtual_tokens": 4},
}
CASES = [
    *[(spec.key, PARAMS.get(spec.key, {})) for spec in methods.METHODS],
    ("lora", {"target_modules": "q_proj,v_proj", "use_rslora": True}),
    ("lora", {"train_embeddings": True}),
    ("lora", {"init_lora_weights": "pissa"}),
    ("lora", {"init_lora_weights": "pissa", "use_rslora": True, "target_modules": "q_proj,down_proj"}),
    ("lora", {"loraplus_lr_ratio": 4.0}),
    ("qlora", {"bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": False}),
    ("p_tuning", {"num_virtual_tokens": 4, "encoder_reparameterization_type": "LSTM"}),
    ("prefix_tuning", {"num_virtual_tokens": 4, "prefix_projection": True}),
    ("prompt_tuning", {"num_virtual_tokens": 4, "prompt_tuning_init_text": "你好"}),
]
# 4-bit weights have no fp64 to compute in.
EXACT = [case for case in CASES if case[0] != "qlora"]


def settings(**more):
    return {
        "max_steps": STEPS,
        "batch_size": BATCH,
        "learning_rate": 3e-3,
        "warmup_steps": 0,
        "precision": "fp32",
        "eval_steps": 1000,
        **more,
    }


@pytest.mark.parametrize("method, params", CASES, ids=plain.names(CASES))
def test_the_losses_are_those_of_the_plain_loop(train, model, data, method, params):
    run, events = train(method, **settings(**params))
    ours = [event["loss"] for event in events if event["type"] == "step"]
    theirs, trained = plain.loop(model, data, method, params=params, steps=STEPS, batch_size=BATCH, learning_rate=3e-3)
    assert len(ours) == STEPS
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert ours[-1] < ours[0]
    _check_saved(run, model, method, params, trained)


def _check_saved(run, model, method, params, trained):
    """What was saved gives, through plain PEFT, the logits of the reference's trained model."""
    question = AutoTokenizer.from_pretrained(run / "final")("发烧能吃苹果吗？", return_tensors="pt")
    trained.eval()
    if methods.get(method).saves == "model":
        loaded = AutoModelForCausalLM.from_pretrained(run / "final")
    else:
        loaded = PeftModel.from_pretrained(plain.load_base(model, method, params), run / "final")
        untouched = plain.load_base(model, method, params)(**question).logits
        with loaded.disable_adapter():
            assert torch.equal(loaded(**question).logits, untouched)
    with torch.no_grad():
        torch.testing.assert_close(loaded(**question).logits, trained(**question).logits, rtol=1e-3, atol=1e-3)


@pytest.fixture
def exact(monkeypatch):
    """transformers' norms and loss round to fp32, which would hide the tenth digit of everything else."""

    def norm(self, states):
        return self.weight * states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    def loss(logits, labels, vocab_size, **kwargs):
        return cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())

    monkeypatch.setattr(Qwen2RMSNorm, "forward", norm)
    monkeypatch.setitem(LOSS_MAPPING, "ForCausalLM", loss)


@pytest.mark.parametrize("method, params", EXACT, ids=plain.names(EXACT))
@pytest.mark.usefixtures("exact")
def test_in_fp64_the_weights_are_those_of_the_plain_loop(workspace, model, data, method, params):
    spec = methods.get(method)
    theirs = plain.loop(
        model,
        data,
        method,
        params=params,
        steps=STEPS,
        batch_size=BATCH,
        learning_rate=3e-3,
        dtype=torch.float64,
    )[1]
    ours = plain.prepare(model, method, params, STEPS, 42, torch.float64)
    learner = Learner(ours, spec)
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = encode.encoded(data, "train", tokenizer, model, "qa", 512)
    virtual = ours.active_peft_config.num_virtual_tokens if spec.layout != "weights" else 0
    layout = Layout.of(spec.layout, virtual)
    loader = StepLoader(
        rows, batch_size=BATCH, seed=42, budget=256, layout=layout, device="cpu", share=learner.shares(training=True)
    )
    trained = [p for p in learner.parameters() if p.requires_grad]
    optimizer = plain.optimizer(ours, 3e-3, params)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 0.5 * (1 + np.cos(np.pi * s / STEPS)))
    callbacks = spec.callbacks(ours)
    step, packs, shared = 0, 0, set()
    learner.train()
    while step < STEPS:
        loader.set_epoch(step // len(loader))
        for item in loader:
            packs += len(item["packs"])
            for i, pack in enumerate(item["packs"]):
                learner(pack, 1 / item["label_count"], penalise=i == 0).backward()
                shared.add(pack.packing.shared)
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            for callback in callbacks:
                callback.on_optimizer_step(None, type("State", (), {"global_step": step}), None)
            schedule.step()
            optimizer.zero_grad()
            step += 1
            if step == STEPS:
                break
    assert packs > STEPS, "the budget was meant to split steps into several packs"
    assert max(shared) > layout.slots, "examples were meant to share their beginning"
    expected = dict(theirs.named_parameters())
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight, expected[name], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("method", [spec.key for spec in methods.METHODS])
def test_gradient_checkpointing_changes_no_loss(train, method):
    few = settings(max_steps=4, **PARAMS.get(method, {}))
    losses = []
    for checkpointing in (False, True):
        _, events = train(method, **few, gradient_checkpointing=checkpointing)
        losses.append([event["loss"] for event in events if event["type"] == "step"])
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_adalora_moves_its_ranks_and_keeps_to_its_budget(train):
    run, _ = train("adalora", **settings(init_r=6, target_r=2))
    found = ranks.of_run(run)
    assert len(found) == 21 and sum(found.values()) == 2 * 21
    assert len(set(found.values())) > 1
    assert {ranks.place(name) for name in found} >= {("1", "q_proj"), ("3", "down_proj")}
    assert ranks.of_run(run.parent) is None


def test_merged_lora_answers_as_unmerged(train, model):
    run, _ = train("lora", **settings())
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), run / "final")
    question = AutoTokenizer.from_pretrained(run / "final")("发烧能吃苹果吗？", return_tensors="pt")
    with torch.no_grad():
        apart = tuned(**question).logits
        merged = tuned.merge_and_unload()(**question).logits
    torch.testing.assert_close(merged, apart, rtol=1e-4, atol=1e-4)
    assert not torch.equal(AutoModelForCausalLM.from_pretrained(model)(**question).logits, merged)


def test_pissa_is_saved_as_an_ordinary_lora(train):
    run, _ = train("lora", **settings(init_lora_weights="pissa"))
    saved = home.read_json(run / "final" / "adapter_config.json")
    assert saved["init_lora_weights"] is True and saved["r"] == 16


@pytest.mark.parametrize("double", [True, False])
def test_qlora_holds_four_bits_a_weight_and_double_quantisation_saves_what_it_should(tmp_path, double):
    model = make_model(tmp_path / "wide", hidden_size=256, intermediate_size=512, num_hidden_layers=1)
    params = {"bnb_4bit_use_double_quant": double}
    made = plain.prepare(model, "qlora", params, total_steps=4, seed=0)
    layers = [module for module in made.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 7
    # A validation must not unpack them again.
    made.eval()
    with torch.no_grad():
        made(input_ids=torch.tensor([[5, 6, 7]]))
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    packed = sum(layer.weight.untyped_storage().nbytes() for layer in layers)
    assert packed == weights / 2
    scales = 0
    for layer in layers:
        state = layer.weight.quant_state
        scales += state.absmax.nbytes + (state.state2.absmax.nbytes if state.nested else 0)
    # A scale for 64 weights: fp32, or one byte and an fp32 for 256 such (Dettmers et al. 2023, arXiv:2305.14314).
    expected = 8 / 64 + 32 / (64 * 256) if double else 32 / 64
    assert scales * 8 / weights == pytest.approx(expected, rel=0.02)
