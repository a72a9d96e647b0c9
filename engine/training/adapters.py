"""What each method does to a base model: freezes it, adds adapters, returns the model to train.

Runs in the worker; torch and PEFT are imported inside, since the registry that names these functions is also the
interface's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import hardware
from engine.errors import Unsupported
from engine.training import method_params as parameters
from engine.words import Words

if TYPE_CHECKING:
    import torch
    from torch.nn import Module
    from transformers import TrainerCallback


def full(model: Module, params: parameters.FullParams, total_steps: int) -> Module:
    return model.requires_grad_(True)


def freeze(model: Module, params: parameters.FreezeParams, total_steps: int) -> Module:
    model.requires_grad_(False)
    body = model.get_decoder()
    for layer in body.layers[-params.num_layers :]:
        layer.requires_grad_(True)
    body.norm.requires_grad_(True)
    return model


def _targets(model: Module, names: str) -> str | list[str]:
    """`names` as PEFT wants them.

    Raises:
        Unsupported: a name that no linear layer of this model has; the message lists those there are.
    """
    from torch.nn import Linear

    if names == "all-linear":
        return names
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    there = sorted({name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, Linear)})
    missing = [name for name in wanted if name not in there]
    if missing or not wanted:
        given, known = ", ".join(missing) or names, ", ".join(there)
        raise Unsupported(
            reason=Words(
                f"This model has no linear module called '{given}'; it has {known}. Choose among these, or all-linear.",
                f"该模型没有名为“{given}”的线性模块；可选的有 {known}。请从中选择，或填 all-linear。",
            )
        )
    return wanted


def _peft(model: Module, config: Any) -> Module:
    from peft import get_peft_model

    if type(model).__name__.endswith("ForSequenceClassification"):
        config.task_type = "SEQ_CLS"  # a reward model; its head trains too
    return get_peft_model(model, config)


def lora(model: Module, params: parameters.LoraParams, total_steps: int) -> Module:
    return _lora(model, params, init_lora_weights="pissa" if params.pissa else True)


def qlora(model: Module, params: parameters.QloraParams, total_steps: int) -> Module:
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            # Without gradients bitsandbytes repacks the weights for processors with AVX-512 BF16: the scales are rounded
            # to bf16 and double quantisation is undone, so that a validation would change the model that trains.
            module.support_avx512bf16_for_cpu = False
    return _lora(model, params)


def dora(model: Module, params: parameters.DoraParams, total_steps: int) -> Module:
    return _lora(model, params, use_dora=True)


def _lora(model: Module, params: parameters.LoraFamily, **kind: Any) -> Module:
    from peft import LoraConfig

    targets = _targets(model, params.target_modules)
    if params.train_embeddings:
        # "all-linear" cannot be combined with names in PEFT, so it is spelt out as a pattern.
        body = [r".*_proj"] if targets == "all-linear" else [rf".*\.{name}" for name in targets]
        targets = "|".join([*body, r".*\.embed_tokens"])
    return _peft(
        model,
        LoraConfig(
            r=params.r,
            lora_alpha=params.lora_alpha,
            lora_dropout=params.lora_dropout,
            target_modules=targets,
            use_rslora=params.use_rslora,
            task_type="CAUSAL_LM",
            **kind,
        ),
    )


def loraplus(params: parameters.LoraFamily, name: str) -> float:
    """LoRA+ (Hayou et al. 2024, arXiv:2402.12354): the B matrices learn faster than the A matrices."""
    return params.loraplus_lr_ratio if "lora_B" in name or "lora_embedding_B" in name else 1.0


def adalora(model: Module, params: parameters.AdaloraParams, total_steps: int) -> Module:
    from peft import AdaLoraConfig

    # Warm up on a tenth of the run, settle on the last third: the shares of the AdaLoRA paper's GLUE runs.
    warm_up, settle = total_steps // 10, total_steps // 3
    if settle < 1:
        raise Unsupported(
            reason=Words(
                f"AdaLoRA shares out its ranks over at least 3 steps, and this run has {total_steps}. Train longer, or "
                "take LoRA.",
                f"AdaLoRA 至少需要 3 步来分配秩，而本次训练只有 {total_steps} 步。请延长训练，或改用 LoRA。",
            )
        )
    return _peft(
        model,
        AdaLoraConfig(
            init_r=params.init_r,
            target_r=params.target_r,
            lora_alpha=params.lora_alpha,
            lora_dropout=params.lora_dropout,
            target_modules=_targets(model, params.target_modules),
            orth_reg_weight=params.orth_reg_weight,
            tinit=warm_up,
            tfinal=settle,
            deltaT=max(1, total_steps // 100),
            total_step=total_steps,
            task_type="CAUSAL_LM",
        ),
    )


def adalora_penalty(model: Module) -> torch.Tensor:
    from engine.training import adalora

    return adalora.penalty(model)


def adalora_callbacks(model: Module) -> list[TrainerCallback]:
    from engine.training import adalora

    return [adalora.RankSharing(model)]


def adalora_state(model: Module) -> dict[str, torch.Tensor]:
    from engine.training import adalora

    return adalora.state(model)


def adalora_go_on(model: Module, tensors: dict[str, torch.Tensor]) -> None:
    from engine.training import adalora

    adalora.go_on(model, tensors)


def four_bit(params: parameters.QloraParams, dtype: torch.dtype) -> Any:
    from transformers import BitsAndBytesConfig

    chosen = params.bnb_4bit_compute_dtype
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=params.bnb_4bit_quant_type,
        bnb_4bit_use_double_quant=params.bnb_4bit_use_double_quant,
        bnb_4bit_compute_dtype=dtype if chosen == "auto" else hardware.torch_dtype(chosen),
    )


def ia3(model: Module, params: parameters.Ia3Params, total_steps: int) -> Module:
    from peft import IA3Config

    return _peft(
        model,
        IA3Config(
            target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"], task_type="CAUSAL_LM"
        ),
    )


def norms(model: Module, params: parameters.NormParams, total_steps: int) -> Module:
    from peft import LNTuningConfig

    return _peft(model, LNTuningConfig(target_modules=r".*(norm|layernorm)", task_type="CAUSAL_LM"))


def prompt_tuning(model: Module, params: parameters.PromptTuningParams, total_steps: int) -> Module:
    from peft import PromptTuningConfig

    text = params.prompt_tuning_init_text
    return _peft(
        model,
        PromptTuningConfig(
            num_virtual_tokens=params.num_virtual_tokens,
            prompt_tuning_init="TEXT" if text else "SAMPLE_VOCAB",
            prompt_tuning_init_text=text or None,
            tokenizer_name_or_path=model.config.name_or_path if text else None,
            task_type="CAUSAL_LM",
        ),
    )


def p_tuning(model: Module, params: parameters.PTuningParams, total_steps: int) -> Module:
    from peft import PromptEncoderConfig

    return _peft(
        model,
        PromptEncoderConfig(
            num_virtual_tokens=params.num_virtual_tokens,
            encoder_reparameterization_type=params.encoder_reparameterization_type,
            encoder_hidden_size=params.encoder_hidden_size or model.config.hidden_size,
            encoder_dropout=params.encoder_dropout,
            task_type="CAUSAL_LM",
        ),
    )


def prefix_tuning(model: Module, params: parameters.PrefixTuningParams, total_steps: int) -> Module:
    from peft import PrefixTuningConfig

    return _peft(
        model,
        PrefixTuningConfig(
            num_virtual_tokens=params.num_virtual_tokens,
            prefix_projection=params.prefix_projection,
            encoder_hidden_size=params.encoder_hidden_size or model.config.hidden_size,
            task_type="CAUSAL_LM",
        ),
    )
