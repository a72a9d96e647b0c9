"""What comparing costs against one answer alone: `python -m engine bench chat [--tokens N] [--rounds N]`.

A model of Qwen2.5-0.5B's shape with random weights and a LoRA (r=8 on q and v) upon it, both made here; no answer ends
before its last token. The cases take turns within each round, so that all meet the same moments of the machine, and the
fastest round of each counts. Processor time is given beside the clock: on a busy machine it is the steadier of the two.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench import _record

SHAPE = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
}
_QUESTION = "糖尿病患者能吃西瓜吗？最近总觉得口渴，应该注意什么？"


def main(argv: list[str]) -> dict:
    """Measure, record, and return `{"rows": [{"name", "seconds", "cpu_seconds", "tokens_per_second", "memory_gb",
    "share_of_one"}], ...}`; `share_of_one`: processor time against the tuned model's answer alone."""
    parser = argparse.ArgumentParser(prog="bench chat", description=__doc__)
    parser.add_argument("--tokens", type=int, default=128, help="length of each answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-save", action="store_true", help="leave the recorded results as they are")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as home:
        os.environ["TUNEDESK_HOME"] = home
        rows = _measure(_make(Path(home)), args.tokens, args.rounds)
    one = next(row for row in rows if row["name"] == "tuned alone")
    for row in rows:
        row["share_of_one"] = round(row["cpu_seconds"] / one["cpu_seconds"], 3)
        print(f"{row['name']:12} {row['seconds']:8.2f} s  x{row['share_of_one']:.2f}", file=sys.stderr)
    result = {"tokens": args.tokens, "rounds": args.rounds, "rows": rows}
    return result if args.no_save else _record.record("chat", result)


def _make(home: Path) -> str:
    """A finished run on a random model; its id."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    from engine.runs import store

    base = home / "models" / "random"
    letters = {chr(code): code for code in range(0x20, 0x7F)} | {"<|end|>": 0, "?": 1}
    backend = Tokenizer(models.WordLevel(letters, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="?", eos_token="<|end|>").save_pretrained(base)
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(**SHAPE, tie_word_embeddings=True, eos_token_id=0)).to(torch.bfloat16)
    model.save_pretrained(base)
    config = {
        "kind": "train",
        "model": str(base),
        "data": "",
        "objective": "sft",
        "method": "lora",
        "method_params": {},
    }
    run = store.create(config)
    lora = LoraConfig(r=8, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(run.path / "final")
    return run.id


def _measure(run: str, tokens: int, rounds: int) -> list[dict]:
    from engine.compare.desk import Desk
    from engine.compare.settings import GenerationParams

    desk = Desk()
    params = GenerationParams(temperature=0, max_tokens=tokens)
    cases = {
        "base alone": [f"base:run:{run}"],
        "tuned alone": [f"run:{run}"],
        "both": [f"base:run:{run}", f"run:{run}"],
    }
    memory = {}
    best: dict[str, tuple[float, float]] = {}
    for turn in range(rounds + 1):
        for name, models in cases.items():
            clock, spent = time.perf_counter(), time.process_time()
            conversations = [[{"role": "user", "content": _QUESTION}]] * len(models)
            for _ in desk.compare(models, conversations, params, lambda: False):
                pass
            found = (time.perf_counter() - clock, time.process_time() - spent)
            if turn == 0:  # loads, and warms up
                memory[name] = psutil.Process().memory_info().rss / 1e9
            else:
                best[name] = min(best.get(name, found), found, key=lambda pair: pair[1])
    return [
        {
            "name": name,
            "seconds": round(seconds, 3),
            "cpu_seconds": round(spent, 3),
            "tokens_per_second": round(len(cases[name]) * tokens / seconds, 1),
            "memory_gb": round(memory[name], 2),
        }
        for name, (seconds, spent) in best.items()
    ]
