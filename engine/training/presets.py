"""Training parameters set by one click: how long and how carefully to train."""

from dataclasses import dataclass

from engine.training.training_params import TrainingParams
from engine.words import Words


@dataclass(frozen=True)
class Preset:
    """`settings`: what differs from the defaults of `TrainingParams`."""

    key: str
    label: Words
    summary: Words
    settings: dict[str, object]


PRESETS = (
    Preset(
        key="quick",
        label=Words("Quick try", "快速试跑"),
        summary=Words(
            "60 steps, to see whether the loss falls.",
            "只训练 60 步，看看损失是否下降。",
        ),
        settings={"max_steps": 60, "eval_rows": 50},
    ),
    Preset(
        key="balanced",
        label=Words("Balanced", "均衡"),
        summary=Words(
            "Every row twice. Take this to start with.",
            "每行数据看两遍。第一次请选它。",
        ),
        settings={},
    ),
    Preset(
        key="thorough",
        label=Words("Thorough", "充分训练"),
        summary=Words(
            "Up to five times; stops when it no longer improves.",
            "最多看五遍，不再进步时自动停止。",
        ),
        settings={"num_train_epochs": 5.0, "early_stopping_patience": 3, "eval_rows": 500},
    ),
)
DEFAULT = PRESETS[1]


def values(key: str | None) -> dict[str, object]:
    """Parameter -> value for every parameter that any preset sets, as the one called `key` has it (else the default)."""
    chosen = next((preset for preset in PRESETS if preset.key == key), DEFAULT).settings
    names = sorted({name for preset in PRESETS for name in preset.settings})
    return {name: chosen.get(name, TrainingParams.model_fields[name].default) for name in names}
