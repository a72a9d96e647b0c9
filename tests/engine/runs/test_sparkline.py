import pytest

from engine.runs import sparkline, store
from engine.runs.events import Events


@pytest.fixture(autouse=True)
def _here(workspace):
    pass


def test_heights_follow_the_loss_and_the_file():
    run = store.create({})
    assert sparkline.of(run) == []
    with Events(run.path / "events.jsonl") as file:
        file.write("step", step=1, loss=4.0)
        assert sparkline.of(run) == []
        file.write("step", step=2, loss=2.0)
        assert sparkline.of(run) == [100, 0]
        file.write("step", step=3, loss=None)
        file.write("step", step=4, loss=3.0)
    assert sparkline.of(run) == [100, 0, 50]
    (run.path / "events.jsonl").unlink()
    assert sparkline.of(run) == []


def test_a_long_run_has_no_more_heights_and_a_level_one_lies_low():
    run = store.create({})
    with Events(run.path / "events.jsonl") as file:
        for step in range(1, 3000):
            file.write("step", step=step, loss=2.0)
    assert sparkline.of(run) == [0] * 40
