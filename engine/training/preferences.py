"""Learning from preferences: the recipes of DPO (pairs) and KTO (thumbs up and down), with TRL's trainers."""

from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from engine.data import formats
from engine.data.formats import answered, asked, text_of
from engine.training.borrowed import Borrowed, BorrowedRecipe, as_start
from engine.training.tuned import Tuned


class DpoTrainer(Borrowed, DPOTrainer):
    """TRL's, with our checkpoints."""


class KtoTrainer(Borrowed, KTOTrainer):
    """TRL's, with our checkpoints."""


class Dpo(BorrowedRecipe):
    """Two answers to each prompt, one better than the other."""

    def row(self, row: formats.Row, format: str) -> dict:
        return {
            "prompt": asked(row["prompt"]),
            "chosen": answered(row["chosen"]),
            "rejected": answered(row["rejected"]),
        }

    def longest(self, row: dict) -> str:
        return text_of(row["prompt"] + max(row["chosen"], row["rejected"], key=lambda m: len(text_of(m))))

    def trainer(self, tuned: Tuned, arguments: dict, budget: int, callbacks: list[TrainerCallback]) -> DpoTrainer:
        size, steps = self.batches(self.rows_per_step, budget)
        params = self.task.params
        trainer = self.built(
            lambda: DpoTrainer(
                tuned.model,
                args=DPOConfig(
                    **self.arguments(tuned, arguments, size, steps),
                    beta=params.beta,
                    loss_type=[params.loss_type],
                    label_smoothing=params.label_smoothing,
                    max_length=self.task.config.training.max_length,
                ),
                train_dataset=self.train,
                eval_dataset=self.val,
                processing_class=self.task.tokenizer,
                callbacks=callbacks,
            ),
            tuned,
            size,
        )
        as_start(trainer, tuned)
        self.account(trainer, ("chosen_ids", "rejected_ids"))
        return trainer


class Kto(BorrowedRecipe):
    """One answer to each prompt, and whether it was good."""

    def row(self, row: formats.Row, format: str) -> dict:
        return {"prompt": asked(row["prompt"]), "completion": answered(row["completion"]), "label": bool(row["label"])}

    def longest(self, row: dict) -> str:
        return text_of(row["prompt"] + row["completion"])

    def trainer(self, tuned: Tuned, arguments: dict, budget: int, callbacks: list[TrainerCallback]) -> KtoTrainer:
        # TRL pairs the rows that are in memory at once to estimate the KL divergence, and reads them in the order given.
        size, steps = self.batches(self.rows_per_step, budget, least=2)
        params = self.task.params
        trainer = self.built(
            lambda: KtoTrainer(
                tuned.model,
                args=KTOConfig(
                    **self.arguments(tuned, arguments, size, steps),
                    beta=params.beta,
                    desirable_weight=params.desirable_weight,
                    undesirable_weight=params.undesirable_weight,
                    max_length=self.task.config.training.max_length,
                ),
                train_dataset=self.train.shuffle(seed=self.task.config.training.seed),
                eval_dataset=self.val,
                processing_class=self.task.tokenizer,
                callbacks=callbacks,
            ),
            tuned,
            size,
        )
        as_start(trainer, tuned)
        self.account(trainer, ("completion_ids",))
        return trainer
