"""What a run measures as it goes: which numbers of its events become curves, and what people call them.

Any number that a worker puts into a `step` event (reward, kl, accuracy ...) becomes a column of the run's series and so a
chart of its own; one in an `eval` event does when its name begins with `eval_`, and is drawn with the chart of the rest of
its name. Nothing else has to be done, except to give it a name for people in `METRICS`.
"""

from collections.abc import Iterable

from engine.words import Words

METRICS = {
    "reward": Words("Mean reward", "平均奖励"),
    "loss": Words("Loss", "损失"),
    "eval_loss": Words("Validation loss", "验证损失"),
    "rewards/accuracies": Words("Pairs ranked rightly", "排序正确的比例"),
    "rewards/margins": Words("Reward margin", "奖励差距"),
    "rewards/chosen": Words("Reward of the better", "较好回答的奖励"),
    "rewards/rejected": Words("Reward of the worse", "较差回答的奖励"),
    "accuracy": Words("Pairs ranked rightly", "排序正确的比例"),
    "margin": Words("Score margin", "分数差距"),
    "kl": Words("Distance from the start (KL)", "与原模型的距离（KL）"),
    "completions/mean_length": Words("Answer length (tokens)", "回答长度（token）"),
    "repetition": Words("Repetition", "重复率"),
    "reward_std": Words("Spread of rewards", "奖励的离散程度"),
    "learning_rate": Words("Learning rate", "学习率"),
    "grad_norm": Words("Gradient norm", "梯度范数"),
    "tokens_per_second": Words("Speed (tokens/s)", "速度（token/秒）"),
    "memory_gb": Words("Memory (GB)", "内存（GB）"),
}

# Numbers of a step event that place it and measure nothing.
_PLACES = {"seq", "time", "step", "max_steps", "epoch", "eta_s"}


def measured(event: dict) -> list[str]:
    """The names of the numbers in an event that a curve is drawn of, in the event's order."""
    numbers = [name for name, value in event.items() if type(value) in (int, float) and name not in _PLACES]
    return [name for name in numbers if name.startswith("eval_")] if event["type"] == "eval" else numbers


def aim(names: Iterable[str]) -> str:
    """The column that tells how well a run with such columns goes. Where rewards are earned it is not the loss, which says
    nothing there: it hovers around zero."""
    return "reward" if "reward" in names else "loss"


def ordered(names: list[str]) -> list[str]:
    """The charts that a run with such columns has: those named here in their order, then the others as they came."""
    known = [name for name in METRICS if name in names]
    return known + [name for name in names if name not in METRICS and name not in _PLACES]


def label(name: str, lang: str) -> str:
    return METRICS[name].text(lang) if name in METRICS else name
