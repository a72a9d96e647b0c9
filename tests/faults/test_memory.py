"""Memory runs out under a real worker: it goes on by itself with half the rows at a time, and the losses do not change."""

import os
import sys
from pathlib import Path

import pytest

from engine.runs import jobs, kinds, store
from engine.runs.bounds import Bounds
from engine.runs.events import Events
from engine.training import config as configs
from tests.tiny import make_data, make_model

HERE = Path(__file__).parent
SHAPE = {"hidden_size": 64, "intermediate_size": 4096, "num_hidden_layers": 16}
SETTINGS = {"max_steps": 3, "batch_size": 16, "precision": "fp32", "eval_rows": 2}


@pytest.mark.skipif(sys.platform != "linux", reason="memory cannot be limited here")
def test_a_worker_short_of_memory_goes_on_with_half_the_rows(tmp_path, monkeypatch):
    from engine.training.session import Session

    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE.parents[1]), str(HERE)]))
    model, data = make_model(tmp_path / "model", **SHAPE), make_data(tmp_path / "data")
    config = configs.build(str(model), str(data), settings=SETTINGS)
    free, short = (store.create(config.model_dump(mode="json")) for _ in range(2))
    with Events(free.path / "events.jsonl") as events:
        Session(free.path, config, events).run()

    monkeypatch.setitem(kinds.KINDS, "train", kinds.Kind(module="short_worker", folder="runs", needs_device=True))
    status = jobs.supervise(short, Bounds(poll=0.05))
    assert (status["state"], status["attempt"], status["micro_batch_divisor"]) == ("finished", 2, 2), short.log_tail()
    assert any(event["type"] == "warning" and "half as many" in event["en"] for event in short.events())
    expected, got = (run.series()["steps"]["loss"] for run in (free, short))
    assert len(got) == 3 and got == pytest.approx(expected, rel=1e-4)
