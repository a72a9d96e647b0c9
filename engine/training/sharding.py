"""A model whose parameters lie in parts on the processes of a run: FSDP2, torch's `fully_shard`, with the same trainer.

Each process keeps its part of every parameter, of its gradient and of the optimiser's state. A layer is gathered when it is
computed and let go again. What is saved is always whole, so that a checkpoint fits any number of processes, and is read
without unpickling. Rajbhandari et al. 2020 (ZeRO), arXiv:1910.02054; Zhao et al. 2023, arXiv:2304.11277.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map

from engine.errors import WorkError
from engine.hardware import Device
from engine.training import distributed
from engine.training.tuned import Tuned
from engine.words import Words

_NOT_PARTED = Words(
    "the model was to lie in parts on {count} processes, but this one holds {held} of it",
    "模型本应分片到 {count} 个进程上，但当前进程持有 {held}",
)
# What one process may hold beside its even part: rows that do not divide are padded.
_SLACK = 1.1


def shard(tuned: Tuned, device: Device) -> None:
    """Part all parameters of `tuned` among the processes, layer by layer, in place, and put them on `device`.

    Raises:
        WorkError: they are not really parted.
    """
    mesh = torch.distributed.device_mesh.init_device_mesh(device.kind, (distributed.count(),))
    # Gathered in the format of the products: what autocast makes would be kept for the backward pass, whole.
    policy = MixedPrecisionPolicy(param_dtype=tuned.compute, reduce_dtype=tuned.compute and torch.float32)
    for layer in tuned.causal.get_decoder().layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(tuned, mesh=mesh, mp_policy=policy)
    whole = sum(parameter.numel() for parameter in tuned.parameters())
    held = sum(here(parameter).numel() for parameter in tuned.parameters())
    if held > _SLACK * whole / distributed.count():
        raise WorkError(reason=_NOT_PARTED.filled(count=distributed.count(), held=f"{held / whole:.0%}"))


@contextmanager
def gathered(tuned: Tuned) -> Iterator[dict[str, torch.Tensor] | None]:
    """A block with what `tuned` saves, whole, by its names in `tuned.model`; None where every process has all of it. All
    processes must ask at once, and only the first gets it."""
    if not isinstance(tuned, FSDPModule):
        yield None
        return
    # PEFT writes what a prompt method learnt by computing it, from modules that hang at the root.
    tuned.unshard()
    if tuned.method.saves == "adapter":
        parts = {name: each.detach() for name, each in tuned.model.named_parameters() if each.requires_grad}
    else:
        tied = tuned.model.all_tied_weights_keys
        parts = {name: each for name, each in tuned.model.state_dict().items() if name not in tied}
    yield whole(parts)
    tuned.reshard()


def whole(tree: object) -> object:
    """`tree` with every parted tensor in it whole, on the processor; empty for all but the first process. All processes
    must ask at once."""

    def made(leaf: object) -> object:
        if not isinstance(leaf, DTensor):
            return leaf
        full = leaf.full_tensor()
        return full.cpu() if distributed.is_main() else full.new_empty(0)

    return tree_map(made, tree)


def parted(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """`value`, which every process has whole, laid out as the parameter `like`; as it is where that is whole too, and for
    a single number."""
    if not isinstance(like, DTensor) or not value.dim():
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def as_parted(weights: dict[str, torch.Tensor], model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """`weights`, whole, as the parameters of the same names in `model` are laid out."""
    there = dict(model.named_parameters(remove_duplicate=False))
    return {name: parted(value, there[name]) if name in there else value for name, value in weights.items()}


def here(tensor: torch.Tensor) -> torch.Tensor:
    """The part of it that this process has."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor
