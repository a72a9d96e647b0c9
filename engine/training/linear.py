"""Linear layers that multiply as `products.py` does: frozen or not, in fp32, resting in 16 bits or packed in 4."""

import torch

from engine.training import products


def use(model: torch.nn.Module) -> None:
    """Let every plain linear layer of `model` compute this way, and those that bitsandbytes packed to give fp32."""
    for module in model.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = _Linear
        elif is_packed(module):
            module.forward = _multiplied.__get__(module)


def is_plain(module: torch.nn.Module) -> bool:
    """Whether it is a linear layer whose output is `products.product` of its input, weight and bias."""
    return type(module) in (torch.nn.Linear, _Linear) or is_packed(module)


def is_packed(module: torch.nn.Module) -> bool:
    """Whether its weight is packed in 4 bits and becomes fp32 when it is multiplied."""
    state = getattr(getattr(module, "weight", None), "quant_state", None)
    return state is not None and state.dtype == torch.float32


def _multiplied(self: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    out = products.Product.apply(x.reshape(-1, x.shape[-1]), self.weight, self.bias)
    return out.view(*x.shape[:-1], -1)


class _Linear(torch.nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _multiplied(self, x) if products.differs(x, self.weight) else super().forward(x)
