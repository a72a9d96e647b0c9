"""The trainer of SFT and pre-training: transformers' `Trainer` fed with packs.

One item of its loader is one optimiser step, split into as many packs as memory wants, so the number of packs changes
no result: the loss is always the mean over the step's counted tokens, whatever the packs and processes.
"""

from contextlib import nullcontext

import numpy as np
import torch
from transformers import Trainer

from engine.data.encode import Encoded
from engine.training.batching import Layout, Step, StepLoader, pack, turns
from engine.training.learner import Learner
from engine.training.safekeeping import Safekeeping


class PackedTrainer(Safekeeping, Trainer):
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
        self._train, self._val, self._layout, self._budget = train, val, layout, budget
        self.tuned, self.keep = learner, keep
        self.micro_batch = max(1, int(budget / train.lengths.mean()))
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
            share=self.tuned.shares(training=True),
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
                loss = model(each, scale if each.tokens else 0.0, penalise=last)
                self.accelerator.backward(loss)
            total += loss.detach()
        self.tokens_seen += sum(each.tokens for each in inputs["packs"]) * self.args.world_size
        self._must_be_finite(total, self.state.global_step + 1)
        return total

    @torch.no_grad()
    def evaluate(self, *args: object, **kwargs: object) -> dict[str, float]:
        """The mean loss over the validation rows' counted tokens, as `{"eval_loss": nats}`."""
        model = self.tuned
        model.eval()
        # MPS has no fp64.
        exact = torch.float32 if self.args.device.type == "mps" else torch.float64
        total = torch.zeros((), dtype=exact, device=self.args.device)
        # Without gradients a pack needs far less memory; twice the budget keeps it under that of a training step.
        lengths, processes = self._val.lengths + self._layout.slots, self.args.world_size
        share = model.shares(training=False)
        own, idle = turns(self._val_rows, lengths, 2 * self._budget, self.args.process_index, processes)
        for part, scale in [*((each, 1.0) for each in own), *((each, 0.0) for each in idle)]:
            total += model(pack(self._val, part, self._layout, self.args.device, share), scale)
        total = self.accelerator.reduce(total, reduction="sum")
        # Said at once, and not put on the chart: a gradient that overflowed has spoilt the weights.
        self._must_be_finite(total, self.state.global_step)
        metrics = {"eval_loss": (total / int(self._val.answer_lengths[self._val_rows].sum())).item()}
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics
