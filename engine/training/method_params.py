"""The parameters of each method, declared once; names follow PEFT. What they do to a model is in `methods.py`."""

from typing import Literal

from engine.fields import Params, param
from engine.words import Words

# What a person may pick for "target modules" instead of the model's own module names.
TARGETS = {
    "all-linear": Words("All linear layers", "全部线性层"),
    "q_proj,v_proj": Words("Query and value, as in the LoRA paper", "查询与值（LoRA 论文的做法）"),
}


def _target_modules() -> str:
    return param(
        "all-linear",
        Words("Target modules", "目标模块"),
        Words(
            "Which layers get an adapter: all of them, or those that you tick.",
            "给哪些层加适配器：全部，或只选您勾选的。",
        ),
        choices=TARGETS,
        names="modules",
        min_length=1,
    )


def _virtual_tokens(default: int = 16) -> int:
    return param(
        default,
        Words("Virtual tokens", "虚拟 token 数"),
        Words(
            "Length of the learnt prompt. More can hold more, and take longer.",
            "学习到的提示的长度。越长能记住的越多，也越慢。",
        ),
        ge=1,
        le=512,
    )


def _encoder_hidden_size() -> int | None:
    return param(
        None,
        Words("Encoder width", "编码器宽度"),
        Words(
            "Width of the small network that writes the prompt. Empty: as wide as the model.",
            "生成提示的小网络的宽度。留空则与模型等宽。",
        ),
        advanced=True,
        ge=8,
        le=16384,
    )


class FullParams(Params):
    """Full fine-tuning has no parameters of its own."""


class FreezeParams(Params):
    num_layers: int = param(
        2,
        Words("Trained layers", "训练层数"),
        Words("How many layers, counted from the output, are trained.", "从输出端数起，训练多少层。"),
        ge=1,
        le=256,
    )


class NormParams(Params):
    """Norm tuning has no parameters of its own."""


class LoraFamily(Params):
    """What LoRA and its kin share."""

    r: int = param(
        8,
        Words("Rank", "秩 r"),
        Words(
            "Width of the two small matrices beside each layer. 8 is usual; more can learn more.",
            "每一层旁边两个小矩阵的宽度。常用 8；越大能学到的越多。",
        ),
        ge=1,
        le=512,
    )
    lora_alpha: int = param(
        16,
        Words("Alpha", "缩放 alpha"),
        Words(
            "How strongly the adapter acts: alpha / rank. Twice the rank is usual.",
            "适配器的强度：alpha / r。通常取秩的两倍。",
        ),
        ge=1,
        le=4096,
    )
    target_modules: str = _target_modules()
    lora_dropout: float = param(
        0.0,
        Words("Dropout", "随机失活"),
        Words(
            "Share of the adapter's inputs dropped at random; helps a little on small data.",
            "随机丢弃适配器输入的比例；数据少时略有帮助。",
        ),
        advanced=True,
        ge=0,
        lt=1,
    )
    train_embeddings: bool = param(
        False,
        Words("Adapt embeddings too", "同时调整词向量"),
        Words("Gives the token embeddings an adapter as well.", "给词向量层也加上适配器。"),
        advanced=True,
    )
    use_rslora: bool = param(
        False,
        Words("rsLoRA", "rsLoRA"),
        Words("Scale by alpha / sqrt(rank): steadier at high ranks.", "按 alpha / √r 缩放：秩较大时更稳定。"),
        advanced=True,
    )
    loraplus_lr_ratio: float = param(
        1.0,
        Words("LoRA+ ratio", "LoRA+ 倍率"),
        Words(
            "Learning rate of the B matrices as a multiple of A's. 1: plain LoRA; 16 is usual for LoRA+.",
            "B 矩阵学习率是 A 矩阵的多少倍。1 为普通 LoRA；LoRA+ 常用 16。",
        ),
        advanced=True,
        ge=1,
        le=128,
    )


class LoraParams(LoraFamily):
    init_lora_weights: Literal["default", "pissa"] = param(
        "default",
        Words("Initial weights", "初始化方式"),
        Words(
            "PiSSA starts from the layer's own principal components and often learns faster.",
            "PiSSA 以该层权重的主成分为起点，往往学得更快。",
        ),
        advanced=True,
        choices={"default": Words("Zero (LoRA)", "从零开始（LoRA）"), "pissa": Words("PiSSA", "PiSSA")},
    )

    @property
    def pissa(self) -> bool:
        return self.init_lora_weights == "pissa"


class DoraParams(LoraFamily):
    """LoRA's parameters; DoRA is LoRA with the weight's magnitude learnt apart from its direction."""


class QloraParams(LoraFamily):
    bnb_4bit_quant_type: Literal["nf4", "fp4"] = param(
        "nf4",
        Words("4-bit format", "4 位格式"),
        Words(
            "NF4 spaces its 16 levels as normally distributed weights need them.",
            "NF4 的 16 个刻度按正态分布的权重排布。",
        ),
        advanced=True,
        choices={"nf4": Words("NF4", "NF4"), "fp4": Words("FP4", "FP4")},
    )
    bnb_4bit_use_double_quant: bool = param(
        True,
        Words("Double quantisation", "双重量化"),
        Words("Quantises the scales too: saves about 0.4 bits a weight.", "把缩放系数也量化，每个权重约再省 0.4 位。"),
        advanced=True,
    )
    bnb_4bit_compute_dtype: Literal["auto", "fp32", "bf16", "fp16"] = param(
        "auto",
        Words("Compute format", "计算精度"),
        Words(
            "The 4-bit weights are unpacked to this format for each product. Automatic: that of the training.",
            "每次计算时把 4 位权重还原成这种格式。“自动”即与训练精度相同。",
        ),
        advanced=True,
        choices={
            "auto": Words("Automatic", "自动"),
            "fp32": Words("fp32", "fp32"),
            "bf16": Words("bf16", "bf16"),
            "fp16": Words("fp16", "fp16"),
        },
    )


class AdaloraParams(Params):
    init_r: int = param(
        12,
        Words("Initial rank", "初始秩"),
        Words("Every layer starts with this rank.", "每一层起始时的秩。"),
        ge=1,
        le=512,
    )
    target_r: int = param(
        8,
        Words("Target rank", "目标秩"),
        Words("The average rank left at the end; important layers keep more.", "结束时的平均秩；重要的层保留得更多。"),
        ge=1,
        le=512,
    )
    lora_alpha: int = param(
        32,
        Words("Alpha", "缩放 alpha"),
        Words("How strongly the adapter acts.", "适配器作用的强度。"),
        ge=1,
        le=4096,
    )
    target_modules: str = _target_modules()
    lora_dropout: float = param(
        0.0,
        Words("Dropout", "随机失活"),
        Words("Share of the adapter's inputs dropped at random.", "随机丢弃适配器输入的比例。"),
        advanced=True,
        ge=0,
        lt=1,
    )
    orth_reg_weight: float = param(
        0.5,
        Words("Orthogonality", "正交约束"),
        Words("Keeps the directions of the adapter apart from each other.", "让适配器的各个方向彼此独立。"),
        advanced=True,
        ge=0,
        le=10,
    )


class PromptTuningParams(Params):
    num_virtual_tokens: int = _virtual_tokens()
    prompt_tuning_init_text: str = param(
        "",
        Words("Starting text", "起始文字"),
        Words(
            "The prompt starts as these words. Empty: as tokens of the vocabulary drawn at random.",
            "提示从这段文字开始学习。留空则从词表中随机抽取 token 作为起点。",
        ),
        max_length=2000,
    )


class PTuningParams(Params):
    num_virtual_tokens: int = _virtual_tokens()
    encoder_reparameterization_type: Literal["MLP", "LSTM"] = param(
        "MLP",
        Words("Prompt encoder", "提示编码器"),
        Words("The small network that writes the prompt.", "生成提示的小网络。"),
        choices={"MLP": Words("MLP", "MLP"), "LSTM": Words("LSTM", "LSTM")},
    )
    encoder_hidden_size: int | None = _encoder_hidden_size()
    encoder_dropout: float = param(
        0.0,
        Words("Dropout", "随机失活"),
        Words("Share of the encoder's inner values dropped at random.", "随机丢弃编码器内部数值的比例。"),
        advanced=True,
        ge=0,
        lt=1,
    )


class PrefixTuningParams(Params):
    num_virtual_tokens: int = _virtual_tokens()
    prefix_projection: bool = param(
        False,
        Words("Project the prefix", "使用投影网络"),
        Words(
            "A small network writes the prefix: steadier on hard tasks, many more parameters while training.",
            "由一个小网络生成前缀：较难的任务上更稳定，但训练时参数多得多。",
        ),
    )
    encoder_hidden_size: int | None = _encoder_hidden_size()


class Ia3Params(Params):
    """IA3 has no parameters of its own."""
