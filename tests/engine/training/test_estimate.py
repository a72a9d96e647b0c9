"""What is foretold of a run, against common sense; against real peaks: python -m engine bench fit."""

import dataclasses

import pytest

from engine import hardware, home
from engine.data import encode, formats, tokens
from engine.models import shape
from engine.training import calibration, config, estimate, methods, objectives, outlook, workload
from engine.training.calibration import Machine
from engine.training.config import TrainingParams
from engine.training.device_params import DeviceParams
from engine.training.workload import Rows
from tests.engine.training.objectives import write

HERE = Machine("cpu", "test", 32 * 10**9, ("bf16", "fp32"), {"bf16": 300.0, "fp32": 150.0}, 5.0, 500_000_000)
ROWS = Rows(train=1000, val=100, mean=200, answer=120, longest=500)
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
PAIR = {
    "prompt": [{"role": "user", "content": "感冒能吃苹果吗？"}],
    "chosen": "可以，适量吃对身体有好处。",
    "rejected": "不知道。",
}
# As Qwen2.5-7B: only in a large model do four bits a weight save more than PEFT's layers for them take.
LARGE = shape.of_config(
    {
        "hidden_size": 3584,
        "intermediate_size": 18_944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152_064,
    }
)


@pytest.fixture(autouse=True)
def _room(monkeypatch):
    monkeypatch.setattr(estimate, "available", lambda here: 32 * 10**9)


def told(
    method: str = "lora", model=QWEN, rows=ROWS, here=HERE, objective="sft", scorer=0, **training: object
) -> estimate.Estimate:
    spec = methods.get(method)
    training = TrainingParams(**training)
    goal = objectives.get(objective)
    plan = estimate.planned(model, spec, spec.params(), training, here, goal.packed)
    return estimate._estimate(plan, rows, goal, scorer)


def test_methods_are_ordered_by_what_they_cost():
    memory = {key: told(key, LARGE).memory for key in ("full", "freeze", "lora", "qlora")}
    assert memory["full"] > memory["lora"] > memory["qlora"] and memory["full"] > memory["freeze"]
    assert told("full").seconds > told("lora").seconds


def test_gpus_share_the_time_and_a_split_model_its_weights(monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: 4)
    alone = told("full", LARGE)
    copies, parts = (estimate._shared(alone, DeviceParams(spread=spread)) for spread in ("copies", "parts"))
    assert copies.memory == alone.memory and copies.tokens_per_second == 4 * alone.tokens_per_second
    assert (
        parts.parts["weights"] == alone.parts["weights"] // 4
        and parts.parts["activations"] == alone.parts["activations"]
    )
    assert sum(parts.parts.values()) == parts.memory < alone.memory and parts.seconds < alone.seconds
    assert estimate._shared(alone, DeviceParams()) == alone


def test_parts_add_up_and_steps_are_counted():
    found = told(num_train_epochs=2, batch_size=16)
    assert sum(found.parts.values()) == found.memory
    # 62 steps of 16 rows and one of 8, twice.
    assert (found.steps, found.tokens) == (126, 2 * 1000 * 200)
    assert told(max_steps=7).steps == 7


def test_longer_rows_more_memory_and_checkpointing_less():
    assert told(rows=dataclasses.replace(ROWS, longest=4000)).memory > told().memory
    assert told(gradient_checkpointing=True).memory < told().memory
    assert told(gradient_checkpointing=True).seconds > told().seconds


def test_a_second_model_takes_memory_and_its_looks_take_time():
    for method in ("lora", "full"):
        by = {key: told(method, objective=key) for key in ("sft", "reward", "dpo", "kto")}
        assert by["sft"].seconds < by["dpo"].seconds < by["kto"].seconds
        assert "others" not in by["reward"].parts and by["reward"].parts["logits"] == 0
    assert told("full", objective="dpo").parts["others"] == told("full").parts["weights"]
    assert told(objective="dpo").parts["others"] == 4 * told().trainable_parameters
    by_model = told(objective="rloo", scorer=10**9)
    assert by_model.parts["others"] == 10**9 + 4 * told().trainable_parameters
    assert sum(by_model.parts.values()) == by_model.memory


def test_both_answers_of_a_pair_are_read_and_answers_that_are_tried_count(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    pairs = write(tmp_path / "data" / "pairs", "preference", [PAIR] * 8, [])
    rows = workload.of(config.build(str(home.DEMO_MODEL), str(pairs), "dpo"), objectives.get("dpo"))
    prepared = tokens.read(home.DEMO_MODEL)
    talks = formats.conversations(PAIR, "preference").values()
    assert rows.mean == sum(prepared.counts([encode.text_of(prepared, talk) for talk in talks]))
    assert rows.answer < rows.mean and (rows.train, rows.longest) == (8, rows.mean)

    settings = {"rule": "length", "max_completion_length": 50, "num_generations": 4}
    tries = config.build(str(home.DEMO_MODEL), str(pairs), "rloo", settings=settings)
    rows = workload.of(tries, objectives.get("rloo"))
    assert rows.train == 32 and 50 < rows.mean < 100 and rows.answer >= 50


def test_the_verdict_follows_the_memory_there_is(monkeypatch):
    need = told().memory
    # A little less makes the packs smaller, not the run impossible.
    for free, verdict in ((2 * need, "fits"), (1.1 * need, "tight"), (0.4 * need, "no")):
        monkeypatch.setattr(estimate, "available", lambda here, free=free: int(free))
        found = told()
        assert (found.verdict, bool(found.advice)) == (verdict, verdict != "fits")


def test_the_first_advice_saves_most(monkeypatch):
    monkeypatch.setattr(estimate, "available", lambda here: 10**9)
    advice = told("full", LARGE).advice
    assert "QLoRA" in advice[0].en and "QLoRA" in advice[0].zh


def test_a_smaller_batch_is_advised_where_the_batch_fills_the_pack(monkeypatch):
    monkeypatch.setattr(estimate, "available", lambda here: int(2.6e9))
    small = dataclasses.replace(ROWS, mean=40, longest=90)
    assert any("A batch of 4:" in words.en for words in told(rows=small).advice)
    assert not any("A batch" in words.en for words in told(rows=dataclasses.replace(ROWS, longest=4000)).advice)


def test_a_run_of_days_is_advised_fewer_rows():
    few, many = (told(rows=dataclasses.replace(ROWS, train=train)) for train in (1_000, 1_000_000))
    assert few.advice == () and many.seconds > 8 * 3600
    (told_so,) = many.advice
    assert "instead of 1,000,000" in told_so.en and "1,000,000" in told_so.zh
    assert told(rows=dataclasses.replace(ROWS, train=1_000_000), max_steps=10).advice == ()


def test_a_run_of_the_demo_is_foretold(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    monkeypatch.setattr(calibration, "machine", lambda: HERE)
    from tests.tiny import make_data

    data = make_data(tmp_path / "data" / "tiny")
    wanted = config.build(str(home.DEMO_MODEL), str(data), settings={"batch_size": 32})
    found = estimate.estimate(wanted)
    assert found.verdict == "fits" and found.seconds > 0
    assert found.steps == outlook.of(wanted).steps == 4
