"""RLOO and GRPO: rewards rise, answers that degenerate are noticed, rules say what they should."""

import pytest

from engine.errors import InvalidFields, NotFound, Unsupported
from engine.runs import store
from engine.training import config as configs
from engine.training import rewards
from engine.training.objective_params import ReinforcementParams
from engine.training.reinforcement import Judged
from tests.engine.training.objectives import of, pairs, trained, write


@pytest.fixture
def preferences(workspace):
    rows = pairs(16)
    return write(workspace / "data" / "pairs", "preference", rows, [])


@pytest.mark.parametrize("objective", ["rloo", "grpo"])
def test_a_rule_raises_the_reward_and_answers_are_told(model, preferences, objective):
    settings = {"rule": "length", "target_length": 4, "num_generations": 4, "max_completion_length": 12}
    run, events = trained(
        model, preferences, objective, "full", max_steps=24, batch_size=16, learning_rate=5e-3, **settings
    )
    steps = of("step", events)
    # Each question takes four answers of the batch.
    assert configs.rows_per_step(configs.load(store.find(run).config)) == 4
    assert {"reward", "kl", "completions/mean_length", "repetition"} <= steps[0].keys()
    assert steps[0]["kl"] == pytest.approx(0, abs=1e-4)
    first, last = ([step["reward"] for step in part] for part in (steps[:6], steps[-6:]))
    assert sum(last) > sum(first)
    told = of("sample", events)
    assert len(told) > 5 and told[0]["question"] and {"answer", "reward", "step"} <= told[0].keys()
    assert (run / "final" / "model.safetensors").is_file()


def test_a_reward_model_is_found_by_itself(model, preferences):
    with pytest.raises(Unsupported) as caught:
        configs.build(str(model), str(preferences), "rloo")
    assert "Train one first" in caught.value.text("en")
    reward, _ = trained(model, preferences, "reward", max_steps=1, batch_size=4)
    config = configs.build(str(model), str(preferences), "rloo")
    assert config.objective_params["reward_model"] == str(reward)
    settings = {"num_generations": 2, "max_completion_length": 4}
    _, events = trained(model, preferences, "rloo", max_steps=1, batch_size=4, **settings)
    assert of("step", events)[0]["reward"] != 0


def test_what_names_no_reward_model_is_refused(model, preferences):
    other, _ = trained(model, preferences, "dpo", max_steps=1, batch_size=4)
    with pytest.raises(NotFound):
        configs.build(str(model), str(preferences), "rloo", settings={"reward_model": str(other)})
    with pytest.raises(InvalidFields):
        configs.build(str(model), str(preferences), "rloo", settings={"rule": "pattern", "pattern": "("})


@pytest.mark.parametrize(
    ("rule", "answer", "reference", "reward"),
    [
        ("contains", "我觉得是 北京。", "北京", 1),
        ("contains", "上海", "北京", 0),
        ("equals", "Beijing!", "beijing", 1),
        ("equals", "北京吧", "北京", 0),
        ("similar", "abcd", "abcd", 1),
        ("length", "abcde", "", 0.5),
        ("length", "a" * 30, "", 0),
        ("pattern", "12.5", "", 1),
        ("pattern", "about 12", "", 0),
    ],
)
def test_rules(rule, answer, reference, reward):
    params = ReinforcementParams(rule=rule, target_length=10, pattern=r"[\d.]+")
    assert rewards.rule(params)(answer, reference) == reward


class Told(list):
    def write(self, type, **fields):
        self.append({"type": type, **fields})


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("好好好好好好好好好好好好", "repeat themselves"),
        ("一", "from 12 to 4 characters"),
        ("，".join("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"), "from 12 to 3"),
        ("一二三四五六七八九十甲乙", None),
    ],
)
def test_rewards_that_rise_while_answers_degenerate_are_warned_of_once(later, said):
    told, at = Told(), {"reward": 0.0}
    judged = Judged(told, lambda prompts, answers, references: [at["reward"]] * len(answers), watch_length=True)

    class State:
        global_step, is_world_process_zero = 0, True

    def step(answer):
        completions = [[{"role": "assistant", "content": answer}]]
        judged.reward([[{"role": "user", "content": "?"}]], completions, [""], State, lambda name, value: None)

    for i in range(30):
        at["reward"] = float(i)
        step("一二三四五六七八九十甲乙" if i < 10 else later)
    warned = [warning["en"] for warning in of("warning", told)]
    assert len(warned) == bool(said) and all(said in each for each in warned)
