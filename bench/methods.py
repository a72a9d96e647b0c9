"""Every method on the demo, with its defaults: python -m engine bench methods [KEY ...] [--again].

The shipped spreadsheet is converted, and each method fine-tunes the shipped model on it through the command line as
anyone would. Before and after are measured on the same held-out rows. A method that stands in the results already is
not run again unless asked for, so that a benchmark of an hour can be cut short and taken up.
"""

import argparse
import os
import tempfile

from bench._record import RESULTS, record
from bench.demo import ROWS, engine
from engine import home
from engine.runs import store
from engine.runs.events import log
from engine.training.methods import METHODS

_SCORES = ("loss", "bleu4", "rouge1", "rouge2", "rougeL")


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="python -m engine bench methods", description=__doc__)
    parser.add_argument("method", metavar="KEY", nargs="*", help="methods to train; all unless given")
    parser.add_argument("--again", action="store_true", help="also those that are in the results already")
    wanted = parser.parse_args(arguments)
    rows = _earlier()
    keys = [spec.key for spec in METHODS]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        engine("convert", str(home.DEMO_DATA), "--out", f"{folder}/data/demo")
        for key in wanted.method or keys:
            if wanted.again or key not in rows:
                rows[key] = _measured(key)
                record("methods", {"rows": [rows[k] for k in keys if k in rows]})
    return record("methods", {"rows": [rows[k] for k in keys if k in rows]})


def _earlier() -> dict[str, dict]:
    path = RESULTS / "methods.json"
    return {row["name"]: row for row in home.read_json(path)["rows"]} if path.is_file() else {}


def _measured(method: str) -> dict:
    trained = engine("train", "--model", "demo-model", "--data", "demo", "--method", method)
    run = store.find(trained["run"])
    events = log(run.path / "events.jsonl").after(0)
    scores = engine("evaluate", trained["run"], "--limit", str(ROWS))
    return {
        "name": method,
        "trainable_parameters": trained["trainable_parameters"],
        "trainable_share": trained["trainable_parameters"] / events[-1]["parameters"],
        "bytes": sum(file.stat().st_size for file in (run.path / "final").glob("*.safetensors")),
        "peak_memory_gb": max(event["memory_gb"] for event in events if event["type"] == "step"),
        "seconds": round(events[-1]["time"] - events[0]["time"], 1),
        "steps": trained["steps"],
        **{f"{key}_{side}": scores[side][key] for key in _SCORES for side in ("base", "tuned")},
    }
