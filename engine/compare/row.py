"""One conversation that is being answered: its tokens so far, how the next is drawn, and what is kept for its next turn.

Each row draws from a generator of its own, so neighbours change nothing in it, and equal seeds give equal luck.
"""

from dataclasses import dataclass, field

import torch

from engine.compare.settings import DEFAULT_MAX_TOKENS, GenerationParams
from engine.compare.text import Text
from engine.compare.voice import Voice
from engine.errors import TooLong


@dataclass
class Memory:
    """Keys and values of a conversation, so that its next turn need not read it again.

    `ids`: what they were computed from (virtual tokens are negative); `layers`: keys and values, each
    `[heads, len(ids), head size]`; `turns`: for each turn the length of its prompt and of what is left of it.

    Only a longer conversation takes up from it, and always where the turn before ended: asking the same again computes
    the same again, to the last bit.
    """

    ids: list[int]
    layers: list[tuple[torch.Tensor, torch.Tensor]]
    turns: list[tuple[int, int]]

    def reusable(self, ids: list[int]) -> int:
        """How many tokens of a prompt need not be read again."""
        same = next((i for i, (old, new) in enumerate(zip(self.ids, ids, strict=False)) if old != new), None)
        same = min(len(self.ids), len(ids)) if same is None else same
        while self.turns and not (len(ids) > self.turns[-1][0] <= same):
            self.turns.pop()
        return min(same, self.turns[-1][1], len(ids) - 1) if self.turns else 0


@dataclass
class Row:
    """One conversation to be answered by one voice.

    `ids` grows: virtual tokens (negative), prompt, answer. `memory` is taken up at the start and, where `remember` is
    set, holds this conversation at the end. `longest`: tokens of an answer where `params` name none.
    Not `streamed`: its text comes in one piece at the end.
    """

    voice: Voice
    ids: list[int]
    params: GenerationParams
    memory: Memory | None = None
    remember: bool = False
    longest: int = DEFAULT_MAX_TOKENS
    streamed: bool = True
    index: int = 0
    finish: str | None = None
    _text: Text = field(init=False)

    def __post_init__(self) -> None:
        virtual = self.voice.virtual_tokens
        limit = self.voice.context - (self.params.max_tokens or 1)
        if len(self.ids) > limit:
            raise TooLong(tokens=len(self.ids), limit=max(limit, 0))
        self.room = self.params.max_tokens or min(self.longest, self.voice.context - len(self.ids))
        self.ids = [*range(-virtual, 0), *self.ids]
        self.prompt_length = len(self.ids)
        self.turns: list[tuple[int, int]] = []
        self._generator = torch.Generator().manual_seed(self.params.seed)
        stops = self.params.stop + ((self.voice.end_text,) if self.voice.end_text else ())
        self._text = Text(self.voice.tokens, stops)
        self._watched = self.streamed or bool(stops)

    @property
    def answer(self) -> list[int]:
        """The tokens drawn so far, without the one that ended the answer."""
        new = self.ids[self.prompt_length :]
        return new[:-1] if new and new[-1] in self.voice.ends else new

    @property
    def plain(self) -> bool:
        """Whether its next token is simply the likeliest."""
        return self.params.temperature == 0 and self.params.repetition_penalty == 1.0

    def draw(self, logits: torch.Tensor) -> int:
        """The next token, from `logits` `[vocabulary]`."""
        return choose(logits, self.params, self.ids, self._generator)

    def take(self, token: int) -> str:
        """Append `token`; give the text that it completes. Sets `finish`."""
        self.ids.append(token)
        if token in self.voice.ends:
            self.finish = "stop"
            return self._text.end()
        if self._watched:
            delta = self._text.push(token)
        else:
            self._text.hold(token)
            delta = ""
        if self._text.stopped:
            self.finish = "stop"
        elif len(self.ids) - self.prompt_length >= self.room:
            self.finish = "length"
            delta += self._text.end()
        return delta


def choose(logits: torch.Tensor, params: GenerationParams, seen: list[int], generator: torch.Generator) -> int:
    """One token from `logits` `[vocabulary]`: repetition penalty, temperature, top-k, top-p, as transformers orders
    them, then one uniform number from `generator`."""
    logits = logits.float()
    if params.repetition_penalty != 1.0:
        ids = torch.tensor(sorted({i for i in seen if i >= 0}), device=logits.device)
        score = logits[ids]
        penalised = torch.where(score < 0, score * params.repetition_penalty, score / params.repetition_penalty)
        logits = logits.index_put((ids,), penalised)
    if params.temperature == 0:
        return int(logits.argmax())
    logits = logits / params.temperature
    luck = torch.rand((), generator=generator).item()
    if params.top_k == 0 and params.top_p == 1:
        return _pick(logits.softmax(0).cumsum(0), luck)
    # Sorting a whole vocabulary costs more than a small model's step; the likeliest few hundred nearly always suffice.
    width = min(params.top_k or 256, len(logits))
    while True:
        values, order = logits.topk(width)
        total = values.logsumexp(0) if params.top_k else logits.logsumexp(0)
        shares = (values - total).exp().cumsum(0)
        if params.top_k or width == len(logits) or float(shares[-1]) >= params.top_p:
            break
        width = min(width * 8, len(logits))
    # A token stays while those before it do not yet reach top_p; the likeliest always stays.
    kept = 1 + int((shares[:-1] < params.top_p).sum())
    return int(order[_pick(shares[:kept], luck)])


def _pick(shares: torch.Tensor, luck: float) -> int:
    """The place where `luck`, 0 to 1, falls in the growing `shares`."""
    return min(int((shares <= luck * float(shares[-1])).sum()), len(shares) - 1)
