"""How many tokens a pack may hold: as many as memory allows, and no more than make the device busy; how much is made at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import hardware
from engine.hardware import Device

if TYPE_CHECKING:
    from torch.nn import Module

# Beyond this a larger pack is no faster, but takes more memory: a large GPU is busy with 16,384 tokens, a few processor
# cores with hidden states of a quarter of a million values. Where the weights train, each pack makes a gradient of all of
# them and adds it to the one before: there a pack on a processor is as large as that of a narrow model.
_BUSY = {"cpu": 1024, "mps": 4096, "cuda": 16384}
_BUSY_VALUES = 2**18

# Bytes of fp32 logits made at once (`loss.py`): enough for fast products, small enough never to be a peak.
LOGITS = 128 * 1024 * 1024
# Weights widened at once (`products.py`): a layer's matrix whole, the output head in parts.
WIDENED = 2**23

# The share of the free memory that activations may take; the rest is for gradients, the optimiser and others.
_SHARE = 0.5


def tokens(causal: Module, device: Device, checkpointing: bool, whole: bool) -> int:
    """Tokens a pack may hold for this model on this device, from the memory free now. A longer example still gets a
    pack of its own. `whole`: whether the weights themselves train."""
    config = causal.config
    # Of the hidden states: frozen weights may rest in fewer bits.
    itemsize = causal.get_decoder().norm.weight.itemsize
    each = activation_bytes(
        config.hidden_size, config.intermediate_size, config.num_hidden_layers, itemsize, checkpointing
    )
    return within(hardware.free_memory(device), device.kind, config.hidden_size, each, whole)


def within(free: int, kind: str, hidden_size: int, each: int, whole: bool) -> int:
    """Tokens a pack may hold on a device of this kind with `free` bytes, at `each` bytes a token."""
    busy = _BUSY[kind]
    if kind == "cpu" and not whole:
        busy = min(busy, max(256, _BUSY_VALUES // hidden_size))
    return max(64, min(busy, int(free * _SHARE / each)))


def activation_bytes(hidden_size: int, inner: int, layers: int, itemsize: int, checkpointing: bool) -> int:
    """Bytes that training keeps for one token: per layer about ten values as wide as the hidden states (norms in fp32,
    queries, keys, values, attention, residuals) and three as wide as the feed-forward, or only the layer's input with
    gradient checkpointing."""
    inside = (10 * hidden_size + 3 * inner) * itemsize
    return inside + layers * hidden_size * itemsize if checkpointing else inside * layers
