"""How many numbers a method trains and saves on a model, from the shapes of its weights alone: no torch, at once.

A function for each kind of method, named in the registry; the tests hold them to what PEFT really makes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from engine import home
from engine.models import library
from engine.training import method_params as parameters

# Modules that are matrices, but no linear layers of the body: an adapter on "all-linear" leaves them out.
_OUTSIDE = ("embed", "wte", "wpe", "lm_head")


@dataclass(frozen=True)
class Shapes:
    """A model as these functions see it. `weights`: shape by tensor name; `key_width`: numbers in a layer's keys for one
    token."""

    weights: dict[str, tuple[int, ...]]
    hidden: int
    layers: int
    key_width: int

    @classmethod
    def of(cls, model: Path) -> Shapes | None:
        """None for a model whose weights are packed, so that their shapes tell nothing, or whose configuration uses names
        of its own.

        Raises:
            NotAModel: with the reason.
        """
        path = library.base(model)
        weights, config = library.shapes(path), home.read_json(path / "config.json")
        config = config.get("text_config", config)
        if weights is None or not {"hidden_size", "num_hidden_layers", "num_attention_heads"} <= config.keys():
            return None
        heads = config["num_attention_heads"]
        head_width = config.get("head_dim") or config["hidden_size"] // heads
        key_width = head_width * (config.get("num_key_value_heads") or heads)
        return cls(weights, config["hidden_size"], config["num_hidden_layers"], key_width)

    @property
    def total(self) -> int:
        return sum(map(math.prod, self.weights.values()))

    def linear(self, names: str = "all-linear") -> dict[str, tuple[int, int]]:
        """The linear layers of the body called `names` (module names parted by commas, or all of them), with shapes."""
        wanted = {name.strip() for name in names.split(",")}
        found = {}
        for weight, shape in self.weights.items():
            module = weight.removesuffix(".weight")
            last = module.rpartition(".")[2]
            is_linear = module != weight and len(shape) == 2 and not any(part in last for part in _OUTSIDE)
            if is_linear and (names == "all-linear" or last in wanted):
                found[module] = shape
        return found

    def linear_names(self) -> list[str]:
        """What the linear layers are called, each name once, sorted."""
        return sorted({module.rpartition(".")[2] for module in self.linear()})


@dataclass(frozen=True)
class Count:
    """Numbers that train, and numbers in the saved file."""

    trainable: int
    saved: int


def full(shapes: Shapes, params: parameters.FullParams) -> Count:
    return Count(shapes.total, shapes.total)


def freeze(shapes: Shapes, params: parameters.FreezeParams) -> Count:
    kept = range(max(0, shapes.layers - params.num_layers), shapes.layers)
    trained = [
        math.prod(shape)
        for name, shape in shapes.weights.items()
        if any(f"layers.{layer}." in name for layer in kept) or name.endswith("model.norm.weight")
    ]
    return Count(sum(trained), shapes.total)


def lora(shapes: Shapes, params: parameters.LoraParams) -> Count:
    """PiSSA is saved as the difference from its start: an ordinary LoRA of twice the rank."""
    count = _low_rank(shapes, params)
    return Count(count, 2 * count if params.pissa else count)


def qlora(shapes: Shapes, params: parameters.QloraParams) -> Count:
    count = _low_rank(shapes, params)
    return Count(count, count)


def dora(shapes: Shapes, params: parameters.DoraParams) -> Count:
    count = _low_rank(shapes, params, per_output=1)
    return Count(count, count)


def _low_rank(shapes: Shapes, params: parameters.LoraFamily, per_output: int = 0) -> int:
    """`per_output`: numbers beside the two matrices for each output of a layer."""
    layers = shapes.linear(params.target_modules)
    count = sum(params.r * (rows + columns) + per_output * rows for rows, columns in layers.values())
    if params.train_embeddings:
        rows, columns = next(shape for name, shape in shapes.weights.items() if name.endswith("embed_tokens.weight"))
        count += params.r * (rows + columns) + per_output * columns
    return count


def adalora(shapes: Shapes, params: parameters.AdaloraParams) -> Count:
    each = [rows + columns + 1 for rows, columns in shapes.linear(params.target_modules).values()]
    return Count(params.init_r * sum(each), params.target_r * sum(each))


def prompt_tuning(shapes: Shapes, params: parameters.PromptTuningParams) -> Count:
    count = params.num_virtual_tokens * shapes.hidden
    return Count(count, count)


def p_tuning(shapes: Shapes, params: parameters.PTuningParams) -> Count:
    """The encoder that writes the prompt is not saved: an MLP of three layers, or an LSTM of two and a head of two."""
    width, prompt = params.encoder_hidden_size or shapes.hidden, params.num_virtual_tokens * shapes.hidden
    if params.encoder_reparameterization_type == "MLP":
        encoder = _matrix(shapes.hidden, width) + _matrix(width, width) + _matrix(width, shapes.hidden)
    else:
        # Each direction of a layer has four gates, each with two matrices and two biases.
        lstm = sum(2 * 4 * width * (inputs + width + 2) for inputs in (shapes.hidden, 2 * width))
        encoder = lstm + _matrix(2 * width, 2 * width) + _matrix(2 * width, shapes.hidden)
    return Count(prompt + encoder, prompt)


def prefix_tuning(shapes: Shapes, params: parameters.PrefixTuningParams) -> Count:
    each = shapes.layers * 2 * shapes.key_width
    saved = params.num_virtual_tokens * each
    if not params.prefix_projection:
        return Count(saved, saved)
    width = params.encoder_hidden_size or shapes.hidden
    embedding = params.num_virtual_tokens * shapes.key_width
    return Count(embedding + _matrix(shapes.key_width, width) + _matrix(width, each), saved)


def ia3(shapes: Shapes, params: parameters.Ia3Params) -> Count:
    outputs = sum(rows for rows, _ in shapes.linear("k_proj,v_proj").values())
    count = outputs + sum(columns for _, columns in shapes.linear("down_proj").values())
    return Count(count, count)


def norms(shapes: Shapes, params: parameters.NormParams) -> Count:
    count = sum(math.prod(shape) for name, shape in shapes.weights.items() if name.endswith("norm.weight"))
    return Count(count, count)


def _matrix(inputs: int, outputs: int) -> int:
    """A linear layer with its bias."""
    return (inputs + 1) * outputs
