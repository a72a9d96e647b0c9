"""The processes of one run: which of them this is, what only the first does, and what all must agree on.

`accelerate launch` starts the same worker once a device and numbers them in the environment; without it there is one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import Unsupported
from engine.words import Words

if TYPE_CHECKING:
    import torch


_BY_ACCELERATE = Words(
    "FSDP or DeepSpeed of accelerate is switched on, and what they save can only be read by unpickling, which is not safe. "
    "Switch it off and set spread=parts: that splits the model in the same way (FSDP2; ZeRO stage 3)",
    "accelerate 自带的 FSDP 或 DeepSpeed 已打开，而它们保存的文件只能通过 unpickle 读取，并不安全。请关闭它，并设置 spread=parts："
    "切分模型的方式相同（FSDP2，相当于 ZeRO 第 3 阶段）",
)


def rank() -> int:
    """The number of this process among all of the run, over all machines; 0 tells and saves for everybody."""
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    """The number of this process on this machine, which is that of its device."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    return rank() == 0


def join(cpu: bool) -> None:
    """Meet the other processes, if there are any.

    Raises:
        Unsupported: accelerate itself was told to part the model.
    """
    if any(os.environ.get(f"ACCELERATE_USE_{name}", "false") == "true" for name in ("FSDP", "DEEPSPEED")):
        raise Unsupported(reason=_BY_ACCELERATE)
    if count() > 1:
        from accelerate import PartialState

        PartialState(cpu=cpu)


@contextmanager
def main_first() -> Iterator[None]:
    """What the first process prepares in the block, the others find done."""
    if not is_main():
        wait()
    try:
        yield
    finally:
        if is_main():
            wait()


def wait() -> None:
    """Until every process is here."""
    if count() > 1:
        from torch import distributed

        distributed.barrier()


def agreed(wish: bool, device: torch.device) -> bool:
    """What the first process wishes: each looks at the disk at a moment of its own, and must not act on that alone."""
    if count() == 1:
        return wish
    import torch

    flag = torch.tensor(int(wish), device=device)
    torch.distributed.broadcast(flag, src=0)
    return bool(flag.item())
