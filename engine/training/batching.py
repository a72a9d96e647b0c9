"""Which examples make which step, and how a step's examples are laid out for the model.

A step takes the next `batch_size` examples of a random permutation of all rows, drawn anew each epoch from the seed:
sampling is as random as it can be. Only inside a step are examples sorted by length and split into packs that fit the
token budget, which changes no result. The plan depends on nothing but seed, epoch and lengths, so it is the same for
every number of processes, and a resumed run finds its place without replaying.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from engine.data.encode import Encoded
from engine.training.packing import Packing

# A shared beginning costs a call of attention and a mask in each layer.
_SHARED_FROM = 8


@dataclass(frozen=True)
class Pack:
    """Examples laid end to end; before them, where they share one, their beginning.

    ids, positions: int64 [1, slots]; a slot is a token, or a virtual token of a prompt method.
    virtual: int64 [slots], which virtual token a slot is, -1 for a real token; None where the layout has none.
    sources: int64 [labels], the slots whose next token counts; labels: int64 [labels], those tokens.
    tokens: real tokens, for rates; 0 for a pack whose loss does not count (see `StepLoader`).
    """

    ids: torch.Tensor
    positions: torch.Tensor
    packing: Packing
    virtual: torch.Tensor | None
    sources: torch.Tensor
    labels: torch.Tensor
    tokens: int


class Step(TypedDict):
    """One optimiser step of one process, a mapping as transformers' trainer wants.

    label_count: counted tokens of the whole step, over all processes.
    """

    packs: list[Pack]
    label_count: int


@dataclass(frozen=True)
class Layout:
    """How much room a method's virtual tokens take. `slots` stand before each example in the row of tokens, `offset` is
    the position of its first real token."""

    slots: int = 0
    offset: int = 0

    @classmethod
    def of(cls, kind: str, virtual_tokens: int) -> "Layout":
        if kind == "prompt":
            return cls(slots=virtual_tokens, offset=virtual_tokens)
        return cls(offset=virtual_tokens) if kind == "prefix" else cls()


def pack(
    data: Encoded, rows: np.ndarray, layout: Layout, device: torch.device | str = "cpu", share: bool = False
) -> Pack:
    """`rows` of `data`, longest first, as one pack on `device`; with `share`, what all of them begin with stands there once."""
    counted = {row: np.flatnonzero(data.mask(row)[1:]) + 1 for row in rows.tolist()}
    examples, sources, labels = [], [], []
    # Nothing after the predecessor of the last counted token can change the loss, so an example ends there.
    for row in sorted(counted, key=lambda row: -counted[row][-1]):
        example = data.ids(row)
        examples.append(np.concatenate([np.zeros(layout.slots, example.dtype), example[: counted[row][-1]]]))
        sources.append(layout.slots + counted[row] - 1)
        labels.append(example[counted[row]])
    shared = _beginning(examples, min(each[0] for each in sources)) if share else 0
    lengths = np.array([len(each) - shared for each in examples])
    starts = shared + np.cumsum(lengths) - lengths
    within = np.concatenate([np.arange(shared), *(np.arange(shared, len(each)) for each in examples)])

    def move(array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(array.astype(np.int64))
        return tensor if torch.device(device).type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)

    virtual = move(np.where(within < layout.slots, within, -1)) if layout.slots else None
    return Pack(
        ids=move(np.concatenate([examples[0][:shared], *(each[shared:] for each in examples)]))[None],
        positions=move(within + layout.offset - layout.slots)[None],
        packing=Packing.of(lengths, device, shared),
        virtual=virtual,
        sources=move(np.concatenate([start - shared + each for start, each in zip(starts, sources, strict=True)])),
        labels=move(np.concatenate(labels)),
        tokens=int(data.lengths[rows].sum()),
    )


def _beginning(examples: list[np.ndarray], most: int) -> int:
    """How many slots all `examples` begin with, of the first `most`; 0 where sharing them would not pay."""
    if len(examples) == 1:
        return 0
    same = np.stack([each[:most] == examples[0][:most] for each in examples]).all(0)
    common = most if same.all() else int(same.argmin())
    return common if common >= _SHARED_FROM else 0


def order(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The permutation of `rows` examples that epoch `epoch` (from 0) sees."""
    return np.random.default_rng((seed, epoch)).permutation(rows)


def share(rows: np.ndarray, lengths: np.ndarray, index: int, count: int) -> np.ndarray:
    """Process `index`'s part of a step's `rows`, of `count` parts with nearly the same tokens in each."""
    if count == 1:
        return rows
    return np.array(_evenly(rows[np.argsort(-lengths[rows], kind="stable")], lengths, count)[index], dtype=rows.dtype)


def _evenly(ordered: np.ndarray, lengths: np.ndarray, count: int) -> list[list[int]]:
    """Rows, the longest first, in `count` parts with nearly the same tokens in each: the next goes to the part that has
    the fewest so far."""
    parts: list[list[int]] = [[] for _ in range(count)]
    loads = np.zeros(count)
    for row in ordered:
        smallest = int(np.argmin(loads))
        parts[smallest].append(row)
        loads[smallest] += lengths[row]
    return parts


def split(rows: np.ndarray, lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """`rows` in as few packs as hold at most `budget` tokens each (one example may be longer), longest first; the packs as
    even as that allows, since the fullest decides how much memory a step takes."""
    ordered = rows[np.argsort(-lengths[rows], kind="stable")]
    packs: list[list[int]] = []
    load = budget
    for row in ordered:
        if load + lengths[row] > budget:
            packs.append([])
            load = 0
        packs[-1].append(row)
        load += int(lengths[row])
    even = _evenly(ordered, lengths, len(packs))
    fullest, evened = (max((lengths[part].sum() for part in each), default=0) for each in (packs, even))
    return [np.array(part, dtype=rows.dtype) for part in (even if evened <= fullest else packs)]


def turns(
    rows: np.ndarray, lengths: np.ndarray, budget: int, index: int, count: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What process `index` of `count` computes of `rows`: its packs, and for as many turns as another has more, packs that
    do not count. Every process takes as many turns: they meet at each."""
    plans = [split(share(rows, lengths, each, count), lengths, budget) for each in range(count)]
    idle = rows[[np.argmin(lengths[rows])]]
    return plans[index], [idle] * (max(map(len, plans)) - len(plans[index]))


class _Rows(Dataset):
    """What a loader asks for is a list of row numbers; it gets them back."""

    def __getitem__(self, row: int) -> int:
        return row


class StepSampler(Sampler[list[int]]):
    """The rows of each step of an epoch. The trainer calls `set_epoch` and skips what a resumed run has done."""

    def __init__(self, rows: int, batch_size: int, seed: int):
        self._rows, self._batch_size, self._seed, self._epoch = rows, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._rows // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        permutation = order(self._rows, self._seed, self._epoch)
        for start in range(0, self._rows, self._batch_size):
            yield permutation[start : start + self._batch_size].tolist()


class StepLoader(DataLoader):
    """Yields a `Step` for each optimiser step of an epoch: this process's share, packed under the token budget; with
    packs that do not count where other processes have more."""

    def __init__(
        self,
        data: Encoded,
        *,
        batch_size: int,
        seed: int,
        budget: int,
        layout: Layout,
        device: torch.device | str,
        share: bool = False,
        process: int = 0,
        processes: int = 1,
    ):
        lengths = data.lengths + layout.slots

        def collate(rows: list[int]) -> Step:
            chosen = np.array(rows)
            own, idle = turns(chosen, lengths, budget, process, processes)
            packs = [pack(data, part, layout, device, share) for part in own]
            packs += [replace(pack(data, part, layout, device, share), tokens=0) for part in idle]
            return Step(packs=packs, label_count=int(data.answer_lengths[chosen].sum()))

        super().__init__(
            _Rows(),
            batch_sampler=StepSampler(len(data), batch_size, seed),
            collate_fn=collate,
            # A loader draws a number at each epoch: from a source of its own, so that it moves nobody else's dropout.
            generator=torch.Generator(),
        )

    def set_epoch(self, epoch: int) -> None:
        self.batch_sampler.set_epoch(epoch)
