"""Answers, token by token: the decode loop.

Rows whose voices share a model are decoded in one batch over one copy of the weights: the base, its plain LoRAs (PEFT's
mixed batches) and its prompt-based adapters (their virtual tokens are only a longer beginning, padded on the left for
the others). Every other adapter has modules of its own, and its batch takes turns with the first, token by token.
"""

from collections.abc import Callable, Iterator

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from engine.compare.loading import out_of_memory_said, prove_base
from engine.compare.row import Memory, Row
from engine.compare.voice import BASE


class Batch:
    """Rows over one model. The first `step` reads the prompts, each later one adds a token to every living row."""

    def __init__(self, model: torch.nn.Module, rows: list[Row]):
        """`model` is the plain base, its mixed view or an adapter's own view; `rows` belong to it."""
        self._model = model
        adapters = {row.voice.adapter for row in rows}
        self._mixed = len(adapters) > 1
        # Rows that share one LoRA need no sorting by adapter, layer by layer, which takes a third of a small model's time.
        self._shared = next(iter(adapters - {BASE}), None) if not self._mixed else None
        self._base = rows[0].voice.base
        self.rows = rows
        self._cache: DynamicCache | None = None

    @torch.inference_mode()
    @out_of_memory_said()
    def step(self) -> list[tuple[Row, str]]:
        """Each living row with its new text (often empty).

        Raises:
            OutOfMemory: there is none left.
        """
        logits = self._read()[:, -1] if self._cache is None else self._next()
        if all(row.plain for row in self.rows):
            drawn = logits.argmax(-1).tolist()
        else:
            drawn = [row.draw(logits[i]) for i, row in enumerate(self.rows)]
        said = [(row, row.take(token)) for row, token in zip(self.rows, drawn, strict=True)]
        self._drop_finished()
        return said

    @torch.inference_mode()
    @out_of_memory_said()
    def losses(self, counted: list[list[bool]]) -> list[float]:
        """For each row the sum of the cross entropy, in nats, of those of its tokens that `counted` names (one entry a
        token of the conversation, virtual tokens left out). Nothing is drawn.

        Raises:
            OutOfMemory: there is none left.
        """
        # Padding is on the left, so the rows end together and only the columns from the first counted token on matter.
        keep = max(len(mask) - mask.index(True) for mask in counted) + 1
        logits = self._read(keep)
        sums = []
        for i, (row, mask) in enumerate(zip(self.rows, counted, strict=True)):
            back = [len(mask) - place for place, yes in enumerate(mask) if yes]  # a token's place, from the end
            targets = torch.tensor([row.ids[-b] for b in back], device=logits.device)
            predicted = logits[i, [-b - 1 for b in back]].float()
            sums.append(float(torch.nn.functional.cross_entropy(predicted, targets, reduction="sum")))
        return sums

    def _read(self, keep: int = 1) -> torch.Tensor:
        """The logits after the last `keep` tokens of the prompts `[rows, keep, vocabulary]`."""
        if any(row.voice.adapter == BASE and row.voice.own_model is None for row in self.rows):
            prove_base(self._model)
        starts = [self._take_up(row) for row in self.rows]
        device = self._base.device
        past = max(starts)
        width = max(len(row.ids) - start for row, start in zip(self.rows, starts, strict=True))
        ids = torch.zeros(len(self.rows), width, dtype=torch.long)
        positions = torch.zeros(len(self.rows), width, dtype=torch.long)
        self._mask = torch.zeros(len(self.rows), past + width, dtype=torch.long)
        for i, (row, start) in enumerate(zip(self.rows, starts, strict=True)):
            new = row.ids[start:]
            ids[i, width - len(new) :] = torch.tensor(new)
            positions[i, width - len(new) :] = torch.arange(start, len(row.ids))
            self._mask[i, past - start : past] = 1
            self._mask[i, past + width - len(new) :] = 1
        self._set_mask(self._mask.to(device))
        self._cache = self._past(starts, past)
        if bool((ids < 0).any()):
            inputs = {"inputs_embeds": self._embedded(ids.to(device), starts)}
        else:
            inputs = {"input_ids": ids.to(device)}
        return self._forward(positions.to(device), keep, **inputs)

    def _next(self) -> torch.Tensor:
        device = self._base.device
        ids = torch.tensor([[row.ids[-1]] for row in self.rows], device=device)
        positions = torch.tensor([[len(row.ids) - 1] for row in self.rows], device=device)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], 1)
        return self._forward(positions, 1, input_ids=ids)[:, -1]

    def _forward(self, positions: torch.Tensor, keep: int, **inputs: torch.Tensor) -> torch.Tensor:
        names = {"adapter_names": [row.voice.adapter for row in self.rows]} if self._mixed else {}
        if self._shared and self._model.active_adapter != self._shared:
            self._model.set_adapter(self._shared, inference_mode=True)
        out = self._model(
            **inputs,
            **names,
            # Without padding no mask at all: attention then takes its fastest path.
            attention_mask=self._mask if self._padded else None,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=keep,
        )
        return out.logits

    def _set_mask(self, mask: torch.Tensor) -> None:
        """`mask` `[rows, tokens]`: 1 where there is a token, 0 where there is padding."""
        self._mask = mask
        self._padded = not bool(mask.all())

    def _take_up(self, row: Row) -> int:
        """How many of the row's tokens the cache holds already: what its memory has, or else its learnt prefix."""
        if row.memory is None and row.voice.prefix:
            layers = [(keys[0], values[0]) for keys, values in row.voice.prefix]
            row.memory = Memory(row.ids[: row.voice.virtual_tokens], layers, [(0, row.voice.virtual_tokens)])
        start = row.memory.reusable(row.ids) if row.memory else 0
        if start:
            *before, (prompt, _) = row.memory.turns
            row.turns = [*before, (prompt, start)]
        return start

    def _past(self, starts: list[int], width: int) -> DynamicCache:
        """The keys and values that the rows take up, padded on the left to `width`."""
        cache = DynamicCache(config=self._base.model.config)
        if width == 0:
            return cache
        sample = next(row.memory for row, start in zip(self.rows, starts, strict=True) if start)
        for layer, (keys, _) in enumerate(sample.layers):
            sides = []
            for side in (0, 1):
                whole = torch.zeros(
                    len(self.rows),
                    keys.shape[0],
                    width,
                    keys.shape[2],
                    dtype=self._base.model.dtype,
                    device=keys.device,
                )
                for i, (row, start) in enumerate(zip(self.rows, starts, strict=True)):
                    if start:
                        whole[i, :, width - start :] = row.memory.layers[layer][side][:, :start]
                sides.append(whole)
            cache.update(*sides, layer)
        return cache

    def _embedded(self, ids: torch.Tensor, starts: list[int]) -> torch.Tensor:
        """Embeddings of `ids`, learnt ones where an id is negative."""
        inputs = self._base.model.get_input_embeddings()(ids.clamp(min=0))
        for i, row in enumerate(self.rows):
            if row.voice.virtual is not None and starts[i] == 0:
                inputs[i, ids[i] < 0] = row.voice.virtual.to(inputs.dtype)
        return inputs

    def _drop_finished(self) -> None:
        """Rows that ended leave the batch, so that the others no longer pay for them."""
        for i, row in enumerate(self.rows):
            if row.finish and row.remember:
                row.memory = self._kept(i, row)
        living = [i for i, row in enumerate(self.rows) if row.finish is None]
        if living and len(living) < len(self.rows):
            # On the processor: the layers may lie on several GPUs, and each takes an index from there.
            index = torch.tensor(living)
            self._cache.batch_select_indices(index)
            self._set_mask(self._mask[index])
        self.rows = [self.rows[i] for i in living]

    def _kept(self, i: int, row: Row) -> Memory | None:
        """Row `i`'s keys and values; None for caches that are more than a list of them (sliding windows, states)."""
        if any(type(layer) is not DynamicLayer for layer in self._cache.layers):
            return None
        real = self._mask[i].bool().cpu()
        layers = [(layer.keys[i][:, real], layer.values[i][:, real]) for layer in self._cache.layers]
        read = row.ids[: int(real.sum())]  # the last token drawn was never read
        return Memory(read, layers, [*row.turns, (row.prompt_length, len(read))])


def answer(rows: list[Row], cancelled: Callable[[], bool]) -> Iterator[tuple[Row, str]]:
    """Pieces of text as they come; a row's last piece comes when its `finish` is set ("stop", "length", "cancelled")."""
    batches = batched(rows)
    while batches:
        for batch in batches:
            if not cancelled():
                yield from batch.step()
        batches = [batch for batch in batches if batch.rows]
        if cancelled():
            for row in [row for batch in batches for row in batch.rows]:
                row.finish = "cancelled"
                yield row, ""
            return


def batched(rows: list[Row]) -> list[Batch]:
    """Rows by the model that computes them: an adapter's own; else the base, in its mixed view where a LoRA is among
    them."""
    groups: dict[int, tuple[torch.nn.Module, list[Row]]] = {}
    for row in rows:
        owner = row.voice.base if row.voice.own_model is None else row.voice.own_model
        groups.setdefault(id(owner), (owner, []))[1].append(row)
    found = []
    for _, group in groups.values():
        voice = group[0].voice
        if voice.own_model is not None:
            model = voice.own_model
        elif any(row.voice.adapter != BASE for row in group):
            model = voice.base.mixed
        else:
            model = voice.base.model
        found.append(Batch(model, group))
    return found
