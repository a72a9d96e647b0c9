"""Which number format a run computes in."""

import pytest

from engine import hardware

PROCESSOR = hardware.Device("cpu", "some processor", 10**10, ("bf16", "fp32"))


@pytest.mark.parametrize("faster, expected", [(True, "bf16"), (False, "fp32")])
def test_training_takes_the_format_that_is_faster_here(faster, expected):
    assert hardware.training_precision("auto", PROCESSOR, 10**8, "fp32", 10**10, lambda: faster) == expected
    assert hardware.training_precision("bf16", PROCESSOR, 10**8, "fp32", 10**10, lambda: faster) == "bf16"
    assert hardware.training_precision("auto", PROCESSOR, 10**6, "fp32", 10**10, lambda: faster) == "fp32"


@pytest.mark.parametrize(
    "parameters, rest, expected",
    [(1.2e9, "fp32", "fp32"), (1.3e9, "fp32", "bf16"), (1.3e9, "bf16", "fp32"), (2.6e9, "bf16", "bf16")],
)
def test_what_does_not_fit_in_fp32_trains_in_bf16_all_the_same(parameters, rest, expected):
    assert hardware.training_precision("auto", PROCESSOR, parameters, rest, 10**10, lambda: False) == expected


def test_a_gpu_is_not_asked():
    card = hardware.Device("cuda:0", "some card", 10**10, ("bf16", "fp16", "fp32"))
    assert hardware.training_precision("auto", card, 10**8, "fp32", 10**10, lambda: 1 / 0) == "bf16"
