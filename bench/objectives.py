"""What each objective shows on the demo model: python -m engine bench objectives [NAME ...] [--again].

Everything but `pretrain-fp64` is a run of the command line. `pretrain` begins with random weights and is held against the
loop of any tutorial; in fp32 rounding parts the two in the end, so `pretrain-fp64` does it again where there is none to
speak of. The others learn from pairs of a kind and a rude answer, with their defaults. What stands in the results
already is not run again unless asked for.
"""

import argparse
import math
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from unittest.mock import patch

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer, get_scheduler
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm

from assets.build.__main__ import SEED, lines
from assets.build.corpus import documents
from bench._record import RESULTS, record
from bench.demo import engine
from engine import home
from engine.data import datasets
from engine.runs import store
from engine.runs.events import Events
from engine.training import batching, loading
from engine.training import config as configs
from engine.training.scratch import ScratchParams, create
from engine.training.session import Session

# From scratch: two minutes on two cores.
_TEXTS = 12_000
_PRETRAIN = {
    "max_steps": 250,
    "batch_size": 32,
    "learning_rate": 2.5e-3,
    "warmup_steps": 20,
    "weight_decay": 0.0,
    "precision": "fp32",
    "seed": 42,
}
_SEEDS = (1, 2, 3)
# Twice the default's passes over the questions.
_RLOO = {"num_train_epochs": 4}
# Steps at the beginning and the end of a run over which rewards are averaged: each step asks four questions of its own.
_EDGE = 20


def main(arguments: list[str]) -> dict:
    work = {"pretrain": _pretrain, "pretrain-fp64": _pretrain_fp64, "dpo": _dpo, "reward": _reward}
    work |= {f"rloo-{seed}": partial(_rloo, seed) for seed in _SEEDS}
    parser = argparse.ArgumentParser(prog="python -m engine bench objectives", description=__doc__)
    parser.add_argument("name", metavar="NAME", nargs="*", help=f"of {', '.join(work)}; all unless given")
    parser.add_argument("--again", action="store_true", help="also those that are in the results already")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        source = str(home.DEMO_DATA.parent / "preferences.csv")
        pairs = ["--format", "preference", "--train", "200", "--val", "60", "--out", f"{folder}/data/pairs"]
        engine("convert", source, *pairs)
        for name in wanted.name or work:
            if wanted.again or name not in _earlier():
                measured = {"name": name} | work[name]()
                # Read again: another of these may have ended meanwhile.
                rows = _earlier() | {name: measured}
                _kept([rows[each] for each in work if each in rows])
    rows = _earlier()
    return _kept([rows[each] for each in work if each in rows])


def _kept(rows: list[dict]) -> dict:
    """The rows written down, with the mean of the seeds and their spread."""
    rewards = [row["reward"] for row in rows if row["name"].startswith("rloo")]
    spread = {}
    if len(rewards) == len(_SEEDS):
        first, last = zip(*rewards, strict=True)
        spread = {"reward_mean": [mean(first), mean(last)], "reward_deviation": [stdev(first), stdev(last)]}
    return record("objectives", {"rows": rows} | spread)


def _earlier() -> dict[str, dict]:
    path = RESULTS / "objectives.json"
    return {row["name"]: row for row in home.read_json(path)["rows"]} if path.is_file() else {}


def _pretrain() -> dict:
    """A new model of the demo's shape, on the text that the demo's model was made from."""
    model, data = _new("small")
    run, seconds = _train(str(model), data.name, "pretrain", "full", **_PRETRAIN)
    ours, evals = [step["loss"] for step in _of(run, "step")], [each["eval_loss"] for each in _of(run, "eval")]
    theirs, _ = _plain_loop(model, data)
    apart = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    return {
        "seconds": seconds,
        "steps": len(ours),
        "loss": [ours[0], ours[-1]],
        "held_out_loss": [evals[0], evals[-1]],
        "plain_loop_loss": [theirs[0], theirs[-1]],
        "largest_difference_in_20_steps": max(apart[:20]),
        "mean_difference": mean(apart),
    }


def _pretrain_fp64() -> dict:
    """The tiny size in fp64. People are not offered that, so the session is told in this process; losses are reported in
    fp32 all the same, hence also the difference of the weights in the end."""

    def norm(self: Qwen2RMSNorm, states: torch.Tensor) -> torch.Tensor:
        """As transformers' own, which rounds to fp32."""
        return self.weight * states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    model, data = _new("tiny")
    config = configs.build(str(model), str(data), "pretrain", "full", _PRETRAIN)
    run = store.create(config.model_dump())
    with patch.object(Qwen2RMSNorm, "forward", norm):
        started = time.perf_counter()
        exact = patch.object(loading, "base_precision", return_value=(torch.float64, None))
        with exact, Events(run.path / "events.jsonl") as events:
            Session(run.path, config, events).run()
        seconds = round(time.perf_counter() - started, 1)
        theirs, trained = _plain_loop(model, data, torch.float64)
    ours = [step["loss"] for step in _of(run, "step")]
    final = AutoModelForCausalLM.from_pretrained(run.path / "final", dtype=torch.float64)
    weights = zip(final.parameters(), trained.parameters(), strict=True)
    return {
        "seconds": seconds,
        "steps": len(ours),
        "loss": [ours[0], ours[-1]],
        "largest_difference": max(abs(a - b) for a, b in zip(ours, theirs, strict=True)),
        "largest_difference_of_weights": max((a - b).abs().max().item() for a, b in weights),
    }


def _new(size: str) -> tuple[Path, Path]:
    """A model with random weights, and the text that it learns from."""
    model = create(size, ScratchParams(size=size), like="demo-model")
    data = home.folder("data") / f"texts-{size}"
    data.mkdir()
    for split, seed, count in (("train", SEED, _TEXTS), ("val", SEED + 1, 200)):
        (data / f"{split}.json").write_bytes(lines({"text": text} for text in documents(seed, count)))
    home.write_json(data / "report.json", {"format": "text", "train": _TEXTS, "val": 200})
    return model, data


def _plain_loop(path: Path, data: Path, dtype: torch.dtype = torch.float32) -> tuple[list[float], torch.nn.Module]:
    """The losses of the same rows in the same order, padded, by transformers' model and torch's optimiser; and the
    model."""
    steps, size, seed = _PRETRAIN["max_steps"], _PRETRAIN["batch_size"], _PRETRAIN["seed"]
    tokenizer = AutoTokenizer.from_pretrained(path)
    texts = [row["text"] + tokenizer.eos_token for row in datasets.rows(data / "train.json")]
    order = [
        row for epoch in range(math.ceil(steps * size / len(texts))) for row in batching.order(len(texts), seed, epoch)
    ]
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).train()
    adam = torch.optim.AdamW(model.parameters(), lr=_PRETRAIN["learning_rate"], weight_decay=0.0)
    schedule = get_scheduler("cosine", adam, num_warmup_steps=_PRETRAIN["warmup_steps"], num_training_steps=steps)
    losses = []
    for step in range(steps):
        batch = tokenizer(
            [texts[row] for row in order[step * size : (step + 1) * size]], return_tensors="pt", padding=True
        )
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        logits = model(**batch).logits[:, :-1]
        loss = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        schedule.step()
        adam.zero_grad()
        losses.append(loss.item())
    return losses, model


def _dpo() -> dict:
    run, seconds = _train("demo-model", "pairs", "dpo")
    evals, first = _of(run, "eval"), _of(run, "step")[0]["loss"]
    return {
        "seconds": seconds,
        "first_loss": first,
        "first_loss_minus_ln2": first - math.log(2),
        # At the start every pair is a tie, which is a half.
        "held_out_accuracy": [0.5, evals[-1]["eval_rewards/accuracies"]],
        "held_out_margin": [evals[0]["eval_rewards/margins"], evals[-1]["eval_rewards/margins"]],
    }


def _reward() -> dict:
    run, seconds = _train("demo-model", "pairs", "reward")
    accuracy = [each["eval_accuracy"] for each in _of(run, "eval")]
    return {"seconds": seconds, "held_out_accuracy": [accuracy[0], accuracy[-1]]}


def _rloo(seed: int) -> dict:
    """With a reward model of the same pairs."""
    _train("demo-model", "pairs", "reward")
    run, seconds = _train("demo-model", "pairs", "rloo", seed=seed, **_RLOO)
    steps = _of(run, "step")
    edges = steps[:_EDGE], steps[-_EDGE:]
    return {
        "seconds": seconds,
        "steps": len(steps),
        "reward": [mean(step["reward"] for step in edge) for edge in edges],
        "answer_tokens": [mean(step["completions/mean_length"] for step in edge) for edge in edges],
        "kl": mean(step["kl"] for step in edges[1]),
    }


def _train(model: str, data: str, objective: str, method: str = "lora", **settings: object) -> tuple[store.Run, float]:
    given = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    started = time.perf_counter()
    trained = engine("train", "--model", model, "--data", data, "--objective", objective, "--method", method, *given)
    return store.find(trained["run"]), round(time.perf_counter() - started, 1)


def _of(run: store.Run, kind: str) -> list[dict]:
    return [event for event in run.events() if event["type"] == kind]
