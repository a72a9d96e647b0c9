"""How many numbers a method trains and saves on a model, from its shape alone: no torch, at once.

A function for each kind of method, named in the registry; the tests hold them to what PEFT really makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Unsupported
from engine.models import library, shape
from engine.models.shape import Matrix, Shape
from engine.training import method_params as parameters


def shape_of(model: Path) -> Shape | None:
    """The shape of the model in a folder, of an adapter's base; None where its configuration uses names of its own.

    Raises:
        NotAModel: with the reason.
    """
    base = library.base(model)
    try:
        return shape.of_folder(base)
    except Unsupported:
        return None


def modules(model: Shape) -> list[str]:
    """What the linear modules of the layers are called, sorted."""
    return sorted({matrix.name for matrix in model.matrices})


@dataclass(frozen=True)
class Count:
    """Numbers that train, and numbers in the saved file."""

    trainable: int
    saved: int


def full(model: Shape, params: parameters.FullParams) -> Count:
    return Count(model.parameters, model.parameters)


def freeze(model: Shape, params: parameters.FreezeParams) -> Count:
    """Whole layers, all alike, and the norm after the last."""
    ends = model.embedding if model.tied else 2 * model.embedding
    layer = (model.parameters - ends - model.hidden_size) // model.layers
    return Count(min(params.num_layers, model.layers) * layer + model.hidden_size, model.parameters)


def lora(model: Shape, params: parameters.LoraParams) -> Count:
    """PiSSA is saved as the difference from its start: an ordinary LoRA of twice the rank."""
    count = _low_rank(model, params)
    return Count(count, 2 * count if params.pissa else count)


def qlora(model: Shape, params: parameters.QloraParams) -> Count:
    count = _low_rank(model, params)
    return Count(count, count)


def dora(model: Shape, params: parameters.DoraParams) -> Count:
    count = _low_rank(model, params, per_output=1)
    return Count(count, count)


def _low_rank(model: Shape, params: parameters.LoraFamily, per_output: int = 0) -> int:
    """`per_output`: numbers beside the two matrices for each output of a module."""
    adapted = list(targets(model, params.target_modules))
    if params.train_embeddings:
        adapted.append(Matrix("embed_tokens", model.hidden_size, model.vocab_size, 1))
    return sum(m.count * (params.r * (m.inputs + m.outputs) + per_output * m.outputs) for m in adapted)


def targets(model: Shape, names: str) -> Iterable[Matrix]:
    """The matrices called `names`, parted by commas, or all."""
    wanted = [name.strip() for name in names.split(",")]
    return (matrix for matrix in model.matrices if names == "all-linear" or matrix.name in wanted)


def adalora(model: Shape, params: parameters.AdaloraParams) -> Count:
    each = sum(m.count * (m.inputs + m.outputs + 1) for m in targets(model, params.target_modules))
    return Count(params.init_r * each, params.target_r * each)


def prompt_tuning(model: Shape, params: parameters.PromptTuningParams) -> Count:
    count = params.num_virtual_tokens * model.hidden_size
    return Count(count, count)


def p_tuning(model: Shape, params: parameters.PTuningParams) -> Count:
    """The encoder that writes the prompt is not saved: an MLP of three layers, or an LSTM of two and a head of two."""
    width, prompt = params.encoder_hidden_size or model.hidden_size, params.num_virtual_tokens * model.hidden_size
    if params.encoder_reparameterization_type == "MLP":
        encoder = _dense(model.hidden_size, width) + _dense(width, width) + _dense(width, model.hidden_size)
    else:
        # Each direction of a layer has four gates, each with two matrices and two biases.
        lstm = sum(2 * 4 * width * (inputs + width + 2) for inputs in (model.hidden_size, 2 * width))
        encoder = lstm + _dense(2 * width, 2 * width) + _dense(2 * width, model.hidden_size)
    return Count(prompt + encoder, prompt)


def prefix_tuning(model: Shape, params: parameters.PrefixTuningParams) -> Count:
    each = model.layers * 2 * model.key_values
    saved = params.num_virtual_tokens * each
    if not params.prefix_projection:
        return Count(saved, saved)
    width = params.encoder_hidden_size or model.hidden_size
    embedding = params.num_virtual_tokens * model.key_values
    return Count(embedding + _dense(model.key_values, width) + _dense(width, each), saved)


def ia3(model: Shape, params: parameters.Ia3Params) -> Count:
    outputs = sum(m.count * m.outputs for m in targets(model, "k_proj,v_proj"))
    count = outputs + sum(m.count * m.inputs for m in targets(model, "down_proj"))
    return Count(count, count)


def norms(model: Shape, params: parameters.NormParams) -> Count:
    return Count(model.norms, model.norms)


def _dense(inputs: int, outputs: int) -> int:
    """A linear layer with its bias."""
    return (inputs + 1) * outputs
