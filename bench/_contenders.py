"""One trainer at the work of `bench training`, in a process of its own

`python -m bench._contenders NAME TASK.json`, started by that benchmark.

All learn the same rows with the same method and batch, once through, and none saves. `ours` is TuneDesk's own run;
the others are what a person gets from each program's documentation. LLaMA-Factory is run by whatever Python has it, so
beside torch, transformers and PEFT nothing is imported that only TuneDesk's environment holds.
"""

import json
import os
import sys
import time
from pathlib import Path

import torch

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def ours(task: dict) -> dict:
    from engine.runs import store
    from engine.runs.events import log
    from engine.training import config, worker

    settings = {"batch_size": task["batch"], "num_train_epochs": 1, "save_steps": 10_000, **task["settings"]}
    if task["method"] in ("lora", "qlora"):
        settings["target_modules"] = task["targets"]
    made = config.build(task["model"], task["data"], method=task["method"], settings=settings)
    run = store.create(made.model_dump())
    worker.main(run.path)
    done = log(run.path / "events.jsonl").after(0)[-1]
    return {"seconds": task["tokens"] / done["tokens_per_second"]}


def ours_bf16(task: dict) -> dict:
    """In bf16 also where this processor is faster in fp32: half the memory."""
    return ours(task | {"settings": task["settings"] | {"precision": "bf16"}})


def trl(task: dict) -> dict:
    """TRL's SFTTrainer with its defaults: bf16 autocast, gradient checkpointing, padded to the longest of a batch."""
    return _trl(task)


def trl_packed(task: dict) -> dict:
    """TRL at its best on a GPU: bf16 weights, packing, FlashAttention, no checkpointing."""
    fast = {"dtype": "bfloat16", "attn_implementation": "flash_attention_2"}
    return _trl(task, fast, packing=True, max_length=2048, gradient_checkpointing=False)


def _trl(task: dict, model: dict | None = None, **more: object) -> dict:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = [
        {
            "prompt": [{"role": "user", "content": row["question"]}],
            "completion": [{"role": "assistant", "content": row["answer"]}],
        }
        for row in _rows(task)
    ]
    trainer = SFTTrainer(
        task["model"],
        args=SFTConfig(**_arguments(task), model_init_kwargs=_quantised(task) | (model or {}), **more),
        train_dataset=Dataset.from_list(rows),
        peft_config=_peft_config(task),
    )
    return _timed(trainer)


def trainer(task: dict) -> dict:
    """A plain transformers Trainer: PEFT, bf16 unless the task is in fp32, padded to the longest of a batch."""
    from transformers import AutoModelForCausalLM, DataCollatorForSeq2Seq, Trainer, TrainingArguments

    tokenizer, rows = _tokenised(task)
    # What trains as a whole is kept in fp32.
    dtype = "fp32" if task["method"] == "full" else task["precision"]
    made = Trainer(
        _model(task, AutoModelForCausalLM, _DTYPES[dtype]),
        TrainingArguments(**_arguments(task), bf16=task["precision"] == "bf16"),
        train_dataset=rows,
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )
    return _timed(made)


def tutorial(task: dict) -> dict:
    """The loop of the tutorials: fp32, every row padded to 384 tokens."""
    from transformers import AutoModelForCausalLM

    tokenizer, rows = _tokenised(task)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = _model(task, AutoModelForCausalLM, torch.float32).to(device).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    pad = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "labels": -100}
    started = time.perf_counter()
    for start in range(0, len(rows), task["batch"]):
        part = rows[start : start + task["batch"]]
        batch = {
            name: torch.tensor([(row[name] + [fill] * 384)[:384] for row in part], device=device)
            for name, fill in pad.items()
        }
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return {"seconds": time.perf_counter() - started}


def llamafactory(task: dict) -> dict:
    from llamafactory.train.tuner import run_exp

    folder = Path(task["scratch"]) / "llamafactory"
    folder.mkdir()
    rows = [{"instruction": row["question"], "input": "", "output": row["answer"]} for row in _rows(task)]
    (folder / "rows.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    (folder / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
    run_exp(
        {
            **_arguments(task),
            "output_dir": str(folder / "out"),
            "model_name_or_path": task["model"],
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "lora",
            "lora_rank": 8,
            "lora_alpha": 16,
            "lora_target": {"all-linear": "all"}.get(task["targets"], task["targets"]),
            "dataset": "rows",
            "dataset_dir": str(folder),
            "template": "qwen",
            "default_system": task["system"],
            "cutoff_len": 512,
            "bf16": task["precision"] == "bf16",
            "overwrite_output_dir": True,
        }
    )
    return {"seconds": json.loads((folder / "out" / "train_results.json").read_text())["train_runtime"]}


def _arguments(task: dict) -> dict:
    return {
        "output_dir": str(Path(task["scratch"]) / "out"),
        "per_device_train_batch_size": task["batch"],
        "num_train_epochs": 1,
        "learning_rate": 1e-4,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": not torch.cuda.is_available(),
    }


def _peft_config(task: dict):
    import peft

    targets = task["targets"] if task["targets"] == "all-linear" else task["targets"].split(",")
    made = {
        "lora": lambda: peft.LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"),
        "prompt_tuning": lambda: peft.PromptTuningConfig(num_virtual_tokens=20, task_type="CAUSAL_LM"),
        "p_tuning": lambda: peft.PromptEncoderConfig(
            num_virtual_tokens=20, encoder_hidden_size=896, task_type="CAUSAL_LM"
        ),
        "prefix_tuning": lambda: peft.PrefixTuningConfig(num_virtual_tokens=20, task_type="CAUSAL_LM"),
        "full": lambda: None,
    }
    return made["lora" if task["method"] == "qlora" else task["method"]]()


def _model(task: dict, loader: type, dtype: torch.dtype) -> torch.nn.Module:
    from peft import get_peft_model

    model = loader.from_pretrained(task["model"], dtype=dtype, **_quantised(task))
    model.config.use_cache = False
    config = _peft_config(task)
    return get_peft_model(model, config) if config else model


def _quantised(task: dict) -> dict:
    from transformers import BitsAndBytesConfig

    if task["method"] != "qlora":
        return {}
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=_DTYPES[task["precision"]],
    )
    return {"quantization_config": four_bit}


def _rows(task: dict) -> list[dict]:
    return [json.loads(line) for line in (Path(task["data"]) / "train.json").read_text(encoding="utf-8").splitlines()]


def _tokenised(task: dict) -> tuple[object, list[dict]]:
    """The tokenizer, and per row what a causal model takes; the loss counts answers only."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(task["model"])
    made = []
    for row in _rows(task):
        messages = [{"role": "user", "content": row["question"]}]
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answered = tokenizer(row["answer"] + "<|im_end|>", add_special_tokens=False)["input_ids"]
        ids = (asked + answered)[:512]
        labels = ([-100] * len(asked) + answered)[:512]
        made.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    return tokenizer, made


def _timed(trainer) -> dict:
    return {"seconds": trainer.train().metrics["train_runtime"]}


def product_rate(dtype: torch.dtype, seconds: float = 1.0) -> float:
    """FLOP/s of the products of 1,024 tokens with a feed-forward matrix of the 0.5B shape (a GPU: 16,384 tokens)."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokens = 16384 if device == "cuda" else 1024
    left = torch.randn(tokens, 896, device=device, dtype=dtype)
    right = torch.randn(4864, 896, device=device, dtype=dtype)
    settle = torch.cuda.synchronize if device == "cuda" else lambda: None
    with torch.no_grad():
        for _ in range(3):
            left @ right.T
        settle()
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            left @ right.T
            count += 1
        settle()
    return count * 2 * left.numel() * right.shape[0] / (time.perf_counter() - started)


def _peak() -> int:
    """Bytes: of the GPU where there is one, else the most that this process ever held (Linux)."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    # Not getrusage: there a process begins with the peak of the one that started it.
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


CONTENDERS = {each.__name__: each for each in (ours, ours_bf16, trl, trl_packed, trainer, tutorial, llamafactory)}


def main(name: str, file: Path) -> None:
    task = json.loads(file.read_text())
    os.environ["TUNEDESK_HOME"] = task["scratch"]
    before = {key: product_rate(dtype) for key, dtype in _DTYPES.items()}
    measured = CONTENDERS[name](task)
    peak = _peak()
    rates = {key: (before[key] + product_rate(dtype)) / 2 for key, dtype in _DTYPES.items()}
    file.with_suffix(".done").write_text(json.dumps(measured | {"peak": peak, "rates": rates}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
