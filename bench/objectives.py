"""What each objective shows on the demo model: python -m engine bench objectives [NAME ...] [--again].

Everything is a run of the command line. `pretrain` begins with random weights and is held against the loop of any
tutorial; the others learn from pairs of a kind and a rude answer, with their defaults. What stands in the results already
is not run again unless asked for.
"""

import argparse
import math
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import mean, stdev

from assets.build.__main__ import SEED, lines
from assets.build.corpus import documents
from bench._record import RESULTS, record
from bench.demo import engine
from engine import home
from engine.runs import store
from engine.training.scratch import ScratchParams, create

# From scratch: a minute or two on two cores.
_TEXTS = 12_000
_PRETRAIN = {
    "max_steps": 150,
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
    work = {"pretrain": _pretrain, "dpo": _dpo, "reward": _reward}
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
    model = create("new", ScratchParams(size="small"), like="demo-model")
    data = home.folder("data") / "texts"
    data.mkdir()
    for split, seed, count in (("train", SEED, _TEXTS), ("val", SEED + 1, 200)):
        (data / f"{split}.json").write_bytes(lines({"text": text} for text in documents(seed, count)))
    home.write_json(data / "report.json", {"format": "text", "train": _TEXTS, "val": 200})
    run, seconds = _train(str(model), "texts", "pretrain", "full", **_PRETRAIN)
    ours, evals = [step["loss"] for step in _of(run, "step")], [each["eval_loss"] for each in _of(run, "eval")]
    theirs = _plain_loop(model, data)
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


def _plain_loop(path: Path, data: Path) -> list[float]:
    """The losses of the same rows in the same order, padded, by transformers' model and torch's optimiser."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, get_scheduler

    from engine.data import datasets
    from engine.training import batching

    steps, size, seed = _PRETRAIN["max_steps"], _PRETRAIN["batch_size"], _PRETRAIN["seed"]
    tokenizer = AutoTokenizer.from_pretrained(path)
    texts = [row["text"] + tokenizer.eos_token for row in datasets.rows(data / "train.json")]
    order = [
        row for epoch in range(math.ceil(steps * size / len(texts))) for row in batching.order(len(texts), seed, epoch)
    ]
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).train()
    adam = torch.optim.AdamW(model.parameters(), lr=_PRETRAIN["learning_rate"], weight_decay=0.0)
    schedule = get_scheduler("cosine", adam, num_warmup_steps=_PRETRAIN["warmup_steps"], num_training_steps=steps)
    losses = []
    for step in range(steps):
        batch = tokenizer(
            [texts[row] for row in order[step * size : (step + 1) * size]], return_tensors="pt", padding=True
        )
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        loss = model(**batch, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        schedule.step()
        adam.zero_grad()
        losses.append(loss.item())
    return losses


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
