"""A model from nothing: random weights in the shape of Qwen2, in a few sizes, with a tokenizer learnt on a text or taken
from a model. Pre-training makes something of it. No torch: the weights are drawn by NumPy.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from engine import home
from engine.data import datasets
from engine.errors import Exists, NoRows, NotAModel
from engine.fields import Params, param
from engine.models import library
from engine.words import Words

# (hidden size, layers, attention heads, key-value heads, width of the feed-forward)
SHAPES = {
    "tiny": (128, 4, 4, 2, 384),
    "small": (256, 5, 4, 2, 768),
    "medium": (512, 8, 8, 2, 1536),
    "large": (768, 12, 12, 4, 2304),
}
CONTEXT = 1024
# The deviation of the first weights, as in Qwen2's configuration.
DEVIATION = 0.02
END_OF_TEXT, START, END = SPECIAL = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
# ChatML without a default system prompt.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# How Qwen2 parts text before merging: words with the blank before them, single digits, runs of punctuation.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Characters of text that a tokenizer is learnt on at most: more changes it little.
_READ = 20_000_000
_NO_TEXT = Words("Choose a data set that holds some text.", "请选择一个含有文本的数据集。")
_NO_TOKENIZER = Words("it has no tokenizer.json", "其中没有 tokenizer.json")


class ScratchParams(Params):
    """What a new model is like."""

    size: Literal["tiny", "small", "medium", "large"] = param(
        "small",
        Words("Size", "大小"),
        Words(
            "Larger models learn more and take longer: minutes for tiny and small, hours to days beyond, best on a GPU.",
            "越大学得越多，也越慢：微型和小型只需几分钟，再大就要几小时到几天，最好有 GPU。",
        ),
        choices={
            "tiny": Words("Tiny (1 M and words)", "微型（约 1M 加词表）"),
            "small": Words("Small, as the demo (4 M)", "小型，与演示模型相同（约 4M）"),
            "medium": Words("Medium (24 M)", "中型（约 24M）"),
            "large": Words("Large (80 M)", "大型（约 80M）"),
        },
    )
    vocab_size: int = param(
        4000,
        Words("Tokens to learn", "词表大小"),
        Words(
            "How many pieces of words the tokenizer learns from the text; Chinese wants more than English.",
            "分词器从文本中学习多少个词片；中文需要比英文更多。",
        ),
        advanced=True,
        ge=300,
        le=200_000,
    )
    seed: int = param(
        42,
        Words("Seed", "随机种子"),
        Words("The same seed, the same first weights.", "种子相同，初始权重就相同。"),
        advanced=True,
        ge=0,
        lt=2**31,
    )


def create(name: str, params: ScratchParams, text: str | None = None, like: str | None = None) -> Path:
    """A new model called `name` in the workspace's library; returns its folder.

    text: the data set whose text the tokenizer is learnt on. like: the model whose tokenizer is taken instead.

    Raises:
        Exists: there is a model of that name. NotFound, NotAModel, NoRows: as they say.
        OutsideFolder, Unsupported: `name` is not a plain name.
    """
    target = home.folder("models") / datasets.place(name).name
    if target.exists():
        raise Exists(path=name)
    with home.new_folder(target) as folder:
        if like is not None:
            _take_tokenizer(library.base(library.find(like)), folder)
        else:
            write_tokenizer(learn_tokenizer(_texts(text or ""), params.vocab_size), folder)
        _write_model(folder, params)
    return target


def byte_level(model: models.BPE) -> Tokenizer:
    """`model` in the layout of Qwen2: any text can be said with it."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def learn_tokenizer(texts: Iterator[str], vocab_size: int) -> Tokenizer:
    """A `byte_level` tokenizer that knows the words of `texts`.

    Raises:
        NoRows: there is no text.
    """
    tokenizer = byte_level(models.BPE())
    first = next(texts, None)
    if first is None:
        raise NoRows(read=0, dropped=0, hint=_NO_TEXT)

    def all_texts() -> Iterator[str]:
        yield first
        yield from texts

    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(all_texts(), trainer)
    return tokenizer


def _texts(data: str) -> Iterator[str]:
    """What is said in the rows of a data set of any form, up to a bound."""
    left = _READ
    for row in datasets.rows(datasets.find(data) / "train.json"):
        said = "\n".join(_strings(row))
        if said.strip():
            yield said
            left -= len(said)
        if left <= 0:
            return


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """`tokenizer.json` and `tokenizer_config.json` in `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "tokenizer_class": "Qwen2Tokenizer",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "bos_token": None,
        "eos_token": END,
        "pad_token": END_OF_TEXT,
        "unk_token": None,
        "model_max_length": CONTEXT,
        "chat_template": CHAT_TEMPLATE,
    }
    home.write_json(folder / "tokenizer_config.json", config)


def _take_tokenizer(source: Path, folder: Path) -> None:
    if not (source / "tokenizer.json").is_file():
        raise NotAModel(path=str(source), reason=_NO_TOKENIZER)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def _write_model(folder: Path, params: ScratchParams) -> None:
    """config.json, generation_config.json and random weights that go with the tokenizer in `folder`."""
    hidden, layers, heads, kv_heads, inner = SHAPES[params.size]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    said = home.read_json(folder / "tokenizer_config.json")
    end, pad = (tokenizer.token_to_id(_named(said.get(name))) for name in ("eos_token", "pad_token"))
    vocabulary = tokenizer.get_vocab_size()
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "max_position_embeddings": CONTEXT,
        "initializer_range": DEVIATION,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "attention_dropout": 0.0,
        "dtype": "float32",
        "bos_token_id": None,
        "eos_token_id": end,
        "pad_token_id": end if pad is None else pad,
    }
    home.write_json(folder / "config.json", config)
    ends = {"eos_token_id": end, "pad_token_id": config["pad_token_id"]}
    home.write_json(folder / "generation_config.json", ends)
    weights = _weights(np.random.default_rng(params.seed), hidden, layers, heads, kv_heads, inner, vocabulary)
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})


def _weights(
    draw: np.random.Generator, hidden: int, layers: int, heads: int, kv_heads: int, inner: int, vocabulary: int
) -> dict[str, np.ndarray]:
    """As Qwen2 begins: matrices normal around zero, biases zero, norms one."""
    of_keys = hidden // heads * kv_heads

    def matrix(outputs: int, inputs: int) -> np.ndarray:
        return draw.normal(0, DEVIATION, (outputs, inputs)).astype(np.float32)

    ones, weights = np.ones(hidden, np.float32), {"model.embed_tokens.weight": matrix(vocabulary, hidden)}
    for i in range(layers):
        layer = f"model.layers.{i}"
        for name, outputs in (("q_proj", hidden), ("k_proj", of_keys), ("v_proj", of_keys)):
            weights[f"{layer}.self_attn.{name}.weight"] = matrix(outputs, hidden)
            weights[f"{layer}.self_attn.{name}.bias"] = np.zeros(outputs, np.float32)
        weights[f"{layer}.self_attn.o_proj.weight"] = matrix(hidden, hidden)
        weights[f"{layer}.mlp.gate_proj.weight"] = matrix(inner, hidden)
        weights[f"{layer}.mlp.up_proj.weight"] = matrix(inner, hidden)
        weights[f"{layer}.mlp.down_proj.weight"] = matrix(hidden, inner)
        weights[f"{layer}.input_layernorm.weight"] = ones.copy()
        weights[f"{layer}.post_attention_layernorm.weight"] = ones.copy()
    return weights | {"model.norm.weight": ones.copy()}


def _named(token: object) -> str:
    """A special token as tokenizer_config.json writes it: text, or an object around it."""
    return token["content"] if isinstance(token, dict) else token or ""
