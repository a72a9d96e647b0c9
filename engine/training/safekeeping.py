"""Checkpoints that appear whole under their name or not at all, for every trainer: a mixin of transformers' `Trainer`."""

import shutil
from pathlib import Path

import torch

from engine import home
from engine.errors import DiskFull, LossNotFinite
from engine.training import checkpoints
from engine.training.tuned import Tuned

# Bytes left on a disk that a write has just failed on, below which the disk was the reason.
_NO_ROOM = 1_000_000


class Safekeeping:
    """Comes before the trainer's class. `tuned`: what is kept; `keep`: checkpoints kept beside the best one. Both are
    set before anything is saved."""

    tuned: Tuned
    keep: int

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        """Written beside, flushed, and renamed."""
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
            checkpoints.rotate(target, self.keep, self.state.best_global_step)
            if self.state.best_global_step == self.state.global_step:
                checkpoints.copy_model(target / name, target.parent / "best")

    def _save(self, output_dir: str, state_dict: dict | None = None) -> None:
        if self.args.should_save:
            checkpoints.save(self.tuned, Path(output_dir))

    def _load_from_checkpoint(self, checkpoint: str, model: torch.nn.Module | None = None) -> None:
        checkpoints.load(self.tuned, Path(checkpoint))

    def _must_be_finite(self, loss: torch.Tensor) -> None:
        """
        Raises:
            LossNotFinite: `loss` is no number.
        """
        if not torch.isfinite(loss):
            raise LossNotFinite(
                value=str(loss.item()), step=self.state.global_step + 1, learning_rate=self._get_learning_rate()
            )
