"""How fast training is against other trainers and against the machine: python -m engine bench training [--help]

A model of Qwen2.5's shape with random weights, LoRA (r=8 on q and v), rows as long as those of a public set of medical
dialogues; or (`--shape demo`) the shipped model and rows, with LoRA on all linear layers, as the demo has it. Each
trainer gets a process of its own, so that its peak memory is its own; they take turns, so that all meet the same
machine; and each process measures the rate of plain matrix products right before and after, which sets the limit that
the arithmetic of the work allows.

Tokens are real ones of question, answer and template; padding does not count. With TUNEDESK_TEST_DATA set, rows and
tokenizer are the real ones of that folder.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import _record
from engine import home
from engine.runs import processes

_SHAPES = {
    "0.5b": {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14}
    | {"num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True},
    "7b": {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28}
    | {"num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False},
}
_SYSTEM = "You are a helpful assistant."
_TEMPLATE = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\n"
    + _SYSTEM
    + "<|im_end|>\n"
    "{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_TRAINERS = ("ours", "ours_bf16", "trl", "trainer", "tutorial")


def main(argv: list[str]) -> dict:
    """Measure, record, and return `gemm_gflops` (in either format), `limit` (tokens/s that each rate allows) and `rows`:
    per trainer `tokens_per_second`, `examples_per_second`, `peak_memory_gb`, and `share_of_limit` (in the task's format)."""
    parser = argparse.ArgumentParser(prog="bench training", description=__doc__)
    parser.add_argument("--shape", choices=[*_SHAPES, "demo"], default="0.5b")
    parser.add_argument("--method", default="lora")
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--fp32", action="store_true", help="what the others compute in bf16, in fp32 instead")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these trainers alone")
    parser.add_argument("--llamafactory", metavar="PYTHON", help="an interpreter that has LLaMA-Factory")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="settings of our own run")
    parser.add_argument("--save", metavar="NAME", help="record the results under this name")
    args = parser.parse_args(argv)
    names = args.only or [*_TRAINERS, *(["llamafactory"] if args.llamafactory else [])]
    found: dict[str, list[dict]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        model, data = Path(folder) / "model", Path(folder) / "data"
        if args.shape == "demo":
            model, precision, targets = home.DEMO_MODEL, "fp32", "all-linear"
            rows = _table_rows(home.DEMO_DATA, data, args.rows)
        else:
            precision, targets = "fp32" if args.fp32 else "bf16", "q_proj,v_proj"
            rows = _rows(data, model, args.rows)
            make_model(model, _SHAPES[args.shape])
        work = task(model, data, rows, args.method, args.batch, precision, targets)
        work["settings"] = dict(each.split("=", 1) for each in args.set)
        for turn in range(args.rounds):
            for name in names:
                python = args.llamafactory if name == "llamafactory" else sys.executable
                found[name].append(measured(name, python, work, Path(folder) / f"{name}-{turn}"))
                print(f"{name:13} {json.dumps(found[name][-1])}", file=sys.stderr)
    table = [_row(name, each, work) for name, each in found.items()]
    for row in table:
        print(
            f"{row['name']:13} {row['tokens_per_second']:8.1f} tokens/s {row['share_of_limit']:6.1%} of the limit "
            f"{row['peak_memory_gb']:6.2f} GB",
            file=sys.stderr,
        )
    rates = {
        key: statistics.median(one["rates"][key] for each in found.values() for one in each) for key in ("bf16", "fp32")
    }
    result = {
        "shape": args.shape,
        "method": args.method,
        "precision": precision,
        "examples": args.rows,
        "batch": args.batch,
        "rounds": args.rounds,
        "tokens": work["tokens"],
        "flop_per_token": work["flop"],
        "gemm_gflops": {key: round(rate / 1e9, 1) for key, rate in rates.items()},
        "limit": {key: round(rate / work["flop"], 1) for key, rate in rates.items()},
        "rows": table,
    }
    return _record.record(args.save, result) if args.save else result


def _row(name: str, found: list[dict], task: dict) -> dict:
    speed = statistics.median(task["tokens"] / each["seconds"] for each in found)
    share = statistics.median(
        task["tokens"] / each["seconds"] * task["flop"] / each["rates"][task["precision"]] for each in found
    )
    return {
        "name": name,
        "tokens_per_second": round(speed, 1),
        "examples_per_second": round(speed * task["examples"] / task["tokens"], 3),
        "peak_memory_gb": round(max(each["peak"] for each in found) / 1e9, 2),
        "share_of_limit": round(share, 3),
    }


def measured(name: str, python: str, task: dict, folder: Path) -> dict:
    """What the trainer `name`, run by the interpreter `python` in `folder`, took: `seconds`, `peak` bytes, and the `rates`
    of matrix products around it (FLOP/s, in bf16 and fp32)."""
    folder.mkdir()
    file = folder / "task.json"
    file.write_text(json.dumps(task | {"scratch": str(folder)}))
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}
    done = subprocess.run(
        [python, "-m", "bench._contenders", name, str(file)],
        cwd=Path(__file__).parent.parent,
        env={**(processes.environment() if name.startswith("ours") else os.environ), **quiet},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout[-4000:]}")
    measured = json.loads(file.with_suffix(".done").read_text())
    shutil.rmtree(folder)
    return measured


def make_model(folder: Path, shape: dict) -> None:
    """A model of this shape with random weights, in bf16, beside its tokenizer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(**shape, max_position_embeddings=32768, eos_token_id=0, pad_token_id=0)
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)


def task(
    model: Path,
    data: Path,
    rows: list[dict],
    method: str,
    batch: int,
    precision: str = "bf16",
    targets: str = "q_proj,v_proj",
) -> dict:
    """What is to be done with the model in `model`. `precision`: of what the others compute; `targets`: of a LoRA."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from engine.data import encode

    config = AutoConfig.from_pretrained(model)
    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(config)
    tokenizer = AutoTokenizer.from_pretrained(model)
    conversations = [
        [{"role": "user", "content": row["question"]}, {"role": "assistant", "content": row["answer"]}] for row in rows
    ]
    encoded = encode.encode_chat(tokenizer, conversations, config.max_position_embeddings)
    tokens, counted = sum(len(ids) for ids, _ in encoded), sum(sum(mask) for _, mask in encoded)
    body, head = sum(p.numel() for p in made.model.layers.parameters()), made.lm_head.weight.numel()
    # Forward and the gradient of the states; weights that train cost as much again.
    factor = 6 if method == "full" else 4
    return {
        "model": str(model),
        "data": str(data),
        "method": method,
        "batch": batch,
        "examples": len(rows),
        "tokens": tokens,
        "flop": factor * (body + head * counted / tokens),
        "targets": targets,
        "system": _SYSTEM,
        "precision": precision,
        "settings": {},
    }


def _lengths(count: int) -> list[tuple[int, int]]:
    """Letters of `count` questions and answers, as the tokens of the medical dialogues: 39 and 98 in the mean, the
    logarithms close to normal."""
    draw = random.Random(0)
    return [
        (max(1, round(draw.lognormvariate(3.52, 0.545))), max(1, round(draw.lognormvariate(4.563, 0.218))))
        for _ in range(count)
    ]


def made_rows(data: Path, model: Path, lengths: list[tuple[int, int]]) -> list[dict]:
    """Questions and answers of these lengths, and a tokenizer with one token a letter."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["system", "user", "assistant", "You", "are", "helpful"]
    merges = list(dict.fromkeys((word[:i], word[i]) for word in words for i in range(1, len(word))))
    vocabulary = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, merges)]
    backend = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(vocabulary)}, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=_TEMPLATE
    ).save_pretrained(model)
    draw = random.Random(0)
    texts = [["".join(draw.choices("ABCDEFGH", k=length)) for length in pair] for pair in lengths]
    return _written(data, [{"question": question, "answer": answer} for question, answer in texts])


def _rows(data: Path, model: Path, count: int) -> list[dict]:
    """Real rows and tokenizer where TUNEDESK_TEST_DATA names them, else such as are made up."""
    real = os.environ.get("TUNEDESK_TEST_DATA")
    if not real:
        return made_rows(data, model, _lengths(count))
    shutil.copytree(Path(real) / "qwen2-tokenizer", model)
    (table,) = (Path(real) / "chinese-medical-dialogue").glob("*.csv")
    return _table_rows(table, data, count)


def _table_rows(table: Path, data: Path, count: int) -> list[dict]:
    import pandas

    frame = pandas.read_csv(table, encoding="gb18030", encoding_errors="replace", dtype=str).dropna()
    frame = frame.sample(count, random_state=0)
    return _written(data, [{"question": q, "answer": a} for q, a in zip(frame["ask"], frame["answer"], strict=True)])


def _written(data: Path, rows: list[dict]) -> list[dict]:
    data.mkdir()
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (data / "train.json").write_text(lines, encoding="utf-8")
    return rows
