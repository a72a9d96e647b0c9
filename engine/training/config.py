"""What a run is told: one frozen `RunConfig`, built from a form, the command line or `config.json`, validated once."""

import importlib.util
from pathlib import Path
from typing import Literal

from pydantic import Field

from engine.data import datasets, formats, roles
from engine.errors import InvalidFields, Unsupported
from engine.fields import Params, validated
from engine.models import library
from engine.training import counts, methods, objectives
from engine.training.device_params import DeviceParams
from engine.training.method import MethodSpec
from engine.training.method_params import LoraParams
from engine.training.objectives import ObjectiveSpec
from engine.training.training_params import TrainingParams
from engine.words import Words

_IN_PARTS = Words("A model that lies in parts on several devices", "模型分片到多个设备")
_PISSA_IN_PARTS = Words(
    "PiSSA needs the whole model on each device; take the default start",
    "PiSSA 需要每个设备上都有完整的模型；请改用默认初始化",
)
_NO_ADDRESS = Words("the other machines need it to reach this one", "其他机器需要它才能连接本机")
_NO_PACKAGE = Words(
    "the package {package} is not installed; install it with `pip install {package}`, or choose another",
    "没有安装 {package} 包；请执行 pip install {package}，或选择其他选项",
)
_NO_MODULE = Words(
    "this model has no linear module called '{missing}'; it has {there}. Choose among these, or all-linear",
    "该模型没有名为“{missing}”的线性模块；可选的有 {there}。请从中选择，或填 all-linear",
)
_SMALL_BATCH = Words(
    "this way of learning compares the rows of a batch: take {least} or more",
    "这种训练目标要比较同一批中的数据：请至少填 {least}",
)


class RunConfig(Params):
    """Everything a run needs; `config.json` in its folder is this, as JSON."""

    kind: Literal["train"] = "train"
    model: str
    data: str
    objective: str = "sft"
    method: str = "lora"
    objective_params: dict = Field(default_factory=dict)
    method_params: dict = Field(default_factory=dict)
    training: TrainingParams = Field(default_factory=TrainingParams)
    devices: DeviceParams = Field(default_factory=DeviceParams)
    launch: str | None = None


def refusal(method: MethodSpec, objective: ObjectiveSpec) -> Words | None:
    """Why the two do not go together, as one of them says; None where they do."""
    if method.objectives is not None and objective.key not in method.objectives:
        return method.objectives_reason
    if objective.methods is not None and method.key not in objective.methods:
        return objective.methods_reason
    return None


def wrong_data(objective: ObjectiveSpec, format: str) -> Words | None:
    """Why a data set of this format is not what an objective learns from, and what to do; None where it is."""
    if format in objective.formats:
        return None
    wanted = formats.get(objective.formats[0])
    given = formats.get(format)
    missing = [role.label for role in roles.ROLES if role.key in wanted.needs and role.key not in given.needs]
    # Thumbs have questions and answers too, but some of the answers are bad ones.
    lacks = Words(
        f" and lacks: {', '.join(label.en.lower() for label in missing)}" if missing else "",
        f"，缺少{'、'.join(label.zh for label in missing)}" if missing else "",
    )
    return Words(
        f"{objective.label.en} needs {objective.needs.en}. This data set is of the form “{given.label.en}”{lacks.en}. "
        f"Make one of the form “{wanted.label.en}” in the step Data: choose there which column is what.",
        f"{objective.label.zh}需要{objective.needs.zh}。该数据集的形式是“{given.label.zh}”{lacks.zh}。"
        f"请在“数据”步骤中制作“{wanted.label.zh}”形式的数据集，并在那里指定各列的用途。",
    )


def build(
    model: str,
    data: str,
    objective: str = "sft",
    method: str = "lora",
    settings: dict[str, object] | None = None,
    launch: str | None = None,
) -> RunConfig:
    """The `RunConfig` for a model and a data set, with `settings` (`NAME: value or text`) sorted by name into training,
    method, objective and device parameters. `launch` overrules what the devices ask for.

    Raises:
        InvalidFields: every setting that is unknown, out of range or mistyped, at once.
        NotFound, NotAModel, Unsupported: as their messages say.
    """
    method_spec, objective_spec = methods.get(method), objectives.get(objective)
    _refuse(method_spec.label, objective_spec.label, refusal(method_spec, objective_spec))
    schemas = {
        "training": TrainingParams,
        "method": method_spec.params,
        "objective": objective_spec.params,
        "devices": DeviceParams,
    }
    values: dict[str, dict] = {group: {} for group in schemas}
    for name, value in (settings or {}).items():
        # An unknown name is reported with the training parameters.
        group = next((g for g, schema in schemas.items() if name in schema.model_fields), "training")
        field = schemas[group].model_fields.get(name)
        # Nothing given means that the engine decides, but for a text that may be empty.
        nothing = "" if field and field.default == "" else None
        values[group][name] = nothing if value in ("", None) else value
    checked, problems = {}, []
    for group, schema in schemas.items():
        try:
            checked[group] = validated(schema, values[group])
        except InvalidFields as error:
            problems += error.details["problems"]
    if problems:
        raise InvalidFields(problems=problems)
    if checked["devices"].spread == "parts":
        _refuse(_IN_PARTS, method_spec.label, method_spec.not_in_parts)
        _refuse(_IN_PARTS, objective_spec.label, objective_spec.not_in_parts)
    base = library.find(model)
    if method_spec.not_on_packed and library.describe(library.base(base)).parameters is None:
        _refuse(method_spec.label, Words(base.name, base.name), method_spec.not_on_packed)
    problems = _clashes(method_spec, checked["method"]) + _missing_modules(base, checked["method"])
    problems += _missing_package(checked["training"]) + _missing_address(checked["devices"])
    problems += _small_batch(objective_spec, checked["training"])
    if checked["devices"].spread == "parts" and method_spec.params is LoraParams and checked["method"].pissa:
        problems.append(_problem(LoraParams, "init_lora_weights", _PISSA_IN_PARTS))
    if problems:
        raise InvalidFields(problems=problems)
    data_path = datasets.find(data)
    wrong = wrong_data(objective_spec, datasets.load(data_path).format)
    if wrong:
        raise Unsupported(reason=wrong)
    return RunConfig(
        model=str(base),
        data=str(data_path),
        objective=objective,
        method=method,
        objective_params=objective_spec.resolve(checked["objective"]).model_dump(),
        method_params=checked["method"].model_dump(),
        training=checked["training"],
        devices=checked["devices"],
        launch=launch or checked["devices"].launch(),
    )


def _refuse(one: Words, other: Words, reason: Words | None) -> None:
    """
    Raises:
        Unsupported: there is a `reason` why `one` does not go with `other`.
    """
    if reason:
        raise Unsupported(
            reason=Words(
                f"{one.en} does not go with {other.en}: {reason.en}", f"{one.zh}不能用于{other.zh}：{reason.zh}"
            )
        )


def rows_per_step(config: RunConfig) -> int:
    """Rows that make one correction. The batch counts answers where several are tried for each row."""
    return max(1, config.training.batch_size // config.objective_params.get("num_generations", 1))


def rate(config: RunConfig, hidden_size: int) -> float:
    """The learning rate of a run on a model of this width: the chosen one, or the method's for this objective."""
    chosen = config.training.learning_rate
    if chosen is not None:
        return chosen
    return usual_rate(methods.get(config.method), objectives.get(config.objective), hidden_size)


def usual_rate(method: MethodSpec, objective: ObjectiveSpec, hidden_size: int) -> float:
    """The learning rate where none is chosen."""
    return float(f"{method.rate(hidden_size) * objective.rate_share:.2g}")


def _clashes(method: MethodSpec, params: Params) -> list[dict]:
    return [_problem(method.params, clash.field, clash.reason) for clash in method.clashes if clash.when(params)]


def _missing_modules(model: Path, params: Params) -> list[dict]:
    """Fields that name modules which this model does not have."""
    fields = [
        name for name, field in type(params).model_fields.items() if field.json_schema_extra.get("names") == "modules"
    ]
    shape = counts.shape_of(model) if fields else None
    if shape is None:
        return []
    there, problems = counts.modules(shape), []
    for name in fields:
        given = getattr(params, name)
        missing = [each for each in given.split(",") if each.strip() not in there] if given != "all-linear" else []
        if missing:
            reason = _NO_MODULE.filled(missing=", ".join(missing), there=", ".join(there))
            problems.append(_problem(type(params), name, reason))
    return problems


def _missing_package(training: TrainingParams) -> list[dict]:
    """The tracking service whose package is not installed."""
    service = training.report_to
    if service == "none" or importlib.util.find_spec(service):
        return []
    return [_problem(TrainingParams, "report_to", _NO_PACKAGE.filled(package=service))]


def _missing_address(devices: DeviceParams) -> list[dict]:
    if devices.machines == 1 or devices.address:
        return []
    return [_problem(DeviceParams, "address", _NO_ADDRESS)]


def _small_batch(objective: ObjectiveSpec, training: TrainingParams) -> list[dict]:
    if training.batch_size >= objective.least_batch_size:
        return []
    reason = _SMALL_BATCH.filled(least=objective.least_batch_size)
    return [_problem(TrainingParams, "batch_size", reason)]


def _problem(schema: type[Params], name: str, reason: Words) -> dict:
    return {"field": name, "label": Words(**schema.model_fields[name].json_schema_extra["label"]), "problem": reason}


def load(record: dict) -> RunConfig:
    """The `RunConfig` in a run's `config.json`.

    Raises:
        InvalidFields: it was edited by hand into something that cannot run.
        NotFound: it names a method or objective that this version does not have.
    """
    config = validated(RunConfig, record)
    validated(methods.get(config.method).params, config.method_params)
    validated(objectives.get(config.objective).params, config.objective_params)
    return config
