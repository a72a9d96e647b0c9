"""The files that data sets are made from: the demo's spreadsheet, and what people uploaded, alone or several as one.

A page names them by a key: file names parted by "/", which no name can hold.
"""

import shutil
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from engine import home
from engine.data import tables
from engine.data.table import Table
from engine.errors import NotFound, TuneDeskError
from engine.words import Words
from ui import cards
from ui.text import Text

# The key of the demo's spreadsheet; no upload can be called so.
DEMO = "demo:"
_FILE = Words("file", "文件")
_AGAIN = Words("Upload it again.", "请重新上传。")
_OFFERED = 8  # uploads, the newest

_DROPZONE = """
<label class="td-drop" tabindex="0"><input type="file" multiple>
  <b>{title}</b><span>{help}</span><em>{busy}</em></label>
"""


def dropzone(t: Text) -> gr.HTML:
    """A place to drop files on. It fires `uploaded` with `{"paths"}` and `refused` with `{"name"}`."""
    return gr.HTML(
        html_template=_DROPZONE.format(
            title=t.html("data.upload"), help=t.html("data.upload_help"), busy=t.html("data.uploading")
        ),
        js_on_load="TuneDesk.dropzone(element, props, trigger, upload); // 'uploaded' 'refused'",
        elem_id="data-upload",
        apply_default_css=False,
    )


def paths(key: str) -> list[Path]:
    """The files that a page means by `key`.

    Raises:
        NotFound, OutsideFolder: one is not there, or not an upload.
    """
    return [home.DEMO_DATA] if key == DEMO else [_path(name) for name in key.split("/")]


def _path(name: str) -> Path:
    path = home.inside(name, home.folder("uploads"))
    if not path.is_file():
        raise NotFound(kind=_FILE, name=name, hint=_AGAIN)
    return path


def table(key: str, told: tables.Told = tables.Told()) -> Table:  # noqa: B008 - it cannot be changed
    """The table in these files."""
    return tables.open_tables(paths(key), told)


def received(path: object) -> Path:
    """The path of a file that Gradio received, as a page or client tells it.

    Raises:
        NotFound: nothing was sent.
        OutsideFolder: the path is not one of an upload.
    """
    if not isinstance(path, str) or not path:
        raise NotFound(kind=_FILE, name="", hint=_AGAIN)
    return home.inside(path, Path(get_upload_folder()))


def take(sent: object) -> str:
    """Keep the files that Gradio received; returns their key. A file that is no table is not kept, nor any other.

    Raises:
        NotATable, NotFound, OutsideFolder: as they say.
    """
    files = [keep(received(path)) for path in (sent if isinstance(sent, list) and sent else [None])]
    try:
        for file in files:
            tables.inspect(file)
    except TuneDeskError:
        for file in files:
            file.unlink()
        raise
    return "/".join(file.name for file in files)


def keep(uploaded: Path) -> Path:
    """Move a file that Gradio received into the workspace, under its own name or one beside it."""
    folder = home.folder("uploads")
    target = folder / uploaded.name
    number = 2
    while target.exists():
        target = folder / f"{uploaded.stem}-{number}{uploaded.suffix}"
        number += 1
    shutil.move(uploaded, target)
    return target


def offered(t: Text, selected: str) -> dict:
    """The value of `cards` that offers the demo, the newest uploads and, where several are chosen, these together."""
    files = filter(Path.is_file, home.folder("uploads").glob("[!.]*"))
    uploads = sorted(files, key=lambda path: -path.stat().st_mtime)
    cards_of = [cards.Card(path.name, path.name, home.size_text(path.stat().st_size)) for path in uploads[:_OFFERED]]
    names = selected.split("/")
    if len(names) > 1:
        cards_of.insert(0, cards.Card(selected, t("data.several", n=len(names)), " + ".join(names)))
    demo = cards.Card(DEMO, t("data.demo_file"), t("data.demo_text"), t("app.demo_badge"))
    return cards.choice(t("data.new_title"), [demo, *cards_of], selected, name="file")
