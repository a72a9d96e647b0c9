"""Questions to models, answered in this process: loads what they need, batches them, keeps the conversation's memory.

It knows nothing of the network. One thread at a time may use it; the server sees to that.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from engine import hardware
from engine.compare.generate import answer, batched
from engine.compare.loading import Shelf, out_of_memory_said
from engine.compare.names import Source, resolve, stamp
from engine.compare.row import Memory, Row
from engine.compare.settings import GenerationParams
from engine.errors import TooLong
from engine.training import rewards
from engine.training.scoring import Scorer

Cancelled = Callable[[], bool]

# Rows read at once for their loss. Their logits are held in full, which a vocabulary of 150,000 makes large.
_LOSSES_AT_ONCE = 8
_ANY_LENGTH = GenerationParams()
# Conversations whose keys and values are kept, one a model; the longest unused goes first.
MEMORIES_KEPT = 8


class Desk:
    """`precision`: "auto", "fp32", "bf16" or "fp16"."""

    def __init__(self, precision: str = "auto"):
        self._shelf = Shelf(precision)
        self._memories: OrderedDict[tuple, Memory] = OrderedDict()
        self._scorer: tuple[tuple, Scorer] | None = None  # of the reward model asked last, and its files' stamp

    def compare(
        self,
        names: list[str],
        conversations: list[list[dict]],
        params: GenerationParams,
        cancelled: Cancelled,
    ) -> Iterator[dict]:
        """Answers of the models `names` to their conversations, together where memory allows, else one base after the
        other. Events, each with the `index` of its model:

            {"index", "phase": "loading"}    it is not in memory yet
            {"index", "delta"}               more text
            {"index", "finish_reason", "tokens", "prompt_tokens", "seconds"}   the end: "stop", "length", "cancelled"

        Raises:
            TooLong, NotFound, NotAModel, Unsupported, OutOfMemory: as their messages say.
        """
        sources = [resolve(name) for name in names]
        for index, source in enumerate(sources):
            if not self._shelf.loaded(source):
                yield {"index": index, "phase": "loading"}
        everyone = list(range(len(sources)))
        together = self._shelf.fit_together(sources)
        for members in [everyone] if together else [[index] for index in everyone]:
            yield from self._answered(members, sources, conversations, params, cancelled)

    def answers(
        self, name: str, conversations: list[list[dict]], params: GenerationParams, longest: int, cancelled: Cancelled
    ) -> Iterator[dict]:
        """The answers of one model to many questions, decoded in one batch, as each is done: `{"index", "text",
        "tokens", "finish_reason"}`, `index` counting the conversations. One too long for the context has `text` None.

        Raises:
            NotFound, NotAModel, Unsupported, OutOfMemory: as their messages say.
        """
        (voice,) = self._shelf.voices([resolve(name)])
        rows = []
        for index, conversation in enumerate(conversations):
            try:
                rows.append(
                    Row(voice, voice.prompt(conversation), params, index=index, longest=longest, streamed=False)
                )
            except TooLong:
                yield {"index": index, "text": None, "tokens": 0, "finish_reason": "length"}
        said = dict.fromkeys(range(len(conversations)), "")
        for row, delta in answer(rows, cancelled):
            said[row.index] += delta
            if row.finish:
                ended = {"tokens": len(row.answer), "finish_reason": row.finish}
                yield {"index": row.index, "text": said[row.index], **ended}

    def losses(
        self, name: str, conversations: list[list[dict]], max_length: int, cancelled: Cancelled
    ) -> Iterator[dict]:
        """How surprised a model is by the answers in finished conversations: `{"index", "loss", "tokens"}`, `loss` being
        the sum over the answers' tokens, in nats. Conversations are cut to `max_length` tokens as in training; where no
        token of an answer is left, `tokens` is 0.

        Raises:
            As `answers`.
        """
        (voice,) = self._shelf.voices([resolve(name)])
        encoded = voice.measured(conversations, max_length)
        kept = sorted((i for i, (_, mask) in enumerate(encoded) if any(mask)), key=lambda i: len(encoded[i][0]))
        for index in set(range(len(encoded))) - set(kept):
            yield {"index": index, "loss": 0.0, "tokens": 0}
        for start in range(0, len(kept), _LOSSES_AT_ONCE):
            if cancelled():
                return
            chosen = kept[start : start + _LOSSES_AT_ONCE]
            (batch,) = batched([Row(voice, encoded[i][0], _ANY_LENGTH) for i in chosen])
            masks = [encoded[i][1] for i in chosen]
            for index, mask, loss in zip(chosen, masks, batch.losses(masks), strict=True):
                yield {"index": index, "loss": loss, "tokens": sum(mask)}

    def scores(self, run: str, conversations: list[list[dict]]) -> Iterator[dict]:
        """What the reward model that `run` made gives to finished conversations: `{"scores"}`, higher is better.

        Raises:
            NotFound: no such run, or it made none. OutOfMemory.
        """
        folder = rewards.find(run).path
        key = stamp(folder / "final")
        with out_of_memory_said():
            if self._scorer is None or self._scorer[0] != key:
                self._scorer = None  # two at once might not fit
                self._scorer = key, Scorer(folder, hardware.best())
            scores = self._scorer[1].scores(conversations)
        yield {"scores": [round(score, 4) for score in scores]}

    def _answered(
        self,
        members: list[int],
        sources: list[Source],
        conversations: list[list[dict]],
        params: GenerationParams,
        cancelled: Cancelled,
    ) -> Iterator[dict]:
        voices = self._shelf.voices([sources[index] for index in members])
        rows = [
            Row(
                voice,
                voice.prompt(conversations[index]),
                params,
                memory=self._memories.get(voice.key),
                remember=True,
                index=index,
            )
            for index, voice in zip(members, voices, strict=True)
        ]
        started = time.perf_counter()
        for row, delta in answer(rows, cancelled):
            if delta:
                yield {"index": row.index, "delta": delta}
            if row.finish:
                yield {
                    "index": row.index,
                    "finish_reason": row.finish,
                    "tokens": len(row.answer),
                    "prompt_tokens": row.prompt_length,
                    "seconds": round(time.perf_counter() - started, 3),
                }
                self._remember(row)

    def _remember(self, row: Row) -> None:
        if row.memory is None:
            return
        self._memories[row.voice.key] = row.memory
        self._memories.move_to_end(row.voice.key)
        while len(self._memories) > MEMORIES_KEPT:
            self._memories.popitem(last=False)
