import sys

import pytest

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
