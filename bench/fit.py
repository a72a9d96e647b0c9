"""How near the estimate before Start comes to the truth: python -m engine bench fit [--method KEY ...] [--steps N]

Every method trains a few steps on two models with random weights, each run in a process of its own; beside each stand
the peak of its memory as the kernel saw it, and what was estimated. On a GPU the peak is what torch allocated there.
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
from engine.training.methods import METHODS

# One whose parameters are few beside what every process needs, and one where they are most of it.
SHAPES = {
    "medium": {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 6, "vocab_size": 50_000},
    "small": {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6, "vocab_size": 8_000},
}


def main(arguments: list[str]) -> dict:
    parser = argparse.ArgumentParser(prog="bench fit")
    parser.add_argument("--method", action="append", choices=[spec.key for spec in METHODS])
    parser.add_argument("--shape", action="append", choices=list(SHAPES))
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        data = home.folder("data") / "medical"
        convert.convert([home.DEMO_DATA], data, train=64, val=8)
        rows = []
        for name in options.shape or SHAPES:
            model = _model(Path(folder) / name, SHAPES[name])
            for spec in METHODS:
                if not options.method or spec.key in options.method:
                    rows.append(_row(name, model, data, spec.key, options.steps))
                    print(rows[-1], file=sys.stderr, flush=True)
    off = max(abs(row["share_of_measured"] - 1) for row in rows if "error" not in row)
    found = {"device": hardware.best().key, "steps": options.steps, "rows": rows, "largest_error": round(off, 3)}
    return found if options.method or options.shape else _record.record("fit", found)


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


def _row(name: str, model: Path, data: Path, method: str, steps: int) -> dict:
    wanted = config.build(str(model), str(data), method=method, settings={"max_steps": steps})
    expected = estimate.estimate(wanted)
    run = store.create(wanted.model_dump(mode="json"))
    with open(run.path / "worker.log", "wb") as log:
        command = [sys.executable, "-m", "engine.training.worker", str(run.path)]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home.ASSETS.parent)
        _, code, usage = os.wait4(process.pid, 0)
    process.returncode = code
    if code:
        return {"model": name, "method": method, "error": run.events()[-1].get("details", run.log_tail(3))}
    done = run.events()[-1]
    on_gpu = hardware.best().kind == "cuda"
    steps_done = [event for event in run.events() if event["type"] == "step"]
    peak = max(event["memory_gb"] for event in steps_done) * 1e9 if on_gpu else usage.ru_maxrss * 1024
    return {
        "model": name,
        "method": method,
        "measured_gb": round(peak / 1e9, 3),
        "estimated_gb": round(expected.memory / 1e9, 3),
        "share_of_measured": round(expected.memory / peak, 3),
        "tokens_per_second": done["tokens_per_second"],
        "estimated_tokens_per_second": expected.tokens_per_second and round(expected.tokens_per_second, 1),
        "trainable_parameters": done["trainable_parameters"],
        "estimated_trainable": expected.trainable_parameters,
    }
