"""A model to take away: the adapter alone, or merged into one model that any program can load, or GGUF for Ollama.

What appears, appears whole. It imports torch only to merge.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine import home
from engine.compare import evaluate
from engine.compare.names import Source, adapter_kind, resolve
from engine.errors import DiskFull, Unsupported, WorkError
from engine.models import library
from engine.runs.store import Run
from engine.training import methods, objectives
from engine.words import Words

FORMATS = ("adapter", "merged", "gguf")
_CONVERTER = "convert_hf_to_gguf.py"
_WORDS_FILES = ("tokenizer*", "special_tokens_map.json", "vocab.*", "merges.txt", "chat_template*", "added_tokens.json")

_NO_FORM = Words("There is no form '{form}'; there are: {forms}.", "没有“{form}”这种格式，可选：{forms}。")
_NO_ADAPTER = Words(
    "Run '{run}' trained the whole model and has no adapter; export it as 'merged'.",
    "任务“{run}”训练的是整个模型，没有适配器；请导出为 merged。",
)
_NO_MERGE = Words(
    "What run '{run}' learnt lies before the prompt, not in the weights, so it cannot be merged; export the adapter.",
    "任务“{run}”学到的内容位于提示之前，不在权重里，无法合并；请导出适配器（adapter）。",
)
_NO_CONVERTER = Words(
    f"GGUF needs llama.cpp's {_CONVERTER}, which was found neither on the PATH nor in ~/llama.cpp. Get llama.cpp, or "
    "export as 'merged'.",
    f"导出 GGUF 需要 llama.cpp 的 {_CONVERTER}，但在 PATH 和 ~/llama.cpp 中都没有找到。请获取 llama.cpp，或导出为 merged。",
)
_UNKNOWN_TOKENIZER = Words(
    "llama.cpp does not know this model's tokenizer, so it cannot be written as GGUF. Export as 'merged' and serve it with "
    "vLLM or transformers.",
    "llama.cpp 不认识该模型的分词器，无法导出为 GGUF。请导出为 merged，用 vLLM 或 transformers 部署。",
)
_REFUSED = Words("llama.cpp's converter refused this model ({last})", "llama.cpp 的转换程序不接受该模型（{last}）")
# How the converter says that it does not know a tokenizer: of BPE by its pieces of a test text, else by its class.
_TOKENIZER_SIGNS = ("pre-tokenizer was not recognized", "get_vocab_base_pre", "tokenizer.model")

Progress = Callable[[str], None]


def export(run: Run, form: str, out: Path, progress: Progress = lambda phase: None) -> Path:
    """Write the final model of `run` to the new folder `out` as "adapter", "merged" or "gguf".

    Args:
        progress: called with "copying", "loading", "saving", "converting" as each begins.

    Raises:
        NotFound: the run has no final model yet. Unsupported: it cannot be had in that form. Exists: `out` is there.
        DiskFull: there is too little room, seen beforehand where possible.
    """
    check(run, form)
    source = resolve(f"run:{run.path}")
    out = out.expanduser().resolve()
    _check_room(source, form, out)
    with home.new_folder(out) as folder:
        if form == "adapter":
            progress("copying")
            shutil.copytree(source.adapter, folder, dirs_exist_ok=True)
            _copy_words(source, folder)
        elif form == "merged":
            _merge(source, folder, progress)
        else:
            with tempfile.TemporaryDirectory(dir=folder.parent) as merged:
                _merge(source, Path(merged), progress)
                progress("converting")
                _convert(converter(), Path(merged), folder)
        (folder / "README.md").write_text(_card(run, source, form, out), encoding="utf-8")
    return out


def converter() -> str | None:
    """llama.cpp's converter, if it is at hand."""
    usual = Path.home() / "llama.cpp" / _CONVERTER
    return shutil.which(_CONVERTER) or (str(usual) if usual.is_file() else None)


def _merge(source: Source, folder: Path, progress: Progress) -> None:
    if source.adapter is None:
        progress("copying")
        shutil.copytree(source.weights, folder, dirs_exist_ok=True)
    else:
        import torch
        from transformers import AutoConfig

        from engine import hardware
        from engine.training.loading import load_model

        progress("loading")
        # Added in fp32, since the correction is small beside the weight; then in the format the base came in.
        cpu = hardware.devices()[-1]
        model = load_model(source.adapter, torch.float32, cpu)
        progress("saving")
        stored = AutoConfig.from_pretrained(library.base(source.weights), local_files_only=True).dtype
        model.to(stored or torch.float32).save_pretrained(folder, max_shard_size="2GB")
    _copy_words(source, folder)


def _copy_words(source: Source, folder: Path) -> None:
    """Tokenizer and the chat template of the training, so that whoever loads the model asks as it was taught."""
    for pattern in _WORDS_FILES:
        for file in source.words.glob(pattern):
            shutil.copy(file, folder / file.name)
    if source.template:
        shutil.copy(source.template, folder / "chat_template.jinja")


def _convert(program: str, merged: Path, folder: Path) -> None:
    command = [sys.executable, program, str(merged), "--outfile", str(folder / "model.gguf"), "--outtype", "f16"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        if any(sign in done.stderr for sign in _TOKENIZER_SIGNS):
            raise Unsupported(reason=_UNKNOWN_TOKENIZER)
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise WorkError(reason=_REFUSED.filled(last=last))
    (folder / "Modelfile").write_text("FROM ./model.gguf\n", encoding="utf-8")


def refusal(run: Run, form: str) -> Words | None:
    """Why the final model of `run` cannot be had in that form here; None when it can.

    Raises:
        NotFound: the run has no final model yet.
    """
    source = resolve(f"run:{run.path}")
    prompt_based = source.adapter is not None and adapter_kind(source.adapter).get("num_virtual_tokens")
    if form not in FORMATS:
        return _NO_FORM.filled(form=form, forms=", ".join(FORMATS))
    if form == "adapter" and source.adapter is None:
        return _NO_ADAPTER.filled(run=run.card["name"] or run.id)
    if form != "adapter" and prompt_based:
        return _NO_MERGE.filled(run=run.card["name"] or run.id)
    if form == "gguf" and converter() is None:
        return _NO_CONVERTER
    return None


def check(run: Run, form: str) -> None:
    """Raises:
    NotFound: the run has no final model yet. Unsupported: it cannot be had in that form here.
    """
    reason = refusal(run, form)
    if reason is not None:
        raise Unsupported(reason=reason)


def expected_bytes(run: Run, form: str) -> int:
    """About how many bytes are written for an export, those that are only needed on the way included."""
    return _need(resolve(f"run:{run.path}"), form)


def _need(source: Source, form: str) -> int:
    if form == "adapter":
        return home.size_of(source.adapter or source.weights)
    return library.describe(library.base(source.weights)).bytes * (2 if form == "gguf" else 1)


def _check_room(source: Source, form: str, out: Path) -> None:
    place = next(parent for parent in out.parents if parent.exists())
    if shutil.disk_usage(place).free < _need(source, form):
        raise DiskFull(path=str(out), free=home.free_text(place))


def _card(run: Run, source: Source, form: str, out: Path) -> str:
    """The model card, in Chinese and English."""
    config, result = run.config, run.status()["result"] or {}
    method, objective = methods.get(config["method"]), objectives.get(config["objective"])
    scores = evaluate.last(run)
    parts = []
    for lang in ("zh", "en"):
        say = {"zh": 1, "en": 0}[lang]
        facts = [
            (("Base model", "底座模型")[say], f"`{library.base(source.weights).name}`"),
            (("Objective", "训练目标")[say], objective.label.text(lang)),
            (("Method", "训练方法")[say], method.label.text(lang)),
            (("Data", "训练数据")[say], f"`{Path(config['data']).name}`"),
            (("Steps", "训练步数")[say], result.get("steps")),
            (("Validation loss", "验证损失")[say], result.get("eval_loss")),
            (("Run", "任务编号")[say], f"`{run.id}`"),
        ]
        lines = [f"- {name}: {value}" for name, value in facts if value is not None]
        if scores:
            lines += ["", Words(*scores["sentence"]).text(lang)]
        if source.quantised and form != "adapter":
            lines += [
                "",
                (
                    "Trained on a 4-bit base and merged into the base in full precision: answers can differ slightly.",
                    "训练时底座为 4 位量化，导出时合并进全精度底座：回答可能与训练时略有差别。",
                )[say],
            ]
        parts.append("\n".join(lines))
    return f"# {run.card['name'] or run.id}\n\n{parts[0]}\n\n---\n\n{parts[1]}\n\n{_usage(source, form, out)}"


def _usage(source: Source, form: str, out: Path) -> str:
    if form == "gguf":
        return f"```\nollama create {out.name} -f Modelfile\nollama run {out.name}\n```\n"
    if form == "merged":
        return (
            "```python\nfrom transformers import pipeline\n"
            f'chat = pipeline("text-generation", "{out.name}")\n'
            'print(chat([{"role": "user", "content": "你好"}])[0]["generated_text"][-1]["content"])\n```\n\n'
            f"```\nvllm serve {out.name}\n```\n"
        )
    base = library.base(source.weights)
    return (
        "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n"
        f'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{out.name}")\n```\n\n'
        f"```\nvllm serve {base} --enable-lora --lora-modules tuned={out.name}\n```\n"
    )
