"""Next tokens, in packs: the recipe of supervised fine-tuning and of pre-training."""

from pathlib import Path

import torch
from transformers import TrainerCallback, TrainingArguments

from engine import hardware
from engine.data import datasets, encode
from engine.data.encode import Encoded
from engine.models import library
from engine.training import frozen, methods
from engine.training.batching import Layout
from engine.training.learner import Learner
from engine.training.recipe import Recipe
from engine.training.trainer import PackedTrainer
from engine.training.tuned import Tuned


class Packed(Recipe):
    def rows(self) -> tuple[Encoded, Encoded | None]:
        train = self._encoded("train")
        self.must_have_rows(len(train) if train else 0, train.skipped if train else 0)
        self._train, self._val = train, self._encoded("val")
        return self._train, self._val

    def _encoded(self, split: str) -> Encoded | None:
        """The rows of a split as tokens; None where the data set has no such split."""
        task, there = self.task, self.split(split)
        if not there:
            return None

        def progress(done: int, total: int) -> None:
            task.events.write("phase", phase="tokenising", split=split, done=done, total=total)

        progress(0, there)
        data = Path(task.config.data)
        rows = encode.encoded(
            data,
            split,
            task.tokenizer,
            Path(task.config.model),
            datasets.load(data).format,
            task.config.training.max_length,
            task.template,
            progress,
        )
        self.warn_of_cuts(rows.cut, rows.skipped)
        return rows

    def at_rest(self, path: Path) -> str:
        """Frozen weights stay in the format of their files where that gives the same numbers."""
        config = self.task.config
        # What is merged into a base is in no file; weights in parts are all of one format.
        if path != library.base(path) or config.devices.spread == "parts":
            return "fp32"
        spec, stored = methods.get(config.method), library.stored_format(path)
        return spec.at_rest(spec.params(**config.method_params), stored, "fp32", self.task.device.kind)

    def load(self, path: Path, dtype: torch.dtype, quantisation: object) -> torch.nn.Module:
        rest = hardware.torch_dtype(self.at_rest(path)) if dtype == torch.float32 else dtype
        self._widens = rest != dtype
        return super().load(path, rest, quantisation)

    def wrap(self, tuned: Tuned) -> Learner:
        if self._widens:
            frozen.widen(tuned.model)
        return Learner(tuned.model, tuned.method, tuned.compute, self.task.config.training.neftune_noise_alpha)

    def trainer(self, tuned: Learner, arguments: dict, budget: int, callbacks: list[TrainerCallback]) -> PackedTrainer:
        method, training = tuned.method, self.task.config.training
        virtual = tuned.model.active_peft_config.num_virtual_tokens if method.layout != "weights" else 0
        return PackedTrainer(
            tuned,
            TrainingArguments(**arguments),
            train=self._train,
            val=self._val,
            val_rows=training.eval_rows,
            layout=Layout.of(method.layout, virtual),
            budget=budget,
            keep=training.save_total_limit,
            callbacks=callbacks,
        )
