"""What the name of a model in a question stands for. It reads folders; it loads nothing.

base:PATH_OR_NAME    a model of the library, or any folder of one
base:run:RUN         the model that a run started from, prepared as the run saw it (4-bit for QLoRA)
run:RUN              what a run ended with (its folder `final`)
run:RUN@STEP         one of its checkpoints
"""

import json
from dataclasses import dataclass
from pathlib import Path

from engine.errors import NotFound, Unsupported
from engine.home import read_json
from engine.models import library
from engine.runs import store
from engine.words import Words

_RUN = Words("model of the run", "训练任务的模型")
_SCORES = Words(
    "This run made a reward model: it scores answers and cannot chat. Choose another run.",
    "该任务训练的是奖励模型：它给回答打分，不能聊天。请选择其他任务。",
)


@dataclass(frozen=True)
class Source:
    """Where the parts of one voice lie.

    `weights`: folder of the base; `adapter`: PEFT folder upon it, or None; `words`: folder with the tokenizer;
    `template`: file with the chat template used in training, or None (the tokenizer's own); `quantised`: the weights
    are quantised when loaded as this method (key) with these parameters (JSON) does it, or None.
    """

    name: str
    weights: Path
    adapter: Path | None
    words: Path
    template: Path | None
    quantised: tuple[str, str] | None = None


def resolve(name: str) -> Source:
    """Raises:
    NotFound: no such model, run or checkpoint, or a run that has saved no model yet.
    Unsupported: a run that made a reward model.
    NotAModel: the folder is there but holds none.
    """
    kind, _, ref = name.partition(":")
    if kind == "base" and ref.startswith("run:"):
        return _of_run(name, ref.removeprefix("run:"), base=True)
    if kind == "base":
        path = library.find(ref)
        return Source(name, path, None, path, None)
    if kind == "run":
        return _of_run(name, ref, base=False)
    hint = Words("Write base:MODEL or run:RUN.", "请写成 base:模型 或 run:任务。")
    raise NotFound(kind=Words("model", "模型"), name=name, hint=hint)


def _of_run(name: str, ref: str, base: bool) -> Source:
    before, at, step = ref.rpartition("@")
    ref, step = (before, step) if at and step.isdigit() else (ref, "")
    run = store.find(ref)
    final = run.path / "final"
    saved = run.path / "checkpoints" / f"checkpoint-{step}" if step else final
    template = run.path / "chat_template.jinja"
    template = template if template.is_file() else None
    config = run.config
    quantised = ("qlora", json.dumps(config["method_params"], sort_keys=True)) if config["method"] == "qlora" else None
    if not base and config["objective"] == "reward":
        raise Unsupported(reason=_SCORES)
    if base:
        weights = library.find(config["model"])
        return Source(name, weights, None, weights, template, quantised)
    words = next((place for place in (saved, final) if (place / "tokenizer_config.json").is_file()), None)
    if (saved / "adapter_config.json").is_file():
        weights = library.find(config["model"])
        return Source(name, weights, saved, words or weights, template, quantised)
    if (saved / "config.json").is_file():
        return Source(name, saved, None, words or library.find(config["model"]), template)
    hint = Words("It has saved none yet: let it go on until it has.", "它还没有保存模型，请等它训练到保存为止。")
    raise NotFound(kind=_RUN, name=ref + (f"@{step}" if step else ""), hint=hint)


def stamp(folder: Path) -> tuple:
    """A key of the weights that lie in a folder now: the same path with other files is another model."""
    files = sorted(folder.glob("*.safetensors"))
    return (str(folder), *((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


def adapter_kind(folder: Path) -> dict:
    """The adapter's own description (`adapter_config.json`)."""
    return read_json(folder / "adapter_config.json")
