"""What a curve says, in plain words: falling, rising, flat, overfitting, diverging. It judges numbers and knows no model.

The thresholds are rules of thumb: noise of a few per cent between neighbouring stretches of a run is normal.
"""

import math
import statistics
import time
from pathlib import Path

from engine.errors import LossNotFinite
from engine.runs.metrics import aim
from engine.runs.store import Run
from engine.words import Words

_POINTS = 3000
_READ_EVERY = 3.0
_EARLIEST = 12
_FLAT = 0.01
# Of all that it fell: near zero a per cent is nothing.
_LITTLE = 0.02
_RISEN = 0.1
_OVERFITTED = 0.02
_FEW_ROWS = 30

_TOO_EARLY = Words("Too early to judge the curve.", "步数太少，还不能判断曲线。")
_TOO_FEW = Words(
    "Only {rows} rows to learn from: the model will know them by heart and little else. A hundred or more teach better.",
    "只有 {rows} 行训练数据：模型只会把它们背下来，学不到别的。一百行以上效果会好得多。",
)
_NOT_FINITE = Words(
    "The loss is not a number since step {step}: the learning rate is probably too high; try a tenth of it.",
    "从第 {step} 步起损失不再是有效数字：学习率很可能过高，请改为十分之一再试。",
)
_RISING = Words(
    "The loss rises instead of falling: the learning rate is probably too high; try a third of it.",
    "损失不降反升：学习率很可能过高，请改为三分之一再试。",
)
_OVERFITTING = Words(
    "Overfitting since step {step}: the model learns the rows by heart, and on unseen rows it gets worse. The checkpoint "
    "of step {step} is the best and is kept.",
    "从第 {step} 步起开始过拟合：模型在死记训练数据，对没见过的数据反而变差。第 {step} 步的检查点最好，已保留。",
)
_FALLING = Words("The loss is falling as it should.", "损失正在正常下降。")
_MORE = Words(
    "The loss was still falling at the end: more epochs would probably help.",
    "结束时损失仍在下降：增加训练轮数很可能会更好。",
)
_FLAT_NOW = Words(
    "The loss has hardly changed for a while: it has learnt what it can with these settings.",
    "损失已经有一段时间几乎不变：在当前设置下，能学到的基本都学到了。",
)
_NOTHING_LEARNT = Words(
    "The loss has hardly changed since the start: try a higher learning rate, or check that the data suits the task.",
    "损失从一开始就几乎没有变化：请尝试调高学习率，或检查数据是否合适。",
)
_EARNS_MORE = Words("The reward is rising: {first} at first, {last} now.", "奖励在上升：开始时 {first}，现在 {last}。")
_EARNS_LESS = Words(
    "The reward is falling: {first} at first, {last} now. The learning rate is probably too high; try a third of it.",
    "奖励在下降：开始时 {first}，现在 {last}。学习率很可能过高，请改为三分之一再试。",
)
_EARNS_THE_SAME = Words(
    "The reward has hardly changed: {first} at first, {last} now. Train longer, or try a higher learning rate.",
    "奖励几乎没有变化：开始时 {first}，现在 {last}。可以延长训练，或调高学习率。",
)

_kept: dict[Path, tuple[tuple[int, str], float, Words]] = {}


def reading(run: Run) -> Words:
    """One sentence on the loss curve of `run`. A curve that grows is read anew every few seconds, however many ask."""
    seen, now = (run.log.last_seq(), run.status()["state"]), time.monotonic()
    known = _kept.get(run.path)
    if known is None or (known[0] != seen and now - known[1] > _READ_EVERY):
        known = _kept[run.path] = (seen, now, _read(run))
    return known[2]


def _read(run: Run) -> Words:
    shown = run.series(limit=_POINTS)
    steps, losses = shown["steps"]["step"], shown["steps"]["loss"]
    status = run.status()
    if None in losses:
        return _NOT_FINITE.filled(step=steps[losses.index(None)])
    # A trainer stops before it tells of such a step.
    if status["error"] and status["error"]["error"] == LossNotFinite.__name__:
        return _NOT_FINITE.filled(step=status["error"]["details"]["step"])
    rows = status["rows"]
    if rows is not None and rows < _FEW_ROWS:
        return _TOO_FEW.filled(rows=rows)
    if len(losses) < _EARLIEST:
        return _TOO_EARLY
    if aim(shown["steps"]) == "reward":
        return _of_rewards([reward for reward in shown["steps"]["reward"] if reward is not None])
    overfitted = _overfitted_since(shown["evals"]["step"], shown["evals"]["eval_loss"])
    if overfitted is not None:
        return _OVERFITTING.filled(step=overfitted)
    parts = [statistics.median(losses[len(losses) * i // 6 : len(losses) * (i + 1) // 6]) for i in range(6)]
    if parts[-1] > min(parts) * (1 + _RISEN) and parts[-1] > parts[0]:
        return _RISING
    if parts[-1] > parts[-2] * (1 - _FLAT) or parts[-2] - parts[-1] < _LITTLE * (parts[0] - parts[-1]):
        return _FLAT_NOW if parts[-1] < parts[0] * (1 - 5 * _FLAT) else _NOTHING_LEARNT
    return _MORE if status["state"] == "finished" else _FALLING


def _of_rewards(rewards: list[float]) -> Words:
    """The last third against the first: a change counts beyond twice its standard error."""
    third = len(rewards) // 3
    first, last = rewards[:third], rewards[-third:]
    gain = statistics.fmean(last) - statistics.fmean(first)
    error = math.sqrt((statistics.variance(first) + statistics.variance(last)) / third)
    said = _EARNS_THE_SAME if abs(gain) <= 2 * error else _EARNS_MORE if gain > 0 else _EARNS_LESS
    return said.filled(first=f"{statistics.fmean(first):.2f}", last=f"{statistics.fmean(last):.2f}")


def _overfitted_since(steps: list[int], losses: list[float | None]) -> int | None:
    """The step with the lowest validation loss, if it has clearly risen in at least two measurements since."""
    known = [(loss, step) for loss, step in zip(losses, steps, strict=True) if loss is not None]
    if len(known) < 3:
        return None
    best, step = min(known)
    after = [loss for loss, later in known if later > step]
    return step if len(after) >= 2 and min(after[-2:]) > best * (1 + _OVERFITTED) else None
