"""Frozen weights that rest in 16 bits and are multiplied in fp32: the numbers of an fp32 model in half its memory.

A model published in bf16 or fp16 gains nothing in fp32 but place taken, since each weight is the same number there. On a
processor that multiplies faster in fp32, or in nothing else, `products.py` widens a piece of a weight at a time.
"""

import torch


def widen(model: torch.nn.Module) -> None:
    """Let every plain linear layer and embedding of `model` that is frozen in 16 bits give fp32; all else becomes fp32.

    Weights that bitsandbytes packed in 4 bits keep their codes, which are the same whether it read bf16, fp16 or fp32;
    they too are widened to fp32, where it would first round them to the format that it read."""
    resting = set()
    for module in model.modules():
        weight = getattr(module, "weight", None)
        packed = getattr(weight, "quant_state", None)
        if packed is not None:
            packed.dtype = torch.float32
        elif type(module) in (torch.nn.Linear, torch.nn.Embedding) and not weight.requires_grad:
            resting.add(weight)
            if type(module) is torch.nn.Embedding:
                module.__class__ = _Embedding
    for parameter in model.parameters():
        if parameter.is_floating_point() and parameter not in resting:
            parameter.data = parameter.data.float()


class _Embedding(torch.nn.Embedding):
    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return super().forward(ids).float()
