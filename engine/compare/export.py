"""A model to take away: the adapter alone, or merged into one model that any program can load, or GGUF for Ollama.

What appears, appears whole. It imports torch only to merge.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from engine import hardware, home
from engine.compare import gguf, modelcard, modelfile
from engine.compare.names import Source, adapter_kind, resolve
from engine.data import tokens
from engine.data.template import ChatTemplate
from engine.errors import TooLittleMemory, TooLittleRoom, Unsupported
from engine.models import library
from engine.runs.store import Run
from engine.words import Words

FORMATS = ("adapter", "merged", "gguf")
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

Progress = Callable[[str], None]


def export(run: Run, form: str, out: Path, progress: Progress = lambda phase: None) -> Path:
    """Write the final model of `run` to the new folder `out` as "adapter", "merged" or "gguf".

    Args:
        progress: called with "copying", "checking", "loading", "saving", "converting" as each begins.

    Raises:
        As `check`. Exists: `out` is there. TooLittleRoom: seen beforehand. DiskFull: it filled up meanwhile.
    """
    check(run, form)
    source = resolve(f"run:{run.path}")
    out = home.typed(out).resolve()
    _check_room(source, form, out)
    with home.new_folder(out) as folder:
        if form == "adapter":
            progress("copying")
            _copy_adapter(source, folder)
        elif form == "merged":
            _merge(source, folder, progress)
        else:
            _to_gguf(source, folder, progress)
        (folder / "README.md").write_text(modelcard.written(run, source, form, out.name), encoding="utf-8")
    return out


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
    if form == "gguf" and gguf.converter() is None:
        return gguf.MISSING
    return None


def check(run: Run, form: str) -> None:
    """Raises:
    NotFound: the run has no final model yet. Unsupported: it cannot be had in that form here.
    TooLittleMemory: to be merged, its base would have to fit into memory, and does not now.
    """
    reason = refusal(run, form)
    if reason is not None:
        raise Unsupported(reason=reason)
    source = resolve(f"run:{run.path}")
    need, free = _memory(source, form), hardware.free_ram()
    if need > free:
        name = run.card["name"] or run.id
        raise TooLittleMemory(name=name, need=home.size_text(need), free=home.size_text(free))


def expected_bytes(run: Run, form: str) -> int:
    """About how many bytes are written for an export, those that are only needed on the way included."""
    return _room(resolve(f"run:{run.path}"), form)


def _copy_adapter(source: Source, folder: Path) -> None:
    shutil.copytree(source.adapter, folder, dirs_exist_ok=True)
    # Where the base lies on this computer helps nobody elsewhere; its hub ID does.
    kind = adapter_kind(source.adapter) | {"base_model_name_or_path": modelcard.base_name(source)}
    home.write_json(folder / "adapter_config.json", kind)
    _copy_words(source, folder)


def _merge(source: Source, folder: Path, progress: Progress) -> None:
    if source.adapter is None:
        progress("copying")
        shutil.copytree(source.weights, folder, dirs_exist_ok=True)
    else:
        import torch
        from transformers import AutoConfig

        from engine.training.loading import load_model

        progress("loading")
        # Added in fp32, since the correction is small beside the weight; then in the format the base came in.
        model = load_model(source.adapter, torch.float32, hardware.devices()[-1])
        progress("saving")
        stored = AutoConfig.from_pretrained(library.base(source.weights), local_files_only=True).dtype
        model.to(stored or torch.float32).save_pretrained(folder, max_shard_size="2GB")
    _copy_words(source, folder)


def _to_gguf(source: Source, folder: Path, progress: Progress) -> None:
    merged = folder / "merged"
    merged.mkdir()
    progress("checking")
    # Asked first: a merge of minutes for a model that the converter does not take would be lost time.
    shutil.copy(library.base(source.weights) / "config.json", merged)
    _copy_words(source, merged)
    gguf.check_tokenizer(merged)
    _merge(source, merged, progress)
    progress("converting")
    gguf.convert(merged, folder)
    shutil.rmtree(merged)
    (folder / "Modelfile").write_text(modelfile.written(_template(source), gguf.FILE), encoding="utf-8")


def _copy_words(source: Source, folder: Path) -> None:
    """Tokenizer and the chat template of the training, so that whoever loads the model asks as it was taught."""
    for pattern in _WORDS_FILES:
        for file in source.words.glob(pattern):
            shutil.copy(file, folder / file.name)
    if source.template:
        shutil.copy(source.template, folder / "chat_template.jinja")


def _template(source: Source) -> ChatTemplate:
    read = tokens.read(source.words)
    if source.template is None:
        return read.template
    return ChatTemplate(source.template.read_text(encoding="utf-8"), read.special)


def _memory(source: Source, form: str) -> int:
    """Bytes that are held at once: a whole model in fp32 where one is merged, else next to nothing."""
    if form == "adapter" or source.adapter is None:
        return 0
    described = library.describe(library.base(source.weights))
    return 4 * (described.parameters or described.bytes // 2)


def _room(source: Source, form: str) -> int:
    if form == "adapter":
        return home.size_of(source.adapter or source.weights)
    return library.describe(library.base(source.weights)).bytes * (2 if form == "gguf" else 1)


def _check_room(source: Source, form: str, out: Path) -> None:
    place = next(parent for parent in out.parents if parent.exists())
    need, free = _room(source, form), shutil.disk_usage(place).free
    if free < need:
        raise TooLittleRoom(name=out.name, need=home.size_text(need), path=str(place), free=home.size_text(free))
