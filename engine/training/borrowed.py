"""TRL's trainers in this house: checkpoints kept like ours, batches that fit into memory, rows as TRL wants them."""

from collections.abc import Callable
from pathlib import Path

import datasets as hf_datasets
import numpy as np
import torch

from engine.data import datasets, formats
from engine.training.recipe import Recipe
from engine.training.safekeeping import Safekeeping
from engine.training.tuned import Tuned

# Rows measured to guess how long the others are.
_MEASURED = 200


class Borrowed(Safekeeping):
    """A mixin that comes before a trainer of TRL."""

    micro_batch: int

    @property
    def tokens_seen(self) -> int:
        return self._total_train_tokens or self.state.num_input_tokens_seen

    def training_step(self, *args: object, **kwargs: object) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)
        self._must_be_finite(loss, self.state.global_step + 1)
        return loss

    def compute_loss(self, model: torch.nn.Module, *args: object, **kwargs: object):
        loss = super().compute_loss(model, *args, **kwargs)
        penalty = self.tuned.method.penalty
        # AdaLoRA adds its own only where the model computes the loss itself.
        return loss + penalty(self.tuned.model) if penalty and model.training else loss

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """None: what a run is, its folder says."""


class BorrowedRecipe(Recipe):
    """Rows become a `datasets.Dataset` of conversations; TRL turns them into tokens by the chat template."""

    # Texts that a row holds in memory at once.
    copies = 2

    def rows(self) -> tuple[hf_datasets.Dataset, hf_datasets.Dataset | None]:
        hf_datasets.disable_progress_bars()
        self.train = self._dataset("train")
        self.must_have_rows(len(self.train) if self.train else 0, 0)
        self.val = self._dataset("val")
        return self.train, self.val

    def row(self, row: formats.Row, format: str) -> dict:
        """One row of the data set as TRL wants it."""
        raise NotImplementedError

    def longest(self, row: dict) -> str:
        """The longest text that a row holds in memory."""
        raise NotImplementedError

    def _dataset(self, split: str) -> hf_datasets.Dataset | None:
        if not self.split(split):
            return None
        data = datasets.load(Path(self.task.config.data))
        rows = datasets.rows(data.path / f"{split}.json")
        chosen = range(len(rows))
        if split == "val":
            wanted = min(self.task.config.training.eval_rows, len(rows))
            chosen = np.linspace(0, len(rows) - 1, wanted, dtype=np.int64).tolist()
        self.task.events.write("phase", phase="tokenising", split=split, done=0, total=len(rows))
        return hf_datasets.Dataset.from_list([self.row(rows[i], data.format) for i in chosen])

    def batches(self, rows_per_step: int, budget: int, least: int = 1) -> tuple[int, int]:
        """(rows in memory at once, how many of those make a step). `least`: so many rows at once, whatever the budget."""
        places = np.linspace(0, len(self.train) - 1, min(_MEASURED, len(self.train)), dtype=np.int64)
        texts = [self.longest(self.train[int(i)]) for i in places]
        lengths = [len(ids) for ids in self.task.tokenizer(texts)["input_ids"]]
        tokens = min(self.task.config.training.max_length, int(np.percentile(lengths, 95)) + 16)
        fits = max(1, budget // (tokens * self.copies))
        sizes = [n for n in range(least, rows_per_step + 1) if rows_per_step % n == 0]
        size = max((n for n in sizes if n <= fits), default=sizes[0])
        return size, rows_per_step // size

    def arguments(self, tuned: Tuned, arguments: dict, size: int, steps: int) -> dict:
        """`arguments` with what TRL sets otherwise than transformers."""
        checkpointing = self.task.config.training.gradient_checkpointing
        return arguments | {
            "per_device_train_batch_size": size,
            "per_device_eval_batch_size": size,
            "gradient_accumulation_steps": steps,
            # TRL switches these on unless told otherwise.
            "bf16": tuned.compute == torch.bfloat16,
            "fp16": tuned.compute == torch.float16,
            "gradient_checkpointing": checkpointing,
            "gradient_checkpointing_kwargs": {"use_reentrant": False} if checkpointing else None,
        }

    def account(self, trainer: Borrowed, answers: tuple[str, ...]) -> None:
        """Tell which rows were too long: `answers` are TRL's columns of tokens beside the prompt's."""
        left, limit = trainer.train_dataset, self.task.config.training.max_length
        self.must_have_rows(len(left), len(self.train))
        prompts = [len(ids) for ids in left["prompt_ids"]]
        cut = sum(
            prompt + max(len(ids) for ids in each) > limit
            for prompt, each in zip(prompts, zip(*(left[name] for name in answers), strict=True), strict=True)
        )
        skipped = len(self.train) - len(left)
        self.warn_of_cuts(cut + skipped, skipped)

    def built(self, make: Callable[[], Borrowed], tuned: Tuned, size: int) -> Borrowed:
        """The trainer that `make` returns, with its reference model: the model as it is now."""
        config = tuned.model.peft_config["default"] if tuned.method.saves == "adapter" else None
        if config is not None:
            # TRL adds a frozen copy of the adapter; AdaLoRA allows several only if all but one are for inference.
            config.inference_mode = config.peft_type == "ADALORA"
        trains = {name: weight.data for name, weight in tuned.model.named_parameters() if weight.requires_grad}
        trainer = make()
        for name, weight in tuned.model.named_parameters():
            if name in trains:
                # Beside 4-bit weights TRL rounds what trains to bf16, where small corrections vanish.
                weight.data = trains[name]
        if config is not None:
            config.inference_mode = False
        trainer.tuned, trainer.keep, trainer.micro_batch = tuned, self.task.config.training.save_total_limit, size
        return trainer


def as_start(trainer: Borrowed, tuned: Tuned) -> None:
    """TRL loads the reference model from where the weights once lay, which is not where they come from when an adapter
    was merged into them."""
    if trainer.ref_model is not None:
        trainer.ref_model.load_state_dict(tuned.model.state_dict())
