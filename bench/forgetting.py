"""What the demo's model forgets while it learns: python -m engine bench forgetting.

The shipped model is fine-tuned on the shipped spreadsheet with the defaults; before and after, the loss is measured on
held-out medical rows, which it was trained for, and on everyday questions, which it was not. The Learn step shows it.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench._record import record
from engine import home

# Of the everyday questions in assets/demo-data/everyday.jsonl, those whose answers are kept.
_SHOWN = ("大家早上好！", "请问雪是什么颜色的？", "闹钟可以用来做什么？")


def main(arguments: list[str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        _engine("convert", str(home.DEMO_DATA), "--out", f"{folder}/data/demo")
        trained = _engine("train", "--model", "demo-model", "--data", "demo", "--method", "lora")
        scores = _engine("evaluate", trained["run"])
    everyday = scores["general"]
    return record(
        "forgetting",
        {
            "rows": [
                {"name": name, "rows": part["rows"], "base": part["base"]["loss"], "tuned": part["tuned"]["loss"]}
                for name, part in (("medical", scores), ("everyday", everyday))
            ],
            "answers": [
                {"question": each["question"], "base": each["base"]["text"], "tuned": each["tuned"]["text"]}
                for each in everyday["examples"]
                if each["question"] in _SHOWN
            ],
        },
    )


def _engine(*arguments: str) -> dict:
    command = [sys.executable, "-m", "engine", *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parent.parent)
    return json.loads(done.stdout)
