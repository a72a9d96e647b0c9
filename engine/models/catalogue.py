"""The models offered for download: a short list for people who know none by name, smallest cost first among equals."""

from dataclasses import dataclass

from engine.models import shape
from engine.models.shape import Shape
from engine.words import Words

_QWEN_2 = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151_936,
    "tie_word_embeddings": True,
}
_QWEN_3 = {"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "tie_word_embeddings": True}
_SMOL = {"vocab_size": 49_152, "tie_word_embeddings": True}


@dataclass(frozen=True)
class Offer:
    """`ids`: its ID on each hub; `bytes`: of the download; `config`: what its `config.json` says of its sizes."""

    ids: dict[str, str]
    bytes: int
    licence: str
    text: Words
    config: dict

    @property
    def name(self) -> str:
        return self.ids["huggingface"].partition("/")[2]

    @property
    def shape(self) -> Shape:
        return shape.of_config(self.config)


def _both(id: str) -> dict[str, str]:
    return {"modelscope": id, "huggingface": id}


OFFERS = (
    Offer(
        ids=_both("Qwen/Qwen2.5-0.5B"),
        bytes=1_000_000_000,
        licence="Apache 2.0",
        text=Words(
            "The usual start: small, good Chinese and English. It continues text and has not learnt to chat yet.",
            "常见的起点：体积小，中英文都不错。它只会续写，还没有学过对话。",
        ),
        config=_QWEN_2,
    ),
    Offer(
        ids=_both("Qwen/Qwen2.5-0.5B-Instruct"),
        bytes=1_000_000_000,
        licence="Apache 2.0",
        text=Words(
            "The same size, taught to answer questions: before and after are easier to compare.",
            "同样大小，已学会回答问题：更容易对比微调前后。",
        ),
        config=_QWEN_2,
    ),
    Offer(
        ids=_both("Qwen/Qwen3-0.6B"),
        bytes=1_520_000_000,
        licence="Apache 2.0",
        text=Words("The next generation of Qwen at its smallest.", "新一代 Qwen 中最小的一个。"),
        config=_QWEN_3
        | {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16},
    ),
    Offer(
        ids=_both("Qwen/Qwen3-1.7B"),
        bytes=4_080_000_000,
        licence="Apache 2.0",
        text=Words("Clearly cleverer; wants patience or a GPU.", "明显更聪明；需要耐心，或一块显卡。"),
        config=_QWEN_3
        | {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16},
    ),
    Offer(
        ids=_both("Qwen/Qwen3-4B"),
        bytes=8_060_000_000,
        licence="Apache 2.0",
        text=Words("For a GPU, best with QLoRA.", "适合有显卡的电脑，建议使用 QLoRA。"),
        config=_QWEN_3
        | {"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32},
    ),
    Offer(
        ids=_both("HuggingFaceTB/SmolLM2-135M-Instruct"),
        bytes=272_000_000,
        licence="Apache 2.0",
        text=Words("Very small and quick, English only.", "非常小、非常快，只懂英文。"),
        config=_SMOL
        | {
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
        },
    ),
    Offer(
        ids=_both("HuggingFaceTB/SmolLM2-360M-Instruct"),
        bytes=728_000_000,
        licence="Apache 2.0",
        text=Words("Small and quick, English only.", "小而快，只懂英文。"),
        config=_SMOL
        | {
            "hidden_size": 960,
            "intermediate_size": 2560,
            "num_hidden_layers": 32,
            "num_attention_heads": 15,
            "num_key_value_heads": 5,
        },
    ),
    Offer(
        ids={
            "modelscope": "AI-ModelScope/TinyLlama-1.1B-Chat-v1.0",
            "huggingface": "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        },
        bytes=2_202_000_000,
        licence="Apache 2.0",
        text=Words("The layout of Llama 2, small enough to try; English.", "Llama 2 的结构，小到可以试用；英文。"),
        config={
            "hidden_size": 2048,
            "intermediate_size": 5632,
            "num_hidden_layers": 22,
            "num_attention_heads": 32,
            "num_key_value_heads": 4,
            "vocab_size": 32_000,
            "tie_word_embeddings": False,
        },
    ),
)
