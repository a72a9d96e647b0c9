"""What a running trainer tells: each step, evaluation and checkpoint becomes an event; and what it is told: to stop.

One callback serves every objective. It writes on the main process only and formats nothing for a screen.
"""

import math
import time
from pathlib import Path

import psutil
import torch
from transformers import TrainerCallback

from engine.runs.events import Events
from engine.training import distributed
from engine.training.tensorboard import TensorBoard


class Reporter(TrainerCallback):
    """`tokens`: a function that tells the real tokens trained on so far by all processes; `metrics`: names of what the
    trainer logs that belongs into the events too."""

    def __init__(self, events: Events, run: Path, tokens, metrics: tuple[str, ...] = ()):
        self._events, self._run, self._tokens, self._metrics = events, run, tokens, metrics
        self._board = TensorBoard(run / "tensorboard")
        self._mark = (time.monotonic(), 0)
        self._started = time.monotonic()
        self._first_step = 0
        # Seconds spent on measuring and saving, which are no part of the training rate.
        self.seconds_aside = 0.0
        self._base_is_due = False
        self.evaluated_step: int | None = None
        self.stopped = False
        self.eval_loss: float | None = None
        self.final_loss: float | None = None

    def on_train_begin(self, args, state, control, lr_scheduler, **kwargs):
        # A warm-up begins at a rate of zero: after the first step the base is still itself, and a person has seen a loss.
        self._base_is_due = args.eval_on_start and not any(lr_scheduler.get_last_lr())
        args.eval_on_start = args.eval_on_start and not self._base_is_due
        self._first_step = state.global_step
        self._started = time.monotonic()
        self._mark = (self._started, self._tokens())
        if state.is_world_process_zero:
            self._events.write("phase", phase="training", step=state.global_step, max_steps=state.max_steps)

    def on_step_end(self, args, state, control, **kwargs):
        if distributed.agreed((self._run / "stop").exists(), args.device):
            self.stopped = state.global_step < state.max_steps
            control.should_training_stop = control.should_save = True
        control.should_evaluate |= self._base_is_due
        if control.should_evaluate and state.is_world_process_zero:
            self._events.write("phase", phase="evaluating")

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not state.is_world_process_zero or "loss" not in logs:
            return
        now, tokens = time.monotonic(), self._tokens()
        done = state.global_step - self._first_step
        event = self._events.write(
            "step",
            step=state.global_step,
            max_steps=state.max_steps,
            epoch=round(state.epoch, 4),
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            grad_norm=logs.get("grad_norm"),
            tokens_per_second=round((tokens - self._mark[1]) / max(now - self._mark[0], 1e-9), 1),
            memory_gb=round(memory_in_use() / 1e9, 3),
            eta_s=round((now - self._started) / max(done, 1) * (state.max_steps - state.global_step), 1),
            **{name: round(logs[name], 6) for name in self._metrics if logs.get(name) is not None},
        )
        self._board.add(event)
        self._mark = (now, tokens)
        self.final_loss = logs["loss"]

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        self.eval_loss, self.evaluated_step = metrics["eval_loss"], 0 if self._base_is_due else state.global_step
        self._base_is_due = False
        self._set_aside()
        if state.is_world_process_zero:
            event = self._events.write(
                "eval",
                step=self.evaluated_step,
                eval_loss=metrics["eval_loss"],
                # The loss of preferences is no surprise at tokens.
                **({} if self._metrics else {"perplexity": round(math.exp(min(metrics["eval_loss"], 700)), 4)}),
                **{f"eval_{name}": metrics[f"eval_{name}"] for name in self._metrics if f"eval_{name}" in metrics},
            )
            self._board.add(event)
            self._events.write("phase", phase="training")

    def on_train_end(self, args, state, control, **kwargs):
        self._board.close()

    def on_save(self, args, state, control, **kwargs):
        self._set_aside()
        if state.is_world_process_zero:
            self._events.write("checkpoint", step=state.global_step, path=f"checkpoints/checkpoint-{state.global_step}")

    def _set_aside(self) -> None:
        """The time since the last step went into measuring or saving."""
        now = time.monotonic()
        self.seconds_aside += now - self._mark[0]
        self._mark = (now, self._tokens())


def memory_in_use() -> int:
    """Bytes this process holds: on the GPU where it computes on one, else in main memory."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return psutil.Process().memory_info().rss
