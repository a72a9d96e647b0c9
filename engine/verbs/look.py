"""Verbs that look around: this machine, the methods, the models."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from engine import home
from engine.verbs import settings, text
from engine.verbs.verb import Verb, no_arguments
from engine.words import Words

if TYPE_CHECKING:
    from engine.fields import Params


_TRAINS = Words(
    "* {method} trains {trains} numbers, {share} of the model's",
    "* {method} 训练 {trains} 个参数，相当于模型的 {share}",
)


def doctor(args: Namespace) -> dict:
    from engine import hardware

    return hardware.doctor() | {"home": str(home.home()), "free": home.free_text(home.home())}


def methods(args: Namespace) -> dict:
    """Key, label (English), label in Chinese, and the JSON schema of the parameters, of each method and objective; the
    training parameters, and the presets of these."""
    from engine.training.config import TrainingParams
    from engine.training.methods import METHODS
    from engine.training.objectives import OBJECTIVES
    from engine.training.presets import PRESETS

    return {
        "methods": [_spec(spec.key, spec.label, spec.summary, spec.params) for spec in METHODS],
        "objectives": [_spec(spec.key, spec.label, spec.summary, spec.params) for spec in OBJECTIVES],
        "training": TrainingParams.model_json_schema(),
        "presets": [
            {
                "key": preset.key,
                "label": preset.label.en,
                "labels": preset.label._asdict(),
                "summary": preset.summary._asdict(),
                "settings": preset.settings,
            }
            for preset in PRESETS
        ],
    }


def models(args: Namespace) -> list[dict]:
    from engine.models import library

    return [
        {
            "name": model.name,
            "path": str(model.path),
            "source": model.source,
            "demo": model.demo,
            "bytes": model.bytes,
            "architecture": model.architecture,
            "parameters": model.parameters,
            "hidden_size": model.hidden_size,
            "layers": model.layers,
            "vocab_size": model.vocab_size,
            "context_length": model.context_length,
        }
        for model in library.models()
    ]


def _spec(key: str, label: Words, summary: Words, params: type[Params]) -> dict:
    return {
        "key": key,
        "label": label.en,
        "labels": label._asdict(),
        "summary": summary._asdict(),
        "params": params.model_json_schema(),
    }


def _show_doctor(found: dict, lang: str) -> str:
    flat = {name: found[name] for name in ("device", "name", "dtype", "python", "system", "home", "free")}
    flat["memory"] = home.size_text(found["memory_gb"] * 1e9)
    return text.facts(flat | found["packages"])


def _show_methods(found: dict, lang: str) -> str:
    parts = []
    for kind in ("objectives", "methods"):
        for spec in found[kind]:
            parts.append(f"{spec['key']}: {spec['labels'][lang]}\n    {spec['summary'][lang]}")
            parts += [_parameter(name, facts, lang) for name, facts in spec["params"]["properties"].items()]
    parts.append({"en": "Training parameters of every method", "zh": "所有方法共有的训练参数"}[lang])
    parts += [_parameter(name, facts, lang) for name, facts in found["training"]["properties"].items()]
    parts.append({"en": "Presets of these", "zh": "以上参数的预设"}[lang])
    for preset in found["presets"]:
        given = ", ".join(f"{name}={value}" for name, value in preset["settings"].items())
        parts.append(f"      {preset['key']}: {preset['summary'][lang]} {given}".rstrip())
    return "\n".join(parts)


def _parameter(name: str, facts: dict, lang: str) -> str:
    default = facts.get("default")
    return f"      {name}={'' if default is None else default}  {facts['label'][lang]}: {facts['help'][lang]}"


def _show_models(found: list[dict], lang: str) -> str:
    heads = {
        "en": ["name", "parameters", "size", "architecture", "context", "folder"],
        "zh": ["名称", "参数量", "大小", "结构", "上下文", "文件夹"],
    }[lang]
    return text.table(
        heads,
        [
            [
                model["name"],
                None if model["parameters"] is None else f"{model['parameters'] / 1e6:,.1f} M",
                home.size_text(model["bytes"]),
                model["architecture"],
                model["context_length"],
                Path(model["path"]),
            ]
            for model in found
        ],
    )


def structure(args: Namespace) -> dict:
    """With a method, also `method` and `trains`, and in each node what `marks.marked` says."""
    from engine.models import library, shape
    from engine.models.structure import structure as of

    path = library.base(library.find(args.model))
    found = of(path)
    if args.method is None:
        return found
    from engine.fields import validated
    from engine.training import marks, methods

    method = methods.get(args.method)
    params = validated(method.params, settings.pairs(args.set))
    tree = marks.marked(found["tree"], shape.of_folder(path), method, params)
    return found | {"method": method.key, "trains": tree["trains"], "tree": tree}


def _structure_arguments(parser: ArgumentParser, lang: str) -> None:
    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    parser.add_argument("model", metavar="MODEL", help=say("a model's name or folder", "模型名称或文件夹"))
    parser.add_argument(
        "--method",
        metavar="K",
        help=say("mark what this method trains; see 'methods'", "标出该方法训练的部分；见“methods”"),
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=say("a parameter of the method, e.g. r=16", "该方法的参数，例如 r=16"),
    )


def _show_structure(found: dict, lang: str) -> str:
    from engine.training.marks import KINDS

    lines: list[tuple[str, int, float, str]] = []

    def walk(node: dict, depth: int) -> None:
        times = f"{node['count']} x " if node["count"] > 1 else ""
        label = f"({node['name']}): " if node["name"] else ""
        line = f"{'  ' * depth}{label}{times}{node['type']}({node['detail']})"
        mark = node.get("mark")
        learns = f"  * {KINDS[mark['kind']].text(lang)}: {mark['numbers']:,}" if mark else ""
        lines.append((line, node["parameters"], node["share"], learns))
        for child in node["children"]:
            walk(child, depth + 1)

    walk(found["tree"], 0)
    longest = max(text.width(line) for line, *_ in lines)
    told = [f"{line:<{longest}}  {parameters:>15,}  {share:>6.1%}{learns}" for line, parameters, share, learns in lines]
    same = {"en": "the same tensor", "zh": "与其共用同一张量"}[lang]
    told += [f"{one} = {other} ({same})" for one, other in found["tied"]]
    if "trains" in found:
        share = found["trains"] / found["parameters"]
        told.append(_TRAINS.text(lang, method=found["method"], trains=f"{found['trains']:,}", share=f"{share:.2%}"))
    return "\n".join(told)


DOCTOR = Verb(
    "doctor",
    Words("what this machine has: device, number format, memory, packages", "本机环境：设备、数值精度、内存、软件包"),
    no_arguments,
    doctor,
    _show_doctor,
)
METHODS = Verb(
    "methods",
    Words("the training methods and objectives with their parameters", "可用的训练方法、训练目标及其参数"),
    no_arguments,
    methods,
    _show_methods,
)
MODELS = Verb(
    "models",
    Words("the models that are here", "本机已有的模型"),
    no_arguments,
    models,
    _show_models,
)
STRUCTURE = Verb(
    "structure",
    Words("what is inside a model: its modules, their shapes and counts", "模型内部结构：各个模块及其形状与参数量"),
    _structure_arguments,
    structure,
    _show_structure,
)
