"""What AdaLoRA (Zhang et al. 2023, arXiv:2303.10512) needs beside its adapter while it trains.

PEFT adds the orthogonality penalty inside the adapter's own forward pass, which packed training goes around, and
leaves the sharing-out of ranks to whoever trains.
"""

import torch
from transformers import TrainerCallback


def penalty(model: torch.nn.Module) -> torch.Tensor:
    """The weighted mean Frobenius distance of A A^T and B^T B from the identity, as PEFT's `AdaLoraModel.forward`."""
    distances = []
    for name, weight in model.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            covariance = weight @ weight.T if "lora_A" in name else weight.T @ weight
            identity = torch.eye(covariance.shape[0], dtype=covariance.dtype, device=covariance.device)
            distances.append(torch.linalg.matrix_norm(covariance - identity))
    return model.active_peft_config.orth_reg_weight * torch.stack(distances).mean()


class RankSharing(TrainerCallback):
    """After each optimiser step, gives ranks to the layers that need them most."""

    def __init__(self, model: torch.nn.Module):
        self._model = model

    def on_optimizer_step(self, args, state, control, **kwargs):
        self._model.base_model.update_and_allocate(state.global_step)


_PATTERN = "rank_pattern"


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """What the sharing-out of ranks has gathered so far: the averages, and which ranks are kept."""
    averages = _averages(model)
    tensors = {f"{kind}.{name}": value for kind, named in averages.items() for name, value in named.items()}
    pattern = model.active_peft_config.rank_pattern or {}
    return tensors | {f"{_PATTERN}.{name}": torch.tensor(kept) for name, kept in pattern.items()}


def go_on(model: torch.nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Take up the sharing-out where `state` left it."""
    averages = _averages(model)
    device = next(model.parameters()).device
    pattern = {}
    for key, value in tensors.items():
        kind, _, name = key.partition(".")
        if kind == _PATTERN:
            pattern[name] = value.tolist()
        else:
            averages[kind][name] = value.to(device)
    # The latest product of weight and gradient is made anew at each step; it only marks which averages are there.
    allocator = model.base_model.rankallocator
    allocator.ipt = dict(allocator.exp_avg_ipt)
    if pattern:
        model.active_peft_config.rank_pattern = pattern


def _averages(model: torch.nn.Module) -> dict[str, dict[str, torch.Tensor]]:
    """The running averages of how much each entry matters, as PEFT's allocator calls them."""
    allocator = model.base_model.rankallocator
    return {"exp_avg_ipt": allocator.exp_avg_ipt, "exp_avg_unc": allocator.exp_avg_unc}
