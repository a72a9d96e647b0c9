"""How many tokens a pack may hold: as many as memory allows, and no more than make the device busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import hardware
from engine.hardware import Device

if TYPE_CHECKING:
    from torch.nn import Module

# Beyond this a larger pack is no faster: two processor cores are busy with the matrices of 1,024 tokens, a large GPU
# with those of 16,384.
_BUSY = {"cpu": 1024, "mps": 4096, "cuda": 16384}

# The share of the free memory that activations may take; the rest is for gradients, the optimiser and others.
_SHARE = 0.5


def tokens(causal: Module, device: Device, checkpointing: bool) -> int:
    """Tokens a pack may hold for this model on this device, from the memory free now. A longer example still gets a
    pack of its own."""
    config = causal.config
    each = activation_bytes(
        config.hidden_size, config.intermediate_size, config.num_hidden_layers, causal.dtype.itemsize, checkpointing
    )
    return within(hardware.free_memory(device), device.kind, each)


def within(free: int, kind: str, each: int) -> int:
    """Tokens a pack may hold on a device of this kind with `free` bytes, at `each` bytes a token."""
    return max(64, min(_BUSY[kind], int(free * _SHARE / each)))


def activation_bytes(hidden_size: int, inner: int, layers: int, itemsize: int, checkpointing: bool) -> int:
    """Bytes that training keeps for one token: per layer about ten values as wide as the hidden states (norms in fp32,
    queries, keys, values, attention, residuals) and four as wide as the feed-forward, or only the layer's input with
    gradient checkpointing."""
    inside = (10 * hidden_size + 4 * inner) * itemsize
    return inside + layers * hidden_size * itemsize if checkpointing else inside * layers
