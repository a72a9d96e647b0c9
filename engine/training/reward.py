"""A reward model learns from pairs to score answers: the recipe, with TRL's trainer."""

from pathlib import Path

import torch
from transformers import TrainerCallback
from trl import RewardConfig, RewardTrainer

from engine.training.borrowed import Borrowed
from engine.training.preferences import Dpo
from engine.training.scoring import load_scoring_model
from engine.training.tuned import Tuned


class ScoreTrainer(Borrowed, RewardTrainer):
    """TRL's, with our checkpoints."""


class Reward(Dpo):
    """Pairs as for DPO; the model ends in a head that gives one number."""

    def load(self, path: Path, dtype: torch.dtype, quantisation: object) -> torch.nn.Module:
        return load_scoring_model(path, dtype, self.task.device, quantisation)

    def wrap(self, tuned: Tuned) -> Tuned:
        # PEFT trains the new head by itself; where single layers train, it must be said.
        if tuned.method.saves == "model":
            tuned.model.score.requires_grad_(True)
        return tuned

    def trainer(self, tuned: Tuned, arguments: dict, budget: int, callbacks: list[TrainerCallback]) -> ScoreTrainer:
        size, steps = self.batches(self.rows_per_step, budget)
        limit = self.task.config.training.max_length
        trainer = self.built(
            lambda: ScoreTrainer(
                tuned.model,
                args=RewardConfig(
                    **self.arguments(tuned, arguments, size, steps),
                    center_rewards_coefficient=self.task.params.center_rewards_coefficient or None,
                    max_length=limit,
                ),
                train_dataset=self.train,
                eval_dataset=self.val,
                processing_class=self.task.tokenizer,
                callbacks=callbacks,
            ),
            tuned,
            size,
        )
        # Too long ones are left out, not cut: a score belongs to a whole answer.
        left = len(trainer.train_dataset)
        self.must_have_rows(left, len(self.train))
        self.warn_of_cuts(len(self.train) - left, len(self.train) - left)
        return trainer
