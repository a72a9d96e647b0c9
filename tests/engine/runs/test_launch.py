import sys

import pytest
import yaml

from engine.errors import Unsupported
from engine.runs import launch

WORKER = ["-m", "some.worker", "/runs/1"]


@pytest.mark.parametrize("given", [None, ""])
def test_one_device_needs_no_launcher(given):
    assert launch.command(given, WORKER) == [sys.executable, *WORKER]


def test_options_are_handed_on(tmp_path):
    config = tmp_path / "two gpus.yaml"
    config.touch()
    given = f"accelerate launch --num_processes 2 --multi_gpu --mixed_precision=no --config_file '{config}'"
    assert launch.command(given, WORKER) == [
        *(sys.executable, "-m", "accelerate.commands.launch"),
        *("--num_processes", "2", "--multi_gpu", "--mixed_precision=no", "--config_file", str(config)),
        *WORKER,
    ]


@pytest.mark.parametrize(
    "given",
    [
        "rm -rf /",
        "accelerate",
        "accelerate config",
        "accelerate launch evil.py",
        "accelerate launch --multi_gpu evil.py",
        "accelerate launch --multi_gpu /bin/sh",
        "accelerate launch --num_processes 2 evil",
        "accelerate launch -m evil",
        "accelerate launch --module evil",
        "accelerate launch --multi_gpu -m --debug evil",
        "accelerate launch --mod evil",
        "accelerate launch --no_python evil",
        "accelerate launch -- evil",
        "accelerate launch 'unclosed",
        "sh -c 'accelerate launch'",
    ],
)
def test_nothing_else_is_started(given):
    with pytest.raises(Unsupported, match="accelerate launch"):
        launch.command(given, WORKER)


def test_every_machine_gets_the_same_launch_with_a_number_of_its_own():
    first = launch.several(8, machines=2, address="node-a", port=29500)
    assert launch.command(first, WORKER)[-3:] == WORKER
    second = launch.on_machine(first, 1)
    assert second == first.replace(" --machine_rank 0", "") + " --machine_rank 1"
    assert yaml.safe_load(launch.configuration(second)) == {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "MULTI_GPU",
        "rdzv_backend": "static",
        "num_processes": 8,
        "num_machines": 2,
        "machine_rank": 1,
        "main_process_ip": "node-a",
        "main_process_port": 29500,
    }


def test_the_number_of_machines_may_stand_behind_an_equals_sign():
    given = "accelerate launch --num_machines=2 --machine_rank=0"
    assert launch.on_machine(given, 1) == "accelerate launch --num_machines 2 --machine_rank 1"


@pytest.mark.parametrize(("given", "number"), [(None, 1), (launch.several(2), 1), (launch.several(2, 2, "a", 1), 2)])
def test_a_machine_that_is_not_there_has_none(given, number):
    with pytest.raises(Unsupported, match="machine"):
        launch.on_machine(given, number)
