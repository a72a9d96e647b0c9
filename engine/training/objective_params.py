"""The parameters of each objective, declared once; names follow TRL."""

import re
from typing import Literal

from pydantic import field_validator

from engine.fields import Params, param
from engine.words import Words


class PreferenceParams(Params):
    """For DPO (Rafailov et al. 2023, arXiv:2305.18290)."""

    beta: float = param(
        0.1,
        Words("Beta", "Beta"),
        Words(
            "How close the model stays to what it was. Higher: closer, and it learns less.",
            "模型与原来保持多接近。越大越接近原来的模型，学到的变化也越少。",
        ),
        gt=0,
        le=10,
    )
    loss_type: Literal["sigmoid", "hinge", "ipo", "robust", "sigmoid_norm", "apo_zero"] = param(
        "sigmoid",
        Words("Loss", "损失函数"),
        Words(
            "How strongly a pair pushes. DPO's own is the usual choice; robust is for data with wrong labels.",
            "一对回答推动模型的方式。一般选 DPO 原本的损失；数据中有标错的就选稳健型。",
        ),
        advanced=True,
        choices={
            "sigmoid": Words("DPO (sigmoid)", "DPO（sigmoid）"),
            "hinge": Words("Hinge (SLiC)", "合页（SLiC）"),
            "ipo": Words("IPO", "IPO"),
            "robust": Words("Robust (wrong labels)", "稳健型（有错标）"),
            "sigmoid_norm": Words("Normalised by length", "按长度归一"),
            "apo_zero": Words("APO-zero", "APO-zero"),
        },
    )
    label_smoothing: float = param(
        0.0,
        Words("Share of wrong labels", "错标比例"),
        Words(
            "The share of pairs that may be the wrong way round. The robust loss needs it above 0.",
            "可能标反了的数据所占的比例。稳健型损失需要大于 0。",
        ),
        advanced=True,
        ge=0,
        lt=0.5,
    )


class ThumbsParams(Params):
    """For KTO (Ethayarajh et al. 2024, arXiv:2402.01306)."""

    beta: float = param(
        0.1,
        Words("Beta", "Beta"),
        Words(
            "How close the model stays to what it was. Higher: closer, and it learns less.",
            "模型与原来保持多接近。越大越接近原来的模型，学到的变化也越少。",
        ),
        gt=0,
        le=10,
    )
    desirable_weight: float = param(
        1.0,
        Words("Weight of thumbs up", "点赞的权重"),
        Words("Raise it where thumbs up are few.", "点赞较少时调大。"),
        advanced=True,
        gt=0,
        le=100,
    )
    undesirable_weight: float = param(
        1.0,
        Words("Weight of thumbs down", "点踩的权重"),
        Words("Raise it where thumbs down are few.", "点踩较少时调大。"),
        advanced=True,
        gt=0,
        le=100,
    )


class RewardParams(Params):
    """For reward models (Ouyang et al. 2022, arXiv:2203.02155)."""

    center_rewards_coefficient: float = param(
        0.01,
        Words("Centre scores", "分数居中"),
        Words(
            "Keeps scores around zero, so that they read well. 0: off.", "让分数保持在零附近，便于阅读；0 表示关闭。"
        ),
        advanced=True,
        choices={0: Words("off", "关闭")},
        ge=0,
        le=1,
    )


class ReinforcementParams(Params):
    """For RLOO (Ahmadian et al. 2024, arXiv:2402.14740) and GRPO (Shao et al. 2024, arXiv:2402.03300)."""

    reward_model: str = param(
        "auto",
        Words("Reward model", "奖励模型"),
        Words(
            "A finished run of the objective “Reward model”.",
            "一个已完成的“奖励模型”任务。",
        ),
        choices={
            "auto": Words("Newest, if no rule", "自动：无规则时用最新的"),
            "none": Words("None: only the rule counts", "不用：只按规则打分"),
        },
        names="reward_models",
        max_length=4096,
    )
    rule: Literal["none", "contains", "equals", "similar", "length", "pattern"] = param(
        "none",
        Words("Rule that gives rewards", "打分规则"),
        Words(
            "Scores an answer from 0 to 1 without a model. With a reward model too, both are added.",
            "不用模型，直接给回答打 0 到 1 分；如果同时有奖励模型，两者相加。",
        ),
        choices={
            "none": Words("No rule", "不用规则"),
            "contains": Words("Contains the reference answer", "包含参考答案"),
            "equals": Words("Equals the reference answer", "与参考答案相同"),
            "similar": Words("Resembles the reference answer", "接近参考答案"),
            "length": Words("Has the wanted length", "长度合适"),
            "pattern": Words("Matches a pattern", "符合指定格式"),
        },
    )
    target_length: int = param(
        20,
        Words("Wanted length", "期望长度"),
        Words("Characters; for the rule “Has the wanted length”.", "字数，用于规则“长度合适”。"),
        ge=1,
        le=100_000,
    )
    pattern: str = param(
        "",
        Words("Pattern", "格式（正则表达式）"),
        Words(
            "A regular expression that the whole answer must match; for the rule “Matches a pattern”.",
            "整个回答必须匹配的正则表达式，用于规则“符合指定格式”。",
        ),
        max_length=1000,
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(str(error)) from error
        return pattern

    num_generations: int = param(
        4,
        Words("Answers per question", "每题回答数"),
        Words(
            "Answers tried for each question; each is judged against the others. The batch size counts answers.",
            "每个问题尝试多少个回答，互相比较优劣。批大小按回答数计算。",
        ),
        ge=2,
        le=64,
    )
    max_completion_length: int = param(
        64,
        Words("Longest answer", "最长回答"),
        Words("Tokens after which an answer is cut while training.", "训练中回答超过这么多 token 就截断。"),
        ge=4,
        le=8192,
    )
    temperature: float = param(
        1.0,
        Words("Temperature", "温度"),
        Words("How varied the tried answers are.", "尝试的回答有多多样。"),
        advanced=True,
        gt=0,
        le=5,
    )
    beta: float = param(
        0.05,
        Words("Hold to the start (KL)", "不偏离原模型（KL）"),
        Words(
            "How strongly the model is held to what it was, so that it does not talk nonsense for reward.",
            "以多大力度拉住模型，避免它为了分数胡言乱语。",
        ),
        ge=0,
        le=10,
    )
