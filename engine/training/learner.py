"""A model with its loss: one module whose forward pass takes a pack and returns the loss of its counted tokens.

Being the module that a trainer wraps (for several processes, for sharding) it is the one place where a pack meets a
model, whatever the method. It goes through the model's body, without the head, so that full logits never exist.
"""

from contextlib import nullcontext
from dataclasses import replace

import torch

from engine.training import gating, linear, lora
from engine.training.batching import Pack
from engine.training.loss import head_loss
from engine.training.method import MethodSpec
from engine.training.packing import ATTENTION
from engine.training.tuned import Tuned


class Learner(Tuned):
    """A `Tuned` model that takes packs. `neftune_alpha`: see `_noise`."""

    def __init__(
        self, model: torch.nn.Module, method: MethodSpec, compute: torch.dtype | None = None, neftune_alpha: float = 0.0
    ):
        super().__init__(model, method, compute)
        self.neftune_alpha = neftune_alpha
        self.causal.set_attn_implementation(ATTENTION)
        # Autocast chooses the format of each product itself.
        if compute is None:
            linear.use(self.model)
        lora.fuse(self.model)
        gating.fuse(self.model)

    def shares(self, training: bool) -> bool:
        """Whether examples that begin alike may share their beginning: not while chance gives each its own (dropout, noise),
        nor where attention reaches back so far only. On a GPU attention without a mask is worth more."""
        config = self.causal.config
        drops = any(isinstance(module, torch.nn.Dropout) and module.p for module in self.modules())
        chance = training and (self.neftune_alpha or drops or getattr(config, "attention_dropout", 0))
        return self.causal.device.type == "cpu" and not chance and not getattr(config, "sliding_window", None)

    def forward(self, pack: Pack, scale: float, penalise: bool = False) -> torch.Tensor:
        """`scale` times the summed cross entropy (nats) of the pack's labels, an fp32 scalar; with `penalise` plus the
        method's own penalty, once a step."""
        device = pack.ids.device.type
        with torch.autocast(device, self.compute) if self.compute else nullcontext():
            hidden = self._hidden(pack).index_select(0, pack.sources)
            loss = head_loss(self.causal.get_output_embeddings(), hidden, pack.labels, scale)
        return loss + self.method.penalty(self.model) if penalise and self.method.penalty else loss

    def _hidden(self, pack: Pack) -> torch.Tensor:
        """The last hidden states, [slots, hidden size]."""
        body = self.causal.get_decoder()
        embeddings = body.get_input_embeddings()(pack.ids)
        packing = pack.packing
        if pack.virtual is not None:
            prompt = self.model.get_prompt(1)[0].to(embeddings.dtype)
            chosen = prompt.index_select(0, pack.virtual.clamp(min=0))
            embeddings = torch.where(pack.virtual[:, None] >= 0, chosen, embeddings[0])[None]
        elif self.method.layout == "prefix":
            packing = replace(packing, prefix=_layers(self.model.get_prompt(1)))
        if self.training and self.neftune_alpha:
            embeddings = embeddings + self._noise(embeddings, pack)
        return body(
            inputs_embeds=embeddings, position_ids=pack.positions, use_cache=False, packing=packing
        ).last_hidden_state[0]

    def _noise(self, embeddings: torch.Tensor, pack: Pack) -> torch.Tensor:
        """NEFTune (Jain et al. 2023, arXiv:2310.05914): uniform noise of size alpha / sqrt(length * width)."""
        sizes = [torch.full((g.stop - g.start,), g.width, device=embeddings.device) for g in pack.packing.groups]
        size = self.neftune_alpha / (torch.cat(sizes) * embeddings.shape[-1]).sqrt()
        return torch.empty_like(embeddings).uniform_(-1, 1) * size[None, :, None].to(embeddings.dtype)


def _layers(cache: object) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
    return tuple((layer.keys, layer.values) for layer in cache.layers)
