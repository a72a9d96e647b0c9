"""The reference: fine-tuning as any tutorial writes it, over PEFT and torch alone, with padded batches and full logits."""

import json
from pathlib import Path

import torch
import transformers
from bitsandbytes.nn import Linear4bit
from peft.optimizers import create_loraplus_optimizer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, get_scheduler

from engine.training import batching, methods


def names(cases: list[tuple[str, dict]]) -> list[str]:
    """What pytest calls (method, parameters)."""
    return [f"{key}-{'-'.join(map(str, params.values()))}" if params else key for key, params in cases]


def conversations(tokenizer, data: Path, max_length: int, split: str = "train") -> list[tuple[list[int], list[int]]]:
    """(ids, labels) of each training row; -100 where the loss does not count."""
    rows = []
    for line in (data / f"{split}.json").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        question = [{"role": "user", "content": row["question"]}]
        prompt = tokenizer.apply_chat_template(question, tokenize=False, add_generation_prompt=True)
        asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answered = tokenizer(f"{row['answer']}<|im_end|>", add_special_tokens=False)["input_ids"]
        if len(asked) < max_length:
            rows.append(((asked + answered)[:max_length], ([-100] * len(asked) + answered)[:max_length]))
    return rows


def texts(tokenizer, data: Path, max_length: int) -> list[tuple[list[int], list[int]]]:
    """The same of texts, whose every token counts."""
    lines = (data / "train.json").read_text(encoding="utf-8").splitlines()
    rows = [tokenizer(json.loads(line)["text"] + tokenizer.eos_token)["input_ids"][:max_length] for line in lines]
    return [(ids, ids) for ids in rows]


def padded(rows: list[tuple[list[int], list[int]]]) -> dict[str, torch.Tensor]:
    width = max(len(ids) for ids, _ in rows)
    return {
        "input_ids": torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in rows]),
        "labels": torch.tensor([labels + [-100] * (width - len(labels)) for _, labels in rows]),
        "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows]),
    }


def prepare(path: Path, method: str, params: dict, total_steps: int, seed: int, dtype: torch.dtype = torch.float32):
    """The model that our own run trains, with the same random start."""
    spec = methods.get(method)
    transformers.set_seed(seed)
    model = spec.prepare(load_base(path, method, params), spec.params(**params), total_steps)
    return model.to(dtype) if dtype != torch.float32 else model


def load_base(path: Path, method: str, params: dict) -> PreTrainedModel:
    spec = methods.get(method)
    quantisation = spec.quantisation(spec.params(**params), torch.float32)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, quantization_config=quantisation)
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False  # its kernel wants layers wider than the tiny model's
    return model


def optimizer(model: torch.nn.Module, learning_rate: float, params: dict) -> torch.optim.Optimizer:
    if "loraplus_lr_ratio" in params:
        ratio = params["loraplus_lr_ratio"]
        return create_loraplus_optimizer(
            model, torch.optim.AdamW, lr=learning_rate, loraplus_lr_ratio=ratio, loraplus_weight_decay=0.0
        )
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=learning_rate, weight_decay=0.0)


def loop(
    path: Path,
    data: Path,
    method: str,
    *,
    params: dict,
    steps: int,
    batch_size: int,
    learning_rate: float,
    max_length: int = 512,
    seed: int = 42,
    dtype: torch.dtype = torch.float32,
    read=conversations,
) -> tuple[list[float], torch.nn.Module]:
    """The loss of each step, and the trained model. `read`: `conversations` or `texts`."""
    rows = read(AutoTokenizer.from_pretrained(path), data, max_length)
    model = prepare(path, method, params, steps, seed, dtype)
    trained = [p for p in model.parameters() if p.requires_grad]
    adam = optimizer(model, learning_rate, params)
    schedule = get_scheduler("cosine", adam, num_warmup_steps=0, num_training_steps=steps)
    model.train()
    losses = []
    per_epoch = -(-len(rows) // batch_size)
    for step in range(steps):
        permutation = batching.order(len(rows), seed, step // per_epoch)
        place = step % per_epoch * batch_size
        batch = padded([rows[i] for i in permutation[place : place + batch_size]])
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        adam.step()
        if method == "adalora":
            model.base_model.update_and_allocate(step)
        schedule.step()
        adam.zero_grad()
        losses.append(loss.item())
    return losses, model
