"""The fused LoRA layer, held against PEFT's own."""

import copy

import peft
import pytest
import torch

from engine.training import lora


class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.wide, self.narrow = torch.nn.Linear(16, 24), torch.nn.Linear(24, 8, bias=False)

    def forward(self, x):
        return self.narrow(torch.relu(self.wide(x)))


def adapted(**more):
    torch.manual_seed(0)
    settings = {"r": 4, "lora_alpha": 6, "target_modules": ["wide", "narrow"], "init_lora_weights": False, **more}
    return peft.get_peft_model(Layers(), peft.LoraConfig(**settings)).double().train()


def passed(model):
    """Output, and the gradients of the input and of what trains."""
    x = torch.linspace(-1, 1, 9 * 16, dtype=torch.float64).view(1, 9, 16).requires_grad_()
    torch.manual_seed(1)
    out = model(x)
    out.pow(2).sum().backward()
    return [out, x.grad, *(p.grad for p in model.parameters() if p.requires_grad)]


@pytest.mark.parametrize("more", [{}, {"lora_dropout": 0.3}, {"use_rslora": True}], ids=["plain", "dropout", "rslora"])
def test_outputs_and_gradients_are_pefts(more):
    theirs = adapted(**more)
    ours = copy.deepcopy(theirs)
    lora.fuse(ours)
    assert "forward" in vars(ours.base_model.model.wide)
    for mine, expected in zip(passed(ours), passed(theirs), strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-12, atol=1e-12)
    with ours.disable_adapter(), theirs.disable_adapter():
        torch.testing.assert_close(passed(ours)[0], passed(theirs)[0], rtol=0, atol=0)


def test_what_is_more_than_a_plain_lora_stays_as_it_is():
    model = adapted(use_dora=True)
    before = {name: type(module) for name, module in model.named_modules()}
    lora.fuse(model)
    assert {name: type(module) for name, module in model.named_modules()} == before
