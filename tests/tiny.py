"""A tiny model and a tiny data set, made in a second, for tests of everything that needs one."""

import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
FOODS = ["苹果", "西瓜", "香蕉", "牛奶", "鸡蛋", "豆腐", "米饭", "面条"]
ILLNESSES = ["感冒", "发烧", "胃炎", "糖尿病", "高血压", "失眠"]


def make_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """One token a byte, and the special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )
    fast.save_pretrained(folder)
    return fast


def make_model(folder: Path, *, seed: int = 0, **shape: int) -> Path:
    """A random Qwen2 of 3 layers, 32 wide, in fp32, with its tokenizer; `shape` overrides its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(folder)
    torch.manual_seed(seed)
    config = Qwen2Config(
        **{
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
            "tie_word_embeddings": True,
            "initializer_range": 0.1,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
            **shape,
        }
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def make_data(folder: Path, *, train: int = 48, val: int = 12, seed: int = 0) -> Path:
    """Question-answer pairs of unequal length, as `convert` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    for name, count in (("train", train), ("val", val)):
        rows = []
        for i in range(count):
            illness, food = draw.choice(ILLNESSES), draw.choice(FOODS)
            answer = f"{illness}的人可以吃{food}。" + "少量为好。" * draw.randint(0, 4)
            rows.append({"question": f"{illness}能吃{food}吗？({i})", "answer": answer})
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.json").write_text(lines, encoding="utf-8")
    return folder
