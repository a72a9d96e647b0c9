"""The table of `training` on an NVIDIA card, at two sizes, with LoRA and QLoRA: python -m engine bench cuda

Ours against TRL with its defaults and against TRL at its best (bf16 weights, packing, FlashAttention; left out where
`flash_attn` is not installed). Where there is no card, it says what it would run.
"""

import argparse
from importlib.util import find_spec

from bench import _record, training

_WORK = ["--rows", "512", "--batch", "16", "--rounds", "3"]


def main(argv: list[str]) -> dict:
    """Measure, record, and return `{"cases": [what bench training returns]}`; without a card `{"would_run": [command]}`."""
    argparse.ArgumentParser(prog="bench cuda", description=__doc__).parse_args(argv)
    import torch

    rivals = ["trl", *(["trl_packed"] if find_spec("flash_attn") else [])]
    plans = [
        ["--shape", shape, "--method", method, "--only", "ours", *rivals, *_WORK]
        for shape in ("0.5b", "7b")
        for method in ("lora", "qlora")
    ]
    if not torch.cuda.is_available():
        return {"would_run": [f"python -m engine bench training {' '.join(plan)}" for plan in plans]}
    return _record.record("cuda", {"cases": [training.main(plan) for plan in plans]})
