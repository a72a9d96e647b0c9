"""A run's life in the worker: what it tells, what it saves, how it stops, resumes and fails."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

from engine import home
from engine.data import convert
from engine.errors import InvalidFields, LossNotFinite, NoRows, NotFound
from engine.runs import store
from engine.runs.events import Events, log
from engine.training import config as configs
from engine.training import ranks, worker
from engine.training.session import Session
from tests.engine.training import plain

SHORT = {"max_steps": 8, "batch_size": 6, "learning_rate": 3e-3, "precision": "fp32", "eval_steps": 4}


def losses(events):
    """step -> loss, as a reader of the whole log sees it: what came after a resume stands."""
    return {event["step"]: event["loss"] for event in events if event["type"] == "step"}


def resume(run, checkpoint, **plan):
    home.write_json(run / "resume.json", {"checkpoint": checkpoint, **plan})
    (run / "stop").unlink(missing_ok=True)
    with Events(run / "events.jsonl") as events:
        Session(run, configs.load(home.read_json(run / "config.json")), events).run()
    return log(run / "events.jsonl").after(0)


def test_a_run_tells_what_happens_and_leaves_a_model_that_answers(train):
    run, events = train("lora", **SHORT)
    assert [e["step"] for e in events if e["type"] == "step"] == list(range(1, 9))
    assert all(
        {"loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_gb"} <= e.keys()
        for e in events
        if e["type"] == "step"
    )
    evaluated = {e["step"]: e["eval_loss"] for e in events if e["type"] == "eval"}
    assert list(evaluated) == [0, 4, 8]
    assert evaluated[8] < evaluated[0]
    done = events[-1]
    assert done["type"] == "done"
    assert not done["stopped"]
    assert done["steps"] == 8
    assert done["eval_loss"] == evaluated[8]
    assert done["final_loss"] == losses(events)[8]
    base = AutoModelForCausalLM.from_pretrained(home.read_json(run / "config.json")["model"])
    tuned = PeftModel.from_pretrained(base, run / "final")
    assert sum(p.numel() for n, p in tuned.named_parameters() if "lora_" in n) == done["trainable_parameters"]
    assert AutoTokenizer.from_pretrained(run / "final").chat_template == (run / "chat_template.jinja").read_text()
    assert (run / "best" / "adapter_model.safetensors").is_file()


def test_tensorboard_gets_the_same_numbers(train):
    run, events = train("lora", max_steps=4, eval_steps=2)
    board = EventAccumulator(str(run / "tensorboard"))
    board.Reload()
    for kind, name in (("step", "loss"), ("step", "learning_rate"), ("eval", "eval_loss")):
        told = [(event["step"], event[name]) for event in events if event["type"] == kind]
        drawn = [(scalar.step, scalar.value) for scalar in board.Scalars(f"{kind}/{name}")]
        assert drawn == [(step, pytest.approx(value, rel=1e-6)) for step, value in told]


def test_a_tracking_service_that_is_not_installed_is_named(model, data):
    with pytest.raises(InvalidFields, match="package wandb is not installed"):
        configs.build(str(model), str(data), settings={"report_to": "wandb"})


def test_the_evaluation_loss_is_the_mean_over_answer_tokens(train, model, data):
    _run, events = train("lora", **SHORT)
    rows = plain.conversations(AutoTokenizer.from_pretrained(model), data, 512, split="val")
    base = AutoModelForCausalLM.from_pretrained(model)
    with torch.no_grad():
        expected = base(**plain.padded(rows)).loss.item()
    assert next(e["eval_loss"] for e in events if e["type"] == "eval") == pytest.approx(expected, rel=1e-6)


def test_a_warm_up_shows_the_first_loss_before_the_base_is_measured(train):
    plain = {"max_steps": 2, "eval_steps": 1}
    _, at_once = train("full", **plain, warmup_steps=0)
    _, warm = train("full", **plain, warmup_steps=1)
    told = [(event["type"], event["step"]) for event in warm if event["type"] in ("step", "eval")]
    assert told == [("step", 1), ("eval", 0), ("step", 2), ("eval", 2)]
    base = [next(event["eval_loss"] for event in events if event["type"] == "eval") for events in (at_once, warm)]
    assert base[0] == base[1]


@pytest.mark.parametrize("checkpoint", [4, 8])
def test_adalora_resumes_with_its_ranks_and_what_they_rest_on(train, checkpoint):
    """Before and after the last sharing-out, which is after step 7 of 10."""
    settings = SHORT | {"max_steps": 10, "save_total_limit": 9, "init_r": 6, "target_r": 2}
    _, undisturbed = train("adalora", **settings)
    run, _ = train("adalora", **settings)
    shared_out = ranks.of_run(run)
    assert losses(resume(run, checkpoint)) == losses(undisturbed)
    assert ranks.of_run(run) == shared_out


@pytest.mark.parametrize("method", ["lora", "full", "p_tuning", "prefix_tuning"])
def test_a_resumed_run_goes_on_bit_for_bit(train, method):
    """Dropout included: the generator's state comes back too."""
    settings = SHORT | ({"lora_dropout": 0.2} if method == "lora" else {}) | {"max_steps": 10, "save_total_limit": 9}
    _, undisturbed = train(method, **settings)
    run, _ = train(method, **settings)
    resumed = losses(resume(run, checkpoint=4))
    assert resumed == losses(undisturbed)
    assert len(resumed) == 10


def test_a_resumed_pre_training_goes_on_bit_for_bit(workspace, model, tmp_path):
    """With NEFTune's noise, which is drawn anew at every step."""
    texts = [{"text": f"第{i}句：今天天气很好，我们去公园散步。" * (1 + i % 4)} for i in range(60)]
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "train.json").write_text("\n".join(json.dumps(row) for row in texts))
    settings = SHORT | {"neftune_noise_alpha": 5, "save_steps": 3, "save_total_limit": 9}
    config = configs.build(str(model), str(tmp_path / "texts"), "pretrain", "full", settings=settings)
    calm, run = (store.create(config.model_dump()) for _ in range(2))
    for each in (calm, run):
        with Events(each.path / "events.jsonl") as events:
            Session(each.path, config, events).run()
    assert losses(resume(run.path, checkpoint=3)) == losses(calm.events())


def test_what_was_decided_for_this_machine_is_kept_on_resume(train, monkeypatch):
    run, _ = train("lora", **SHORT | {"precision": "auto"})
    assert home.read_json(run / "decisions.json").keys() == {"precision", "budget"}

    def again(*_):
        raise AssertionError("decided twice")

    monkeypatch.setattr("engine.hardware.training_precision", again)
    monkeypatch.setattr("engine.training.budget.tokens", again)
    assert resume(run, checkpoint=4)[-1]["type"] == "done"


def test_a_run_resumes_at_the_border_of_an_epoch(train):
    settings = SHORT | {"max_steps": -1, "num_train_epochs": 2, "batch_size": 12, "lora_dropout": 0.2}
    _, undisturbed = train("lora", **settings)
    run, _ = train("lora", **settings)
    assert losses(resume(run, checkpoint=4)) == losses(undisturbed)


class Bomb:
    """Runs code where it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


def test_what_would_run_code_in_a_checkpoint_is_never_unpickled(train, tmp_path):
    run, _ = train("lora", **SHORT)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth"):
        file = run / "checkpoints" / "checkpoint-4" / name
        whole = file.read_bytes()
        torch.save(Bomb(tmp_path / "ran"), file)
        with pytest.raises(pickle.UnpicklingError):
            resume(run, checkpoint=4)
        file.write_bytes(whole)
    assert not (tmp_path / "ran").exists()
    assert resume(run, checkpoint=4)[-1]["type"] == "done"


def test_smaller_packs_give_the_same_losses(train):
    run, events = train("lora", **SHORT)
    first = losses(events)
    again = losses(resume(run, checkpoint=None, micro_batch_divisor=16))
    np.testing.assert_allclose(list(again.values()), list(first.values()), rtol=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes in fp16")
def test_a_number_format_that_the_device_lacks_is_said(train):
    _, events = train("lora", **{**SHORT, "precision": "fp16", "max_steps": 2})
    (said,) = [event for event in events if event["type"] == "warning"]
    assert "fp16" in said["en"] and "fp32" in said["en"] and "fp16" in said["zh"]


def test_a_stop_request_saves_and_leaves_a_model(train, workspace, model, data):
    config = configs.build(str(model), str(data), settings={**SHORT, "max_steps": 500})
    run = store.create(config.model_dump())
    (run.path / "stop").write_text("stop")
    with Events(run.path / "events.jsonl") as events:
        Session(run.path, config, events).run()
    done = run.log.after(0)[-1]
    assert done["stopped"]
    assert done["steps"] == 1
    assert (run.path / "final" / "adapter_model.safetensors").is_file()
    assert (run.path / "checkpoints" / "checkpoint-1" / "optimizer.pt").is_file()


def test_a_run_continues_for_more_epochs(train):
    settings = SHORT | {"max_steps": -1, "num_train_epochs": 1}
    run, events = train("lora", **settings)
    assert events[-1]["steps"] == 8
    assert resume(run, checkpoint=8, num_train_epochs=2)[-1]["steps"] == 16


@pytest.mark.parametrize(
    ("late", "eval_steps"),
    [(False, 1), (True, 1), (True, 100)],
    ids=["before the loss", "after the loss", "after the loss and not measured"],
)
def test_divergence_stops_at_once_and_keeps_the_last_checkpoint(train, workspace, model, data, late, eval_steps):
    config = configs.build(
        str(model),
        str(data),
        method="full",
        settings={**SHORT, "learning_rate": 10, "max_grad_norm": 0, "save_steps": 1, "eval_steps": eval_steps},
    )
    run = store.create(config.model_dump())
    with Events(run.path / "events.jsonl") as events, pytest.raises(LossNotFinite) as caught:
        poisoned(Session(run.path, config, events), at=3, late=late).run()
    assert caught.value.details["step"] == 3
    assert sorted(p.name for p in (run.path / "checkpoints").iterdir()) == ["checkpoint-1", "checkpoint-2"]


def poisoned(session, at, late):
    """The session, with weights that turn into NaN in step `at`: before its loss, or `late`, after it."""
    made = session._trainer

    def trainer(*args):
        built, reporter = made(*args)
        step = built.training_step

        def training_step(model, inputs, *rest):
            loss = step(model, inputs, *rest) if late else None
            if built.state.global_step == at - 1:
                with torch.no_grad():
                    next(model.parameters()).fill_(float("nan"))
            return loss if late else step(model, inputs, *rest)

        built.training_step = training_step
        return built, reporter

    session._trainer = trainer
    return session


def test_only_the_last_checkpoints_and_the_best_are_kept(train):
    run, _events = train("lora", **SHORT, save_steps=1, save_total_limit=2)
    kept = {p.name for p in (run / "checkpoints").iterdir()}
    assert {"checkpoint-7", "checkpoint-8"} <= kept
    assert len(kept) <= 3
    assert not list((run / "checkpoints").glob(".*"))
    state = home.read_json(run / "checkpoints" / "checkpoint-8" / "trainer_state.json")
    assert state["best_global_step"] and state["best_model_checkpoint"] is None


def test_checkpoints_keep_to_their_share_of_the_disk(train):
    run, _events = train("lora", **SHORT, save_steps=1, save_total_limit=8)
    each = home.size_of(run / "checkpoints" / "checkpoint-8")
    limited, _events = train("lora", **SHORT, save_steps=1, save_total_limit=8, save_disk_gb=3.5 * each / 1e9)
    assert len(list((run / "checkpoints").iterdir())) == 8
    kept = {path.name for path in (limited / "checkpoints").iterdir()}
    assert "checkpoint-8" in kept and len(kept) == 3


@pytest.mark.parametrize("gone", ["model", "data"])
def test_a_model_or_data_deleted_meanwhile_is_named(workspace, model, data, tmp_path, gone):
    places = {"model": shutil.copytree(model, tmp_path / "m"), "data": shutil.copytree(data, tmp_path / "d")}
    run = store.create(configs.build(str(places["model"]), str(places["data"])).model_dump(mode="json"))
    shutil.rmtree(places[gone])
    assert worker.main(run.path) == 1
    error = run.events()[-1]
    assert (error["type"], error["error"]) == ("error", "NotFound")
    assert str(places[gone]) in error["details"]["name"]


@pytest.mark.parametrize(
    ("raised", "named"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "OutOfMemory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "OutOfMemory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "OutOfMemory"),
        (torch.AcceleratorError("CUDA error: unspecified launch failure\nCompile with"), "DeviceLost"),
        (RuntimeError("shapes do not fit"), "WorkError"),
    ],
)
def test_what_a_library_raises_is_named(workspace, model, data, monkeypatch, raised, named):
    def fails(self):
        raise raised

    monkeypatch.setattr(Session, "run", fails)
    run = store.create(configs.build(str(model), str(data)).model_dump(mode="json"))
    assert worker.main(run.path) == 1
    error = run.events()[-1]
    assert error["error"] == named
    assert "Compile" not in str(error["details"])


def test_early_stopping_ends_a_run_that_no_longer_improves(train):
    _, events = train(
        "lora", **{**SHORT, "max_steps": 400, "learning_rate": 0, "eval_steps": 1}, early_stopping_patience=2
    )
    assert events[-1]["type"] == "done"
    assert events[-1]["steps"] <= 4
    assert any(event["type"] == "warning" and "no longer improved" in event["en"] for event in events)


def test_rows_that_lose_their_answer_are_named(train, workspace, model, data):
    with pytest.raises(NoRows) as caught:
        train("lora", **SHORT, max_length=16)
    assert "maximum length" in caught.value.text("en")
    assert "最大长度" in caught.value.text("zh")


def test_every_wrong_setting_is_named_at_once_in_both_languages(workspace, model, data):
    with pytest.raises(InvalidFields) as caught:
        configs.build(
            str(model), str(data), settings={"r": 0, "learning_rate": -1, "nonsense": 3, "batch_size": "many"}
        )
    english, chinese = caught.value.text("en"), caught.value.text("zh")
    for word in ("Rank", "Learning rate", "nonsense", "Batch size"):
        assert word in english
    for word in ("秩", "学习率", "nonsense", "批大小"):
        assert word in chinese


def test_missing_models_data_and_methods_are_named(workspace, model, data):
    for wrong in ({"model": "/no/such"}, {"data": "nowhere"}, {"method": "magic"}, {"objective": "wish"}):
        given = {"model": str(model), "data": str(data), **wrong}
        with pytest.raises(NotFound):
            configs.build(**given)


def test_a_module_the_model_does_not_have_is_named_with_those_it_has(train):
    with pytest.raises(InvalidFields) as caught:
        train("lora", **SHORT, target_modules="query")
    assert "q_proj" in str(caught.value)


@pytest.mark.skipif("TUNEDESK_TEST_DATA" not in os.environ, reason="TUNEDESK_TEST_DATA is not set")
def test_on_real_rows_the_losses_are_those_of_the_plain_loop(workspace, tmp_path):
    shared = Path(os.environ["TUNEDESK_TEST_DATA"])
    table = next((shared / "chinese-medical-dialogue").glob("*.csv"))
    data, model = tmp_path / "medical", tmp_path / "model"
    convert.convert([table], data, mapping={"question": "ask", "answer": "answer"}, train=200, val=20)
    shutil.copytree(shared / "qwen2-tokenizer", model)
    torch.manual_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    Qwen2ForCausalLM(
        Qwen2Config(vocab_size=151936, num_key_value_heads=2, tie_word_embeddings=True, **shape)
    ).save_pretrained(model)
    settings = {"max_steps": 60, "batch_size": 2, "learning_rate": 5e-3, "warmup_steps": 0, "max_length": 128}
    config = configs.build(
        str(model), str(data), settings={**settings, "precision": "fp32", "eval_steps": 60, "eval_rows": 4}
    )
    run = store.create(config.model_dump())
    with Events(run.path / "events.jsonl") as events:
        Session(run.path, config, events).run()
    ours = list(losses(run.log.after(0)).values())
    theirs, _ = plain.loop(model, data, "lora", params={}, steps=60, batch_size=2, learning_rate=5e-3, max_length=128)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert np.mean(theirs[-10:]) < np.mean(theirs[:10])
