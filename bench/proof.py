"""Whether an evaluation tells truth from luck: `python -m engine bench proof [--steps N]`.

Three runs of the demo, each measured on 100 held-out rows beside its base: trained as it should be, with a learning rate
of 0, and on answers that were shuffled among the questions. The first must be better for real, the second no different,
and the third clearly worse than the first.
"""

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path

from bench._record import record
from bench.demo import engine
from engine import home
from engine.data import datasets
from engine.home import read_json, write_json

_ROWS = 100
_MEASURES = ("loss", "bleu4", "rougeL")


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="python -m engine bench proof", description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="training steps of each run")
    steps = str(parser.parse_args(arguments).steps)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        real, shuffled = Path(folder) / "data" / "real", Path(folder) / "data" / "shuffled"
        engine("convert", str(home.DEMO_DATA), "--out", str(real))
        _shuffle(real, shuffled)
        rows = [
            first := _measured("real", real, None, "--set", f"max_steps={steps}"),
            _measured("learning rate 0", real, first["run"], "--set", "max_steps=2", "--set", "learning_rate=0"),
            _measured("shuffled answers", shuffled, first["run"], "--set", f"max_steps={steps}"),
        ]
    return record("proof", {"held_out_rows": _ROWS, "steps": int(steps), "rows": rows})


def _shuffle(source: Path, target: Path) -> None:
    """A data set with the same questions and the same answers, wrongly paired in training; the held-out rows stay."""
    target.mkdir()
    rows = list(datasets.rows(source / "train.json"))
    answers = [row["answer"] for row in rows]
    random.Random(0).shuffle(answers)
    lines = [{**row, "answer": answer} for row, answer in zip(rows, answers, strict=True)]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (target / "train.json").write_text(text, encoding="utf-8")
    (target / "val.json").write_bytes((source / "val.json").read_bytes())
    write_json(target / "report.json", read_json(source / "report.json"))


def _measured(name: str, data: Path, against: str | None, *settings: str) -> dict:
    """A run, measured beside its base; and `against` another run, on the same rows."""
    trained = engine("train", "--model", "demo-model", "--data", str(data), *settings)
    started = time.time()
    scores = engine("evaluate", trained["run"], "--limit", str(_ROWS))
    seconds = time.time() - started
    beside = {}
    if against:
        rivals = engine("evaluate", trained["run"], "--limit", str(_ROWS), "--against", against)["against"]
        beside = {
            "against_real": rivals["verdict"],
            "rows_of_both": rivals["rows"],
            **{f"{key}_against_real_interval": _interval(rivals, key) for key in _MEASURES},
        }
    return {
        "name": name,
        "run": Path(trained["run"]).name,
        "evaluation_seconds": round(seconds, 1),
        "verdict": scores["verdict"],
        "forgot": scores["general"]["forgot"]["warning"],
        **{f"{key}_{side}": scores[side][key] for side in ("base", "tuned") for key in _MEASURES},
        **{f"{key}_change_interval": _interval(scores, key) for key in _MEASURES},
        **beside,
    }


def _interval(scores: dict, measure: str) -> list[float]:
    return [scores["difference"][measure][end] for end in ("low", "high")]
