"""Who answers: one copy of a base's weights, and a voice of it, which knows how its words are read and written.

It knows nothing of files, sampling or the network.
"""

import copy
import itertools
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from jinja2.exceptions import TemplateError
from transformers import PreTrainedModel

from engine.data import encode
from engine.data.tokens import Tokens
from engine.errors import Unsupported
from engine.words import Words

BASE = "__base__"  # PEFT's name, in a mixed batch, for a row without an adapter


@dataclass
class Base:
    """One copy of weights. `mixed` is the view that holds its plain LoRAs, once there is one."""

    model: PreTrainedModel
    device: torch.device
    mixed: torch.nn.Module | None = None
    adapters: OrderedDict = field(default_factory=OrderedDict)

    def view(self) -> PreTrainedModel:
        """Another tree of modules over the same tensors."""
        tensors = itertools.chain(self.model.parameters(), self.model.buffers())
        return copy.deepcopy(self.model, {id(tensor): tensor for tensor in tensors})

    def forget(self, lora: str) -> None:
        """Free a plain LoRA of the mixed view; with the last of them the view goes too."""
        others = [name for name in self.mixed.peft_config if name != lora]
        if others:
            # PEFT cannot go on from an active adapter that is gone.
            self.mixed.set_adapter(others[0], inference_mode=True)
            self.mixed.delete_adapter(lora)
        else:
            self.mixed = None


@dataclass
class Voice:
    """One model that answers: how its rows are computed, and how its words are read and written.

    `key` changes when its files do. Rows of the same base share a batch, where `adapter` names a row's LoRA; rows with an
    `own_model` are computed by that.
    `virtual`: embeddings `[tokens, hidden]` before the prompt; `prefix`: a layer's keys and values
    `[1, heads, tokens, head size]` before it.
    """

    key: tuple
    base: Base
    tokens: Tokens
    ends: frozenset[int]
    end_text: str | None
    adapter: str = BASE
    own_model: torch.nn.Module | None = None
    virtual: torch.Tensor | None = None
    prefix: list[tuple[torch.Tensor, torch.Tensor]] | None = None

    @property
    def virtual_tokens(self) -> int:
        if self.virtual is not None:
            return len(self.virtual)
        return self.prefix[0][0].shape[2] if self.prefix else 0

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together that the model can read."""
        return self.base.model.config.get_text_config().max_position_embeddings - self.virtual_tokens

    def prompt(self, messages: list[dict]) -> list[int]:
        """The token ids of a conversation, ready to be answered; of the beginning of a text, those of the text alone.

        Raises:
            Unsupported: the model's template refuses it (some know no system message).
        """
        if messages[0]["role"] == "text":
            return self.tokens.encodings([messages[0]["content"]])[0].ids
        try:
            text = self.tokens.template.render(messages, add_generation_prompt=True)
        except TemplateError as error:
            reason = Words(
                f"The model's chat template does not take this conversation: {error}",
                f"模型的对话模板不接受这段对话：{error}",
            )
            raise Unsupported(reason=reason) from error
        return self.tokens.encodings([text])[0].ids

    def measured(self, conversations: list[list[dict]], max_length: int) -> list[tuple[list[int], list[bool]]]:
        """Finished conversations as in training: token ids, and which of them belong to an answer.

        Raises:
            BadMapping: the model's template refuses one.
        """
        encoded = encode.encode_messages(self.tokens, conversations, min(max_length, self.context - 1))
        return [(ids, [False, *mask[1:]]) for ids, mask in encoded]  # nothing comes before the first token


def ends_of(model: PreTrainedModel, read: Tokens) -> tuple[frozenset[int], str | None]:
    """The tokens that end an answer, and the text that ends it where the template's end of turn is not one token."""
    listed = model.generation_config.eos_token_id
    ends = set(listed) if isinstance(listed, list) else {listed}
    if "eos_token" in read.special:
        ends.add(read.backend.token_to_id(read.special["eos_token"]))
    content = "一二"
    text, spans = read.template.answers([{"role": "user", "content": "一"}, {"role": "assistant", "content": content}])
    mark = text[slice(*spans[-1])].removeprefix(content).strip() if spans else ""
    ids = read.encodings([mark])[0].ids
    if len(ids) == 1:
        ends.add(ids[0])
    return frozenset(ends - {None}), mark if len(ids) > 1 else None
