"""Which parts of a model a method trains: marks on the tree of modules that `engine.models.structure` makes.

A function for each kind of method, named in the registry. It returns a rule: the path of a module and its node -> what
learns there, or None. All marks of a tree add up to what the method trains; the tests hold them to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from engine.models import structure
from engine.models.shape import Shape
from engine.training import method_params as parameters
from engine.training.counts import Count
from engine.words import Words

if TYPE_CHECKING:
    from engine.fields import Params
    from engine.training.method import MethodSpec

KINDS = {
    "weights": Words("learns", "参与训练"),
    "adapter": Words("adapter learns", "训练适配器"),
    "scale": Words("scale learns", "训练放大倍数"),
    "prompt": Words("learnt prompt", "可学习的提示"),
    "prefix": Words("learnt prefix", "可学习的前缀"),
}
_LAYER = re.compile(r"\.(?:layers|h)\.(\d+)\.")
_ALL = "all-linear"


class Mark(NamedTuple):
    """`kind`: a key of `KINDS`; `numbers`: how many numbers learn in or beside the module, without those inside it."""

    kind: str
    numbers: int


Rule = Callable[[str, dict], Mark | None]


def marked(tree: dict, shape: Shape, method: MethodSpec, params: Params) -> dict:
    """`tree`, a node as `structure` makes them, with two things more in each node: `mark` (`{"kind", "numbers"}` or
    None; of each of several alike) and `trains` (numbers that learn in all of it). Alike modules of which some train
    and some do not become several nodes."""
    rule = method.marks(params, method.count(shape, params), shape.layers)
    return _summed(_marked(tree, "", rule))


def _marked(node: dict, path: str, rule: Rule) -> dict:
    children = [
        _marked(child, f"{path}.{child['name']}", rule) for each in node["children"] for child in structure.parted(each)
    ]
    mark = rule(path, node)
    return node | {"mark": mark._asdict() if mark else None, "children": structure.joined(children)}


def _summed(node: dict) -> dict:
    children = [_summed(child) for child in node["children"]]
    own = node["mark"]["numbers"] if node["mark"] else 0
    return node | {
        "trains": node["count"] * (own + sum(child["trains"] for child in children)),
        "children": children,
    }


def full(params: parameters.FullParams, count: Count, layers: int) -> Rule:
    return lambda path, node: _whole(node)


def freeze(params: parameters.FreezeParams, count: Count, layers: int) -> Rule:
    def rule(path: str, node: dict) -> Mark | None:
        layer = _layer(path)
        last = node["name"] == "norm" if layer is None else layer >= layers - params.num_layers
        return _whole(node) if last else None

    return rule


def norms(params: parameters.NormParams, count: Count, layers: int) -> Rule:
    return lambda path, node: _whole(node) if node["name"].endswith("norm") else None


def low_rank(params: parameters.LoraFamily, count: Count, layers: int) -> Rule:
    """Two matrices beside each target; with DoRA a magnitude for each of its outputs too."""
    magnitudes = isinstance(params, parameters.DoraParams)

    def rule(path: str, node: dict) -> Mark | None:
        if _targeted(path, node, params.target_modules):
            outputs, inputs = _matrix(node)
        elif params.train_embeddings and node["type"] == "Embedding":
            inputs, outputs = _matrix(node)
        else:
            return None
        return Mark("adapter", params.r * (inputs + outputs) + (outputs if magnitudes else 0))

    return rule


def adalora(params: parameters.AdaloraParams, count: Count, layers: int) -> Rule:
    def rule(path: str, node: dict) -> Mark | None:
        if not _targeted(path, node, params.target_modules):
            return None
        return Mark("adapter", params.init_r * (sum(_matrix(node)) + 1))

    return rule


def ia3(params: parameters.Ia3Params, count: Count, layers: int) -> Rule:
    def rule(path: str, node: dict) -> Mark | None:
        if not _targeted(path, node, "k_proj,v_proj,down_proj"):
            return None
        outputs, inputs = _matrix(node)
        return Mark("scale", inputs if node["name"] == "down_proj" else outputs)

    return rule


def prompt(params: Params, count: Count, layers: int) -> Rule:
    return lambda path, node: Mark("prompt", count.trainable) if node["type"] == "Embedding" else None


def prefix(params: parameters.PrefixTuningParams, count: Count, layers: int) -> Rule:
    """A network that writes the prefix stands outside the model and is not counted here."""
    return lambda path, node: Mark("prefix", count.saved // layers) if node["name"] == "self_attn" else None


def _whole(node: dict) -> Mark | None:
    own = sum(weight["parameters"] for weight in node["weights"])
    return Mark("weights", own) if own else None


def _layer(path: str) -> int | None:
    """The number of the layer that a path leads into."""
    match = _LAYER.search(f"{path}.")
    return int(match[1]) if match else None


def _targeted(path: str, node: dict, names: str) -> bool:
    """Whether a module is a linear one of the layers that is called one of `names`."""
    wanted = names == _ALL or node["name"] in [name.strip() for name in names.split(",")]
    return wanted and _layer(path) is not None and _matrix(node) is not None


def _matrix(node: dict) -> list[int] | None:
    """The shape of a module's matrix: outputs, inputs."""
    return next((weight["shape"] for weight in node["weights"] if len(weight["shape"]) == 2), None)
