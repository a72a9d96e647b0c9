"""Each method trains the demo model on the demo data for a few steps, through the command line."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import home
from engine.__main__ import main
from engine.runs import kinds
from engine.training import counts, methods

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """The address of a worker that has its imports done."""
    address = tmp_path_factory.mktemp("warm") / "socket"
    program = [sys.executable, "-m", "tests.engine.training.warm_worker", "serve", str(address)]
    server = subprocess.Popen(program, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not address.exists():
        assert server.poll() is None
        time.sleep(0.1)
    yield address
    server.kill()
    server.wait()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """With the demo's spreadsheet converted."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEDESK_HOME", str(folder))
        assert (
            main(
                ["convert", str(home.DEMO_DATA), "--out", str(folder / "data" / "demo"), "--train", "64", "--val", "16"]
            )
            == 0
        )
    return folder


@pytest.mark.parametrize("method", [spec.key for spec in methods.METHODS])
def test_each_method_trains_the_demo(warm, workspace, monkeypatch, capsys, method):
    monkeypatch.setenv("TUNEDESK_HOME", str(workspace))
    monkeypatch.setenv("TUNEDESK_WARM_WORKER", str(warm))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setitem(
        kinds.KINDS, "train", kinds.Kind(module="tests.engine.training.warm_worker", folder="runs", needs_device=True)
    )
    few = ["--set", "max_steps=4", "--set", "batch_size=8", "--set", "eval_rows=16", "--set", "warmup_steps=0"]
    code = main(["train", "--model", "demo-model", "--data", "demo", "--method", method, *few, "--json"])
    done = json.loads(capsys.readouterr().out)
    assert code == 0 and done["status"] == "finished" and done["steps"] == 4
    evaluated = [event for event in _events(done["run"]) if event["type"] == "eval"]
    assert evaluated[-1]["eval_loss"] < evaluated[0]["eval_loss"]
    spec = methods.get(method)
    assert done["trainable_parameters"] == spec.count(counts.shape_of(home.DEMO_MODEL), spec.params()).trainable


def _events(run: str) -> list[dict]:
    return [json.loads(line) for line in (Path(run) / "events.jsonl").read_text(encoding="utf-8").splitlines()]
