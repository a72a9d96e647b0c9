"""Models in memory: one copy of each base's weights, with any number of adapters around it.

A base is loaded plain and never touched. What needs modules of its own around the weights (LoRA layers, DoRA, ...) gets
a *view*: a second tree of modules over the very same tensors. So the base is provably the base, and an adapter costs
only its own size. Prompt-based adapters need no modules at all: what they learnt is a few vectors (or keys and values)
put before the prompt.

It knows nothing of prompts, sampling or the network.
"""

import itertools
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from engine import hardware
from engine.compare.names import Source, adapter_kind, stamp
from engine.compare.voice import BASE, Base, Voice, ends_of
from engine.data import tokens
from engine.data.tokens import Tokens
from engine.errors import OutOfMemory, Unsupported, WorkError
from engine.models import library
from engine.training import methods
from engine.training.loading import load_model
from engine.words import Words

ADAPTERS_KEPT = 8  # a base; the longest unused goes first
_PROMPT_KINDS = ("PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING")
# A LoRA with any of these set is not computed by PEFT's mixed batches, or changes more than its own layers.
_NOT_PLAIN = (
    "use_dora",
    "use_qalora",
    "alora_invocation_tokens",
    "modules_to_save",
    "target_parameters",
    "layer_replication",
    "trainable_token_indices",
    "arrow_config",
)


@dataclass
class _Adapter:
    """One loaded adapter of a base; the fields are those of `Voice`."""

    adapter: str = BASE
    own_model: torch.nn.Module | None = None
    virtual: torch.Tensor | None = None
    prefix: list[tuple[torch.Tensor, torch.Tensor]] | None = None


class Shelf:
    """The models in memory. `precision`: "auto", "fp32", "bf16" or "fp16"."""

    def __init__(self, precision: str = "auto"):
        self._device = hardware.best()
        self._precision = precision
        self._bases: OrderedDict[tuple, Base] = OrderedDict()
        self._names = itertools.count(1)

    def voices(self, sources: list[Source]) -> list[Voice]:
        """Each source, ready to answer; what is not in memory is loaded.

        Raises:
            OutOfMemory: they do not fit together, even with everything else gone.
        """
        wanted = {_weights_key(source) for source in sources}
        for source in sources:
            self._make_room(source, wanted)
        return [self._voice(source) for source in sources]

    def loaded(self, source: Source) -> bool:
        base = self._bases.get(_weights_key(source))
        return base is not None and (source.adapter is None or stamp(source.adapter) in base.adapters)

    def fit_together(self, sources: list[Source]) -> bool:
        """Whether all can be in memory at once."""
        sizes = {_weights_key(source): self._bytes(source) for source in sources}
        missing = sum(size for key, size in sizes.items() if key not in self._bases)
        spare = sum(_bytes_held(base) for key, base in self._bases.items() if key not in sizes)
        return missing <= hardware.free_together(self._device) + spare

    def _make_room(self, source: Source, keep: set) -> None:
        """Forget bases outside `keep`, the longest unused first, until `source` fits."""
        if _weights_key(source) in self._bases:
            return
        need = self._bytes(source)
        for key in [key for key in self._bases if key not in keep]:
            if need <= hardware.free_together(self._device):
                return
            del self._bases[key]
            if self._device.kind == "cuda":
                torch.cuda.empty_cache()

    def _bytes(self, source: Source) -> int:
        described = library.describe(library.base(source.weights))
        if source.quantised:
            return described.bytes // 3
        parameters = described.parameters or described.bytes // 2
        return parameters * hardware.BYTES[hardware.precision(self._precision, self._device, parameters)]

    def _voice(self, source: Source) -> Voice:
        key = _weights_key(source)
        if key not in self._bases:
            self._bases[key] = self._load_base(source)
        self._bases.move_to_end(key)
        base = self._bases[key]
        read = tokens.read(source.words)
        template = source.template.read_text(encoding="utf-8") if source.template else read.template.source
        read = Tokens(read.backend, read.special, template)
        ends, end_text = ends_of(base.model, read)
        part = self._adapter(base, source.adapter) if source.adapter else _Adapter()
        key = (_weights_key(source), source.adapter and stamp(source.adapter), template)
        return Voice(key, base, read, ends, end_text, **vars(part))

    def _load_base(self, source: Source) -> Base:
        if _is_adapter(source.weights) and adapter_kind(source.weights)["peft_type"] in _PROMPT_KINDS:
            raise Unsupported(
                reason=Words(
                    "A prompt-based adapter cannot be merged into a model to go on from.",
                    "基于提示的适配器无法合并进模型，不能在它之上继续。",
                )
            )
        described = library.describe(library.base(source.weights))
        parameters = described.parameters or described.bytes // 2
        dtype = hardware.torch_dtype(hardware.precision(self._precision, self._device, parameters))
        quantisation = None
        if source.quantised:
            method, params = source.quantised
            spec = methods.get(method)
            quantisation = spec.quantisation(spec.params.model_validate_json(params), dtype)
        with out_of_memory_said():
            # What one GPU cannot hold lies on all of them, each computing its layers in turn.
            spread = self._bytes(source) > hardware.free_memory(self._device) and hardware.gpus() > 1
            model = load_model(source.weights, dtype, self._device, quantisation, spread)
        model.eval().requires_grad_(False)
        return Base(model, torch.device(self._device.key))

    def _adapter(self, base: Base, folder: Path) -> _Adapter:
        key = stamp(folder)
        if key not in base.adapters:
            while len(base.adapters) >= ADAPTERS_KEPT:
                _, oldest = base.adapters.popitem(last=False)
                if oldest.adapter != BASE:
                    base.forget(oldest.adapter)
            base.adapters[key] = self._load_adapter(base, folder)
        base.adapters.move_to_end(key)
        return base.adapters[key]

    def _load_adapter(self, base: Base, folder: Path) -> _Adapter:
        from peft import PeftModel

        kind = adapter_kind(folder)
        if kind["peft_type"] in _PROMPT_KINDS:
            peft = PeftModel.from_pretrained(base.view(), folder).eval()
            with torch.inference_mode():
                learnt = peft.get_prompt(batch_size=1)
            if kind["peft_type"] == "PREFIX_TUNING":
                homes = [next(layer.parameters()).device for layer in base.model.get_decoder().layers]
                pairs = zip(learnt.layers, homes, strict=True)
                return _Adapter(prefix=[(layer.keys.to(home), layer.values.to(home)) for layer, home in pairs])
            return _Adapter(virtual=learnt[0])
        if kind.get("bias", "none") != "none":
            # Its biases would be written into the shared tensors.
            raise Unsupported(
                reason=Words(
                    "Adapters that also train biases cannot be compared with their base here.",
                    "同时训练了偏置（bias）的适配器无法在这里与底座模型对比。",
                )
            )
        if not _is_plain(kind):
            return _Adapter(own_model=PeftModel.from_pretrained(base.view(), folder).eval())
        name = f"a{next(self._names)}"
        if base.mixed is None:
            base.mixed = PeftModel.from_pretrained(base.view(), folder, adapter_name=name)
        else:
            base.mixed.load_adapter(folder, adapter_name=name, is_trainable=False)
        base.mixed.eval()
        return _Adapter(adapter=name)


def prove_base(model: torch.nn.Module) -> None:
    """Check on the modules' state that rows without an adapter are answered by the base alone: `model` holds no adapter
    layers, or none of them has been merged into the weights.

    Raises:
        WorkError: one has.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    if any(isinstance(module, BaseTunerLayer) and module.merged_adapters for module in model.modules()):
        raise WorkError(
            reason=Words("an adapter was merged into the base's weights", "有适配器被合并进了底座模型的权重")
        )


@contextmanager
def out_of_memory_said() -> Iterator[None]:
    """A block in which running out of memory, on any device, becomes `OutOfMemory`."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemory() from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error):  # how torch says it on a processor
            raise OutOfMemory() from error
        raise


def _is_plain(kind: dict) -> bool:
    return kind["peft_type"] == "LORA" and not any(kind.get(option) for option in _NOT_PLAIN)


def _is_adapter(folder: Path) -> bool:
    return (folder / "adapter_config.json").is_file()


def _weights_key(source: Source) -> tuple:
    return (*stamp(source.weights), source.quantised)


def _bytes_held(base: Base) -> int:
    return sum(tensor.nbytes for tensor in itertools.chain(base.model.parameters(), base.model.buffers()))
