"""What a model learns from: one entry an objective. Which parameters move is the method's business (`methods.py`).

`recipe` runs in the worker, so torch and the trainers are imported inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import NotFound
from engine.fields import Params
from engine.training import objective_params as parameters
from engine.training import rewards
from engine.words import Words

if TYPE_CHECKING:
    from engine.training.recipe import Recipe


class NoParams(Params):
    """For objectives without parameters of their own."""


def _as_given(params: Params) -> Params:
    return params


@dataclass(frozen=True)
class ObjectiveSpec:
    """formats: formats of data sets (as `convert` writes them) that it learns from.
    methods: keys of those that serve it, None for all; `methods_reason` says why not the others.
    recipe(): the class that knows how to train it.
    metrics: what the trainer tells at each step beside the loss; `engine.runs.metrics` has the names for people.
    resolve(params): `params` with what they name found, when a run is made.
    not_in_parts: why it cannot train a model that lies in parts on several devices, None where it can.
    rate_share: the share of a method's default learning rate that is its default here.
    least_batch_size: fewer rows a step teach it nothing.
    evaluates: the validation rows are measured during training.
    looks: how often a row is read without learning from it, by the model or by the frozen copy of its start.
    has_copy: there is such a copy.
    gives_tokens: the model says tokens in the end, not a score.
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
    metrics: tuple[str, ...] = ()
    resolve: Callable[[Params], Params] = _as_given
    not_in_parts: Words | None = None
    rate_share: float = 1.0
    least_batch_size: int = 1
    evaluates: bool = True
    looks: int = 0
    has_copy: bool = False
    gives_tokens: bool = True

    @property
    def packed(self) -> bool:
        """Trained by this house's own trainer, not by one of TRL's."""
        return self.recipe is _packed

    @property
    def tries(self) -> bool:
        """The model answers as it learns, for as long as it likes."""
        return issubclass(self.params, parameters.ReinforcementParams)


# They compare with a second model, or let the model answer while it learns.
_WHOLE = Words(
    "it needs the whole model on each device; choose that each device keeps the whole model",
    "它需要每个设备上都有完整的模型；请选择让每个设备存放完整模型",
)


def _packed() -> type[Recipe]:
    from engine.training.packed import Packed

    return Packed


def _dpo() -> type[Recipe]:
    from engine.training.preferences import Dpo

    return Dpo


def _kto() -> type[Recipe]:
    from engine.training.preferences import Kto

    return Kto


def _reward() -> type[Recipe]:
    from engine.training.reward import Reward

    return Reward


def _rloo() -> type[Recipe]:
    from engine.training.reinforcement import Rloo

    return Rloo


def _grpo() -> type[Recipe]:
    from engine.training.reinforcement import Grpo

    return Grpo


_REWARD_METRICS = ("reward", "reward_std", "kl", "completions/mean_length", "repetition")
_QUESTIONS = Words(
    "questions (with reference answers for the rules that compare), and a reward model or a rule",
    "问题（按参考答案打分的规则还需要参考答案），以及一个奖励模型或打分规则",
)
_ASKING = ("qa", "alpaca", "messages", "preference", "kto")
_THUMB_METRICS = ("rewards/margins", "rewards/chosen", "rewards/rejected")

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
    ObjectiveSpec(
        key="dpo",
        label=Words("Preferences (DPO)", "偏好优化（DPO）"),
        summary=Words(
            "Show the model two answers to the same question, a better and a worse one; it learns to prefer what you "
            "prefer. Best after SFT.",
            "对同一个问题给出一好一差两个回答，让模型学会偏向您喜欢的那个。适合在监督微调之后进行。",
        ),
        formats=("preference",),
        needs=Words(
            "columns for the question, the better answer and the worse answer", "问题列、较好回答列与较差回答列"
        ),
        recipe=_dpo,
        params=parameters.PreferenceParams,
        metrics=("rewards/accuracies", *_THUMB_METRICS),
        rate_share=0.2,
        looks=1,
        has_copy=True,
        not_in_parts=_WHOLE,
    ),
    ObjectiveSpec(
        key="kto",
        label=Words("Thumbs up and down (KTO)", "点赞点踩（KTO）"),
        summary=Words(
            "Single answers with a thumbs up or down are enough: no pairs needed.",
            "只需要单个回答和一个赞或踩，不需要成对的回答。",
        ),
        formats=("kto",),
        needs=Words(
            "columns for the question, the answer and a label (good or bad)", "问题列、回答列与标签列（好或坏）"
        ),
        recipe=_kto,
        params=parameters.ThumbsParams,
        metrics=_THUMB_METRICS,
        rate_share=0.2,
        # What is learnt from an answer is held against the other answers of its batch.
        least_batch_size=2,
        # The copy reads it too, and both read another answer to the same question, to know how far the model has moved.
        looks=3,
        has_copy=True,
        not_in_parts=_WHOLE,
    ),
    ObjectiveSpec(
        key="reward",
        label=Words("Reward model", "奖励模型"),
        summary=Words(
            "Does not chat: it learns from pairs to give any answer a score. RLHF and the AI judge can use it.",
            "它不聊天，而是从成对的回答中学会给任何回答打分，供强化学习和 AI 评审使用。",
        ),
        formats=("preference",),
        needs=Words(
            "columns for the question, the better answer and the worse answer", "问题列、较好回答列与较差回答列"
        ),
        recipe=_reward,
        params=parameters.RewardParams,
        metrics=("accuracy", "margin"),
        rate_share=0.5,
        gives_tokens=False,
        not_in_parts=_WHOLE,
    ),
    ObjectiveSpec(
        key="rloo",
        label=Words("RLHF (RLOO)", "强化学习（RLOO）"),
        summary=Words(
            "The model tries answers, a reward model or a rule scores them, and it learns to earn more. Simple and steady.",
            "模型自己尝试回答，由奖励模型或规则打分，学着拿更高的分。简单而稳定。",
        ),
        formats=_ASKING,
        needs=_QUESTIONS,
        recipe=_rloo,
        params=parameters.ReinforcementParams,
        metrics=_REWARD_METRICS,
        resolve=rewards.resolved,
        rate_share=0.4,
        evaluates=False,
        looks=1,
        has_copy=True,
        not_in_parts=_WHOLE,
    ),
    ObjectiveSpec(
        key="grpo",
        label=Words("RLHF (GRPO)", "强化学习（GRPO）"),
        summary=Words(
            "As RLOO, with each answer judged against the spread of its group: known from DeepSeek-R1.",
            "与 RLOO 类似，按同组回答的离散程度来衡量好坏；因 DeepSeek-R1 而知名。",
        ),
        formats=_ASKING,
        needs=_QUESTIONS,
        recipe=_grpo,
        params=parameters.ReinforcementParams,
        metrics=_REWARD_METRICS,
        resolve=rewards.resolved,
        rate_share=0.4,
        evaluates=False,
        looks=1,
        has_copy=True,
        not_in_parts=_WHOLE,
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
