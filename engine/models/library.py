"""The models that can be used here: the demo model, the workspace's own, folders that were added, and what runs made.

A model is a folder with `config.json`, safetensors weights and a tokenizer. Pickled weights and models that bring their
own code are refused. Nothing is loaded: what is said of a model comes from its configuration and file headers.
"""

import json
import math
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from engine import home
from engine.errors import NotAModel, NotFound, OutsideFolder, from_os_error
from engine.words import Words

DEMO = "demo-model"
_WEIGHTS = "*.safetensors"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")

_KIND = Words("model", "模型")
_HINT = Words("List them with 'python -m engine models'.", "用“python -m engine models”查看全部模型。")
_UNTRAINED = Words("Run '{name}' has no final model yet.", "任务“{name}”还没有最终模型。")
_NO_FOLDER = Words("it is not a folder", "它不是一个文件夹")
NO_CONFIG = Words("it has no config.json", "其中没有 config.json")
_BAD_CONFIG = Words("its config.json is damaged", "其中的 config.json 已损坏")
NO_KIND = Words("its config.json names no model_type", "其中的 config.json 没有 model_type")
CODE = Words(
    "it brings its own program code, which is not run here for safety", "它自带程序代码，出于安全考虑不会在这里运行"
)
PICKLED = Words(
    "its weights are pickled, which may hide program code; get its safetensors version",
    "它的权重是 pickle 格式，可能藏有程序代码；请改用 safetensors 版本",
)
NO_WEIGHTS = Words("it has no safetensors weights", "其中没有 safetensors 权重")
_BAD_WEIGHTS = Words("its file {file} is damaged or cut short", "其中的 {file} 已损坏或不完整")
_MISSING_PART = Words("its file {file} is missing", "其中缺少文件 {file}")
_NO_TOKENIZER = Words("it has no tokenizer", "其中没有分词器（tokenizer）")


@dataclass(frozen=True)
class Model:
    """`source` is "demo", "library", "folder" or "run"; `bytes` is the size on disk; what a configuration leaves out is
    None."""

    name: str
    path: Path
    source: str
    bytes: int
    architecture: str
    parameters: int | None
    hidden_size: int | None
    layers: int | None
    vocab_size: int | None
    context_length: int | None

    @property
    def demo(self) -> bool:
        return self.source == "demo"


def models() -> list[Model]:
    """Every usable model: the demo model first, then by name. A folder that became unusable is left out."""
    places = [(home.DEMO_MODEL, "demo")]
    places += [(path, "library") for path in _library_folders()]
    places += [(path, "folder") for path in _added()]
    found = []
    for path, source in places:
        try:
            found.append(describe(path, source))
        except NotAModel:
            continue
    return sorted(found, key=lambda model: (not model.demo, model.name.lower()))


def name_of(path: Path) -> str:
    """What a model is called: its folder, but in a hub's cache, where that is a revision's number, its ID."""
    if path.parent.name == "snapshots":
        return path.parent.parent.name.removeprefix("models--").replace("--", "/")
    # ModelScope's older clients write dots so.
    return path.name.replace("___", ".")


def find(ref: str | Path) -> Path:
    """The folder of a model: a name from the library, a run (its `final/`, which may be an adapter), or a folder.

    Raises:
        NotFound: nothing of that name.
        NotAModel: a folder without a usable model.
    """
    named = {name_of(path): path for path in [*_added(), *_library_folders()]} | {DEMO: home.DEMO_MODEL}
    named |= {str(path.relative_to(home.folder("models"))): path for path in _library_folders()}
    if str(ref) in named:
        return describe(named[str(ref)]).path
    path = home.typed(ref)
    run = home.home() / "runs" / path if path.name == str(ref) else path
    if (run / "events.jsonl").is_file():
        return _final(run.resolve())
    if not path.exists():
        raise NotFound(kind=_KIND, name=str(ref), hint=_HINT)
    return path.resolve() if _is_adapter(path) else describe(path).path


def _final(run: Path) -> Path:
    final = run / "final"
    if not holds_model(final):
        raise NotFound(kind=_KIND, name=run.name, hint=_UNTRAINED.filled(name=run.name))
    return final


def describe(path: str | Path, source: str = "folder") -> Model:
    """What a folder holds, from `config.json` and the headers of its weights.

    Raises:
        NotAModel: with the reason.
    """
    path = home.typed(path).resolve()
    if not path.is_dir():
        raise NotAModel(path=str(path), reason=_NO_FOLDER)
    config = _config(path)
    weights = weight_files(path)
    if not any((path / name).is_file() for name in _TOKENIZERS):
        raise NotAModel(path=str(path), reason=_NO_TOKENIZER)
    text = config.get("text_config") or config
    return Model(
        name=name_of(path),
        path=path,
        source="demo" if path == home.DEMO_MODEL else source,
        bytes=home.size_of(path),
        architecture=(config.get("architectures") or [config["model_type"]])[0],
        parameters=_parameters(path, weights, config),
        hidden_size=text.get("hidden_size"),
        layers=text.get("num_hidden_layers"),
        vocab_size=text.get("vocab_size"),
        context_length=text.get("max_position_embeddings"),
    )


def base(path: str | Path) -> Path:
    """The folder of the whole model that `path` stands on: itself, or what its adapter was trained for."""
    path = Path(path)
    while _is_adapter(path):
        path = Path(home.read_json(path / "adapter_config.json")["base_model_name_or_path"])
    return path


def add_folder(path: str | Path) -> Model:
    """Remember a model that lies elsewhere, without copying it.

    Raises:
        NotAModel: with the reason.
    """
    model = describe(path)
    if model.path not in [home.DEMO_MODEL, *_library_folders(), *_added()]:
        _remember([*_added(), model.path])
    return model


def forget(name: str) -> None:
    """Take an added folder off the list; its files stay.

    Raises:
        NotFound: no folder of that name was added.
    """
    added = _added()
    if name not in map(name_of, added):
        raise NotFound(kind=_KIND, name=name, hint=_HINT)
    _remember([path for path in added if name_of(path) != name])


def delete(path: Path) -> int:
    """Remove a model of the library from the disk; returns the bytes that this frees.

    Raises:
        OutsideFolder: it is not one of the library's own.
    """
    root = home.folder("models")
    path = home.inside(path, root)
    if path not in _library_folders():
        raise OutsideFolder(path=str(path), folder=str(root))
    size = home.size_of(path)
    # Out of sight in one step: a deletion cut short leaves no half of a model in the list.
    hidden = root / f".{path.name}.deleted"
    path.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)
    return size


def tensors(file: Path) -> dict[str, dict]:
    """The header of a safetensors file: tensor name -> `{"dtype", "shape", "data_offsets"}`.

    Raises:
        NotAModel: the file is damaged or shorter than its header says.
    """
    try:
        with open(file, "rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > file.stat().st_size:
                raise ValueError("header longer than the file")
            header = json.loads(stream.read(length))
            header.pop("__metadata__", None)
            end = max((facts["data_offsets"][1] for facts in header.values()), default=0)
    except (struct.error, ValueError, TypeError, KeyError, AttributeError):
        raise NotAModel(path=str(file.parent), reason=_BAD_WEIGHTS.filled(file=file.name)) from None
    if file.stat().st_size < 8 + length + end:
        raise NotAModel(path=str(file.parent), reason=_BAD_WEIGHTS.filled(file=file.name))
    return header


def stored_format(path: Path) -> str:
    """The number format that all weights of a model's folder have in their files: "bf16", "fp16", or else "fp32"."""
    return common_format({facts["dtype"] for file in weight_files(path) for facts in tensors(file).values()})


def common_format(found: set[str]) -> str:
    """The same of formats by the names that safetensors gives them."""
    return {frozenset({"BF16"}): "bf16", frozenset({"F16"}): "fp16"}.get(frozenset(found), "fp32")


def _config(path: Path) -> dict:
    try:
        config = home.read_json(path / "config.json")
    except FileNotFoundError:
        raise NotAModel(path=str(path), reason=NO_CONFIG) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise NotAModel(path=str(path), reason=_BAD_CONFIG) from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise NotAModel(path=str(path), reason=NO_KIND)
    if "auto_map" in config:
        raise NotAModel(path=str(path), reason=CODE)
    return config


def weight_files(path: Path) -> list[Path]:
    """The files that hold the weights: those that the index names, or all."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        try:
            named = {path / name for name in home.read_json(index)["weight_map"].values()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NotAModel(path=str(path), reason=_BAD_WEIGHTS.filled(file=index.name)) from None
        files = sorted(named)
        for file in files:
            if not file.is_file():
                raise NotAModel(path=str(path), reason=_MISSING_PART.filled(file=file.name))
        return files
    files = sorted(path.glob(_WEIGHTS))
    if not files:
        pickled = any(next(path.glob(pattern), None) for pattern in PICKLES)
        raise NotAModel(path=str(path), reason=PICKLED if pickled else NO_WEIGHTS)
    return files


def _parameters(path: Path, weights: list[Path], config: dict) -> int | None:
    """Numbers in the weights, a tied output layer counted once. None where they are packed (4-bit and the like)."""
    if "quantization_config" in config:
        return None
    shapes = {name: facts["shape"] for file in weights for name, facts in tensors(file).items()}
    if config.get("tie_word_embeddings", False):
        shapes.pop("lm_head.weight", None)
    return sum(math.prod(shape) for shape in shapes.values())


def holds_model(path: Path) -> bool:
    """Whether a model or an adapter was saved in `path`. A folder that somebody emptied holds none."""
    return _is_adapter(path) or (path / "config.json").is_file()


def _is_adapter(path: Path) -> bool:
    return (path / "adapter_config.json").is_file()


def _library_folders() -> list[Path]:
    """Folders of the workspace that hold a model, one or two levels deep (`Qwen/Qwen2.5-0.5B`)."""
    root = home.folder("models")
    found = [config.parent for pattern in ("*/config.json", "*/*/config.json") for config in root.glob(pattern)]
    return sorted(path for path in found if not path.relative_to(root).parts[0].startswith("."))


def _added() -> list[Path]:
    try:
        return [Path(path) for path in home.read_json(home.folder("models") / "folders.json")["folders"]]
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, KeyError):
        return []


def _remember(folders: list[Path]) -> None:
    try:
        home.write_json(home.folder("models") / "folders.json", {"folders": [str(path) for path in folders]})
    except OSError as error:
        raise from_os_error(error, home.folder("models")) from error
