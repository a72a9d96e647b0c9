"""The trainer of SFT and pre-training: transformers' `Trainer` fed with packs.

One item of its loader is one optimiser step, split into as many packs as memory wants, so the number of packs changes
no result: the loss is always the mean over the step's counted tokens, whatever the packs and processes.
"""

import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from transformers import Trainer

from engine import home
from engine.data.encode import Encoded
from engine.errors import DiskFull, LossNotFinite
from engine.training import checkpoints
from engine.training.batching import Layout, Step, StepLoader, pack, share, split
from engine.training.learner import Learner

# Bytes left on a disk that a write has just failed on, below which the disk was the reason.
_NO_ROOM = 1_000_000


class PackedTrainer(Trainer):
    """`val_rows`: at most so many validation rows are measured during training; `budget`: tokens a pack may hold;
    `keep`: checkpoints kept beside the best one."""

    def __init__(
        self,
        learner: Learner,
        args,
        *,
        train: Encoded,
        val: Encoded | None,
        val_rows: int,
        layout: Layout,
        budget: int,
        keep: int,
        **kwargs,
    ):
        self._train, self._val, self._layout, self._budget, self._keep = train, val, layout, budget, keep
        # The same rows at every measurement, spread over the whole split.
        self._val_rows = np.linspace(0, len(val) - 1, min(val_rows, len(val)), dtype=np.int64) if val else None
        self.tokens_seen = 0
        super().__init__(learner, args, train_dataset=train, eval_dataset=val, **kwargs)

    def get_train_dataloader(self) -> StepLoader:
        return StepLoader(
            self._train,
            batch_size=self.args.train_batch_size,
            seed=self.args.seed,
            budget=self._budget,
            layout=self._layout,
            device=self.args.device,
            process=self.args.process_index,
            processes=self.args.world_size,
        )

    def training_step(self, model: torch.nn.Module, inputs: Step, num_items_in_batch: object = None) -> torch.Tensor:
        model.train()
        # Gradients of several processes are averaged, so each counts its part as many times as there are processes.
        scale = self.args.world_size / inputs["label_count"]
        total = torch.zeros((), device=self.args.device)
        for i, each in enumerate(inputs["packs"]):
            last = i == len(inputs["packs"]) - 1
            with nullcontext() if last else self.accelerator.no_sync(model):
                loss = model(each, scale, penalise=last)
                self.accelerator.backward(loss)
            total += loss.detach()
        self.tokens_seen += sum(each.tokens for each in inputs["packs"]) * self.args.world_size
        if not torch.isfinite(total):
            raise LossNotFinite(
                value=str(total.item()), step=self.state.global_step + 1, learning_rate=self._get_learning_rate()
            )
        return total

    @torch.no_grad()
    def evaluate(self, *args: object, **kwargs: object) -> dict[str, float]:
        """The mean loss over the validation rows' counted tokens, as `{"eval_loss": nats}`."""
        model = self.model_wrapped
        model.eval()
        rows = share(self._val_rows, self._val.lengths, self.args.process_index, self.args.world_size)
        total = torch.zeros((), dtype=torch.float64, device=self.args.device)
        # Without gradients a pack needs far less memory; twice the budget keeps it under that of a training step.
        for part in split(rows, self._val.lengths + self._layout.slots, 2 * self._budget):
            total += model(pack(self._val, part, self._layout, self.args.device), 1.0)
        total = self.accelerator.reduce(total, reduction="sum")
        metrics = {"eval_loss": (total / int(self._val.answer_lengths[self._val_rows].sum())).item()}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        """A checkpoint appears whole under its name or not at all: it is written beside, flushed, and renamed."""
        target = Path(self.args.output_dir)
        beside = target / ".writing"
        shutil.rmtree(beside, ignore_errors=True)
        self.args.output_dir = str(beside)
        try:
            super()._save_checkpoint(model, trial)
        except Exception as error:
            # torch calls a full disk a RuntimeError, and removing what was half written makes room again: ask first.
            free = home.free_text(target) if shutil.disk_usage(target).free < _NO_ROOM else None
            shutil.rmtree(beside, ignore_errors=True)
            if free:
                raise DiskFull(path=str(target), free=free) from error
            raise
        finally:
            self.args.output_dir = str(target)
        if self.args.should_save:
            name = f"checkpoint-{self.state.global_step}"
            checkpoints.flush(beside / name)
            checkpoints.publish(beside / name, target / name)
            checkpoints.rotate(target, self._keep, self.state.best_global_step)
            if self.state.best_global_step == self.state.global_step:
                checkpoints.copy_model(target / name, target.parent / "best")

    def _save(self, output_dir: str, state_dict: dict | None = None) -> None:
        if self.args.should_save:
            checkpoints.save(self.model, Path(output_dir))

    def _load_from_checkpoint(self, checkpoint: str, model: torch.nn.Module | None = None) -> None:
        checkpoints.load(self.model, Path(checkpoint))
