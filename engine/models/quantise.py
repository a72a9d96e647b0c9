"""One weight matrix of a model, quantised block by block in NumPy: what it costs and what it saves.

The codes are those of bitsandbytes: blocks of 64 weights share their largest magnitude as scale; with double
quantisation the scales, less their mean, become 8 bits each, in blocks of 256. Nothing else of the model is read.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import NotFound
from engine.models import formats, library
from engine.models.formats import Format
from engine.words import Words

BLOCK = 64
SCALES_BLOCK = 256
# Read from the front of a matrix; enough for every figure to three digits, and in memory in no time.
MOST = 4_194_304
BINS = 81

BITS = {"F32": 32, "F16": 16, "BF16": 16}
_STORED = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_KIND = Words("matrix", "权重矩阵")
_HINT = Words("Choose one from the list.", "请从列表中选择。")


@dataclass(frozen=True)
class Matrix:
    """A weight matrix in a safetensors file; `shape` is (outputs, inputs), `dtype` as the file says ("BF16")."""

    name: str
    shape: tuple[int, int]
    dtype: str
    file: Path
    offset: int

    @property
    def weights(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Quantised:
    """`shares` are the weights over their block's scale; `values` what is left of the weights; `bits` per weight, the
    scales included."""

    form: Format
    codes: np.ndarray
    shares: np.ndarray
    values: np.ndarray
    bits: float


def matrices(model: Path) -> list[Matrix]:
    """The weight matrices of the model in that folder, by name.

    Raises:
        NotAModel: its weights are damaged.
    """
    found = []
    for file in library.weight_files(model):
        header = library.tensors(file)
        with open(file, "rb") as stream:
            start = 8 + int.from_bytes(stream.read(8), "little")
        for name, facts in header.items():
            if len(facts["shape"]) == 2 and facts["dtype"] in BITS:
                found.append(
                    Matrix(name, tuple(facts["shape"]), facts["dtype"], file, start + facts["data_offsets"][0])
                )
    return sorted(found, key=lambda matrix: matrix.name)


def find(model: Path, name: str) -> Matrix:
    """Raises:
    NotFound: the model has no matrix of that name.
    """
    for matrix in matrices(model):
        if matrix.name == name:
            return matrix
    raise NotFound(kind=_KIND, name=name, hint=_HINT)


def read(matrix: Matrix) -> np.ndarray:
    """The first `MOST` weights, row by row, as fp32."""
    raw = np.fromfile(matrix.file, _STORED[matrix.dtype], min(matrix.weights, MOST), offset=matrix.offset)
    return (raw.astype(np.uint32) << 16).view(np.float32) if matrix.dtype == "BF16" else raw.astype(np.float32)


def quantise(weights: np.ndarray, form: Format, double: bool = False) -> Quantised:
    """`weights` (fp32, any length) in blocks of 64, each weight the nearest level of `form`.

    `double`: the scales are quantised as well.
    """
    whole = np.zeros(-(-len(weights) // BLOCK) * BLOCK, np.float32)
    whole[: len(weights)] = weights
    blocks = whole.reshape(-1, BLOCK)
    scales = np.abs(blocks).max(axis=1)
    shares = blocks / np.maximum(scales, np.float32(1e-38))[:, None]
    codes = formats.encode(shares, form)
    if double:
        scales = _double(scales)
    values = (form.levels[codes] * scales[:, None]).reshape(-1)[: len(weights)]
    each = 8 + 32 / SCALES_BLOCK if double else 32
    return Quantised(form, codes, shares.reshape(-1)[: len(weights)], values, form.bits + each / BLOCK)


def measured(matrix: Matrix, weights: np.ndarray, done: Quantised) -> dict:
    """What quantising did: `bits` a weight, `bytes` of the whole matrix, `error` (root mean square, as a share of the
    weights' own, `typical`), `largest` error, `histogram` of the weights over their scale, `levels` (value, share of weights)."""
    difference = done.values - weights
    power = float(np.mean(np.square(weights, dtype=np.float64)))
    counts, _ = np.histogram(done.shares, BINS, (-1, 1))
    used = np.bincount(done.codes.reshape(-1), minlength=len(done.form.levels))
    order = np.argsort(done.form.levels, kind="stable")
    return {
        "bits": done.bits,
        "bytes": math.ceil(matrix.weights * done.bits / 8),
        "error": math.sqrt(float(np.mean(np.square(difference, dtype=np.float64))) / power) if power else 0.0,
        "typical": math.sqrt(power),
        "largest": float(np.abs(difference).max()),
        "histogram": (counts / len(weights)).tolist(),
        "levels": [(float(done.form.levels[i]), used[i] / used.sum()) for i in order],
    }


def _double(scales: np.ndarray) -> np.ndarray:
    """The scales after 8-bit quantisation: less their mean, in blocks of 256, each the nearest of 256 levels that lie
    ten times closer for each tenth of the range (the dynamic map of bitsandbytes; Dettmers 2016, arXiv:1511.04561)."""
    offset = scales.mean(dtype=np.float32)
    centred = scales - offset
    whole = np.zeros(-(-len(scales) // SCALES_BLOCK) * SCALES_BLOCK, np.float32)
    whole[: len(scales)] = centred
    blocks = whole.reshape(-1, SCALES_BLOCK)
    largest = np.maximum(np.abs(blocks).max(axis=1, keepdims=True), np.float32(1e-38))
    levels = _dynamic_levels()
    codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, blocks / largest)
    return (levels[codes] * largest).reshape(-1)[: len(scales)] + offset


def _dynamic_levels() -> np.ndarray:
    """Seven decades; each holds twice the levels of the one below, in the middles of even steps; and 0, and 1."""
    positive = []
    for decade in range(7):
        edges = np.linspace(0.1, 1, 2**decade + 1, dtype=np.float32)
        positive.append(np.float32(10.0 ** (decade - 6)) * (edges[1:] + edges[:-1]) / 2)
    above = np.concatenate(positive)
    return np.sort(np.concatenate([above, -above, [0, 1]])).astype(np.float32)
