"""A workspace with a tiny random model and one finished run of every kind upon it."""

import os
from pathlib import Path

import pytest
import torch
from peft import (
    AdaLoraConfig,
    IA3Config,
    LNTuningConfig,
    LoraConfig,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    get_peft_model,
)
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from engine.runs import store

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TARGETS = ["q_proj", "v_proj"]
ADAPTERS = {
    "lora": lambda: LoraConfig(r=4, target_modules=TARGETS, init_lora_weights=False, task_type="CAUSAL_LM"),
    "lora_mlp": lambda: LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"),
    "dora": lambda: LoraConfig(
        r=4, target_modules=TARGETS, init_lora_weights=False, use_dora=True, task_type="CAUSAL_LM"
    ),
    "adalora": lambda: AdaLoraConfig(
        init_r=4, target_r=2, total_step=10, target_modules=TARGETS, task_type="CAUSAL_LM"
    ),
    "ia3": lambda: IA3Config(
        target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"], task_type="CAUSAL_LM"
    ),
    "qlora": lambda: LoraConfig(r=4, target_modules=TARGETS, init_lora_weights=False, task_type="CAUSAL_LM"),
    "ln_tuning": lambda: LNTuningConfig(target_modules=r".*(norm|layernorm)", task_type="CAUSAL_LM"),
    "prompt_tuning": lambda: PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
    "p_tuning": lambda: PromptEncoderConfig(num_virtual_tokens=4, encoder_hidden_size=16, task_type="CAUSAL_LM"),
    "prefix_tuning": lambda: PrefixTuningConfig(num_virtual_tokens=6, task_type="CAUSAL_LM"),
}


def make_base(folder: Path) -> None:
    text = [
        "感冒了怎么办？多喝水，多休息。",
        "How are you? I am fine, thank you.",
        "糖尿病患者能吃西瓜吗？",
        "你好！",
    ] * 4
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(text, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=special,
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        initializer_range=0.3,  # wide enough that what is asked changes what is answered
        eos_token_id=fast.eos_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)


def make_run(name: str, base: Path) -> None:
    run = store.create(
        {
            "kind": "train",
            "model": str(base),
            "data": "",
            "objective": "sft",
            "method": name,
            "method_params": {},
            "training": {"max_length": 200},
        }
    )
    run.path.rename(run.path.with_name(name))
    folder = run.path.with_name(name)
    model = AutoModelForCausalLM.from_pretrained(base)
    torch.manual_seed(1)
    if name in ADAPTERS:
        model = get_peft_model(model, ADAPTERS[name]())
        learnt = [p for p in model.parameters() if p.requires_grad]
    else:
        learnt = list(model.parameters())
    with torch.no_grad():
        for parameter in learnt:
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    model.save_pretrained(folder / "final")
    AutoTokenizer.from_pretrained(base).save_pretrained(folder / "final")
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    """Its base lies in `models/tiny`; a run's id is its method."""
    home = tmp_path_factory.mktemp("workspace")
    before = os.environ.get("TUNEDESK_HOME")
    os.environ["TUNEDESK_HOME"] = str(home)
    base = home / "models" / "tiny"
    base.mkdir(parents=True)
    make_base(base)
    for name in (*ADAPTERS, "full"):
        make_run(name, base)
    yield home
    if before is None:
        del os.environ["TUNEDESK_HOME"]
    else:
        os.environ["TUNEDESK_HOME"] = before


@pytest.fixture(scope="session")
def base(workspace) -> Path:
    return workspace / "models" / "tiny"


def asked(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]
