"""Checkpoints that appear whole under their name or not at all, for every trainer: a mixin of transformers' `Trainer`."""

import shutil
from pathlib import Path

import torch

from engine.errors import LossNotFinite
from engine.training import checkpoints, distributed, sharding
from engine.training.room import Room
from engine.training.tuned import Tuned


class Safekeeping:
    """Comes before the trainer's class. `tuned`: what is kept; `keep`: checkpoints kept beside the best one, `most`: bytes that
    they may take; `room`: where it waits on a full disk. All are set before anything is saved."""

    tuned: Tuned
    keep: int
    most: float
    room: Room

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """The usual one; parameters whose rate the method multiplies are in groups of their own."""
        optimizer = super().create_optimizer(model)
        factors = {parameter: self.tuned.rate_factor(name) for name, parameter in self.model.named_parameters()}
        split = []
        for group in optimizer.param_groups:
            for factor in sorted({factors[parameter] for parameter in group["params"]}):
                chosen = [parameter for parameter in group["params"] if factors[parameter] == factor]
                split.append({**group, "params": chosen, "lr": group["lr"] * factor})
        optimizer.param_groups = split
        return optimizer

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        """Written beside, flushed, and renamed; on a full disk again when there is room.

        Raises:
            LossNotFinite: the weights are no numbers.
        """
        # A gradient that overflowed has spoilt them though the step's own loss was fine.
        learnt = [sharding.here(weight.detach()) for weight in self.model.parameters() if weight.requires_grad]
        total = torch.tensor(sum(float(weight.sum(dtype=torch.float32)) for weight in learnt), device=self.args.device)
        self._must_be_finite(self.accelerator.reduce(total, reduction="sum"), self.state.global_step)
        target = Path(self.args.output_dir)
        beside = target / ".writing"

        def write() -> None:
            with distributed.main_first():
                shutil.rmtree(beside, ignore_errors=True)
            self.args.output_dir = str(beside)
            try:
                super(Safekeeping, self)._save_checkpoint(model, trial)
            finally:
                self.args.output_dir = str(target)
            # The others put their random numbers' state beside the first one's.
            distributed.wait()
            if self.args.should_save:
                name = f"checkpoint-{self.state.global_step}"
                # It names the best by the folder that this one is about to leave; a resume would miss it there, and say so.
                self.state.best_model_checkpoint = None
                self.state.save_to_json(str(beside / name / "trainer_state.json"))
                checkpoints.flush(beside / name)
                checkpoints.publish(beside / name, target / name)
                checkpoints.rotate(target, self.keep, self.state.best_global_step, self.most)
                if self.state.best_global_step == self.state.global_step:
                    checkpoints.copy_model(target / name, target.parent / "best")

        if self.args.world_size == 1:
            self.room.keep(write, lambda: shutil.rmtree(beside, ignore_errors=True))
        else:
            # Alone, one process could not try again: the others wait for it elsewhere.
            write()

    def _save(self, output_dir: str, state_dict: dict | None = None) -> None:
        checkpoints.save(self.tuned, Path(output_dir))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """Whole, also where each process has a part of it: it then fits any number of them."""
        gathered = sharding.whole(self.optimizer.state_dict())
        self.optimizer.state_dict = lambda: gathered
        try:
            super()._save_optimizer_and_scheduler(output_dir)
        finally:
            del self.optimizer.state_dict

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        for parameter, state in self.optimizer.state.items():
            for name, value in state.items():
                state[name] = sharding.parted(value, parameter)

    def _load_from_checkpoint(self, checkpoint: str, model: torch.nn.Module | None = None) -> None:
        checkpoints.load(self.tuned, Path(checkpoint))

    def _must_be_finite(self, loss: torch.Tensor, step: int) -> None:
        """
        Raises:
            LossNotFinite: `loss` is no number.
        """
        if not torch.isfinite(loss):
            raise LossNotFinite(value=str(loss.item()), step=step, learning_rate=self._get_learning_rate())
