"""Products of a layer's matrices in fp32, in the pieces that this processor multiplies fastest.

A weight that rests in fewer bits is widened a piece at a time: multiplied, then overwritten by the next.

MKL lays wide products out badly for processors of AMD: on two cores of an EPYC, 292 tokens of 896 values times a matrix
to 4,864 ran at 87 GFLOP/s as a whole and at 112 in pieces of 608 columns, 220 tokens times an output head at 83 and 117.
On an Intel Xeon the whole was the faster.
"""

import functools
from collections.abc import Iterator

import torch

from engine import hardware
from engine.training import budget

# Columns: up to so many a product is as fast whole; of a wider one so many at a time.
_WHOLE, _PIECE = 1024, 640


def product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`x @ weight.T + bias` in the format of `x`. x: [tokens, in], weight: [out, in], bias: [out]."""
    weight = _unpacked(weight)
    most = _widest(x, len(weight))
    if weight.dtype == x.dtype and len(weight) <= most:
        return torch.nn.functional.linear(x, weight, bias)
    out = x.new_empty(x.shape[0], weight.shape[0])
    for rows, piece in _pieces(weight, x.dtype, most):
        torch.mm(x, piece.T, out=out[:, rows])
    return out if bias is None else out.add_(bias)


def product_back(gradient: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`gradient @ weight` in the format of `gradient`, [tokens, in]."""
    weight = _unpacked(weight)
    most = _widest(gradient, weight.shape[1])
    if weight.dtype == gradient.dtype and weight.shape[1] <= most:
        return gradient @ weight
    out = gradient.new_empty(gradient.shape[0], weight.shape[1])
    for columns in _cut(weight.shape[1], most):
        for rows, piece in _pieces(weight[:, columns], gradient.dtype, len(weight)):
            # With a beta of 0 what stood there does not count.
            out[:, columns].addmm_(gradient[:, rows], piece, beta=min(rows.start, 1))
    return out


def product_across(gradient: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`gradient.T @ x`, the gradient of a weight, [out, in]."""
    out = x.new_empty(gradient.shape[1], x.shape[1])
    for columns in _cut(x.shape[1], _widest(x, x.shape[1])):
        torch.mm(gradient.T, x[:, columns], out=out[:, columns])
    return out


def differs(x: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether a product of the two is more than one call to torch."""
    return weight.dtype != x.dtype or _lays_out_badly(x)


def _unpacked(weight: torch.Tensor) -> torch.Tensor:
    """The matrix that bitsandbytes packed in 4 bits; any other is itself."""
    state = getattr(weight, "quant_state", None)
    if state is None:
        return weight
    from bitsandbytes.functional import dequantize_4bit

    return dequantize_4bit(weight.data, state)


def _widest(like: torch.Tensor, columns: int) -> int:
    """How many `columns` of a product one call may make."""
    return _PIECE if columns > _WHOLE and _lays_out_badly(like) else columns


def _lays_out_badly(like: torch.Tensor) -> bool:
    return like.device.type == "cpu" and like.itemsize >= 4 and _is_amd()


@functools.cache
def _is_amd() -> bool:
    return "AMD" in hardware.processor_name()


def _cut(length: int, most: int) -> Iterator[slice]:
    """Slices of 0 to `length`, as even as can be, of at most `most` each."""
    count = -(-length // most)
    for i in range(count):
        yield slice(i * length // count, (i + 1) * length // count)


def _pieces(weight: torch.Tensor, dtype: torch.dtype, most: int) -> Iterator[tuple[slice, torch.Tensor]]:
    """(rows, these rows of `weight` in `dtype`), from the first to the last, at most `most` at once; where they had to be
    widened, a piece holds until the next one is asked for."""
    wide = weight.dtype == dtype
    for rows in _cut(len(weight), most if wide else min(most, max(1, budget.WIDENED // weight.shape[1]))):
        piece = weight[rows]
        yield rows, piece if wide else _room(dtype, weight.device)[: piece.numel()].view(piece.shape).copy_(piece)


@functools.cache
def _room(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Where pieces are widened, one after the other. Given back and asked for anew, small values that stay would settle
    in it each time, and a heap would be twice as large as what is in it."""
    return torch.empty(budget.WIDENED, dtype=dtype, device=device)


class Product(torch.autograd.Function):
    """x: [tokens, in], weight: [out, in], bias: [out] or None. Returns [tokens, out]."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        # Not among the saved tensors, which forget that a weight is packed.
        ctx.weight = weight
        ctx.save_for_backward(x if ctx.needs_input_grad[1] else None)
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        wants_x, wants_weight, wants_bias = ctx.needs_input_grad
        return (
            product_back(gradient, ctx.weight) if wants_x else None,
            product_across(gradient, x) if wants_weight else None,
            gradient.sum(0) if wants_bias else None,
        )
