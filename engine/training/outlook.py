"""What a run will do, before it starts, from its config and a look at model and data: no torch, at once."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine import hardware
from engine.data import datasets, lengths
from engine.models import library
from engine.training import calibration, counts, estimate, methods, objectives
from engine.training import config as configs
from engine.training.config import RunConfig

# A suggested maximum length is a multiple of this.
_STEP = 64
_ADAPTER_BYTES = hardware.BYTES["fp32"]


@dataclass(frozen=True)
class Outlook:
    """`trainable`, `saved_bytes`, `learning_rate`: None where the model's files do not tell. `too_long`: share of the
    rows that the maximum length cuts; `suggested_length`: one that cuts none (None: nothing is known of the lengths)."""

    parameters: int | None
    trainable: int | None
    saved_bytes: int | None
    learning_rate: float | None
    train_rows: int
    rows_per_step: int
    val_rows: int
    steps: int
    passes: float
    warmup_steps: int
    eval_every: int
    longest: int | None
    too_long: float
    suggested_length: int | None


def of(config: RunConfig) -> Outlook:
    """What the run of `config` will do.

    Raises:
        NotAModel, NotFound: the model or the data set is not there.
    """
    model, data = Path(config.model), datasets.load(Path(config.data))
    training, method = config.training, methods.get(config.method)
    base = library.base(model)
    shape, described = counts.shape_of(base), library.describe(base)
    count = method.count(shape, method.params(**config.method_params)) if shape else None
    width = _ADAPTER_BYTES if method.saves == "adapter" else _bytes_a_weight(config, described)
    batch = configs.rows_per_step(config)
    steps = training.steps(data.train, batch)
    warmup = training.warmup_steps * steps if training.warmup_steps < 1 else training.warmup_steps
    if training.lr_scheduler_type == "constant":
        warmup = 0  # the library begins at the full rate then
    known = _lengths(data.path, data.created, base, training.max_length)
    longest = known["max"] if known else None
    return Outlook(
        parameters=described.parameters,
        trainable=count.trainable if count else None,
        saved_bytes=round(count.saved * width) if count else None,
        learning_rate=configs.rate(config, described.hidden_size) if described.hidden_size else None,
        train_rows=data.train,
        rows_per_step=batch,
        val_rows=min(data.val, training.eval_rows) if objectives.get(config.objective).evaluates else 0,
        steps=steps,
        passes=training.passes(data.train, batch),
        warmup_steps=math.ceil(warmup),
        eval_every=training.eval_steps or max(1, steps // 10),
        longest=longest,
        too_long=known["over"] if known else 0.0,
        suggested_length=suggested_length(model, data.path),
    )


def _bytes_a_weight(config: RunConfig, described: library.Model) -> float:
    """Of a whole model: it is saved in the format of the products. Until this machine was measured, as it came."""
    here, parameters = calibration.known(), described.parameters
    if here is None or not parameters:
        return described.bytes / (parameters or 1)
    return hardware.BYTES[estimate.products(config.training, here, parameters)]


@lru_cache(maxsize=64)
def _lengths(data: Path, changed: float, model: Path, limit: int) -> dict | None:
    """How long the training rows are in this model's tokens; `changed` makes a data set that was written anew another."""
    if not (model / "tokenizer.json").is_file():
        return None
    return lengths.token_lengths(datasets.rows(data / "train.json"), datasets.load(data).format, model, limit)


def suggested_length(model: Path, data: Path) -> int | None:
    """A maximum length that cuts none of the rows in `data`; None where nothing is known of their lengths."""
    base = library.base(model)
    known = _lengths(data, datasets.load(data).created, base, 0)
    return _suggested(known["max"], library.describe(base).context_length) if known else None


def _suggested(longest: int, context: int | None) -> int:
    return min(math.ceil(longest / _STEP) * _STEP, context or longest)
