"""Frozen weights that rest in 16 bits and are multiplied in fp32: the numbers of an fp32 model in half its memory.

A model published in bf16 or fp16 gains nothing in fp32 but place taken, since each weight is the same number there. On a
processor that multiplies faster in fp32, or in nothing else, a block of weights is widened, multiplied, and overwritten by
the next.
"""

import functools
from collections.abc import Iterator

import torch

from engine.training import budget


def widen(model: torch.nn.Module) -> None:
    """Let every plain linear layer and embedding of `model` that is frozen in 16 bits give fp32; all else becomes fp32.

    Weights that bitsandbytes packed in 4 bits keep their codes, which are the same whether it read bf16, fp16 or fp32;
    they too are widened to fp32, where it would first round them to the format that it read."""
    resting = set()
    for module in model.modules():
        if type(module) in _WIDE and not module.weight.requires_grad:
            module.__class__ = _WIDE[type(module)]
            resting.add(module.weight)
        packed = getattr(getattr(module, "weight", None), "quant_state", None)
        if packed is not None:
            packed.dtype = torch.float32
    for parameter in model.parameters():
        if parameter.is_floating_point() and parameter not in resting:
            parameter.data = parameter.data.float()


def is_plain(module: torch.nn.Module) -> bool:
    """Whether it is a linear layer whose output is `product` of its input, weight and bias."""
    return type(module) in (torch.nn.Linear, _Linear)


def product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`x @ weight.T + bias` in the format of `x`. x: [tokens, in], weight: [out, in], bias: [out]."""
    if weight.dtype == x.dtype:
        return torch.nn.functional.linear(x, weight, bias)
    out = x.new_empty(x.shape[0], weight.shape[0])
    for rows, block in blocks(weight, x.dtype):
        torch.mm(x, block.T, out=out[:, rows])
    return out if bias is None else out.add_(bias)


def product_back(gradient: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`gradient @ weight` in the format of `gradient`, [tokens, out]."""
    if weight.dtype == gradient.dtype:
        return gradient @ weight
    out = gradient.new_zeros(gradient.shape[0], weight.shape[1])
    for rows, block in blocks(weight, gradient.dtype):
        out.addmm_(gradient[:, rows], block)
    return out


def blocks(weight: torch.Tensor, dtype: torch.dtype) -> Iterator[tuple[slice, torch.Tensor]]:
    """(rows, these rows of `weight` in `dtype`), from the first to the last; a block holds until the next one is asked
    for. All at once where they are in `dtype` already."""
    if weight.dtype == dtype:
        yield slice(0, len(weight)), weight
        return
    rows = max(1, budget.WIDENED // weight.shape[1])
    for start in range(0, len(weight), rows):
        part = weight[start : start + rows]
        wide = _room(dtype, weight.device)[: part.numel()].view(part.shape)
        yield slice(start, start + len(part)), wide.copy_(part)


@functools.cache
def _room(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Where blocks are widened, one after the other. Given back and asked for anew, small values that stay would settle
    in it each time, and a heap would be twice as large as what is in it."""
    return torch.empty(budget.WIDENED, dtype=dtype, device=device)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.weight = weight
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx, gradient):
        return product_back(gradient, ctx.weight), None, None


class _Linear(torch.nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _Product.apply(x.reshape(-1, x.shape[-1]), self.weight, self.bias).view(*x.shape[:-1], -1)


class _Embedding(torch.nn.Embedding):
    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return super().forward(ids).float()


_WIDE = {torch.nn.Linear: _Linear, torch.nn.Embedding: _Embedding}
