"""What is said before a run starts is what the run then does."""

import pytest
from transformers import AutoTokenizer

from engine import home
from engine.errors import InvalidFields, Unsupported
from engine.training import calibration, counts, methods, objectives, outlook, presets
from engine.training import config as configs
from engine.training.method import MethodSpec
from engine.training.training_params import TrainingParams
from engine.words import Words
from tests.engine.training import plain
from tests.tiny import make_model


@pytest.mark.parametrize("method", ["lora", "full", "prompt_tuning"])
def test_a_run_does_what_was_foreseen(train, model, data, method):
    settings = {"num_train_epochs": 2.0, "batch_size": 10, "precision": "fp32", "eval_rows": 5}
    found = outlook.of(configs.build(str(model), str(data), method=method, settings=settings))
    run, events = train(method, **settings)
    steps = [event for event in events if event["type"] == "step"]
    assert found.steps == events[-1]["steps"] == len(steps)
    assert found.trainable == events[-1]["trainable_parameters"]
    assert found.parameters == events[-1]["parameters"]
    assert found.learning_rate == pytest.approx(max(step["learning_rate"] for step in steps), rel=0.01)
    evaluated = [event["step"] for event in events if event["type"] == "eval"]
    # The base is measured after the first step, in place of that step's own measurement.
    assert evaluated[2] - evaluated[1] == found.eval_every
    assert (found.train_rows, found.val_rows, found.passes) == (48, 5, 2)
    saved = sum(file.stat().st_size for file in (run / "final").glob("*.safetensors"))
    assert found.saved_bytes == pytest.approx(saved, rel=0.35)


def test_passes_and_warm_up_follow_from_the_steps_and_the_schedule(workspace, model, data):
    settings = {"batch_size": 10, "max_steps": 7, "warmup_steps": 0.5}
    found = outlook.of(configs.build(str(model), str(data), settings=settings))
    assert found.passes == 7 / 5 and found.warmup_steps == 4
    assert (
        outlook.of(
            configs.build(str(model), str(data), settings=settings | {"lr_scheduler_type": "constant"})
        ).warmup_steps
        == 0
    )


def test_the_maximum_length_is_suggested_from_the_data(workspace, model, data):
    rows = plain.conversations(AutoTokenizer.from_pretrained(model), data, 100_000)
    longest = max(len(ids) for ids, _ in rows)
    suggested = outlook.suggested_length(model, data)
    assert longest <= suggested < longest + 64
    tight = outlook.of(configs.build(str(model), str(data), settings={"max_length": 64}))
    # Lengths are told of the whole text, the line's end after the last answer included.
    assert longest <= tight.longest <= longest + 1 and tight.suggested_length == suggested
    assert tight.too_long == pytest.approx(sum(len(ids) > 64 for ids, _ in rows) / len(rows), abs=0.05)
    assert outlook.of(configs.build(str(model), str(data), settings={"max_length": suggested})).too_long == 0


def test_every_preset_is_valid_and_the_default_one_changes_nothing():
    names = presets.values(None)
    assert presets.values("balanced") == names == {name: getattr(TrainingParams(), name) for name in names}
    for preset in presets.PRESETS:
        chosen = TrainingParams(**presets.values(preset.key)).model_dump()
        assert {name: chosen[name] for name in preset.settings} == preset.settings


def test_what_does_not_go_together_says_why(workspace, model, data, monkeypatch):
    with pytest.raises(InvalidFields) as caught:
        configs.build(str(model), str(data), method="adalora", settings={"init_r": 4, "target_r": 4})
    assert [each["field"] for each in caught.value.details["problems"]] == ["target_r"]
    assert "initial rank" in caught.value.text("en") and "初始秩" in caught.value.text("zh")
    with pytest.raises(InvalidFields) as caught:
        configs.build(str(model), str(data), settings={"target_modules": "q_proj,query"})
    assert "query" in caught.value.text("en") and "gate_proj" in caught.value.text("zh")
    picky = MethodSpec(
        **{**vars(methods.get("lora")), "objectives": ("sft",), "objectives_reason": Words("only so", "只能如此")}
    )
    monkeypatch.setattr(methods, "METHODS", (picky,))
    with pytest.raises(Unsupported, match="only so"):
        configs.build(str(model), str(data), objective="pretrain")
    assert configs.refusal(picky, objectives.get("sft")) is None


@pytest.mark.parametrize("method", [spec.key for spec in methods.METHODS])
def test_a_model_that_came_packed_is_refused_by_what_would_change_it(workspace, model, data, tmp_path, method):
    packed = make_model(tmp_path / "packed")
    settings = home.read_json(packed / "config.json")
    home.write_json(packed / "config.json", settings | {"quantization_config": {"quant_method": "gptq", "bits": 4}})
    if method in ("full", "freeze", "qlora"):
        with pytest.raises(Unsupported, match=r"packed .* take LoRA"):
            configs.build(str(packed), str(data), method=method)
    else:
        found = outlook.of(configs.build(str(packed), str(data), method=method))
        spec = methods.get(method)
        assert found.parameters is None and found.steps == 6
        assert found.trainable == spec.count(counts.shape_of(model), spec.params()).trainable


def test_a_run_on_top_of_a_run_counts_the_base(train, model, data):
    run, _ = train("lora", max_steps=2, batch_size=4, precision="fp32", eval_rows=2)
    above = configs.build(str(run), str(data))
    assert above.model == str(run / "final")
    assert outlook.of(above).parameters == outlook.of(configs.build(str(model), str(data))).parameters
    assert home.read_json(run / "config.json")["model"] == str(model)


@pytest.mark.parametrize(("precision", "width"), [("fp32", 4), ("bf16", 2)])
def test_a_whole_model_is_saved_in_the_format_of_the_products(workspace, model, data, monkeypatch, precision, width):
    here = calibration.Machine("cpu", "test", 32 * 10**9, ("bf16", "fp32"), {"bf16": 300.0, "fp32": 150.0}, 5.0, 10**8)
    monkeypatch.setattr(calibration, "known", lambda: here)
    found = outlook.of(configs.build(str(model), str(data), method="full", settings={"precision": precision}))
    assert found.saved_bytes == width * found.parameters
