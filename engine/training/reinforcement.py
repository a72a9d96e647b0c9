"""Reinforcement learning from a reward: the recipes of RLOO and GRPO, with TRL's trainers.

The reward comes from a reward model, from a rule, or both are added. What is tried and how it was rewarded is told as it
trains, and so is it when rewards rise while the answers get worse.
"""

from collections import deque
from pathlib import Path

from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from engine.data import formats
from engine.runs.events import Events
from engine.training import config as configs
from engine.training import rewards
from engine.training.borrowed import Borrowed, BorrowedRecipe, as_start
from engine.training.scoring import Scorer
from engine.training.tuned import Tuned
from engine.words import Words

# Steps over which rewards, lengths and repetition are averaged before they are compared with those of the start.
_WINDOW = 8
# Answers told in the course of a run.
_SAMPLES = 20
_REPEATS = Words(
    "The reward rises, but the answers repeat themselves more and more ({before}% at first, {now}% now). The model may be "
    "cheating the reward: stop, and hold it closer to its start (a higher KL).",
    "奖励在上升，但回答越来越重复（开始时 {before}%，现在 {now}%）。模型可能在钻奖励的空子：建议停止，并调大 KL 约束。",
)
_LENGTHS = Words(
    "The reward rises, but the answers went from {before} to {now} characters. If that is not what you want, the model may "
    "be cheating the reward: stop, and hold it closer to its start (a higher KL).",
    "奖励在上升，但回答长度从 {before} 个字变成了 {now} 个字。如果这不是您想要的，模型可能在钻奖励的空子："
    "建议停止，并调大 KL 约束。",
)


class RlooTrainer(Borrowed, RLOOTrainer):
    """TRL's, with our checkpoints."""


class GrpoTrainer(Borrowed, GRPOTrainer):
    """TRL's, with our checkpoints."""


class Rloo(BorrowedRecipe):
    """Questions; the model tries several answers to each and learns from which were rewarded more."""

    copies = 1
    kinds = (RLOOConfig, RlooTrainer)

    @property
    def rows_per_step(self) -> int:
        return min(configs.rows_per_step(self.task.config), len(self.train))

    def row(self, row: formats.Row, format: str) -> dict:
        return {"prompt": formats.question(row, format), "reference": formats.reference(row, format)}

    def longest(self, row: dict) -> str:
        return formats.text_of(row["prompt"])

    def trainer(self, tuned: Tuned, arguments: dict, budget: int, callbacks: list[TrainerCallback]) -> Borrowed:
        params, training = self.task.params, self.task.config.training
        answers = self.rows_per_step * params.num_generations
        size, steps = self.batches(answers, max(1, budget - params.max_completion_length))
        configuration, trainer_class = self.kinds
        judged = Judged(self.task.events, self._reward(), watch_length=params.rule != "length")
        trainer = self.built(
            lambda: trainer_class(
                tuned.model,
                reward_funcs=judged.reward,
                args=configuration(
                    **self.arguments(tuned, arguments, size, steps),
                    num_generations=params.num_generations,
                    max_completion_length=params.max_completion_length,
                    temperature=params.temperature,
                    beta=params.beta,
                ),
                train_dataset=self.train,
                processing_class=self.task.tokenizer,
                callbacks=callbacks,
            ),
            tuned,
            size,
        )
        as_start(trainer, tuned)
        judged.every = max(1, (training.max_steps if training.max_steps > 0 else len(self.train)) // _SAMPLES)
        return trainer

    def _reward(self):
        """A function of (prompts, answers, references) that gives rewards."""
        params = self.task.params
        rule = rewards.rule(params)
        scorer = Scorer(Path(params.reward_model), self.task.device) if params.reward_model != "none" else None

        def reward(prompts: list[formats.Messages], answers: list[str], references: list[str]) -> list[float]:
            given = [0.0] * len(answers)
            if scorer:
                talks = [[*p, {"role": "assistant", "content": a}] for p, a in zip(prompts, answers, strict=True)]
                given = scorer.scores(talks)
            if rule:
                given = [g + rule(a, r) for g, a, r in zip(given, answers, references, strict=True)]
            return given

        return reward


class Grpo(Rloo):
    kinds = (GRPOConfig, GrpoTrainer)


class Judged:
    """Rewards answers, tells some of them, and watches that they do not get worse while their reward rises."""

    every = 1

    def __init__(self, events: Events, reward, watch_length: bool):
        self._events, self._reward, self._watch_length = events, reward, watch_length
        self._start: tuple[float, ...] | None = None
        self._lately: deque[tuple[float, ...]] = deque(maxlen=_WINDOW)
        self._warned = False
        self._told = -1

    def reward(self, prompts, completions, reference, trainer_state, log_metric, **_) -> list[float]:
        """As TRL calls it: conversations in, one number for each completion."""
        answers = [completion[0]["content"] for completion in completions]
        given = self._reward(prompts, answers, reference)
        repeated = [rewards.repetition(answer) for answer in answers]
        log_metric("repetition", _mean(repeated))
        self._watch((_mean(given), _mean([len(answer) for answer in answers]), _mean(repeated)))
        step = trainer_state.global_step
        if trainer_state.is_world_process_zero and step // self.every != self._told:
            self._told = step // self.every
            asked = formats.text_of(prompts[0])
            self._events.write("sample", step=step, question=asked, answer=answers[0], reward=round(given[0], 4))
        return given

    def _watch(self, now: tuple[float, ...]) -> None:
        self._lately.append(now)
        if len(self._lately) < _WINDOW or self._warned:
            return
        reward, length, repeated = (_mean([each[i] for each in self._lately]) for i in range(3))
        if self._start is None:
            self._start = reward, length, repeated
            return
        first_reward, first_length, first_repeated = self._start
        if reward <= first_reward:
            return
        if repeated > first_repeated + 0.25:
            self._warn(_REPEATS, round(100 * first_repeated), round(100 * repeated))
        elif self._watch_length and not 0.4 * first_length < length < 2.5 * first_length:
            self._warn(_LENGTHS, round(first_length), round(length))

    def _warn(self, words: Words, before: int, now: int) -> None:
        self._warned = True
        self._events.write("warning", **words.filled(before=before, now=now)._asdict())


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
