"""What there is to say of a method of fine-tuning; the methods themselves are in `methods.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.fields import Params
from engine.models.shape import Shape
from engine.training.counts import Count
from engine.training.marks import Rule
from engine.words import Words

if TYPE_CHECKING:
    import torch
    from torch.nn import Module
    from transformers import TrainerCallback


def _unquantised(params: Params, dtype: torch.dtype) -> None:
    return None


def _no_callbacks(model: Module) -> list[TrainerCallback]:
    return []


def _no(params: Params) -> bool:
    return False


def _same_rate(params: Params, name: str) -> float:
    return 1.0


@dataclass(frozen=True)
class Clash:
    """Values of a method's parameters that do not go together: said of `field` where `when(params)`."""

    field: str
    when: Callable[[Any], bool]
    reason: Words


@dataclass(frozen=True)
class State:
    """What a method carries from step to step beside its weights: `read(model)` for a checkpoint, `write(model, tensors)`
    to go on from one."""

    read: Callable[[Module], dict[str, torch.Tensor]]
    write: Callable[[Module, dict[str, torch.Tensor]], None]


@dataclass(frozen=True)
class MethodSpec:
    """`prepare(model, params, total_steps)` freezes, adds adapters, and returns the model to train.

    count(shape, params): how many numbers train and how many are saved.
    marks(params, count, layers): which parts of a model learn.
    learning_rate: default for a model with hidden states 1,024 wide; `rate` fits it to others.
    layout: where what is trained enters: in the "weights", as a "prompt" of embeddings before each example, or as a
        "prefix" of keys and values before each layer's.
    penalty(model): added to the loss of each step, None for none.
    paged_optimizer: the optimiser's state may move to main memory (CUDA only; elsewhere it is plain AdamW).
    quantisation(params, dtype): how the base's weights are quantised as they are loaded, None for not at all.
    rate_factor(params, name): by what the learning rate is multiplied for the parameter called `name`.
    callbacks(model): what else must happen during training (AdaLoRA shares out its ranks after each step).
    state: what else must be in a checkpoint for an exact resume.
    clashes: parameters that do not go together, with the reason.
    not_on_packed: why it cannot train a model whose weights came packed in few bits, None where it can.
    not_in_parts: the same for a model that lies in parts on several devices.
    needs_format(params): whether what it computes depends on the format that the base's weights lie in.
    objectives: keys of those that it serves, None for all; `objectives_reason` says why not the others.
    saves: "adapter" (PEFT's layout) or the whole "model".
    """

    key: str
    label: Words
    summary: Words
    params: type[Params]
    prepare: Callable[[Module, Any, int], Module]
    count: Callable[[Shape, Any], Count]
    marks: Callable[[Any, Count, int], Rule]
    learning_rate: float
    diagram: str
    layout: Literal["weights", "prompt", "prefix"] = "weights"
    saves: Literal["adapter", "model"] = "adapter"
    quantisation: Callable[[Any, torch.dtype], Any] = _unquantised
    rate_factor: Callable[[Any, str], float] = _same_rate
    callbacks: Callable[[Module], list[TrainerCallback]] = _no_callbacks
    state: State | None = None
    clashes: tuple[Clash, ...] = ()
    not_on_packed: Words | None = None
    not_in_parts: Words | None = None
    needs_format: Callable[[Any], bool] = _no
    penalty: Callable[[Module], torch.Tensor] | None = None
    paged_optimizer: bool = False
    objectives: tuple[str, ...] | None = None
    objectives_reason: Words | None = None

    def at_rest(self, params: Params, stored: str, products: str, kind: str) -> str:
        """The number format that the base lies in: as it is `stored` in its files where a processor multiplies in fp32
        and the method leaves it as it is (`frozen.py`), else that of the products."""
        as_it_is = self.saves == "adapter" and not self.needs_format(params)
        return stored if as_it_is and products == "fp32" and kind == "cpu" else products

    def rate(self, hidden_size: int) -> float:
        """The default learning rate for a model of this width, to two digits.

        Narrow models want far more: with LoRA the demo model (256 wide) ended three times as low at 5e-3 as at 1e-3,
        where models of 1,024 take about 5e-4. From 2,048 on the usual rates hardly fall any more.
        """
        return float(f"{self.learning_rate * max(0.4, (1024 / hidden_size) ** 1.66):.1e}")
