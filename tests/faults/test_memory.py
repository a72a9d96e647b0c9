"""Memory runs out under a real worker: it goes on by itself with half the rows at a time, and the losses do not change."""

import sys
import threading
import time

import numpy as np
import psutil
import pytest

from engine.runs import jobs, store
from engine.runs.bounds import Bounds
from engine.runs.status import ENDED
from engine.training import config as configs
from tests.tiny import make_data, make_model

# Inner values of this model take 0.6 GB for a pack of 1,024 tokens and half of that for 512.
SHAPE = {"hidden_size": 64, "intermediate_size": 2048, "num_hidden_layers": 16}
ROOM = 450_000_000
SETTINGS = {"max_steps": 3, "batch_size": 16, "precision": "fp32", "eval_rows": 2}


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="a limit cannot be put on a running process here")
def test_a_worker_short_of_memory_goes_on_with_half_the_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    model, data = make_model(tmp_path / "model", **SHAPE), make_data(tmp_path / "data")
    config = configs.build(str(model), str(data), settings=SETTINGS).model_dump(mode="json")
    free, short = store.create(config), store.create(config)
    assert jobs.supervise(free, Bounds(poll=0.05))["attempt"] == 1

    watch = threading.Thread(target=limit_each_worker, args=(short,))
    watch.start()
    status = jobs.supervise(short, Bounds(poll=0.02))
    watch.join()
    assert (status["state"], status["attempt"], status["micro_batch_divisor"]) == ("finished", 2, 2)
    assert any(event["type"] == "warning" and "half as many" in event["en"] for event in short.events())
    losses = [run.series()["steps"]["loss"] for run in (free, short)]
    assert len(losses[1]) == 3
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def limit_each_worker(run: store.Run) -> None:
    """Once a worker has its model, it may take only so much more."""
    limited = 0
    while run.status()["state"] not in ENDED:
        ready = sum(event["type"] == "phase" and event["phase"] == "measuring" for event in run.log.notable())
        if ready > limited:
            worker = psutil.Process(run.status()["worker"]["pid"])
            most = worker.memory_info().vms + ROOM
            worker.rlimit(psutil.RLIMIT_AS, (most, most))
            limited = ready
        time.sleep(0.002)
