"""DPO, KTO and reward models: what their losses are, that they learn, stop, resume, and go with every method."""

import math

import pytest
import torch
from trl import DPOConfig, DPOTrainer

from engine import hardware, home
from engine.compare import feedback
from engine.errors import InvalidFields, LossNotFinite, Unsupported
from engine.models import library
from engine.runs import store
from engine.runs.events import Events
from engine.training import config as configs
from engine.training import loading, methods
from engine.training.scoring import Scorer
from engine.training.session import Session
from tests.engine.training.objectives import KIND, RUDE, of, pairs, thumbs, trained, write
from tests.engine.training.test_session import poisoned

SHORT = {"max_steps": 2, "batch_size": 4, "precision": "fp32"}


@pytest.fixture
def preferences(workspace):
    rows = pairs(40)
    return write(workspace / "data" / "pairs", "preference", rows[:32], rows[32:])


def test_first_loss_of_dpo_is_ln_2_and_all_equal_those_of_trl(model, preferences):
    run, events = trained(model, preferences, "dpo", max_steps=3, batch_size=4, precision="fp32", learning_rate=1e-2)
    losses = [event["loss"] for event in of("step", events)]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-6)
    assert losses == pytest.approx(_losses_of_trl(model, preferences, run / "reference", 1e-2), abs=1e-5)


def _losses_of_trl(model, data, out, rate):
    from datasets import Dataset

    torch.manual_seed(42)
    base = loading.load_model(model, torch.float32, hardware.best())
    spec = methods.get("lora")
    peft = spec.prepare(base, spec.params(), 3)
    rows = [home.json.loads(line) for line in (data / "train.json").read_text().splitlines()]
    talks = [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "chosen": [{"role": "assistant", "content": row["chosen"]}],
            "rejected": [{"role": "assistant", "content": row["rejected"]}],
        }
        for row in rows
    ]
    trainer = DPOTrainer(
        peft,
        args=DPOConfig(
            output_dir=str(out),
            per_device_train_batch_size=4,
            max_steps=3,
            learning_rate=rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.05,
            max_length=512,
            logging_steps=1,
            bf16=False,
            gradient_checkpointing=False,
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            save_strategy="no",
        ),
        train_dataset=Dataset.from_list(talks),
        processing_class=loading.load_tokenizer(model),
    )
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.parametrize(
    ("loss_type", "first"),
    [("hinge", 1), ("ipo", 25), ("robust", math.log(2)), ("sigmoid_norm", math.log(2)), ("apo_zero", 1)],
)
def test_every_loss_of_dpo_begins_where_its_paper_says(model, preferences, loss_type, first):
    # With beta 0.1, where the model is still the reference: IPO is (0 - 1 / (2 beta)) squared.
    settings = SHORT | {"max_steps": 1, "loss_type": loss_type, "label_smoothing": 0.1 if loss_type == "robust" else 0}
    _, events = trained(model, preferences, "dpo", **settings)
    assert of("step", events)[0]["loss"] == pytest.approx(first, abs=1e-4)


@pytest.mark.parametrize("objective", ["dpo", "reward"])
def test_held_out_pairs_are_ranked_rightly(model, preferences, objective):
    _, events = trained(model, preferences, objective, max_steps=40, batch_size=8, learning_rate=2e-2, eval_steps=40)
    name = {"dpo": "eval_rewards/accuracies", "reward": "eval_accuracy"}[objective]
    assert of("eval", events)[-1][name] > 0.9


def test_kto_lowers_its_loss_and_tells_its_margin(model, workspace):
    data = write(workspace / "data" / "thumbs", "kto", thumbs(32), thumbs(8))
    _, events = trained(model, data, "kto", max_steps=12, batch_size=8, learning_rate=2e-2)
    steps = of("step", events)
    assert steps[0]["loss"] == pytest.approx(0.5, abs=1e-4)
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert steps[-1]["rewards/chosen"] > steps[0]["rewards/chosen"]


def test_thumbs_are_compared_within_a_batch_of_two_or_more(model, workspace):
    data = write(workspace / "data" / "thumbs", "kto", thumbs(6), [])
    with pytest.raises(InvalidFields) as caught:
        configs.build(str(model), str(data), "kto", settings={"batch_size": 1})
    assert [problem["field"] for problem in caught.value.details["problems"]] == ["batch_size"]
    # However little memory there is, and with as few rows as votes may give.
    config = configs.build(str(model), str(data), "kto", settings=feedback.few(6) | {"max_steps": 2})
    run = store.create(config.model_dump())
    home.write_json(run.path / "decisions.json", {"budget": 1})
    with Events(run.path / "events.jsonl") as events:
        Session(run.path, config, events).run()
    assert of("phase", run.events())[-1]["phase"] == "saving"


@pytest.mark.parametrize("method", [spec.key for spec in methods.METHODS])
def test_every_method_starts_dpo_at_the_reference(model, preferences, method):
    run, events = trained(model, preferences, "dpo", method, **SHORT | {"max_steps": 6 if method == "adalora" else 2})
    assert of("eval", events)[0]["eval_loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert of("eval", events)[-1]["eval_loss"] != of("eval", events)[0]["eval_loss"]
    assert any(file.suffix == ".safetensors" for file in (run / "final").iterdir())


def test_a_resumed_run_gives_the_same_losses(model, preferences):
    settings = SHORT | {"max_steps": 4, "save_steps": 2}
    run, whole = trained(model, preferences, "dpo", **settings)
    home.write_json(run / "resume.json", {"checkpoint": 2})
    with Events(run / "events.jsonl") as events:
        Session(run, configs.load(home.read_json(run / "config.json")), events).run()
    again = of("step", store.find(run).events(whole[-1]["seq"]))
    assert [(e["step"], e["loss"]) for e in again] == [
        (e["step"], pytest.approx(e["loss"], abs=1e-6)) for e in of("step", whole)[2:]
    ]


def test_a_run_goes_on_from_another_runs_adapter(model, preferences):
    first, _ = trained(model, preferences, "dpo", **SHORT | {"learning_rate": 1e-2})
    _, events = trained(first, preferences, "dpo", "full", **SHORT)
    # The reference is the adapted model, not the base below it.
    assert of("step", events)[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)
    third, _ = trained(first, preferences, "dpo", **SHORT)
    assert library.base(third / "final") == model
    assert home.read_json(third / "final" / "adapter_config.json")["base_model_name_or_path"] == str(first / "final")


@pytest.mark.parametrize("method", ["lora", "freeze", "prompt_tuning", "prefix_tuning"])
def test_scores_of_a_reward_model_are_those_it_trained_with(model, preferences, method):
    run, _ = trained(model, preferences, "reward", method, max_steps=20, batch_size=8, learning_rate=2e-2)
    asked = {"role": "user", "content": "感冒能吃苹果吗？"}
    answers = [f"感冒可以吃苹果。{end}" for end in (KIND, RUDE)]
    scorer = Scorer(run, hardware.best())
    talks = [[asked, {"role": "assistant", "content": answer}] for answer in answers]
    kind, rude = scorer.scores(talks)
    assert kind > rude
    # However many are read at once, and padded to whatever length.
    assert scorer.scores([talks[0], [asked, {"role": "assistant", "content": "好" * 40}]])[0] == pytest.approx(
        kind, abs=1e-4
    )


def test_weights_that_diverged_unseen_are_not_saved(model, preferences):
    settings = {"max_steps": 3, "batch_size": 4, "precision": "fp32", "save_steps": 1, "eval_steps": 100}
    run = store.create(configs.build(str(model), str(preferences), "dpo", "full", settings=settings).model_dump())
    with Events(run.path / "events.jsonl") as events, pytest.raises(LossNotFinite):
        poisoned(Session(run.path, configs.load(run.config), events), at=2, late=True).run()
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["checkpoint-1"]


def test_wrong_data_is_refused_with_what_is_missing(model, data, workspace):
    with pytest.raises(Unsupported) as caught:
        configs.build(str(model), str(data), "dpo")
    assert "lacks: better answer, worse answer." in caught.value.text("en")
    assert "缺少更好的回答、较差的回答" in caught.value.text("zh")
