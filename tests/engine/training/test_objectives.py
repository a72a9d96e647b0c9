"""Every objective with every method: where the two are not refused in words, they train and leave a model that loads."""

import pytest
import torch
from safetensors.torch import load_file

from engine import hardware
from engine.runs.metrics import METRICS
from engine.training import config as configs
from engine.training import methods, objectives
from engine.training.scoring import Scorer
from tests.engine.training.objectives import of, pairs, thumbs, trained, write

# The rest is crossed elsewhere: SFT, whose recipe is that of pre-training, in test_methods, DPO in test_preferences.
CROSSED = ("kto", "reward", "rloo", "grpo")
TALK = [{"role": "user", "content": "感冒能吃苹果吗？"}, {"role": "assistant", "content": "可以吃苹果。"}]


# Said by PEFT at each answer that is tried with virtual tokens.
@pytest.mark.filterwarnings("ignore:Position ids are not supported")
@pytest.mark.parametrize("method", [spec.key for spec in methods.METHODS])
def test_every_method_goes_with_every_objective(model, workspace, method):
    data = {
        "kto": write(workspace / "data" / "kto", "kto", thumbs(8), []),
        "preference": write(workspace / "data" / "preference", "preference", pairs(8), []),
    }
    reward = None
    for key in CROSSED:
        # AdaLoRA needs three steps.
        settings = {"max_steps": 3, "batch_size": 4, "learning_rate": 1e-2, "precision": "fp32"}
        if key in ("rloo", "grpo"):
            settings |= {"num_generations": 2, "max_completion_length": 4, "reward_model": str(reward)}
        format = "kto" if key == "kto" else "preference"
        run, events = trained(model, data[format], key, method, **settings)
        steps = of("step", events)
        assert len(steps) == 3 and all(step["grad_norm"] > 0 for step in steps), key
        if key == "reward":
            reward = run
            assert len(Scorer(run, hardware.best()).scores([TALK])) == 1


def test_what_a_form_shows_at_first_is_accepted(model, workspace):
    data = {
        "kto": write(workspace / "data" / "kto", "kto", thumbs(8), []),
        "text": write(workspace / "data" / "text", "text", [{"text": "a"}], []),
        "qa": write(workspace / "data" / "qa", "qa", [{"question": "a", "answer": "b"}], []),
        "preference": write(workspace / "data" / "preference", "preference", pairs(8), []),
    }
    for objective in objectives.OBJECTIVES:
        for method in methods.METHODS:
            fields = objective.params.model_fields | method.params.model_fields
            # An empty field comes as an empty text.
            shown = {name: "" if field.get_default() is None else field.get_default() for name, field in fields.items()}
            rule = {"rule": "length"} if "rule" in shown else {}
            built = configs.build(str(model), str(data[objective.formats[0]]), objective.key, method.key, shown | rule)
            assert built.objective_params == objective.params(**rule | _resolved(objective)).model_dump()


def _resolved(objective):
    """Where a rule rewards, "auto" names no reward model."""
    return {"reward_model": "none"} if "reward_model" in objective.params.model_fields else {}


@pytest.mark.parametrize("objective", ["dpo", "reward"])
def test_what_trains_beside_4_bit_weights_is_not_rounded(model, workspace, objective):
    data = write(workspace / "data" / "pairs", "preference", pairs(8), [])
    run, _ = trained(model, data, objective, "qlora", max_steps=1, batch_size=4, precision="fp32")
    saved = load_file(run / "final" / "adapter_model.safetensors")
    assert {weights.dtype for weights in saved.values()} == {torch.float32}


def test_every_objective_says_what_it_is_for_and_what_it_needs():
    for spec in objectives.OBJECTIVES:
        for words in (spec.label, spec.summary, spec.needs):
            assert words.en.strip() and words.zh.strip()
        assert set(spec.metrics) <= METRICS.keys()
