"""How near the estimate before Start comes to the truth: python -m engine bench fit [--method KEY ...] [--again]

Every method trains a few steps on models with random weights, each run in a process of its own; beside each stand the
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
from engine.data import convert
from engine.runs import store
from engine.training import config, estimate
from engine.training.config import RunConfig
from engine.training.methods import METHODS

_MEDIUM = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "vocab_size": 50_000}
_SMALL = {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "vocab_size": 8_000}
# One whose parameters are few beside what every process needs, and one where they are most of it: in both formats.
CASES = {"small fp32": (_SMALL, "fp32"), "medium fp32": (_MEDIUM, "fp32"), "medium bf16": (_MEDIUM, "bf16")}


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="bench fit")
    parser.add_argument("--method", action="append", choices=[spec.key for spec in METHODS])
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="also what is in the results already")
    options = parser.parse_args(arguments)
    earlier = {} if options.again else _earlier()
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        data = home.folder("data") / "medical"
        convert.convert([home.DEMO_DATA], data, train=64, val=8)
        for case in options.case or CASES:
            shape, precision = CASES[case]
            model = _model(Path(folder) / case, shape)
            for method in options.method or [spec.key for spec in METHODS]:
                settings = {"max_steps": options.steps, "precision": precision}
                wanted = config.build(str(model), str(data), method=method, settings=settings)
                row = earlier.get((case, method)) or {"case": case, "method": method} | _measured(wanted)
                rows[case, method] = row if "error" in row else row | _estimated(wanted, row)
                print(rows[case, method], file=sys.stderr, flush=True)
                found = _record.record("fit", _document(rows))
    return found


def _earlier() -> dict[tuple[str, str], dict]:
    path = _record.RESULTS / "fit.json"
    return {(row["case"], row["method"]): row for row in home.read_json(path)["rows"]} if path.is_file() else {}


def _document(rows: dict[tuple[str, str], dict]) -> dict:
    """`rows`, and what another process has written meanwhile."""
    rows = _earlier() | rows
    order = [(case, spec.key) for case in CASES for spec in METHODS]
    found = [rows[each] for each in order if each in rows]
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
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home.ASSETS.parent)
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
