"""The output head and cross entropy in one, a chunk of tokens at a time, so that full logits never exist.

With a vocabulary of 151,936, the logits of 1,000 tokens would take 600 MB in fp32, and as much again for their gradient.
Here a chunk's logits become its loss and its gradient at once and are gone before the next chunk's are made. The idea
is that of Liger Kernel's FusedLinearCrossEntropy (Hsu et al. 2024, arXiv:2410.10989); this one is plain torch.
"""

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from engine.training import budget, linear, products

# Of a vocabulary, when logits are summed up: their exponentials are gone before the next ones come.
_PIECE = 16384


class _LinearCrossEntropy(torch.autograd.Function):
    """The gradient is made in the forward pass, where the logits are; the backward pass hands it on."""

    @staticmethod
    def forward(ctx, hidden, weight, labels, scale, wants_hidden, wants_weight):
        hidden_gradient = torch.empty_like(hidden) if wants_hidden else None
        weight_gradient = torch.zeros_like(weight) if wants_weight else None
        # Under autocast the weights that train are fp32 and the products bf16; frozen ones may rest in fewer bits.
        product_weight = weight if weight.itemsize < hidden.itemsize else weight.to(hidden.dtype)
        exact = torch.promote_types(hidden.dtype, torch.float32)
        total = torch.zeros((), dtype=exact, device=hidden.device)
        rows = _chunk_rows(weight)
        for start in range(0, hidden.shape[0], rows):
            part, target = hidden[start : start + rows], labels[start : start + rows, None]
            logits = products.product(part, product_weight).to(exact)
            sums = [piece.logsumexp(-1, keepdim=True) for piece in logits.split(_PIECE, dim=1)]
            normaliser = torch.cat(sums, dim=1).logsumexp(-1, keepdim=True)
            total += (normaliser - logits.gather(1, target)).sum()
            if not (wants_hidden or wants_weight):
                continue
            gradient = logits.sub_(normaliser).exp_()
            gradient.scatter_add_(1, target, gradient.new_full(target.shape, -1.0))
            gradient = gradient.mul_(scale).to(hidden.dtype)
            if wants_hidden:
                hidden_gradient[start : start + rows] = products.product_back(gradient, product_weight)
            if wants_weight:
                if gradient.dtype == weight_gradient.dtype:
                    weight_gradient.addmm_(gradient.T, part)
                else:
                    weight_gradient += gradient.T @ part
        ctx.gradients = hidden_gradient, weight_gradient
        return total * scale

    @staticmethod
    def backward(ctx, upstream):
        gradients, ctx.gradients = ctx.gradients, None
        # 1 without a gradient scaler and a power of two with one: exact in every format.
        return *(g if g is None else g.mul_(upstream.to(g.dtype)) for g in gradients), None, None, None, None


def linear_cross_entropy(
    hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, scale: float = 1.0
) -> torch.Tensor:
    """`scale` times the summed cross entropy of `labels` under the logits `hidden @ weight.T`.

    hidden: [tokens, hidden size], in the precision of the products; weight: [vocabulary, hidden size];
    labels: int64 [tokens]. Returns a scalar (nats), in fp32 or finer; gradients flow to `hidden` and, if it trains, to `weight`.
    """
    wants = [torch.is_grad_enabled() and tensor.requires_grad for tensor in (hidden, weight)]
    return _LinearCrossEntropy.apply(hidden, weight, labels, scale, *wants)


def head_loss(head: torch.nn.Module, hidden: torch.Tensor, labels: torch.Tensor, scale: float) -> torch.Tensor:
    """The same for any output head. What is more than a plain matrix (a bias, an adapter) runs a chunk at a time and
    again in the backward pass, so that full logits never exist there either."""
    if linear.is_plain(head) and head.bias is None:
        return linear_cross_entropy(hidden, head.weight, labels, scale)

    def chunk_loss(part: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(head(part).float(), target, reduction="sum")

    rows = _chunk_rows(head.weight)
    parts = zip(hidden.split(rows), labels.split(rows), strict=True)
    return scale * sum(checkpoint(chunk_loss, *part, use_reentrant=False) for part in parts)


def _chunk_rows(weight: torch.Tensor) -> int:
    return max(16, budget.LOGITS // (weight.shape[0] * 4))
