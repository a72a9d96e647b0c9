"""The training parameters common to all methods, declared once; called as in transformers' `TrainingArguments`."""

import math
from typing import Literal

from engine.fields import Params, param
from engine.words import Words

_NO_LIMIT = Words("no limit", "不限")
_OFF = Words("off", "关闭")


class TrainingParams(Params):
    """What every run is told beside its method's own parameters."""

    num_train_epochs: float = param(
        2.0,
        Words("Epochs", "训练轮数"),
        Words(
            "How many times every row is seen. Small data sets want 3 to 10, large ones 1 or 2.",
            "每一行数据会被看几遍。数据少时取 3 到 10，数据多时 1 到 2 即可。",
        ),
        gt=0,
        le=1000,
    )
    learning_rate: float | None = param(
        None,
        Words("Learning rate", "学习率"),
        Words(
            "How large each correction is. Empty: the method's own default. If the loss jumps up, take a tenth.",
            "每次修正的幅度。留空则使用该方法的默认值；如果损失突然升高，请改为十分之一。",
        ),
        ge=0,
        le=10,
    )
    batch_size: int = param(
        16,
        Words("Batch size", "批大小"),
        Words(
            "Rows that make one correction together. How many fit into memory at once is found automatically.",
            "多少行数据合起来做一次修正。内存一次能放下多少由程序自动判断。",
        ),
        ge=1,
        le=4096,
    )
    max_length: int = param(
        512,
        Words("Maximum length", "最大长度"),
        Words(
            "Tokens of question and answer together; what is longer is cut off at the end and counted.",
            "问题与回答合计的 token 数；超出部分从末尾截断，并会统计数量。",
        ),
        ge=16,
        le=131072,
    )
    max_steps: int = param(
        -1,
        Words("Maximum steps", "最大步数"),
        Words(
            "Stop after this many corrections, whatever the epochs say. -1: no limit.",
            "达到这一步数就停止，优先于训练轮数；-1 表示不限制。",
        ),
        advanced=True,
        choices={-1: _NO_LIMIT},
        ge=-1,
    )
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = param(
        "cosine",
        Words("Schedule", "学习率曲线"),
        Words("How the learning rate falls during the run.", "学习率在训练过程中如何下降。"),
        advanced=True,
        choices={
            "linear": Words("Linear to zero", "线性降到零"),
            "cosine": Words("Cosine to zero", "余弦降到零"),
            "constant": Words("Constant", "保持不变"),
            "constant_with_warmup": Words("Constant after warm-up", "预热后保持不变"),
        },
    )
    warmup_steps: float = param(
        0.05,
        Words("Warm-up", "预热"),
        Words(
            "Steps over which the learning rate rises from zero; below 1 it is a share of the run.",
            "学习率从零升到设定值所用的步数；小于 1 时表示占总步数的比例。",
        ),
        advanced=True,
        ge=0,
    )
    weight_decay: float = param(
        0.0,
        Words("Weight decay", "权重衰减"),
        Words("Pulls the trained weights towards zero a little.", "让被训练的权重略微向零收缩。"),
        advanced=True,
        ge=0,
        le=1,
    )
    max_grad_norm: float = param(
        1.0,
        Words("Gradient clipping", "梯度裁剪"),
        Words(
            "Corrections larger than this are scaled down to it. 0: off.", "超过该值的修正会被按比例缩小；0 表示关闭。"
        ),
        advanced=True,
        choices={0: _OFF},
        ge=0,
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = param(
        "auto",
        Words("Precision", "数值精度"),
        Words(
            "Number format of the computation. Automatic takes the fastest that this device really has.",
            "计算所用的数值格式。“自动”会选用该设备真正支持的最快格式。",
        ),
        advanced=True,
        choices={
            "auto": Words("Automatic", "自动"),
            "fp32": Words("fp32 (exact)", "fp32（精确）"),
            "bf16": Words("bf16", "bf16"),
            "fp16": Words("fp16 (CUDA only)", "fp16（仅 CUDA）"),
        },
    )
    gradient_checkpointing: bool = param(
        False,
        Words("Gradient checkpointing", "梯度检查点"),
        Words(
            "Computes inner values again instead of keeping them: much less memory, about a third slower.",
            "中间结果不保存而是重新计算：内存大幅减少，速度约慢三分之一。",
        ),
        advanced=True,
    )
    seed: int = param(
        42,
        Words("Seed", "随机种子"),
        Words("The same seed gives the same order of rows and the same start.", "种子相同，数据顺序与初始值就相同。"),
        advanced=True,
        ge=0,
        lt=2**31,
    )
    logging_steps: int = param(
        1,
        Words("Chart every", "绘图间隔"),
        Words("Steps between two points of the chart.", "图上相邻两个点之间的步数。"),
        advanced=True,
        ge=1,
    )
    eval_steps: int | None = param(
        None,
        Words("Validate every", "验证间隔"),
        Words(
            "Steps between two measurements on the validation rows. Empty: about ten in a run.",
            "每隔多少步在验证集上测量一次。留空则整个训练大约测量十次。",
        ),
        advanced=True,
        ge=1,
    )
    eval_rows: int = param(
        200,
        Words("Validation rows", "验证行数"),
        Words(
            "Validation rows measured during training; the evaluation afterwards can take all of them.",
            "训练过程中用于验证的行数；训练后的评测可以使用全部验证集。",
        ),
        advanced=True,
        ge=1,
    )
    save_steps: int | None = param(
        None,
        Words("Save every", "保存间隔"),
        Words(
            "Steps between two checkpoints, from which a run can be resumed. Empty: at each validation.",
            "每隔多少步保存一个可以接着训练的检查点。留空则每次验证时保存。",
        ),
        advanced=True,
        ge=1,
    )
    save_total_limit: int = param(
        2,
        Words("Checkpoints kept", "保留检查点数"),
        Words(
            "Older checkpoints are removed; the best one is always kept.", "更早的检查点会被删除；最佳的一个始终保留。"
        ),
        advanced=True,
        ge=1,
        le=1000,
    )
    save_disk_gb: float | None = param(
        None,
        Words("Disk for checkpoints (GB)", "检查点占用磁盘上限（GB）"),
        Words(
            "Older checkpoints are removed when all together take more; the last and the best stay. Empty: no limit.",
            "所有检查点合计超出时，会删除较早的；最后一个和最佳的一个始终保留。留空表示不限制。",
        ),
        advanced=True,
        choices={None: _NO_LIMIT},
        gt=0,
    )
    early_stopping_patience: int = param(
        0,
        Words("Early stopping", "提前停止"),
        Words(
            "Stop when the validation loss has not improved this many times in a row. 0: off.",
            "验证损失连续这么多次没有改善就停止；0 表示关闭。",
        ),
        advanced=True,
        choices={0: _OFF},
        ge=0,
    )
    neftune_noise_alpha: float = param(
        0.0,
        Words("NEFTune noise", "NEFTune 噪声"),
        Words(
            "A little noise on the embeddings can make answers less literal; 5 is usual. 0: off.",
            "在词向量上加少量噪声，可让回答不那么死板，常用值为 5；0 表示关闭。",
        ),
        advanced=True,
        choices={0: _OFF},
        ge=0,
        le=100,
    )
    report_to: Literal["none", "wandb", "swanlab"] = param(
        "none",
        Words("Also report to", "同时上报到"),
        Words(
            "A tracking service, where its package is installed and you are logged in; it sends the curves over the network.",
            "实验跟踪服务，需要已安装相应的包并登录；曲线会通过网络发送出去。",
        ),
        advanced=True,
        choices={
            "none": Words("Nowhere", "不上报"),
            "wandb": Words("Weights & Biases", "Weights & Biases"),
            "swanlab": Words("SwanLab", "SwanLab"),
        },
    )

    def steps(self, rows: int, batch: int) -> int:
        """How many corrections a run makes on `rows` rows, of which each takes `batch`; an epoch's last may take fewer."""
        return self.max_steps if self.max_steps > 0 else max(1, math.ceil(self.num_train_epochs * -(-rows // batch)))

    def passes(self, rows: int, batch: int) -> float:
        """How many epochs those steps are."""
        return self.steps(rows, batch) / max(1, -(-rows // batch))
