"""How speed and memory grow with the length of rows, the batch, the model and the number of rows: python -m engine bench scaling

Each case is a few steps of an ordinary run in a process of its own (`bench training`'s `ours`), LoRA on random weights.
With the rows' length, memory must grow by a line: no matrix of all tokens against all tokens, and logits of the whole
vocabulary (151,936) only ever for a few rows.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench import _record, training

# A narrow model with the full vocabulary: what grows with the length is then not drowned by the weights.
_NARROW = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 4, "num_attention_heads": 4}
_NARROW |= {"num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True}
_WIDE = _NARROW | {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 8}


def _case(shape: dict, rows: int, length: int, batch: int) -> dict:
    return {"shape": shape, "rows": rows, "length": length, "batch": batch}


_CASES = {
    **{f"length {length}": _case(_NARROW, 4, length, 1) for length in (256, 512, 1024, 2048, 4096)},
    **{f"batch {batch}": _case(_NARROW, 32, 128, batch) for batch in (1, 4, 16, 32)},
    "model of 42 M": _case(_NARROW, 32, 128, 16),
    "model of 108 M": _case(_WIDE, 32, 128, 16),
    **{f"rows {rows}": _case(_NARROW, rows, 64, 16) for rows in (32, 128, 512)},
}


def main(argv: list[str]) -> dict:
    """Measure, record, and return `{"rows": [{"name", "tokens_per_second", "peak_memory_gb"}]}`."""
    parser = argparse.ArgumentParser(prog="bench scaling", description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(_CASES), choices=_CASES, metavar="NAME")
    parser.add_argument("--no-save", action="store_true", help="leave the recorded results as they are")
    args = parser.parse_args(argv)
    rows = []
    for name in args.only:
        with tempfile.TemporaryDirectory() as folder:
            rows.append({"name": name, **_measured(Path(folder), _CASES[name])})
        print(json.dumps(rows[-1]), file=sys.stderr)
    return {"rows": rows} if args.no_save else _record.record("scaling", {"rows": rows})


def _measured(folder: Path, case: dict) -> dict:
    data, model = folder / "data", folder / "model"
    rows = training.made_rows(data, model, [(case["length"] // 2, case["length"] // 2)] * case["rows"])
    training.make_model(model, case["shape"])
    task = training.task(model, data, rows, "lora", case["batch"])
    task["settings"] = {"max_length": 8192}
    found = training.measured("ours", sys.executable, task, folder / "run")
    return {
        "tokens": task["tokens"],
        "tokens_per_second": round(task["tokens"] / found["seconds"], 1),
        "peak_memory_gb": round(found["peak"] / 1e9, 3),
    }
