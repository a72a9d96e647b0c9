"""How near the estimate before Start comes to the truth: python -m engine bench fit [--method KEY ...] [--again]

Every method, and every objective with a second model or answers in pairs, trains a few steps on models with random weights, each run in a process of its own; beside each stand the
peak of its memory as the kernel saw it, and what is estimated. On a GPU the peak is what torch allocated there. What
stands in the results already is only estimated anew, unless asked for, so that it can be cut short and taken up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import _record
from engine import hardware, home
from engine.compare import feedback
from engine.data import convert, datasets
from engine.runs import processes, store
from engine.training import config, estimate
from engine.training.config import RunConfig
from engine.training.methods import METHODS

_MEDIUM = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "vocab_size": 50_000}
_SMALL = {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "vocab_size": 8_000}
# One whose parameters are few beside what every process needs, and one where they are most of it: in both formats.
CASES = {"small fp32": (_SMALL, "fp32"), "medium fp32": (_MEDIUM, "fp32"), "medium bf16": (_MEDIUM, "bf16")}
# Crossed with every method, and with these only.
_MANY, _FEW, _FEW_CASES = "sft", ("lora", "full"), ("small fp32", "medium fp32")
_OBJECTIVES = (_MANY, "dpo", "kto", "reward")


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="bench fit")
    parser.add_argument("--method", action="append", choices=[spec.key for spec in METHODS])
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--objective", action="append", choices=_OBJECTIVES)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="also what is in the results already")
    options = parser.parse_args(arguments)
    earlier = {} if options.again else _earlier()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        data = {objective: _data(objective) for objective in _OBJECTIVES}
        models = {case: _model(Path(folder) / case, CASES[case][0]) for case in options.case or CASES}
        for case, objective, method in _order():
            chosen = ((options.case, case), (options.objective, objective), (options.method, method))
            if any(wanted and given not in wanted for wanted, given in chosen):
                continue
            settings = {"max_steps": options.steps, "precision": CASES[case][1]}
            wanted = config.build(str(models[case]), str(data[objective]), objective, method, settings)
            key = {"case": case, "objective": objective, "method": method}
            row = earlier.get((case, objective, method)) or key | _measured(wanted)
            rows[case, objective, method] = row if "error" in row else row | _estimated(wanted, row)
            print(rows[case, objective, method], file=sys.stderr, flush=True)
            found = _record.record("fit", _document(rows))
    return found


def _order() -> list[tuple[str, str, str]]:
    """Case, objective and method of every row."""
    of_methods = [(case, _MANY, spec.key) for case in CASES for spec in METHODS]
    return of_methods + [(case, goal, method) for case in _FEW_CASES for goal in _OBJECTIVES[1:] for method in _FEW]


def _data(objective: str) -> Path:
    """What it learns from, out of the demo's tables."""
    folder = home.folder("data") / objective
    if objective == _MANY:
        convert.convert([home.DEMO_DATA], folder, train=64, val=8)
        return folder
    pairs = home.folder("data") / "pairs"
    if not pairs.is_dir():
        convert.convert([home.DEMO_DATA.parent / "preferences.csv"], pairs, format="preference", train=64, val=8)
    if objective != "kto":
        return pairs
    thumbs = [
        {"prompt": row["prompt"], "completion": row[answer], "label": answer == "chosen"}
        for row in datasets.rows(pairs / "train.json")
        for answer in ("chosen", "rejected")
    ]
    return feedback.write_rows(folder, "kto", thumbs)


def _earlier() -> dict[tuple[str, str, str], dict]:
    path = _record.RESULTS / "fit.json"
    rows = home.read_json(path)["rows"] if path.is_file() else []
    return {(row["case"], row["objective"], row["method"]): row for row in rows}


def _document(rows: dict[tuple[str, str, str], dict]) -> dict:
    """`rows`, and what another process has written meanwhile."""
    rows = _earlier() | rows
    found = [rows[each] for each in _order() if each in rows]
    off = max((abs(row["share_of_measured"] - 1) for row in found if "error" not in row), default=None)
    return {"device": hardware.best().key, "rows": found, "largest_error": off and round(off, 3)}


def _model(folder: Path, shape: dict) -> Path:
    """A Qwen2 of this shape with random weights and the demo's tokenizer, written by a process of its own: torch's
    memory there is not this one's."""
    code = (
        "import sys, json, torch; from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM\n"
        "folder, demo, shape = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])\n"
        "heads = {'num_attention_heads': shape['hidden_size'] // 64, 'num_key_value_heads': 2}\n"
        "model = Qwen2ForCausalLM(Qwen2Config(**shape, **heads, tie_word_embeddings=True))\n"
        "model.to(torch.bfloat16).save_pretrained(folder)\n"
        "AutoTokenizer.from_pretrained(demo).save_pretrained(folder)\n"
    )
    subprocess.run([sys.executable, "-c", code, folder, home.DEMO_MODEL, json.dumps(shape)], check=True)
    return folder


def _measured(wanted: RunConfig) -> dict:
    run = store.create(wanted.model_dump(mode="json"))
    with open(run.path / "worker.log", "wb") as log:
        command = [sys.executable, "-m", "engine.training.worker", str(run.path)]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home.ASSETS.parent, env=processes.environment())
        _, code, usage = os.wait4(process.pid, 0)
    process.returncode = code
    if code:
        return {"error": run.events()[-1].get("details", run.log_tail(3))}
    done = run.events()[-1]
    steps = [event for event in run.events() if event["type"] == "step"]
    on_gpu = hardware.best().kind == "cuda"
    peak = max(event["memory_gb"] for event in steps) if on_gpu else usage.ru_maxrss * 1024 / 1e9
    return {
        "measured_gb": round(peak, 3),
        "tokens_per_second": done["tokens_per_second"],
        "trainable_parameters": done["trainable_parameters"],
    }


def _estimated(wanted: RunConfig, measured: dict) -> dict:
    found = estimate.estimate(wanted)
    return {
        "estimated_gb": round(found.memory / 1e9, 3),
        "share_of_measured": round(found.memory / 1e9 / measured["measured_gb"], 3),
        "estimated_tokens_per_second": round(found.tokens_per_second, 1),
        "estimated_trainable": found.trainable_parameters,
    }
