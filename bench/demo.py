"""What the demo shows: `python -m engine bench demo [--method KEY ...]`.

The shipped spreadsheet is converted, the shipped model is fine-tuned on it with the defaults, and both answer held-out
rows, through the command line as anyone would. `names_both` is the share of answers that name the very condition and
the food, drug or symptom asked about.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assets.build.medical import terms
from bench._record import record
from engine import home
from engine.runs import store
from engine.runs.events import log

ROWS = 240


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="python -m engine bench demo", description=__doc__)
    parser.add_argument("--method", nargs="+", default=["lora"], help="methods to train, each with its defaults")
    methods = parser.parse_args(arguments).method
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        engine("convert", str(home.DEMO_DATA), "--out", f"{folder}/data/demo")
        rows = [_measured(method) for method in methods]
    return record("demo", {"rows": rows})


def _measured(method: str) -> dict:
    started = time.time()
    trained = engine("train", "--model", "demo-model", "--data", "demo", "--method", method)
    seconds = time.time() - started
    run = store.find(trained["run"])
    scores = engine("evaluate", trained["run"], "--limit", str(ROWS))
    answers = home.read_json(run.path / "evaluation" / "result.json")["examples"]
    first = next(event["time"] for event in log(run.path / "events.jsonl").after(0) if event["type"] == "step")
    return {
        "name": method,
        "seconds": round(seconds, 1),
        "first_loss_after_seconds": round(first - started, 1),
        "steps": trained["steps"],
        "trainable_parameters": trained["trainable_parameters"],
        "bytes": home.size_of(run.path / "final"),
        **{f"{key}_{side}": scores[side][key] for side in ("base", "tuned") for key in ("loss", "bleu4", "rougeL")},
        "names_both": sum(_names_both(each) for each in answers) / len(answers),
    }


def _names_both(example: dict) -> bool:
    return all(term in example["tuned"]["text"] for term in terms(example["question"]))


def engine(*arguments: str) -> dict:
    command = [sys.executable, "-m", "engine", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parent.parent)
    return json.loads(done.stdout)
