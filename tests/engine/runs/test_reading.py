import math

import pytest

from engine import home
from engine.errors import LossNotFinite
from engine.runs import store
from engine.runs.events import Events
from engine.runs.reading import reading


def said(losses, evals=(), state="running") -> str:
    run = store.create({})
    home.write_json(run.path / "status.json", run.status() | {"state": state})
    with Events(run.path / "events.jsonl") as file:
        for step, loss in enumerate(losses, 1):
            file.write("step", step=step, loss=loss)
        for step, loss in evals:
            file.write("eval", step=step, eval_loss=loss)
    words = reading(run)
    assert words.en and words.zh
    return words.en


@pytest.mark.parametrize(
    ("losses", "state", "says"),
    [
        ([3.0] * 5, "running", "Too early"),
        ([5 * 0.97**i for i in range(60)], "running", "falling as it should"),
        ([5 * 0.97**i for i in range(60)], "finished", "more epochs"),
        ([5 * 0.8**i + 1 for i in range(100)], "finished", "hardly changed for a while"),
        ([0.7 * 0.8**i + 0.0002 * (60 - i) for i in range(60)], "finished", "hardly changed for a while"),
        ([3 + 0.01 * math.sin(i) for i in range(100)], "finished", "since the start"),
        ([3 + i / 20 for i in range(60)], "running", "rises"),
        ([3.0] * 20 + [math.nan] * 3, "failed", "not a number since step 21"),
        ([2.0 + 0.1 * math.sin(i * 7) - i * 0.01 for i in range(100)], "running", "falling as it should"),
    ],
)
def test_a_curve_is_read(workspace, losses, state, says):
    assert says in said(losses, state=state)


def test_a_trainer_that_stopped_because_the_loss_is_no_number_is_believed(workspace):
    run = store.create({})
    with Events(run.path / "events.jsonl") as file:
        for step in range(1, 61):
            file.write("step", step=step, loss=5 * 0.97**step)
    error = LossNotFinite(value="nan", step=61, learning_rate=0.1)
    home.write_json(run.path / "status.json", run.status() | {"state": "failed", "error": error.record()})
    assert "not a number since step 61" in reading(run).en


def test_overfitting_is_seen_in_the_validation_loss_only(workspace):
    losses = [5 * 0.97**i for i in range(60)]
    assert "since step 20" in said(losses, [(10, 2.0), (20, 1.5), (30, 1.6), (40, 1.8)])
    assert "as it should" in said(losses, [(10, 2.0), (20, 1.5), (30, 1.51), (40, 1.49)])
    assert "as it should" in said(losses, [(10, 2.0), (20, 1.5), (30, 1.7)])


@pytest.mark.parametrize(
    ("rise", "says"), [(0.02, "reward is rising: -0.30"), (-0.02, "reward is falling"), (0.0, "hardly changed")]
)
def test_where_rewards_are_earned_they_are_read_and_not_the_loss(workspace, rise, says):
    run = store.create({})
    with Events(run.path / "events.jsonl") as file:
        for step in range(60):
            noise = 0.2 * math.sin(step * 7)
            file.write("step", step=step + 1, loss=1e-8, reward=-0.5 + rise * step + noise)
    assert says in reading(run).en


def test_few_rows_are_said_before_anything_else_but_a_loss_that_is_no_number(workspace):
    run = store.create({})
    with Events(run.path / "events.jsonl") as file:
        file.write("step", step=1, loss=3.0)
    home.write_json(run.path / "status.json", run.status() | {"rows": 12})
    assert "Only 12 rows" in reading(run).en


def test_a_curve_that_grows_is_read_anew_after_a_while(workspace, monkeypatch):
    run = store.create({})
    with Events(run.path / "events.jsonl") as file:
        file.write("step", step=1, loss=3.0)
        assert "Too early" in reading(run).en
        file.write("step", step=2, loss=math.nan)
    assert "Too early" in reading(run).en
    monkeypatch.setattr("engine.runs.reading._READ_EVERY", -1.0)
    assert "since step 2" in reading(run).en
