"""A pack of made-up rows."""

from collections.abc import Sequence

import numpy as np
import torch

from engine.training.batching import Layout, Pack
from engine.training.packing import Packing


def pack(lengths: Sequence[int] = (9, 7, 4), layout: Layout = Layout()) -> Pack:  # noqa: B008 - it cannot be changed
    """Rows of these `lengths`, with virtual tokens as `layout` has them; all real tokens but the first of a row count."""
    slots = layout.slots
    lengths = np.array(lengths) + slots
    within = np.concatenate([np.arange(length) for length in lengths])
    ids = torch.arange(len(within)) % 97 + 3
    sources = torch.from_numpy(np.flatnonzero((np.diff(within, append=0) > 0) & (within >= slots)))
    return Pack(
        ids=ids[None],
        positions=torch.from_numpy(within + layout.offset - slots)[None],
        packing=Packing.of(lengths),
        virtual=torch.from_numpy(np.where(within < slots, within, -1)) if slots else None,
        sources=sources,
        labels=ids[sources + 1],
        tokens=int(lengths.sum()),
    )
