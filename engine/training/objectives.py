"""What a model learns from: one entry an objective. Which parameters move is the method's business (`methods.py`).

`recipe` runs in the worker, so torch and the trainers are imported inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.errors import NotFound
from engine.fields import Params
from engine.words import Words

if TYPE_CHECKING:
    from engine.training.recipe import Recipe


class NoParams(Params):
    """For objectives and methods without parameters of their own."""


@dataclass(frozen=True)
class ObjectiveSpec:
    """formats: formats of data sets (as `convert` writes them) that it learns from.
    methods: keys of those that serve it, None for all; `methods_reason` says why not the others.
    recipe(): the class that knows how to train it.
    metrics: what the trainer tells at each step beside the loss, and how people call it.
    rate_share: the share of a method's default learning rate that is its default here.
    """

    key: str
    label: Words
    summary: Words
    formats: tuple[str, ...]
    needs: Words
    recipe: Callable[[], type[Recipe]]
    params: type[Params] = NoParams
    methods: tuple[str, ...] | None = None
    methods_reason: Words | None = None
    metrics: dict[str, Words] = field(default_factory=dict)
    rate_share: float = 1.0


def _packed() -> type[Recipe]:
    from engine.training.packed import Packed

    return Packed


OBJECTIVES = (
    ObjectiveSpec(
        key="sft",
        label=Words("Supervised fine-tuning (SFT)", "监督微调（SFT）"),
        summary=Words(
            "Show the model questions with the answers you want; it learns to answer like them. Take this to start with.",
            "给模型看问题和您想要的回答，它学着照样回答。第一次使用请选它。",
        ),
        formats=("qa", "alpaca", "messages"),
        needs=Words("question and answer columns, or conversations", "问题列与回答列，或多轮对话"),
        recipe=_packed,
    ),
    ObjectiveSpec(
        key="pretrain",
        label=Words("Pre-training", "预训练"),
        summary=Words(
            "Let the model read plain text and guess each next token, with no questions or answers: for new words, a new "
            "subject or a new language.",
            "让模型阅读纯文本，逐个猜测下一个 token，不需要问题和回答：适合学习新词汇、新领域或新语言。",
        ),
        formats=("text",),
        needs=Words("plain text", "纯文本"),
        recipe=_packed,
    ),
)


def get(key: str) -> ObjectiveSpec:
    """Raises:
    NotFound: naming the keys there are.
    """
    for spec in OBJECTIVES:
        if spec.key == key:
            return spec
    known = ", ".join(spec.key for spec in OBJECTIVES)
    raise NotFound(
        kind=Words("objective", "训练目标"), name=key, hint=Words(f"There are: {known}.", f"可选：{known}。")
    )
