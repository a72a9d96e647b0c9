"""A base model in memory, ready for a method: from a model's folder, or from a run whose adapter is merged into it."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from engine import home
from engine.hardware import Device
from engine.training import heap


def load_tokenizer(path: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)


def load_model(
    path: Path, dtype: torch.dtype, device: Device, quantisation: object = None, spread: bool = False
) -> PreTrainedModel:
    """The model in `path` on `device`, in `dtype`. An adapter is merged into its base.

    quantisation: a `BitsAndBytesConfig` for 4-bit weights, or None.
    spread: layer after layer on all GPUs, to answer only; `device` is where tokens go in and come out.
    """
    if (path / "adapter_config.json").is_file():
        from peft import PeftModel

        base = Path(home.read_json(path / "adapter_config.json")["base_model_name_or_path"])
        merged = PeftModel.from_pretrained(load_model(base, dtype, device, spread=spread), path).merge_and_unload()
        # What is trained upon it must find all of it again.
        merged.name_or_path = str(path)
        return merged
    model = AutoModelForCausalLM.from_pretrained(
        path,
        dtype=dtype,
        device_map="auto" if spread else device.key,
        quantization_config=quantisation,
        local_files_only=True,
        trust_remote_code=False,
    )
    if quantisation and device.kind == "cpu":
        _let_go_of_file(model)
    return model


def _let_go_of_file(model: PreTrainedModel) -> None:
    """The weights in their files' format were read only to be packed, but what was not packed is still a view of the
    file, and as long as one is, every page that was read counts as this process's."""
    heap.give_back()
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.clone()


def base_precision(compute: torch.dtype, trains_base: bool) -> tuple[torch.dtype, torch.dtype | None]:
    """(format of the weights, format of the products under autocast or None).

    Frozen weights lie in the format of the products. Weights that train lie in fp32, since small corrections vanish in
    bf16's 8 bits, and autocast makes the products fast.
    """
    if not trains_base:
        return compute, None
    return torch.float32, compute if compute != torch.float32 else None
