"""How many tokens a pack may hold: as many as memory allows, and no more than make the device busy."""

import torch

from engine import hardware
from engine.hardware import Device

# Beyond this a larger pack is no faster: two processor cores are busy with the matrices of 1,024 tokens, a large GPU
# with those of 16,384.
_BUSY = {"cpu": 1024, "mps": 4096, "cuda": 16384}

# The share of the free memory that activations may take; the rest is for gradients, the optimiser and others.
_SHARE = 0.5


def tokens(causal: torch.nn.Module, device: Device, checkpointing: bool) -> int:
    """Tokens a pack may hold for this model on this device, from the memory free now. A longer example still gets a
    pack of its own."""
    fits = int(
        hardware.free_memory(device) * _SHARE / activation_bytes(causal.config, causal.dtype.itemsize, checkpointing)
    )
    return max(64, min(_BUSY[device.kind], fits))


def activation_bytes(config: object, itemsize: int, checkpointing: bool) -> int:
    """Bytes that training keeps for one token: per layer about ten values as wide as the hidden states (norms in fp32,
    queries, keys, values, attention, residuals) and four as wide as the feed-forward, or only the layer's input with
    gradient checkpointing."""
    inside = (10 * config.hidden_size + 4 * config.intermediate_size) * itemsize
    if checkpointing:
        return inside + config.num_hidden_layers * config.hidden_size * itemsize
    return inside * config.num_hidden_layers
