"""What a run measures as it goes: which numbers of its events become curves, and what people call them.

Any number that a worker puts into a `step` event (reward, kl, accuracy ...) becomes a column of the run's series and so a
chart of its own; one in an `eval` event does when its name begins with `eval_`, and is drawn with the chart of the rest of
its name. Nothing else has to be done, except to give it a name for people in `METRICS`.
"""

from engine.words import Words

METRICS = {
    "loss": Words("Loss", "损失"),
    "eval_loss": Words("Validation loss", "验证损失"),
    "reward": Words("Reward", "奖励"),
    "reward_std": Words("Spread of the rewards", "奖励的离散程度"),
    "kl": Words("Distance from the start (KL)", "与初始模型的距离（KL）"),
    "entropy": Words("Entropy", "熵"),
    "accuracy": Words("Accuracy", "准确率"),
    "margin": Words("Margin", "奖励差"),
    "chosen_reward": Words("Reward of the chosen", "被选回答的奖励"),
    "rejected_reward": Words("Reward of the rejected", "落选回答的奖励"),
    "answer_length": Words("Answer length (tokens)", "回答长度（token）"),
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


def ordered(names: list[str]) -> list[str]:
    """The charts that a run with such columns has: those named here in their order, then the others as they came."""
    known = [name for name in METRICS if name in names]
    return known + [name for name in names if name not in METRICS and name not in _PLACES]


def label(name: str, lang: str) -> str:
    return METRICS[name].text(lang) if name in METRICS else name
