"""Which files of a repository are needed, and which repositories are refused: pickled weights, code of their own."""

from fnmatch import fnmatch
from pathlib import PurePosixPath

from engine.errors import Unsupported
from engine.models import library
from engine.models.hub import File, Listing
from engine.models.source import Source
from engine.words import Words

CONFIG = "config.json"
_NEEDED = (
    CONFIG,
    "generation_config.json",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "LICENSE*",
    "README.md",
)
_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".xlsx", ".xls", ".parquet", ".zip", ".gz")
_MOST_TABLES = 200

_NOT_A_MODEL = Words("'{id}' cannot be used here: {reason}.", "“{id}”无法在这里使用：{reason}。")
_ADAPTER = Words(
    "it is an adapter, not a whole model; download its base model",
    "它只是一个适配器，不是完整的模型；请下载它的底座模型",
)
_NO_TABLES = Words(
    "'{id}' holds no tables (CSV, JSON, Excel, Parquet, text).",
    "“{id}”中没有表格文件（CSV、JSON、Excel、Parquet、文本）。",
)
_TOO_MANY = Words(
    "'{id}' has {count} tables; at most {most} can be fetched at once.",
    "“{id}”共有 {count} 个表格文件，一次最多下载 {most} 个。",
)


def needed(source: Source, listing: Listing) -> tuple[File, ...]:
    """The files to fetch, `config.json` first.

    Raises:
        Unsupported: with the reason.
    """
    return _tables(source, listing.files) if source.kind == "dataset" else _model(source, listing.files)


def refuse_code(source: Source, config: object) -> None:
    """Raises:
    Unsupported: the model's `config.json` asks for program code from the repository.
    """
    if not isinstance(config, dict) or "model_type" not in config:
        raise _refused(source, library.NO_KIND)
    if "auto_map" in config:
        raise _refused(source, library.CODE)


def _model(source: Source, files: tuple[File, ...]) -> tuple[File, ...]:
    names = {file.path: file for file in files if "/" not in file.path}
    if CONFIG not in names:
        raise _refused(source, _ADAPTER if "adapter_config.json" in names else library.NO_CONFIG)
    weights = [name for name in names if name.endswith(".safetensors")]
    # Some repositories hold the same weights twice: once more in their makers' own layout, or in another precision.
    usual = [name for name in weights if name == "model.safetensors" or fnmatch(name, "model-*-of-*.safetensors")]
    chosen = usual or [name for name in weights if not name.startswith("consolidated")]
    if not chosen:
        pickled = any(fnmatch(name, pattern) for name in names for pattern in library.PICKLES)
        raise _refused(source, library.PICKLED if pickled else library.NO_WEIGHTS)
    extras = [name for name in names if any(fnmatch(name, pattern) for pattern in _NEEDED)]
    order = sorted({*extras, *chosen}, key=lambda name: (name != CONFIG, names[name].size, name))
    return tuple(names[name] for name in order)


def _tables(source: Source, files: tuple[File, ...]) -> tuple[File, ...]:
    def table(file: File) -> bool:
        path = PurePosixPath(file.path)
        # Cards and settings of the hub itself are no tables.
        own = path.name.startswith((".", "README")) or path.name in ("dataset_infos.json", "configuration.json")
        return path.suffix.lower() in _TABLES and not own

    found = tuple(sorted(filter(table, files), key=lambda file: file.path))
    if not found:
        raise Unsupported(reason=_NO_TABLES.filled(id=source.id))
    if len(found) > _MOST_TABLES:
        raise Unsupported(reason=_TOO_MANY.filled(id=source.id, count=len(found), most=_MOST_TABLES))
    return found


def _refused(source: Source, reason: Words) -> Unsupported:
    return Unsupported(reason=_NOT_A_MODEL.filled(id=source.id, reason=reason))
