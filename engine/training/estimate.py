"""Whether a run fits this machine, before it starts: the peak of its memory and its time, from the shapes of model and data.

Memory is what `memory.py` adds up. Time is multiplications and additions by what this machine was measured to do in a
second. `python -m engine bench fit` compares both with real runs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import psutil

from engine import hardware, home
from engine.fields import Params
from engine.models import shape
from engine.models.shape import Shape
from engine.training import calibration, memory, methods, objectives, workload
from engine.training.calibration import Machine
from engine.training.config import RunConfig, TrainingParams
from engine.training.device_params import DeviceParams
from engine.training.memory import Pack, Plan
from engine.training.method import MethodSpec
from engine.training.objectives import ObjectiveSpec
from engine.training.workload import Rows
from engine.words import Words

# The share of the measured rate of matrix products that a training step reaches; the rest goes into attention, norms,
# copies. bench/results/fit.json holds how near that comes.
_SHARE = 0.55
# Operations of one layer, forward and backward, beside its matrix products.
_CALLS = 90
# Up to this share of the free memory a run fits with ease.
_EASE = 0.8
_LOADING_S = 10.0
# A run that takes longer than this many hours is worth a word.
_LONG = 8

_CHECKPOINTING = Words(
    "Gradient checkpointing (under Advanced): about {size}, and a third slower.",
    "打开“梯度检查点”（在“高级”里）：约需 {size}，速度慢三分之一左右。",
)
_SHORTER = Words("A maximum length of 256: about {size}.", "把最大长度改为 256：约需 {size}。")
_BATCH = Words("A batch of {batch}: about {size}.", "把批大小改为 {batch}：约需 {size}。")
_LORA = Words("LoRA instead: about {size}.", "改用 LoRA：约需 {size}。")
_QLORA = Words("QLoRA instead: about {size}.", "改用 QLoRA：约需 {size}。")
_FEWER = Words(
    "Fewer rows: {rows} instead of {all} take about {hours} hours.",
    "减少数据行数：用 {rows} 行代替 {all} 行，约需 {hours} 小时。",
)
_SMALLER = Words("A smaller model.", "换一个更小的模型。")

Verdict = Literal["fits", "tight", "no"]


@dataclass(frozen=True)
class Estimate:
    """`available`: bytes that a run may take now; `parts`: those of its peak; `seconds`: of training in all, `steps` and
    `tokens` (of all epochs) of it; `advice`: what would help most, most first."""

    available: int
    parts: dict[str, int]
    trainable_parameters: int
    seconds: float
    steps: int
    tokens: int
    tokens_per_second: float
    advice: tuple[Words, ...]

    @property
    def memory(self) -> int:
        """Bytes at the peak."""
        return sum(self.parts.values())

    @property
    def verdict(self) -> Verdict:
        return _verdict(self.memory, self.available)


def estimate(config: RunConfig) -> Estimate:
    """What the run that `config` describes would take on this machine.

    Raises:
        NotAModel, NotFound: the model or the data set cannot be used.
        Unsupported: the model's configuration calls its sizes by names of its own.
        WorkError: this machine could not be measured.
    """
    model = shape.of_folder(Path(config.model))
    method, objective, here = methods.get(config.method), objectives.get(config.objective), calibration.machine()
    rows = workload.of(config, objective)
    params = method.params(**config.method_params)
    scorer = _scorer(config.objective_params.get("reward_model", "none"), here)
    plan = planned(model, method, params, config.training, here, objective.packed)
    alone = _estimate(plan, rows, objective, scorer)
    return _shared(alone, config.devices)


def _shared(alone: Estimate, devices: DeviceParams) -> Estimate:
    """What each of several GPUs takes, and their time together, as if nothing were lost between them."""
    count = devices.processes
    if count == 1:
        return alone
    split = ("weights", "gradients", "optimizer") if devices.spread == "parts" else ()
    parts = {name: size // count if name in split else size for name, size in alone.parts.items()}
    shared = replace(
        alone,
        parts=parts,
        seconds=_LOADING_S + (alone.seconds - _LOADING_S) / count,
        tokens_per_second=alone.tokens_per_second * count,
    )
    return replace(shared, advice=()) if shared.verdict == "fits" else shared


def _verdict(need: int, free: int) -> Verdict:
    return "fits" if need <= _EASE * free else "tight" if need <= free else "no"


def _estimate(plan: Plan, rows: Rows, objective: ObjectiveSpec = objectives.OBJECTIVES[0], scorer: int = 0) -> Estimate:
    """`scorer`: bytes of a reward model that is there as well."""
    free, training = available(plan.here), plan.training

    def held(plan: Plan, rows: Rows) -> tuple[Pack, dict, int]:
        return _held(plan, rows, free, objective, scorer)

    pack, parts, trainable = held(plan, rows)
    need = sum(parts.values())
    seen = round(training.passes(rows.train, training.batch_size) * rows.train * rows.mean)
    rate = _rate(plan, rows, pack, trainable, objective)
    # Ten validations on the way cost a forward pass each.
    validation = 10 * min(rows.val, training.eval_rows) * rows.mean / (3 * rate)
    seconds = _LOADING_S + seen / rate + validation
    return Estimate(
        available=free,
        parts=parts,
        trainable_parameters=trainable,
        seconds=seconds,
        steps=training.steps(rows.train, training.batch_size),
        tokens=seen,
        tokens_per_second=rate,
        advice=(
            *(() if _verdict(need, free) == "fits" else _advice(held, plan, rows, need)),
            *(() if objective.tries else _fewer(rows, training, seconds)),
        ),
    )


def _held(plan: Plan, rows: Rows, free: int, objective: ObjectiveSpec, scorer: int) -> tuple[Pack, dict[str, int], int]:
    """The largest pack, the bytes of each part, and how many parameters train."""
    # TRL's trainers pad the rows that are in memory at once to the longest of them.
    mean = rows.mean if objective.packed else rows.longest
    pack = memory.pack(plan, mean, rows.longest, free)
    parts, trainable = memory.parts(plan, pack)
    if not objective.gives_tokens:
        parts["logits"] = 0
    copy = (parts["weights"] if plan.whole else 4 * trainable) if objective.has_copy else 0
    if copy + scorer:
        parts["others"] = copy + scorer
    return pack, parts, trainable


def _fewer(rows: Rows, training: TrainingParams, seconds: float) -> tuple[Words, ...]:
    """The advice to take fewer rows, if the run takes very long and their number decides it."""
    if training.max_steps > 0 or seconds <= 3600 * _LONG:
        return ()
    few = int(float(f"{rows.train * 3600 * _LONG / seconds:.1g}"))
    return (_FEWER.filled(rows=f"{few:,}", all=f"{rows.train:,}", hours=_LONG),) if few else ()


def _advice(
    held: Callable[[Plan, Rows], tuple[Pack, dict, int]], plan: Plan, rows: Rows, need: int
) -> tuple[Words, ...]:
    """What would save most memory, most first, each with what the run would take then, by `held`."""
    short = replace(rows, longest=min(rows.longest, 256), mean=min(rows.mean, 256), answer=min(rows.answer, 256))
    batch = max(1, plan.training.batch_size // 4)
    ways = [
        (_CHECKPOINTING, _with(plan, gradient_checkpointing=True), rows),
        (_SHORTER, plan, short),
        (_BATCH, _with(plan, batch_size=batch), rows),
    ]
    ways += [
        (words, replace(plan, method=methods.get(key), params=methods.get(key).params()), rows)
        for key, words in (("lora", _LORA), ("qlora", _QLORA))
        if key != plan.method.key
    ]
    saved = []
    for words, other, cut in ways:
        after = sum(held(other, cut)[1].values())
        if after < 0.95 * need:
            saved.append((after, words.filled(size=home.size_text(after), batch=batch)))
    return tuple(words for _, words in sorted(saved, key=lambda each: each[0])) or (_SMALLER,)


def _with(plan: Plan, **changed: object) -> Plan:
    """`plan` with other training parameters."""
    return replace(plan, training=plan.training.model_copy(update=changed))


def at_a_glance(model: Shape, here: Machine) -> Verdict:
    """Whether a model fits with LoRA and everything else as it is by default, for rows of usual length."""
    rows = Rows(train=1000, val=100, mean=150, answer=100, longest=400)
    method, training = methods.get("lora"), TrainingParams()
    return _estimate(planned(model, method, method.params(), training, here), rows).verdict


def available(here: Machine) -> int:
    """Bytes that a run may take on this machine now."""
    if here.kind == "cuda":
        return here.memory
    return min(psutil.virtual_memory().available, hardware.memory_limit())


def planned(
    model: Shape, method: MethodSpec, params: Params, training: TrainingParams, here: Machine, fused: bool = True
) -> Plan:
    """What is trained on this machine, in the format that its products take there."""
    rest = method.at_rest(params, model.stored, "fp32", here.kind) if fused else "fp32"
    return Plan(model, method, params, training, here, products(training, here, model.parameters, rest), fused)


def products(training: TrainingParams, here: Machine, parameters: int, rest: str = "fp32") -> str:
    """The number format of the products; `rest`: that of the weights where the products are in fp32."""
    device = hardware.Device(here.kind, here.name, here.memory, here.dtypes)
    return hardware.training_precision(
        training.precision,
        device,
        parameters,
        rest,
        free=available(here),
        bf16_is_faster=lambda: here.gflops["bf16"] > here.gflops["fp32"],
    )


def _rate(plan: Plan, rows: Rows, pack: Pack, trainable: int, objective: ObjectiveSpec) -> float:
    """Tokens a second in training: each weight is used once forward and once backward, and once more where it trains; once
    for each further look at the rows."""
    model, here, whole = plan.model, plan.here, plan.whole
    share = rows.answer / max(1.0, rows.mean) if objective.gives_tokens else 0.0
    passes = 1 + (2 if whole else 1) * memory.depth(plan) + plan.training.gradient_checkpointing + objective.looks
    flops = 2 * passes * (model.linear + share * model.embedding) + 4 * trainable * (not whole)
    seconds = flops / (_SHARE * here.gflops[plan.dtype] * 1e9)
    calls = _CALLS * (1 + objective.looks / 3) * model.layers
    return 1 / (seconds + calls * here.call_us * 1e-6 / pack.tokens)


def _scorer(folder: str, here: Machine) -> int:
    """Bytes of the reward model of the run in `folder`; "none" has none."""
    if folder == "none":
        return 0
    shaped = shape.of_folder(Path(home.read_json(Path(folder) / "config.json")["model"]))
    return shaped.parameters * (4 if here.kind == "cpu" else 2)
