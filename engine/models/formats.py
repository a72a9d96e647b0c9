"""Number formats: how fp32, fp16, bf16, int8, FP4 and NF4 hold one number, bit by bit.

The floating formats hold any number by themselves. The others hold a code, and share with the other weights of their
block one scale, the block's largest magnitude: value = level[code] x scale.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.words import Words

# The 16 levels of NF4: quantiles of a normal distribution, 0 among them (Dettmers et al. 2023, QLoRA, appendix E).
_NF4 = (
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
)
# The magnitudes that bitsandbytes gives the three low bits of FP4, in twelfths; the high bit is the sign.
_FP4 = (0.0, 0.0625, 8.0, 12.0, 4.0, 6.0, 2.0, 3.0)


@dataclass(frozen=True)
class Format:
    """`fields`: (kind, bits) from the highest bit; a kind is "sign", "exponent", "fraction", "integer" or "level".

    `levels`: the values of the codes 0, 1, ... as shares of the block's scale; None for floating formats.
    """

    key: str
    label: str
    summary: Words
    fields: tuple[tuple[Literal["sign", "exponent", "fraction", "integer", "level"], int], ...]
    levels: np.ndarray | None = None

    @property
    def bits(self) -> int:
        return sum(bits for _, bits in self.fields)


FORMATS = (
    Format(
        "fp32",
        "FP32",
        Words("Single precision: about 7 decimal digits.", "单精度：约 7 位十进制有效数字。"),
        (("sign", 1), ("exponent", 8), ("fraction", 23)),
    ),
    Format(
        "fp16",
        "FP16",
        Words(
            "Half precision: about 3 digits, and nothing beyond 65,504.", "半精度：约 3 位有效数字，最大只到 65504。"
        ),
        (("sign", 1), ("exponent", 5), ("fraction", 10)),
    ),
    Format(
        "bf16",
        "BF16",
        Words(
            "The top half of FP32: the same range, only 2 to 3 digits.",
            "FP32 的前一半：范围不变，只有 2 到 3 位有效数字。",
        ),
        (("sign", 1), ("exponent", 8), ("fraction", 7)),
    ),
    Format(
        "int8",
        "INT8",
        Words(
            "255 even steps, from minus to plus the largest weight of the block.",
            "在块内最大权重的负值与正值之间均匀地分 255 个刻度。",
        ),
        (("integer", 8),),
        # Codes are two's complement: 0 ... 127, then -128, which no share reaches, ... -1.
        np.concatenate([np.arange(0, 128), np.arange(-128, 0)]).astype(np.float32) / np.float32(127),
    ),
    Format(
        "fp4",
        "FP4",
        Words("A floating number of four bits: 15 levels.", "只有 4 位的浮点数：15 个刻度。"),
        (("sign", 1), ("exponent", 2), ("fraction", 1)),
        np.float32([*_FP4, *(-level for level in _FP4)]) / np.float32(12),
    ),
    Format(
        "nf4",
        "NF4",
        Words(
            "The number of one of 16 levels, close together near zero, where most weights are.",
            "16 个刻度中的一个编号；刻度在零附近更密，因为大多数权重都在那里。",
        ),
        (("level", 4),),
        np.float32(_NF4),
    ),
)


def get(key: str) -> Format:
    return next(form for form in FORMATS if form.key == key)


def encode(shares: np.ndarray, form: Format) -> np.ndarray:
    """The code of the nearest level for each of `shares` (values over their block's scale, in [-1, 1]), as uint8."""
    order = np.argsort(form.levels, kind="stable")
    levels = form.levels[order]
    return order[np.searchsorted((levels[1:] + levels[:-1]) / 2, shares)].astype(np.uint8)


def held(number: float, scale: float, form: Format) -> tuple[str, float]:
    """The bits ("0" and "1") with which `form` holds `number`, and the value that these bits mean.

    `scale` is the largest magnitude of the number's block; floating formats do without.
    """
    if form.levels is not None:
        share = np.float32(np.clip(number / scale if scale else 0.0, -1, 1))
        code = int(encode(share[None], form)[0])
        return f"{code:0{form.bits}b}", float(form.levels[code]) * scale
    with np.errstate(over="ignore"):
        single = np.float32(number)
        if form.key == "fp16":
            half = np.float16(number)
            return f"{half.view(np.uint16):016b}", float(half)
    if form.key == "fp32":
        return f"{single.view(np.uint32):032b}", float(single)
    return _bf16(single)


def _bf16(single: np.float32) -> tuple[str, float]:
    """The upper 16 bits of fp32, rounded to the nearest, ties to even."""
    bits = int(single.view(np.uint32))
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return f"{rounded:016b}", float(np.uint32(rounded << 16).view(np.float32))
