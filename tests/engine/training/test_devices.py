"""On which devices a run trains: this machine's GPUs, several machines, and what does not go together."""

import os
from pathlib import Path

import pytest

from engine import hardware
from engine.errors import InvalidFields, Unsupported
from engine.training import config as configs
from engine.training import distributed


@pytest.fixture
def gpus(monkeypatch):
    return lambda count: monkeypatch.setattr(hardware, "gpus", lambda: count)


def launch_of(model: Path, data: Path, method: str = "lora", **settings: object) -> str | None:
    return configs.build(str(model), str(data), method=method, settings=settings).launch


def test_one_device_is_one_process(workspace, model, data, gpus):
    gpus(4)
    assert launch_of(model, data) is None and launch_of(model, data, address="", machines=1) is None


@pytest.mark.parametrize("spread", ["copies", "parts"])
def test_all_gpus_of_this_machine(workspace, model, data, gpus, spread):
    gpus(4)
    assert "--num_processes 4 --num_machines 1" in launch_of(model, data, spread=spread)
    gpus(1)
    with pytest.raises(Unsupported, match="no second GPU"):
        launch_of(model, data, spread=spread)


def test_several_machines_need_an_address(workspace, model, data):
    launch = launch_of(model, data, machines=2, gpus_each=4, address="node-a", port=29501)
    assert launch.startswith("accelerate launch") and launch.endswith(
        "--main_process_ip node-a --main_process_port 29501"
    )
    assert "--num_processes 8 --num_machines 2 --machine_rank 0" in launch
    for address in ("", "--x y", "a b", "$(x)"):
        with pytest.raises(InvalidFields, match="Address"):
            launch_of(model, data, machines=2, address=address)


@pytest.mark.parametrize("method", ["qlora", "adalora"])
def test_what_needs_the_whole_model_says_so(workspace, model, data, gpus, method):
    gpus(2)
    with pytest.raises(Unsupported, match="lies in parts"):
        launch_of(model, data, method=method, spread="parts")
    with pytest.raises(InvalidFields, match="PiSSA"):
        launch_of(model, data, spread="parts", init_lora_weights="pissa")


@pytest.mark.parametrize("name", ["FSDP", "DEEPSPEED"])
def test_what_would_be_unpickled_is_refused(monkeypatch, name):
    monkeypatch.setenv(f"ACCELERATE_USE_{name}", "true")
    with pytest.raises(Unsupported, match="spread=parts"):
        distributed.join(cpu=True)


@pytest.mark.parametrize(("visible", "there"), [(None, 2), ("0,1,3", 3), ("", 0), ("-1", 0)])
def test_gpus_are_counted_without_torch(tmp_path, monkeypatch, visible, there):
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\necho "GPU 0: One (UUID: a)"\necho "GPU 1: Other (UUID: b)"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert hardware.gpus.__wrapped__() == there
