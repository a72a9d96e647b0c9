"""How much memory a run holds at its fullest, in bytes, from the shapes of model and data: no torch, at once.

That moment is the end of a pack's forward pass: the weights are there, a gradient and AdamW's two numbers for all that
trains, what each layer keeps for the backward pass, and a chunk of logits. What the layers keep is told here value by
value, and `tests/engine/training/test_memory.py` holds it to what autograd really keeps with every method.
"""

from dataclasses import dataclass

from engine import hardware
from engine.fields import Params
from engine.models.shape import Matrix, Shape
from engine.training import budget, counts
from engine.training import method_params as parameters
from engine.training.calibration import Machine
from engine.training.config import TrainingParams
from engine.training.method import MethodSpec

# Tokenizer, rows and trainer, beyond what a process holds that has only loaded the libraries.
_AROUND = 20_000_000
# Blocks of a heap that are free lie between others and cannot always be used again: a worker on the processor holds this
# many times what torch has asked for (`heap.keep`). PEFT's own layers come and go in more and larger pieces than
# ours, and in 16 bits pieces come in two widths. Ratios of bench/results/fit.json; the heap of a GPU is torch's own, and
# `memory_gb` counts what was asked for.
_HEAP, _HEAP_OF_PEFT, _HEAP_IN_16_BITS = 1.5, 1.75, 2.0
# Matrices that read the same values, which are kept once for all of them.
_SAME_INPUT = {name: "attention" for name in ("q_proj", "k_proj", "v_proj")} | {
    name: "feed forward" for name in ("gate_proj", "up_proj")
}


@dataclass(frozen=True)
class Plan:
    """What is trained, how, and where. `dtype`: the format of the products; `fused`: adapters that `lora.py` knows are
    computed there, not by PEFT's own layers as under TRL's trainers."""

    model: Shape
    method: MethodSpec
    params: Params
    training: TrainingParams
    here: Machine
    dtype: str
    fused: bool = True

    @property
    def size(self) -> int:
        """Bytes of a value in the format of the products."""
        return hardware.BYTES[self.dtype]

    @property
    def whole(self) -> bool:
        """Whether the weights themselves train."""
        return self.method.saves == "model"


@dataclass(frozen=True)
class Pack:
    """`tokens` that are worked on at once, virtual ones among them; `virtual`: of these, for each real one."""

    tokens: float
    virtual: float


def pack(plan: Plan, mean: float, longest: int, free: int) -> Pack:
    """The largest pack of a run whose rows have `mean` tokens, the longest `longest`, where `free` bytes may be taken."""
    model, here, training = plan.model, plan.here, plan.training
    itemsize = 4 if plan.whole else plan.size
    each = budget.activation_bytes(
        model.hidden_size, _inner(model), model.layers, itemsize, training.gradient_checkpointing
    )
    left = free - here.runtime - _AROUND - _weights(plan)
    virtual = plan.params.model_dump().get("num_virtual_tokens", 0)
    most = budget.within(max(0, left), here.kind, model.hidden_size, each, plan.whole)
    most = min(most, training.batch_size * (mean + virtual))
    return Pack(max(longest + virtual, most), virtual / max(1.0, mean))


def _weights(plan: Plan) -> int:
    model, dtype = plan.model, plan.dtype
    rest = plan.method.at_rest(plan.params, model.stored, dtype, plan.here.kind) if plan.fused else dtype
    size, widened = hardware.BYTES[rest], 4 * budget.WIDENED if rest != dtype else 0
    if isinstance(plan.params, parameters.QloraParams):
        # NF4 with its scales quantised too; embeddings and norms stay as they are.
        return int(model.linear * 0.53) + (model.parameters - model.linear) * size + widened
    return model.parameters * (4 if plan.whole else size) + widened


def _inner(model: Shape) -> int:
    """The width of the feed-forward."""
    return max(matrix.outputs for matrix in model.matrices)


def parts(plan: Plan, pack: Pack) -> tuple[dict[str, int], int]:
    """Bytes of each part, and how many parameters train."""
    model, params, here = plan.model, plan.params, plan.here
    trainable = plan.method.count(model, params).trainable
    chunk = min(budget.LOGITS, int(4 * model.vocab_size * pack.tokens))
    # Beside the logits stands the gradient of a head that trains; in 16 bits they come as such first, and the place of
    # that is too small for what follows, and so does the part that they add to that gradient.
    trains_head = 4 * model.embedding if isinstance(params, parameters.FullParams) else 0
    logits = chunk + trains_head + (chunk // 2 + trains_head if plan.size == 2 else 0)
    once, passing = dense(plan)
    activations = pack.tokens * kept(plan, pack.virtual) + once
    # What a layer needs in passing is gone when the logits come: only what it takes beyond them raises the peak.
    activations += max(0, passing - logits)
    of_peft = isinstance(params, parameters.LoraFamily | parameters.AdaloraParams) and not _fused(plan)
    heap = 1.0 if here.kind == "cuda" else _HEAP_IN_16_BITS if plan.size == 2 else _HEAP_OF_PEFT if of_peft else _HEAP
    return {
        "weights": _weights(plan) + (0 if plan.whole else 4 * trainable),
        "gradients": 4 * trainable,
        "optimizer": 8 * trainable,
        "activations": int(heap * activations),
        "logits": int(heap * logits),
        "runtime": here.runtime + _AROUND,
    }, trainable


def kept(plan: Plan, virtual: float = 0.0) -> float:
    """Bytes that one token leaves for the backward pass in all layers. `virtual`: virtual tokens a real one, which a
    prefix adds to keys and values."""
    model, size = plan.model, plan.size
    attention = next((matrix.inputs for matrix in model.matrix("o_proj")), model.hidden_size)
    keys = model.key_values * (1 + (virtual if plan.method.layout == "prefix" else 0))
    # The inputs of both norms, in fp32; query, key, value and result of the attention; gate, up and, where these are not
    # one step with it, the activation.
    wide = 2 if plan.fused else 3
    layer = 8 * model.hidden_size + size * (2 * attention + 2 * keys + wide * _inner(model))
    layer += _for_what_learns(plan)
    if plan.training.gradient_checkpointing:
        return layer + model.layers * model.hidden_size * size
    return layer * model.layers * depth(plan)


def depth(plan: Plan) -> float:
    """The share of the layers that the backward pass goes through: with freeze tuning only the last ones."""
    layers = plan.model.layers
    return min(1.0, plan.params.model_dump().get("num_layers", layers) / layers)


def _for_what_learns(plan: Plan) -> float:
    """Bytes that one token leaves in one layer for the gradients of what learns there."""
    model, params, size = plan.model, plan.params, plan.size
    learning = _learning(plan)
    inputs = sum(matrix.inputs * matrix.count for matrix in learning) / model.layers
    outputs = sum(matrix.outputs * matrix.count for matrix in learning) / model.layers
    shared = size * sum({_SAME_INPUT.get(matrix.name, matrix.name): matrix.inputs for matrix in learning}.values())
    if plan.whole:
        # Norms keep their results too, in fp32; in 16 bits each matrix reads a copy of its own.
        return 8 * model.hidden_size + (2 * inputs if size == 2 else shared)
    if isinstance(params, parameters.NormParams):
        return 2 * size * model.hidden_size
    if isinstance(params, parameters.Ia3Params):
        # Keys and values before they are scaled, and the last product's input after, in fp32.
        inner = sum(matrix.inputs for matrix in model.matrix("down_proj"))
        return size * 2 * model.key_values + 4 * inner
    if not learning:
        return 0
    width = size if _fused(plan) else 4
    # With dropout each adapter has its own input and its mask; PEFT's have their own in fp32 where the model has not.
    layer = 2 * width * inputs if params.lora_dropout else shared if width == size else width * inputs
    rank = params.init_r if isinstance(params, parameters.AdaloraParams) else params.r
    layer += width * rank * sum(matrix.count for matrix in learning) / model.layers
    if isinstance(params, parameters.DoraParams):
        # The gradient of the magnitudes needs the adapter's output, in fp32, and the layer's own without its bias, which
        # dropout has computed anew in fp32.
        layer += (4 + (4 if params.lora_dropout else size)) * outputs
    if isinstance(params, parameters.AdaloraParams) and size == 2:
        layer += 4 * outputs  # results in fp32, cast back
    return layer


def _learning(plan: Plan) -> list[Matrix]:
    """The matrices that train or have an adapter."""
    if plan.whole:
        return list(plan.model.matrices)
    names = plan.params.model_dump().get("target_modules")
    return list(counts.targets(plan.model, names)) if names else []


def _fused(plan: Plan) -> bool:
    """Whether its adapters are computed by `lora.py`, not by PEFT's own layers."""
    return plan.fused and isinstance(plan.params, parameters.LoraParams)


def dense(plan: Plan) -> tuple[int, int]:
    """Bytes of whole matrices beside the weights: kept for the backward pass, and at once in passing.

    DoRA, as PEFT computes it, multiplies A and B out in each forward pass, by way of an identity matrix as wide as the
    inputs, and adds them, scaled, to the weights for their norms: all in fp32, none kept, since the norms take no
    gradient. With dropout it multiplies the weights a second time, and in 16 bits keeps their copy in fp32. Weights that
    train in fp32, and a LoRA's matrices, have copies in 16 bits where that is the format of the products.
    """
    model, params, size = plan.model, plan.params, plan.size
    if isinstance(params, parameters.FullParams | parameters.FreezeParams):
        return (int(2 * model.linear * depth(plan)) if size == 2 else 0), 0
    if _fused(plan):
        return (2 * plan.method.count(model, params).trainable if size == 2 else 0), 0
    if not isinstance(params, parameters.DoraParams):
        return 0, 0
    adapted = list(counts.targets(model, params.target_modules))
    copies = 4 if size == 2 else 3
    passing = max(4 * matrix.inputs * (matrix.inputs + copies * matrix.outputs) for matrix in adapted)
    once = 4 * sum(matrix.parameters for matrix in adapted) if size == 2 and params.lora_dropout else 0
    return once // (model.layers if plan.training.gradient_checkpointing else 1), passing
