"""What a run has to read: rows, and tokens a row, from a sample of its data."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from engine.data import datasets, encode, formats, lengths, tokens
from engine.data.tokens import Tokens
from engine.models import library
from engine.training import config as configs
from engine.training.config import RunConfig
from engine.training.objectives import ObjectiveSpec


@dataclass(frozen=True)
class Rows:
    """What a data set means for a run: rows, and tokens a row: on average, of the answers, of the longest. A row of the
    batch counts: a pair of answers with its question before each, or one answer that is tried."""

    train: int
    val: int
    mean: float
    answer: float
    longest: int


def of(config: RunConfig, objective: ObjectiveSpec) -> Rows:
    """The rows of the run that `config` describes.

    Raises:
        NotAModel, NotFound: the model or the data set cannot be used.
    """
    changed = (Path(config.data) / "train.json").stat().st_mtime_ns
    tried = config.objective_params["max_completion_length"] if objective.tries else 0
    found = _rows_of(config.data, config.model, config.training.max_length, changed, tried)
    # The batch counts answers where several are tried for each row.
    return replace(found, train=found.train * config.training.batch_size // configs.rows_per_step(config))


@lru_cache(maxsize=64)
def _rows_of(data: str, model: str, max_length: int, _changed: int, tried: int) -> Rows:
    """From a sample of the rows, cut as training cuts them. `tried`: tokens of an answer that the model gives itself in
    place of that in the data, 0 for none."""
    found = datasets.load(Path(data))
    prepared = tokens.read(library.base(Path(model)))
    chosen = lengths.sampled(datasets.rows(found.path / "train.json"), 500)
    spoken = [_spoken(prepared, row, found.format, tried > 0) for row in chosen]
    whole = iter(prepared.counts([text for texts in spoken for text, _ in texts]))
    answers = iter(prepared.counts([answer for texts in spoken for _, answer in texts]))
    # Every text of a row is cut by itself.
    counts = [sum(min(next(whole), max_length) + tried for _ in texts) for texts in spoken] or [1]
    counted = [sum(min(next(answers) + 1, max_length) + tried for _ in texts) for texts in spoken] or [1]
    return Rows(
        train=found.train,
        val=found.val,
        mean=sum(counts) / len(counts),
        answer=sum(counted) / len(counted),
        longest=max(counts),
    )


def _spoken(prepared: Tokens, row: formats.Row, format: str, tried: bool) -> list[tuple[str, str]]:
    """The texts that are read for a row, each with the answers in it; `tried`: only up to where an answer would begin."""
    if format == "text":
        return [(row["text"], row["text"])]
    if tried:
        talks = [[*formats.question(row, format), {"role": "assistant", "content": ""}]]
    else:
        talks = formats.conversations(row, format).values()
    return [
        (encode.text_of(prepared, talk), "\n".join(m["content"] for m in talk if m["role"] == "assistant"))
        for talk in talks
    ]
