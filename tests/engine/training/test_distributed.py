"""Several processes under `accelerate launch`, here two on the processor: the same losses as one, stop and resume, and a
process that dies takes nothing with it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from engine import home
from engine.data.encode import Encoded
from engine.runs import jobs, launch, plan, store
from engine.runs.events import log
from engine.training import batching, distributed
from engine.training import config as configs
from engine.training.batching import Layout, StepLoader

# 48 rows in steps of 23: the last step of an epoch has two, so that processes get one each, and packs of unequal number.
SETTINGS = {
    "num_train_epochs": 4,
    "batch_size": 23,
    "lora_dropout": 0,
    "learning_rate": 0.01,
    "save_steps": 1,
    "save_total_limit": 50,
    "eval_rows": 5,
}


def launched(model: Path, data: Path, **settings: object) -> store.Run:
    """On two processes of this machine, or as `settings` say."""
    two = None if "machines" in settings else launch.several(2)
    config = configs.build(str(model), str(data), method="lora", settings=SETTINGS | settings, launch=two)
    return store.create(config.model_dump(mode="json"))


def losses(run: Path) -> dict[int, float]:
    """By step; after a resume the later ones count."""
    return {event["step"]: event["loss"] for event in log(run / "events.jsonl").after(0) if event["type"] == "step"}


@contextmanager
def joined(run: store.Run) -> Iterator[subprocess.Popen]:
    """What a person starts on the second machine, here on the same one."""
    command = [sys.executable, "-m", "engine", "join", str(run.path), "--machine", "1"]
    second = subprocess.Popen(command, cwd=home.ASSETS.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield second
        assert second.wait() == 0
    finally:
        second.kill()
        second.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.timeout(600)
def test_two_processes_learn_what_one_learns(train, model, data):
    alone, _ = train("lora", **SETTINGS)
    run = launched(model, data)
    assert jobs.supervise(run)["state"] == "finished", run.log_tail()
    expected, got = losses(alone), losses(run.path)
    assert got.keys() == expected.keys() and len(got) == 12
    for step, loss in expected.items():
        assert got[step] == pytest.approx(loss, rel=1e-5), step

    base = AutoModelForCausalLM.from_pretrained(model)
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    with torch.no_grad():
        mine = PeftModel.from_pretrained(base, run.path / "final")(ids).logits
        base = AutoModelForCausalLM.from_pretrained(model)
        other = PeftModel.from_pretrained(base, alone / "final")(ids).logits
    torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


@pytest.mark.timeout(600)
def test_a_model_in_parts_goes_on_as_a_whole_one_would(train, model, data):
    """From a checkpoint of one process, which shows that checkpoints fit any number of them."""
    alone, _ = train("lora", **SETTINGS)
    run = launched(model, data, spread="parts")
    shutil.copytree(alone / "checkpoints", run.path / "checkpoints")
    run.drop_checkpoints(after=7)
    plan.write(run.path, {"checkpoint": 7})
    assert jobs.supervise(run)["state"] == "finished", run.log_tail()
    expected, got = losses(alone), losses(run.path)
    assert list(got) == [8, 9, 10, 11, 12]
    assert [got[step] for step in got] == pytest.approx([expected[step] for step in got], rel=1e-5)
    for name in ("trainable.safetensors", "adapter_model.safetensors"):
        whole, parts = (load_file(path / "checkpoints" / "checkpoint-12" / name) for path in (alone, run.path))
        torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)
    whole, parts = (
        torch.load(path / "checkpoints" / "checkpoint-12" / "optimizer.pt", weights_only=True)["state"]
        for path in (alone, run.path)
    )
    torch.testing.assert_close(parts, whole, rtol=1e-3, atol=1e-6)


@pytest.mark.timeout(600)
def test_on_two_machines_one_dies_and_the_last_checkpoint_goes_on_with_the_same_dropout(workspace, model, data):
    where = {"machines": 2, "address": "127.0.0.1", "port": free_port()}
    often = {"num_train_epochs": 500, "save_steps": 2, "eval_steps": 1000, "lora_dropout": 0.2}
    run = launched(model, data, **where, **often)
    killed = []

    def kill_the_second(status: dict) -> None:
        if not killed and len(run.checkpoints()) > 2:
            family = psutil.Process(second.pid).children(recursive=True)
            killed.append(next(process for process in family if process.environ().get("RANK") == "1"))
            killed[0].kill()

    with joined(run) as second:
        ended = jobs.supervise(run, watch=kill_the_second)
    assert ended["state"] == "failed" and ended["error"]
    assert not any(str(run.path) in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))
    before = losses(run.path)

    def stop_soon(status: dict) -> None:
        if status["step"] >= 6:
            run.request("stop")

    jobs.prepare_resume(run, checkpoint=2)
    with joined(run):
        assert jobs.supervise(run, watch=stop_soon)["state"] == "stopped", run.log_tail()
    after = {
        event["step"]: event["loss"]
        for event in run.events()
        if event["type"] == "step" and event["seq"] > ended["seq"]
    }
    assert [after[step] for step in (3, 4, 5, 6)] == [before[step] for step in (3, 4, 5, 6)]


def encoded(lengths: list[int]) -> Encoded:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids, counts = np.arange(offsets[-1], dtype=np.int32) % 7, np.ones(offsets[-1], dtype=np.uint8)
    # The first token of a row is nobody's next token.
    counts[offsets[:-1]] = 0
    return Encoded(ids, counts, offsets, np.arange(len(lengths)), np.array(lengths) - 1, 0, 0)


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_every_process_takes_as_many_turns_and_each_row_counts_once(monkeypatch, processes):
    monkeypatch.setattr(batching, "order", lambda rows, seed, epoch: np.arange(rows))
    lengths = [9, 8, 3, 3, 2, 7, 2]
    data = encoded(lengths)
    loaders = [
        StepLoader(data, batch_size=4, seed=0, budget=9, layout=Layout(), device="cpu", process=i, processes=processes)
        for i in range(processes)
    ]
    for start, steps in zip((0, 4), zip(*loaders, strict=True), strict=True):
        assert len({len(step["packs"]) for step in steps}) == 1
        rows = lengths[start : start + 4]
        assert sum(pack.tokens for step in steps for pack in step["packs"]) == sum(rows)
        assert {step["label_count"] for step in steps} == {sum(rows) - len(rows)}


def test_one_process_waits_for_nobody(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert (distributed.rank(), distributed.count(), distributed.is_main()) == (0, 1, True)
    with distributed.main_first():
        assert distributed.agreed(True, torch.device("cpu")) is True
    assert "MASTER_ADDR" not in os.environ or not torch.distributed.is_initialized()
