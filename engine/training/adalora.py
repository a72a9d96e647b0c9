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
