"""The sizes that a model's cost follows from: layers, widths, matrices. From a folder's headers or a configuration alone."""

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from engine import home
from engine.errors import Unsupported
from engine.models import library
from engine.words import Words

_IN_A_LAYER = re.compile(r"\.layers\.\d+\..*?(\w+)\.weight$|\.h\.\d+\..*?(\w+)\.weight$")
_NO_SIZE = Words(
    "Nothing can be foretold of this model: its config.json has no '{name}'.",
    "无法预估这个模型：它的 config.json 中没有“{name}”。",
)


@dataclass(frozen=True)
class Matrix:
    """All linear modules of one name: `count` of them, each `outputs` x `inputs`."""

    name: str
    outputs: int
    inputs: int
    count: int

    @property
    def parameters(self) -> int:
        return self.outputs * self.inputs * self.count


@dataclass(frozen=True)
class Shape:
    """`parameters`: in all, a tied head counted once; `key_values`: width of the keys, and of the values, of a layer;
    `norms`: parameters in the scales of all norms; `stored`: the number format of the weights in their files."""

    hidden_size: int
    layers: int
    vocab_size: int
    key_values: int
    parameters: int
    tied: bool
    norms: int
    matrices: tuple[Matrix, ...]
    stored: str = "fp32"

    @property
    def embedding(self) -> int:
        return self.vocab_size * self.hidden_size

    @property
    def linear(self) -> int:
        """Parameters in the layers' matrices."""
        return sum(matrix.parameters for matrix in self.matrices)

    def matrix(self, name: str) -> list[Matrix]:
        return [matrix for matrix in self.matrices if matrix.name == name]


def of_folder(path: Path) -> Shape:
    """The shape of the model in a folder; of an adapter's base where it holds an adapter.

    Raises:
        NotAModel: with the reason.
        Unsupported: its configuration calls its sizes by names of its own.
    """
    model = library.describe(library.base(path))
    config = home.read_json(model.path / "config.json")
    found: dict[tuple[str, int, int], int] = {}
    norms, formats = 0, set()
    for file in library.weight_files(model.path):
        for name, facts in library.tensors(file).items():
            formats.add(facts["dtype"])
            match = _IN_A_LAYER.search(name)
            if match and len(facts["shape"]) == 2:
                key = (match[1] or match[2], *facts["shape"])
                found[key] = found.get(key, 0) + 1
            if name.endswith("norm.weight"):
                norms += math.prod(facts["shape"])
    if model.parameters is None or not found:
        return of_config(config)
    matrices = tuple(Matrix(*key, count) for key, count in found.items())
    return replace(_shape(config, matrices, model.parameters, norms), stored=library.common_format(formats))


def of_config(config: dict) -> Shape:
    """The shape that a decoder in the manner of Llama has by its configuration.

    Raises:
        Unsupported: the configuration calls its sizes by names of its own.
    """
    text = _text(config)
    width, layers = text["hidden_size"], text["num_hidden_layers"]
    head = text.get("head_dim") or width // text["num_attention_heads"]
    heads, inner = text["num_attention_heads"] * head, text["intermediate_size"]
    pairs = (text.get("num_key_value_heads") or text["num_attention_heads"]) * head
    sizes = {
        "q_proj": (heads, width),
        "k_proj": (pairs, width),
        "v_proj": (pairs, width),
        "o_proj": (width, heads),
        "gate_proj": (inner, width),
        "up_proj": (inner, width),
        "down_proj": (width, inner),
    }
    matrices = tuple(Matrix(name, *size, layers) for name, size in sizes.items())
    rows = text["vocab_size"] * (1 if config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)) else 2)
    norms = (2 * layers + 1) * width
    total = sum(matrix.parameters for matrix in matrices) + rows * width + norms
    return _shape(config, matrices, total, norms)


def _shape(config: dict, matrices: tuple[Matrix, ...], parameters: int, norms: int) -> Shape:
    text = _text(config)
    heads = text["num_attention_heads"]
    head = text.get("head_dim") or text["hidden_size"] // heads
    return Shape(
        hidden_size=text["hidden_size"],
        layers=text["num_hidden_layers"],
        vocab_size=text["vocab_size"],
        key_values=head * (text.get("num_key_value_heads") or heads),
        parameters=parameters,
        tied=config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)),
        norms=norms,
        matrices=matrices,
    )


class _Sizes(dict):
    def __missing__(self, name: str) -> None:
        raise Unsupported(reason=_NO_SIZE.filled(name=name))


def _text(config: dict) -> _Sizes:
    """What a configuration says of the language model; of one that also sees, this is a part of it."""
    return _Sizes(config.get("text_config") or config)
