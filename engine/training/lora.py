"""LoRA beside a frozen linear layer as one step of autograd: the same numbers as PEFT's, in half the operations.

PEFT casts the input to the adapter's fp32, and scales, adds and casts back in operations of their own, each over all
tokens and each kept for the backward pass. Here the two products of the adapter are added into the layer's own, forward
and backward, and only the small matrices are cast. Hu et al. 2021, arXiv:2106.09685.
"""

import torch
from peft.tuners.lora import LoraLayer

from engine.training import linear, products

# PEFT's classes of LoRA on a linear layer, plain or packed in 4 bits.
_LORA = ("Linear", "Linear4bit")


def fuse(model: torch.nn.Module) -> None:
    """Let every plain LoRA on a linear layer of `model` (of PEFT) compute this way; others stay as they are."""
    for module in model.modules():
        named = isinstance(module, LoraLayer) and type(module).__name__ in _LORA
        if named and linear.is_plain(module.base_layer) and not module.lora_variant:
            module.forward = _forward.__get__(module)


def _forward(self: LoraLayer, x: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
    if self.disable_adapters or self.merged or args or kwargs:
        return type(self).forward(self, x, *args, **kwargs)
    (name,) = self.active_adapters
    flat = x.reshape(-1, x.shape[-1])
    dropout = self.lora_dropout[name]
    out = _LoraLinear.apply(
        flat,
        dropout(flat) if self.training and not isinstance(dropout, torch.nn.Identity) else None,
        self.base_layer.weight,
        self.base_layer.bias,
        self.lora_A[name].weight,
        self.lora_B[name].weight,
        self.scaling[name],
    )
    return out.view(*x.shape[:-1], -1)


class _LoraLinear(torch.autograd.Function):
    """x: [tokens, in], in the format of the products; dropped: x after dropout, None for no dropout; weight: [out, in] and
    bias, frozen; a: [r, in] and b: [out, r], in fp32 or finer. Returns [tokens, out]."""

    @staticmethod
    def forward(ctx, x, dropped, weight, bias, a, b, scaling):
        into = x if dropped is None else dropped
        a, b = a.to(x.dtype), b.to(x.dtype)
        inner = a @ into.T
        # Among the saved tensors a packed weight would forget how it is packed.
        ctx.weight = weight
        ctx.save_for_backward(into, inner, a, b)
        ctx.scaling, ctx.dropped = scaling, dropped is not None
        return products.product(x, weight, bias).addmm_(inner.T, b.T, alpha=scaling)

    @staticmethod
    def backward(ctx, gradient):
        into, inner, a, b = ctx.saved_tensors
        within = (b.T.contiguous() @ gradient.T).mul_(ctx.scaling)
        a_gradient = (within @ into).to(torch.promote_types(a.dtype, torch.float32))
        b_gradient = (inner @ gradient).T.to(a_gradient.dtype).mul_(ctx.scaling)
        x_gradient = products.product_back(gradient, ctx.weight) if ctx.needs_input_grad[0] else None
        dropped_gradient = within.T @ a if ctx.needs_input_grad[1] else None
        if x_gradient is not None and not ctx.dropped:
            x_gradient.addmm_(within.T, a)
        return x_gradient, dropped_gradient, None, None, a_gradient, b_gradient, None
