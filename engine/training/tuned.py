"""A model as a method changed it: what trains, what is saved, and where it came from."""

from collections.abc import Callable
from pathlib import Path

import torch

from engine.training.method import MethodSpec


class Tuned(torch.nn.Module):
    """`model`: as the method's `prepare` returned it. `compute`: the format of the products under autocast, for weights
    that train in fp32; None where the weights are in the format of the products already."""

    def __init__(self, model: torch.nn.Module, method: MethodSpec, compute: torch.dtype | None = None):
        super().__init__()
        self.model = model
        self.method = method
        self.compute = compute
        # A folder with the adapter as it was before training, where saving needs it (see `checkpoints.keep_start`).
        self.start: Path | None = None
        # By what the learning rate of the parameter of a name is multiplied.
        self.rate_factor: Callable[[str], float] = lambda name: 1.0

    @property
    def causal(self) -> torch.nn.Module:
        """The transformers model inside, adapters and all."""
        return self.model.get_base_model() if self.method.saves == "adapter" else self.model
