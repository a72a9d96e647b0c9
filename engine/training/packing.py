"""Examples laid end to end, without padding, and attention that stays inside each of them.

The linear layers, which are nearly all of the work, see one row of real tokens only. Attention alone sees a padded
layout: neighbours of similar length form a group, and a group is one call. Padding stands on the right, where causal
attention never looks, so no mask is needed and the result is that of each example alone.

What all examples of a pack begin with, a template or virtual tokens, may stand there once: it sees itself only, and every
example sees it before its own tokens.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface

ATTENTION = "tunedesk_packed"

# A group may hold this many times its real tokens: below, another call costs more than the padding saves.
_PADDING = 1.25


@dataclass(frozen=True)
class Group:
    """Examples `start` to `stop` of the pack's tokens, as `count` rows of `width`.

    index: int64 [tokens], where each token stands in the padded [count * width] layout; None if nothing is padded.
    """

    start: int
    stop: int
    count: int
    width: int
    index: torch.Tensor | None


@dataclass(frozen=True)
class Packing:
    """How one row of tokens splits into examples.

    groups: cover the row from left to right, from `shared` on.
    shared: tokens at its start that every example begins with, as if they stood before each.
    prefix: per layer (keys, values), each [1, key-value heads, virtual tokens, head size], read by every example
        before its own; None without prefix tuning.
    """

    groups: tuple[Group, ...]
    shared: int = 0
    prefix: tuple[tuple[torch.Tensor, torch.Tensor], ...] | None = None

    @classmethod
    def of(cls, lengths: np.ndarray, device: torch.device | str = "cpu", shared: int = 0) -> "Packing":
        """The packing of examples of these lengths, which must not increase, after what they share."""
        groups, first, start = [], 0, shared
        while first < len(lengths):
            width, last, real = int(lengths[first]), first, 0
            while last < len(lengths) and width * (last - first + 1) <= _PADDING * (real + lengths[last]):
                real += int(lengths[last])
                last += 1
            count = last - first
            index = None
            if real < width * count:
                inside = np.concatenate([np.arange(n) for n in lengths[first:last]])
                row = np.repeat(np.arange(count), lengths[first:last])
                index = torch.from_numpy(row * width + inside).to(device, non_blocking=True)
            groups.append(Group(start, start + real, count, width, index))
            first, start = last, start + real
        return cls(tuple(groups), shared)


class _Pad(torch.autograd.Function):
    """[tokens, ...] -> [slots, ...], zero where no token stands. Every index is its own slot, so the gradient is the
    plain gather that `_Unpad` is, without index_add's serial sums."""

    @staticmethod
    def forward(ctx, flat, index, slots):
        ctx.save_for_backward(index)
        return flat.new_zeros(slots, *flat.shape[1:]).index_copy_(0, index, flat)

    @staticmethod
    def backward(ctx, gradient):
        (index,) = ctx.saved_tensors
        return gradient.index_select(0, index), None, None


class _Unpad(torch.autograd.Function):
    """[slots, ...] -> [tokens, ...], the inverse of `_Pad`."""

    @staticmethod
    def forward(ctx, padded, index):
        ctx.save_for_backward(index)
        ctx.slots = padded.shape[0]
        return padded.index_select(0, index)

    @staticmethod
    def backward(ctx, gradient):
        (index,) = ctx.saved_tensors
        return gradient.new_zeros(ctx.slots, *gradient.shape[1:]).index_copy_(0, index, gradient), None


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    packing: Packing,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **kwargs: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each example of a pack, as transformers' `AttentionInterface` calls it.

    query: [1, heads, tokens, head size]; key, value: [1, key-value heads, tokens, head size].
    Returns the output [1, tokens, heads, head size].
    """
    query, key, value = (states.transpose(1, 2)[0] for states in (query, key, value))
    prefix = packing.prefix[module.layer_idx] if packing.prefix else None
    outputs = []
    if packing.shared:
        alone = Group(0, packing.shared, 1, packing.shared, None)
        outputs.append(_group_attention(alone, query, key, value, prefix, scaling, dropout, sliding_window))
        shared = tuple(states[: packing.shared].transpose(0, 1)[None] for states in (key, value))
        prefix = tuple(torch.cat(parts, dim=2) for parts in zip(prefix, shared, strict=True)) if prefix else shared
    for group in packing.groups:
        outputs.append(_group_attention(group, query, key, value, prefix, scaling, dropout, sliding_window))
    return (outputs[0] if len(outputs) == 1 else torch.cat(outputs)).unsqueeze(0), None


def _group_attention(group, query, key, value, prefix, scaling, dropout, sliding_window):
    def rows(states):
        states = states[group.start : group.stop]
        if group.index is not None:
            states = _Pad.apply(states, group.index, group.count * group.width)
        return states.view(group.count, group.width, *states.shape[1:]).transpose(1, 2)

    query, key, value = rows(query), rows(key), rows(value)
    mask = None
    if prefix is not None:
        key, value = (
            torch.cat([part.expand(group.count, -1, -1, -1), states], dim=2)
            for part, states in zip(prefix, (key, value), strict=True)
        )
        mask = torch.ones(group.width, key.shape[2], dtype=torch.bool, device=key.device)
        mask = mask.tril(diagonal=key.shape[2] - group.width)
    if sliding_window and group.width > sliding_window:
        near = torch.ones(group.width, group.width, dtype=torch.bool, device=key.device)
        near = near.tril().triu(diagonal=1 - sliding_window)
        mask = (
            near if mask is None else mask & torch.nn.functional.pad(near, (mask.shape[1] - group.width, 0), value=True)
        )
    output = scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        is_causal=mask is None,
        scale=scaling,
        dropout_p=dropout,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    output = output.transpose(1, 2).reshape(group.count * group.width, *output.shape[1::2])
    return output if group.index is None else _Unpad.apply(output, group.index)


AttentionInterface.register(ATTENTION, attention)
AttentionMaskInterface.register(ATTENTION, lambda *args, **kwargs: None)
