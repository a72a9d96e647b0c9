"""How an objective trains: what a session hands it (`Task`), and what it answers (`Recipe`)."""

from abc import ABC, abstractmethod
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase, Trainer, TrainerCallback

from engine.data import datasets
from engine.errors import NoRows
from engine.hardware import Device
from engine.runs.events import Events
from engine.training import loading
from engine.training.config import RunConfig
from engine.training.tuned import Tuned
from engine.words import Words

_LONGER = Words(
    "Every row lost its answer at the maximum length: raise it, or shorten the rows.",
    "所有行的回答都被最大长度截掉了：请调大最大长度，或缩短数据。",
)
_CUT = Words(
    "{cut} rows are longer than {limit} tokens and were cut; {skipped} had no answer left and are left out.",
    "有 {cut} 行超过 {limit} 个 token，已被截断；其中 {skipped} 行没有剩下任何回答，不参与训练。",
)


@dataclass(frozen=True)
class Task:
    """`template`: the chat template that serves training and chat; `params`: the objective's own parameters."""

    run: Path
    config: RunConfig
    events: Events
    device: Device
    tokenizer: PreTrainedTokenizerBase
    template: str
    params: object


class Recipe(ABC):
    """Asked in this order: `rows`, `at_rest`, `load`, `wrap`, `trainer`."""

    def __init__(self, task: Task):
        self.task = task

    @property
    def rows_per_step(self) -> int:
        return self.task.config.training.batch_size

    @abstractmethod
    def rows(self) -> tuple[Sized, Sized | None]:
        """Rows to train on and rows to validate with (None: there are none).

        Raises:
            NoRows: nothing to learn from.
        """

    def at_rest(self, path: Path) -> str:
        """The number format that the weights of the model in `path` lie in where the products are in fp32."""
        return "fp32"

    def load(self, path: Path, dtype: torch.dtype, quantisation: object) -> torch.nn.Module:
        """The model in `path`, before any method touches it."""
        return loading.load_model(path, dtype, self.task.device, quantisation)

    def wrap(self, tuned: Tuned) -> Tuned:
        """The module that the trainer trains; by default the model as the method left it."""
        return tuned

    @abstractmethod
    def trainer(self, tuned: Tuned, arguments: dict, budget: int, callbacks: list[TrainerCallback]) -> Trainer:
        """The trainer, with `tokens_seen` (real tokens so far, over all processes) and `micro_batch` (rows that are in
        memory at once, on average).

        arguments: for `TrainingArguments` or a subclass; budget: tokens that fit into memory at once.
        """

    def split(self, name: str) -> int:
        """How many rows the data set has in "train" or "val"."""
        data = datasets.load(Path(self.task.config.data))
        there = (data.path / f"{name}.json").is_file()
        return (data.train if name == "train" else data.val) if there else 0

    def warn_of_cuts(self, cut: int, skipped: int) -> None:
        if cut or skipped:
            limit = self.task.config.training.max_length
            self.task.events.write("warning", **_CUT.filled(cut=cut, skipped=skipped, limit=limit)._asdict())

    @staticmethod
    def must_have_rows(left: int, read: int) -> None:
        """
        Raises:
            NoRows: none of the `read` rows is left.
        """
        if not left:
            raise NoRows(read=read, dropped=read, hint=_LONGER)
