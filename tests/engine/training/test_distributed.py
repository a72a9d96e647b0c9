"""Several processes under `accelerate launch`, here two on the processor: the same losses as one, stop and resume, and a
process that dies takes nothing with it."""

import os
import socket
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from engine.data.encode import Encoded
from engine.runs import jobs, store
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launch = f"accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --main_process_port {port}"
    config = configs.build(str(model), str(data), method="lora", settings=SETTINGS | settings, launch=launch)
    return store.create(config.model_dump(mode="json"))


def losses(run: Path) -> dict[int, float]:
    """By step; after a resume the later ones count."""
    return {event["step"]: event["loss"] for event in log(run / "events.jsonl").after(0) if event["type"] == "step"}


def member(run: store.Run, rank: int) -> psutil.Process:
    """The process of that rank that trains `run`."""
    family = psutil.Process(run.status()["worker"]["pid"]).children(recursive=True)
    return next(process for process in family if process.environ().get("LOCAL_RANK") == str(rank))


@pytest.mark.timeout(600)
def test_two_processes_learn_what_one_learns_also_when_stopped_and_resumed(train, model, data):
    alone, _ = train("lora", **SETTINGS)
    run = launched(model, data)

    def stop_soon(status: dict) -> None:
        if (status["step"] or 0) >= 2:
            run.request("stop")

    first = jobs.supervise(run, watch=stop_soon)
    if first["state"] == "stopped":
        jobs.prepare_resume(run)
        assert jobs.supervise(run)["state"] == "finished"
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
def test_a_process_that_dies_ends_the_run_and_its_last_checkpoint_stands(workspace, model, data):
    run = launched(model, data, num_train_epochs=500, save_steps=2, eval_steps=2, save_total_limit=2)
    killed = []

    def kill_one(status: dict) -> None:
        if not killed and run.checkpoints():
            killed.append(member(run, 1))
            killed[0].kill()

    ended = jobs.supervise(run, watch=kill_one)
    assert killed and ended["state"] == "failed" and ended["error"]
    assert run.checkpoints()
    assert not any(str(run.path) in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))


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
