"""The settings of a run as a person reads them, and where those of several runs differ.

It takes what `config.json` holds as it is: a run of another version, or one whose file is damaged, is described as far as
possible.
"""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import NotAModel, NotFound
from engine.fields import Params, label
from engine.models import library
from engine.training import methods, objectives
from engine.training.config import TrainingParams, usual_rate
from engine.training.device_params import DeviceParams
from engine.training.method import MethodSpec
from engine.training.objectives import ObjectiveSpec
from engine.words import Words

_LABELS = {
    "model": Words("Model", "模型"),
    "data": Words("Data", "数据"),
    "objective": Words("Objective", "训练目标"),
    "method": Words("Method", "方法"),
    "launch": Words("Launch", "启动方式"),
}
_ONE_DEVICE = DeviceParams().model_dump()
_AUTOMATIC = Words("automatic", "自动")
_USUAL = Words("{rate:g} (automatic)", "{rate:g}（自动）")
_YES, _NO = Words("yes", "是"), Words("no", "否")


@dataclass(frozen=True)
class Setting:
    """One setting: `group` is "run", "training", "method", "objective" or "devices"; `label` and `value` are for people."""

    group: str
    name: str
    label: str
    value: str


def settings(config: dict, lang: str) -> list[Setting]:
    """Every setting of a run, in the order of the forms."""
    method, objective = _spec(methods.get, config.get("method")), _spec(objectives.get, config.get("objective"))
    named = {
        "model": library.name_of(Path(config.get("model") or "")),
        "data": Path(config.get("data") or "").name,
        "objective": objective.label.text(lang) if objective else config.get("objective"),
        "method": method.label.text(lang) if method else config.get("method"),
        "launch": config.get("launch"),
    }
    found = [Setting("run", name, _LABELS[name].text(lang), str(value)) for name, value in named.items() if value]
    groups = (
        ("method", "method_params", method.params if method else Params),
        ("objective", "objective_params", objective.params if objective else Params),
        ("training", "training", TrainingParams),
        ("devices", "devices", DeviceParams),
    )
    for group, key, schema in groups:
        if group == "devices" and config.get(key) == _ONE_DEVICE:
            continue
        for name, value in (config.get(key) or {}).items():
            field = schema.model_fields.get(name)
            usual = _usual_rate(config, method, objective) if name == "learning_rate" and value is None else None
            said = _USUAL.text(lang, rate=usual) if usual else _value(field, value, lang)
            found.append(Setting(group, name, label(field, lang) if field else name, said))
    return found


def differences(configs: list[dict], lang: str) -> list[tuple[str, list[str]]]:
    """`(label, [value in each run])` for the settings that are not the same in all; "–" where a run has no such one."""
    each = [{(s.group, s.name): s for s in settings(config, lang)} for config in configs]
    keys = list(dict.fromkeys(key for found in each for key in found))
    rows = []
    for key in keys:
        values = [found[key].value if key in found else "–" for found in each]
        if len(set(values)) > 1:
            rows.append((next(found[key].label for found in each if key in found), values))
    return rows


def _usual_rate(config: dict, method: MethodSpec | None, objective: ObjectiveSpec | None) -> float | None:
    """The learning rate that is taken where none is chosen; None where the model is gone."""
    try:
        width = library.describe(library.base(config["model"])).hidden_size
    except (NotAModel, OSError, ValueError, KeyError):
        return None
    return usual_rate(method, objective, width) if method and objective and width else None


def _spec(get: object, key: object) -> object | None:
    """The method or objective called `key`; None where this version does not know it."""
    try:
        return get(key)
    except NotFound:
        return None


def _value(field: object, value: object, lang: str) -> str:
    if isinstance(value, bool):
        return (_YES if value else _NO).text(lang)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    choices = (field.json_schema_extra or {}).get("choices", {}) if field else {}
    if value in choices:
        return choices[value][lang]
    if value is None:
        return _AUTOMATIC.text(lang)
    return f"{value:g}" if isinstance(value, float) else str(value)
