"""Data sets ready for training: folders with `train.json`, `val.json` and `report.json`; listed, found, read by row.

It does not know how they are made; that is `convert`.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine import home
from engine.data import formats
from engine.data.convert import convert  # noqa: F401 - part of this module's face
from engine.data.formats import examples  # noqa: F401 - part of this module's face
from engine.data.jsonlines import Rows
from engine.errors import Exists, NotATable, NotFound, Unsupported
from engine.words import Words

DATA_SET = Words("data set", "数据集")


@dataclass(frozen=True)
class DataSet:
    """`train`, `val`: rows; `created`: seconds since 1970; `demo`: made from the shipped demo data."""

    name: str
    path: Path
    format: str
    train: int
    val: int
    created: float
    bytes: int
    demo: bool


def rows(path: Path) -> Rows:
    """The rows of a `train.json` or `val.json`."""
    return Rows(path)


def data_sets() -> list[DataSet]:
    """The data sets in the workspace, newest first. A folder that somebody else wrote, in no form known here, is left out."""
    # A name that begins with a dot is that of one on its way (`home.new_folder`), or left behind half made.
    found = []
    for each in home.folder("data").glob("[!.]*/train.json"):
        with suppress(NotATable, NotFound):
            found.append(load(each.parent))
    return sorted(found, key=lambda each: (-each.created, each.name))


def find(ref: Path | str) -> Path:
    """The folder of the data set `ref`: a folder, or a name in the workspace.

    Raises:
        NotFound: there is none.
    """
    for folder in (home.typed(ref), home.folder("data") / str(ref)):
        if (folder / "train.json").is_file():
            return folder.resolve()
    hint = Words(
        "Give a folder that `convert` made (it holds train.json), or a name from the list of data sets.",
        "请给出由 convert 生成的文件夹（其中有 train.json），或数据集列表中的名字。",
    )
    raise NotFound(kind=DATA_SET, name=str(ref), hint=hint)


def load(path: Path) -> DataSet:
    """What is in the folder `path` (see `find`).

    Raises:
        NotFound: there is no train.json in it.
        NotATable: its rows have no form known here.
    """
    train = path / "train.json"
    if not train.is_file():
        find(path)
    told = report(path)
    format, counts = (told["format"], (told["train"], told["val"])) if told else _look(path)
    return DataSet(
        name=path.name,
        path=path,
        format=format,
        train=counts[0],
        val=counts[1],
        created=train.stat().st_mtime,
        bytes=home.size_of(path),
        demo=bool(told.get("demo")),
    )


def report(path: Path) -> dict:
    """What became of every row of the data set in the folder `path`, as its maker tells; empty where somebody else made it,
    or the file is damaged."""
    try:
        told = home.read_json(path / "report.json")
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) and told.keys() >= {"format", "train", "val"} else {}


def account(path: Path) -> dict | None:
    """The `report` of a data set made from files; None for one made otherwise: by somebody else, from votes, by a judge."""
    told = report(path)
    return told if "sources" in told else None


def _look(path: Path) -> tuple[str, tuple[int, int]]:
    """Form and counts of a folder that somebody else wrote."""
    counts = tuple(len(Rows(path / name)) if (path / name).is_file() else 0 for name in ("train.json", "val.json"))
    format = formats.recognise(Rows(path / "train.json")[0]) if counts[0] else "qa"
    if format is None:
        reason = Words(
            "its rows have none of the known forms (question/answer, instruction/output, messages, "
            "prompt/chosen/rejected, prompt/completion/label, text)",
            "其中的行不属于任何已知格式（question/answer、instruction/output、messages、prompt/chosen/rejected、"
            "prompt/completion/label、text）",
        )
        raise NotATable(file=str(path / "train.json"), reason=reason)
    return format, counts


def rename(name: str, new: str) -> Path:
    """Give the workspace's data set `name` the name `new`; returns its folder.

    Raises:
        NotFound, Exists: as they say.
        OutsideFolder, Unsupported: `new` is not a plain name.
    """
    source, target = _own(name), place(new)
    if target.exists():
        raise Exists(path=new)
    return source.rename(target)


def delete(name: str) -> None:
    """Remove the workspace's data set `name` and its files."""
    shutil.rmtree(_own(name))


def place(name: str) -> Path:
    """The folder a data set called `name` has in the workspace, whether it is there or not.

    Raises:
        OutsideFolder, Unsupported: `name` is not a plain name.
    """
    if not name.strip() or name != name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|\0'):
        raise Unsupported(
            reason=Words(
                f"'{name}' cannot be a name: leave out / \\ : * ? \" < > | and a dot in front.",
                f'“{name}”不能作为名字：请不要使用 / \\ : * ? " < > | 以及开头的点。',
            )
        )
    return home.inside(name, home.folder("data"))


def _own(name: str) -> Path:
    folder = place(name)
    if not (folder / "train.json").is_file():
        raise NotFound(kind=DATA_SET, name=name, hint=Words("It may have been deleted.", "它可能已被删除。"))
    return folder
