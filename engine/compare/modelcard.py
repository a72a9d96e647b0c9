"""The card of an exported model, in Chinese and English: the facts of its run, how to load it, how to serve it."""

from pathlib import Path

from engine import home
from engine.compare import evaluate
from engine.compare.names import Source, adapter_kind
from engine.models import library
from engine.runs.store import Run
from engine.training import methods, objectives
from engine.words import Words

_FACTS = {
    "base": Words("Base model", "底座模型"),
    "objective": Words("Objective", "训练目标"),
    "method": Words("Method", "训练方法"),
    "data": Words("Data", "训练数据"),
    "steps": Words("Steps", "训练步数"),
    "eval_loss": Words("Validation loss", "验证损失"),
    "run": Words("Run", "任务编号"),
}
FROM_4_BIT = Words(
    "Trained on a 4-bit base and merged into the base in full precision: answers can differ slightly.",
    "训练时底座为 4 位量化，导出时合并进全精度底座：回答可能与训练时略有差别。",
)
_STANDS_ON = Words(
    "This adapter was trained upon what run `{run}` had learnt: load it upon that run's merged export, not upon the base.",
    "该适配器是在任务 `{run}` 的基础上训练的：请在那个任务合并导出的模型上加载，而不是直接加载到底座模型上。",
)
_NOT_SERVED = Words(
    "vLLM serves LoRA adapters only; for others export the run as one merged model.",
    "vLLM 只能加载 LoRA 适配器；其他方法请导出为合并后的完整模型。",
)
# The ranks that vLLM can be told to make room for; it takes the first unless told.
_SERVED_RANKS = (16, 32, 64, 128, 256, 320, 512)


def written(run: Run, source: Source, form: str, name: str) -> str:
    """The card of the final model of `run`, exported as `form` under the name `name`; Markdown."""
    parts = [_facts(run, source, form, lang) for lang in ("zh", "en")]
    usage = {"adapter": _adapter_usage, "merged": _merged_usage, "gguf": _gguf_usage}[form]
    return f"# {run.card['name'] or run.id}\n\n" + "\n\n---\n\n".join([*parts, usage(source, name)])


def base_name(source: Source) -> str:
    """What to load the base of a run's adapter by: its hub ID where it came from one, else its folder."""
    path = library.base(source.weights)
    return _hub_id(path) or str(path)


def _hub_id(path: Path) -> str | None:
    """The ID under which a hub has the model in a folder; None for one that was not downloaded."""
    if path.parent.name == "snapshots":
        return library.name_of(path)
    own = home.folder("models")
    downloaded = path.is_relative_to(own) and len(path.relative_to(own).parts) == 2
    return path.relative_to(own).as_posix() if downloaded else None


def _named(path: Path) -> str:
    """What people call the model in a folder; one that a run made is called as the run."""
    return _hub_id(path) or (path.parent.name if path.name == "final" else library.name_of(path))


def _facts(run: Run, source: Source, form: str, lang: str) -> str:
    config, result = run.config, run.status()["result"] or {}
    scores = evaluate.last(run)
    values = {
        "base": f"`{_named(library.base(library.find(config['model'])))}`",
        "objective": objectives.get(config["objective"]).label.text(lang),
        "method": methods.get(config["method"]).label.text(lang),
        "data": f"`{Path(config['data']).name}`",
        "steps": result.get("steps"),
        "eval_loss": result.get("eval_loss"),
        "run": f"`{run.id}`",
    }
    lines = [f"- {_FACTS[name].text(lang)}: {value}" for name, value in values.items() if value is not None]
    notes = []
    if scores:
        notes.append(Words(*scores["sentence"]))
    if source.quantised and form != "adapter":
        notes.append(FROM_4_BIT)
    if form == "adapter" and _before(source):
        notes.append(_STANDS_ON.filled(run=_before(source)))
    return "\n".join([*lines, *(f"\n{note.text(lang)}" for note in notes)])


def _before(source: Source) -> str | None:
    """The run whose adapter the base already had in it when training began."""
    return source.weights.parent.name if source.weights != library.base(source.weights) else None


def _adapter_usage(source: Source, name: str) -> str:
    kind = adapter_kind(source.adapter)
    base = f"MERGED-EXPORT-OF-{_before(source)}" if _before(source) else base_name(source)
    loaded = (
        "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n"
        f'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{name}")\n```\n\n'
    )
    if kind["peft_type"] != "LORA" or kind.get("use_dora"):
        return f"{loaded}{_NOT_SERVED.zh}\n\n{_NOT_SERVED.en}\n"
    room = next((rank for rank in _SERVED_RANKS if rank >= kind["r"]), _SERVED_RANKS[-1])
    wider = "" if room == _SERVED_RANKS[0] else f" --max-lora-rank {room}"
    return f"{loaded}```\nvllm serve {base} --enable-lora --lora-modules tuned={name}{wider}\n```\n"


def _merged_usage(source: Source, name: str) -> str:
    return (
        "```python\nfrom transformers import pipeline\n"
        f'chat = pipeline("text-generation", "{name}")\n'
        'print(chat([{"role": "user", "content": "你好"}])[0]["generated_text"][-1]["content"])\n```\n\n'
        f"```\nvllm serve {name}\n```\n"
    )


def _gguf_usage(source: Source, name: str) -> str:
    return f"```\nollama create {name} -f Modelfile\nollama run {name}\n```\n"
