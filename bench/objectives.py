"""What each objective shows on the demo model: python -m engine bench objectives [--only NAME ...]"""

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, stdev

from bench import _record
from engine import home
from engine.data import convert
from engine.runs import store

NAMES = ("dpo", "reward", "rloo")
_SEEDS = (1, 2, 3)
# Steps at the beginning and the end of a run over which rewards are averaged.
_EDGE = 5
_RLOO = {"max_steps": 40, "batch_size": 16, "num_generations": 4, "max_completion_length": 32}


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="python -m engine bench objectives", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    chosen = parser.parse_args(arguments)
    data = _pairs()
    work = {"dpo": _dpo, "reward": _reward, "rloo": _rloo}
    rows = [work[name](data) for name in NAMES if name in chosen.only]
    return _record.record("objectives", {"rows": rows})


def _pairs() -> Path:
    """200 of the demo's pairs to learn from and 60 to test with."""
    out = home.folder("data") / "bench-pairs"
    if not out.exists():
        source = home.ASSETS / "demo-data" / "preferences.csv"
        convert.convert([source], out, format="preference", train=200, val=60)
    return out


def _dpo(data: Path) -> dict:
    run, seconds = _train(data, "dpo", {})
    evals, first = _of(run, "eval"), _of(run, "step")[0]["loss"]
    return {
        "name": "dpo",
        "seconds": seconds,
        "first_loss": first,
        "first_loss_minus_ln2": first - math.log(2),
        # At the start every pair is a tie, which is a half.
        "held_out_accuracy": [0.5, evals[-1]["eval_rewards/accuracies"]],
        "held_out_margin": [evals[0]["eval_rewards/margins"], evals[-1]["eval_rewards/margins"]],
    }


def _reward(data: Path) -> dict:
    run, seconds = _train(data, "reward", {})
    evals = _of(run, "eval")
    return {
        "name": "reward",
        "seconds": seconds,
        "held_out_accuracy": [evals[0]["eval_accuracy"], evals[-1]["eval_accuracy"]],
    }


def _rloo(data: Path) -> dict:
    """With the newest reward model; three seeds."""
    before, after, spent = [], [], []
    for seed in _SEEDS:
        run, seconds = _train(data, "rloo", _RLOO | {"seed": seed})
        rewards = [step["reward"] for step in _of(run, "step")]
        before.append(mean(rewards[:_EDGE]))
        after.append(mean(rewards[-_EDGE:]))
        spent.append(seconds)
    return {
        "name": "rloo",
        "seconds": [round(each, 1) for each in spent],
        "reward_first_steps": {"mean": mean(before), "deviation": stdev(before)},
        "reward_last_steps": {"mean": mean(after), "deviation": stdev(after)},
        "seeds": len(_SEEDS),
    }


def _train(data: Path, objective: str, settings: dict) -> tuple[store.Run, float]:
    command = [sys.executable, "-m", "engine", "train", "--json", "--model", "demo-model", "--data", str(data)]
    command += ["--objective", objective, "--method", "lora"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    started = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return store.find(json.loads(ended.stdout)["run"]), round(time.perf_counter() - started, 1)


def _of(run: store.Run, kind: str) -> list[dict]:
    return [event for event in run.events() if event["type"] == kind]
