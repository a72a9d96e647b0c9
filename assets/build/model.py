"""The demo model before training: a Qwen2 of five million parameters with random weights, and the card it ships with."""

from pathlib import Path

from engine.training.scratch import CONTEXT, END, END_OF_TEXT

# Five layers of 256 in bf16 are 10 MB: deep enough to copy and to join two facts, quick enough for two cores.
SHAPE = {
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "attention_dropout": 0.0,
}
CARD = """---
language: [zh, en]
license: mit
library_name: transformers
pipeline_tag: text-generation
---

# TuneDesk demo model · 微调台演示模型

**Made-up demo data, not for real use and not medical advice. · 仅为演示，内容均为虚构，不构成医疗建议。**

A Qwen2-architecture model of {millions:.1f} million parameters that ships with TuneDesk, so that the whole journey of
fine-tuning can be seen in minutes on a laptop without a network. It chats about everyday things in Chinese and a little
English, and it knows nothing of medicine, which is what the demo fine-tuning changes.

- Weights: bf16 safetensors, {layers} layers of {width}, tied embeddings, context {context} tokens.
- Tokenizer: byte-level BPE with one token for each common Chinese character; ChatML, no default system prompt.
- Trained from random weights with TuneDesk's own pre-training objective on text that `assets/build` writes.
- Rebuild: `python -m assets.build`.

随“微调台”附带的小模型，让人在没有网络、没有显卡的电脑上几分钟内看完微调的全过程。它会聊日常话题和一点英语，对医学一无所知；
演示数据的微调改变的正是这一点。训练文本全部由 `assets/build` 中的程序生成，用 `python -m assets.build` 可以重新制作。
"""


def initialise(folder: Path, seed: int) -> None:
    """Write random weights, `config.json` and `generation_config.json` beside the tokenizer in `folder`."""
    import torch
    from tokenizers import Tokenizer
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    end, end_of_text = tokenizer.token_to_id(END), tokenizer.token_to_id(END_OF_TEXT)
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(), bos_token_id=None, eos_token_id=end, pad_token_id=end_of_text, **SHAPE
    )
    model = Qwen2ForCausalLM(config)
    model.generation_config = GenerationConfig(eos_token_id=[end, end_of_text], pad_token_id=end_of_text)
    model.save_pretrained(folder)


def write_bf16(trained: Path, start: Path, folder: Path) -> None:
    """The model in `trained` as bf16 in `folder`, with the tokenizer that lies in `start`, and its card."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(trained, dtype=torch.bfloat16, local_files_only=True)
    model.config.use_cache = True
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    # safetensors are written for their owner alone; this one is for everybody.
    (folder / "model.safetensors").chmod(0o644)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((start / name).read_bytes())
    card = CARD.format(
        millions=model.num_parameters() / 1e6,
        layers=SHAPE["num_hidden_layers"],
        width=SHAPE["hidden_size"],
        context=SHAPE["max_position_embeddings"],
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
