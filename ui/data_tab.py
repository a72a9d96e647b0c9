"""Step 2: data. A file (the demo's or one's own) is looked at, its columns get their roles, and it becomes a data set."""

import html
import re
import shutil
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from engine import home
from engine.data import convert, datasets, formats, roles, tables
from engine.data.cleaning import REASONS, Cleaning
from engine.errors import InvalidFields, NotFound, TuneDeskError
from engine.fields import Params, param, validated
from engine.words import Words
from ui import cards, hub_data, table
from ui.forms import Form
from ui.model_tab import heading
from ui.page import UPLOAD_LIMIT, Page, choices
from ui.text import Text

# The key of the demo's spreadsheet among the files; no upload can be called so.
DEMO = "demo:"
_FILE = Words("file", "文件")
_FORM = Words("form of data set", "数据集格式")

_DROPZONE = """
<label class="td-drop" tabindex="0"><input type="file">
  <b>{title}</b><span>{help}</span><em>{busy}</em></label>
"""


class Split(Params):
    """How many rows go to each side."""

    train: int | None = param(
        None,
        Words("Training rows", "训练行"),
        Words("Rows to learn from. Empty: 90% of the rows.", "用来学习的行数。留空则取 90%。"),
        ge=1,
    )
    val: int | None = param(
        None,
        Words("Validation rows", "验证行"),
        Words("Rows kept back to test with. Empty: 10% of the rows.", "留作检验的行数。留空则取 10%。"),
        ge=0,
    )
    seed: int = param(
        42,
        Words("Seed", "随机种子"),
        Words("The same seed splits the rows in the same way.", "种子相同，划分结果就相同。"),
        advanced=True,
        ge=0,
        lt=2**32,
    )


def build(page: Page) -> None:
    t = page.t
    split, cleaning = Form(Split, t, "data"), Form(Cleaning, t, "cleaning")
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "data"), apply_default_css=False)
        sets = cards.cards("datasets")
        result = cards.stats("data-result")
        dropped = gr.HTML("", elem_id="data-dropped", apply_default_css=False)
    with gr.Column(elem_classes="td-panel"), gr.Accordion(t("data.new_title"), elem_classes="td-section") as maker:
        gr.HTML(f'<p class="td-sub">{t.html("data.new_lead")}</p>', apply_default_css=False)
        files = cards.cards("files")
        upload = gr.HTML(
            html_template=_DROPZONE.format(
                title=t.html("data.upload"), help=t.html("data.upload_help"), busy=t.html("data.uploading")
            ),
            js_on_load="TuneDesk.dropzone(element, props, trigger, upload); // 'uploaded' 'refused'",
            elem_id="data-upload",
            apply_default_css=False,
        )
        hub_data.build(page)
        facts = cards.stats("data-facts")
        notes = gr.HTML("", elem_id="data-notes", apply_default_css=False)
        search = gr.Textbox(
            placeholder=t("data.search"), show_label=False, container=False, elem_id="data-search", max_lines=1
        )
        rows = table.table("data-rows")
        gr.HTML(
            f'<h3>{t.html("data.roles")}</h3><p class="td-sub">{t.html("data.roles_help")}</p>', apply_default_css=False
        )
        with gr.Row(elem_classes="td-fields"):
            columns = {
                role.key: gr.Dropdown(
                    label=t.of(role.label), interactive=True, visible=False, elem_id=f"role-{role.key}", min_width=180
                )
                for role in roles.ROLES
            }
        gr.HTML(
            f'<h3>{t.html("data.counts")}</h3><p class="td-sub">{t.html("data.counts_help")}</p>',
            apply_default_css=False,
        )
        split.basic()
        name = gr.Textbox(label=t("data.name"), elem_id="data-name", max_lines=1)
        with gr.Accordion(t("data.cleaning"), open=False, elem_classes="td-fold") as scrub:
            gr.HTML(f'<p class="td-sub">{t.html("data.cleaning_help")}</p>', apply_default_css=False)
            cleaning.basic()
            cleaning.advanced()
        with gr.Accordion(t("form.advanced"), open=False, elem_classes="td-fold") as advanced:
            format = gr.Dropdown(
                label=t("data.format"),
                choices=[(t.of(each.label), each.key) for each in formats.FORMATS],
                value=formats.FORMATS[0].key,
                interactive=True,
                elem_id="data-format",
            )
            split.advanced()
        with gr.Row(elem_classes="td-actions"):
            make = gr.Button(t("data.convert"), variant="primary", size="lg", elem_id="data-convert")
    with gr.Row(elem_classes="td-next", visible=False) as ready:
        gr.HTML(f"<p>{t.html('data.next_hint')}</p>", apply_default_css=False)
        forward = gr.Button(t("data.next"), variant="primary", size="lg", elem_id="data-next")

    dropdowns = list(columns.values())

    def show_sets(chosen: dict) -> list:
        data = chosen_data(chosen["data"])
        return [
            _sets(t, data.name if data else None),
            gr.update(visible=data is not None),
            gr.update(variant="secondary" if data else "primary"),
            gr.update(open=data is None),
            *_report(t, data),
        ]

    def show_file(chosen: dict, shown: dict) -> list:
        """The file that is chosen; nothing changes while it is the one on the page already."""
        key = chosen["file"] or DEMO
        if shown.get("file") == key:
            return [gr.skip()] * len(of_file)
        try:
            return inspect(key)
        except TuneDeskError as error:
            # A file remembered from before that is gone or damaged now.
            gr.Warning(error.text(t.lang))
            return inspect(DEMO)

    def inspect(key: str) -> list:
        path = file_path(key)
        found = tables.inspect(path)
        value = table.page(t, tables.open_table(path)) | {"file": key}
        return [
            _files(t, key),
            cards.figures(_facts(t, path, found)),
            _notes(t, found),
            "",
            value,
            gr.update(value=_format_of(found["mapping"])),
            _free_name(t("data.demo_set") if key == DEMO else path.stem),
            *_role_updates(t, found["columns"], found["mapping"], _format_of(found["mapping"])),
        ]

    def choose_set(value: dict, chosen: dict) -> dict:
        return {**chosen, "data": datasets.find(cards.selected(value) or "").name}

    def choose_file(value: dict, chosen: dict) -> dict:
        return {**chosen, "file": cards.selected(value)}

    def take(chosen: dict, event: gr.EventData) -> dict:
        path = keep_upload(uploaded_file(event._data.get("path")))
        try:
            tables.inspect(path)
        except TuneDeskError:
            path.unlink()
            raise
        return {**chosen, "file": path.name}

    def refuse(event: gr.EventData) -> None:
        gr.Warning(t("data.refused", name=event._data.get("name"), limit=UPLOAD_LIMIT), title=t("app.error"))

    def turn(chosen: dict, searched: str, event: gr.EventData) -> dict:
        return turned(chosen, searched, int(event._data.get("start", 0)))

    def turned(chosen: dict, searched: str, start: int = 0) -> dict:
        key = chosen["file"] or DEMO
        return table.page(t, tables.open_table(file_path(key)), start, searched) | {"file": key}

    def choose_format(key: str, *values: object) -> list[dict]:
        held = next((each.holds for each in formats.FORMATS if each.key == key), ())
        return [gr.update(visible=role in held) for role in columns]

    def prepare(chosen: dict, wanted: str, title: str, *values: object) -> list:
        given, at = [], 0
        for part in (dropdowns, split.components, cleaning.components):
            given.append(values[at : at + len(part)])
            at += len(part)
        mapping = {
            role: column for role, column in zip(columns, given[0], strict=True) if isinstance(column, str) and column
        }
        try:
            parts = validated(Split, split.settings(given[1])), validated(Cleaning, cleaning.settings(given[2]))
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            unfold = [
                gr.update(open=True) if found else gr.skip()
                for found in (
                    split.names_any(error, advanced=True),
                    cleaning.names_any(error, advanced=True) or cleaning.names_any(error, advanced=False),
                )
            ]
            return [*[gr.skip()] * 2, *unfold, *split.problems(error), *cleaning.problems(error)]
        name = title.strip()
        convert.convert(
            [file_path(choices(chosen)["file"] or DEMO)],
            datasets.place(name),
            mapping=mapping,
            format=_checked_format(wanted),
            cleaning=parts[1],
            **parts[0].model_dump(),
        )
        gr.Success(t("data.converted", name=name), title=t("app.done"))
        return [
            {**chosen, "data": name},
            _free_name(name),
            gr.skip(),
            gr.skip(),
            *split.problems(None),
            *cleaning.problems(None),
        ]

    of_file = [files, facts, notes, search, rows, format, name, *dropdowns]
    page.render("data", show_sets, [sets, ready, make, maker, result, dropped])
    page.render("data", show_file, of_file, [rows])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    sets.pick(page.guarded(choose_set), [sets, page.chosen], page.chosen, **private)
    files.pick(page.guarded(choose_file), [files, page.chosen], page.chosen, **private)
    upload.uploaded(page.guarded(take), page.chosen, page.chosen, **private)
    upload.refused(refuse, None, None, **private)
    rows.turn(page.guarded(turn), [page.chosen, search], rows, **private)
    search.input(page.guarded(turned), [page.chosen, search], rows, trigger_mode="always_last", **private)
    format.input(choose_format, [format, *dropdowns], dropdowns, **private)
    make.click(
        page.guarded(prepare),
        [page.chosen, format, name, *dropdowns, *split.components, *cleaning.components],
        [page.chosen, name, advanced, scrub, *split.components, *cleaning.components],
        **private | {"show_progress": "minimal"},
    )
    forward.click(lambda chosen: {**chosen, "step": "train"}, page.chosen, page.chosen, **private)


def chosen_data(name: str | None) -> datasets.DataSet | None:
    """The data set called `name`, else the newest, else None."""
    listed = datasets.data_sets()
    return next((each for each in listed if each.name == name), None) or next(iter(listed), None)


def file_path(key: str) -> Path:
    """The file that a page means by `key`: the demo's spreadsheet or an upload.

    Raises:
        NotFound, OutsideFolder: it is not there, or not an upload.
    """
    if key == DEMO:
        return home.DEMO_DATA
    path = home.inside(key, home.folder("uploads"))
    if not path.is_file():
        raise NotFound(kind=_FILE, name=key, hint=Words("Upload it again.", "请重新上传。"))
    return path


def uploaded_file(path: object) -> Path:
    """The path of a file that Gradio received, as a page or client tells it.

    Raises:
        NotFound: nothing was sent.
        OutsideFolder: the path is not one of an upload.
    """
    if not isinstance(path, str) or not path:
        raise NotFound(kind=_FILE, name="", hint=Words("Upload it again.", "请重新上传。"))
    return home.inside(path, Path(get_upload_folder()))


def keep_upload(uploaded: Path) -> Path:
    """Move a file that Gradio received into the workspace, under its own name or one beside it."""
    folder = home.folder("uploads")
    target = folder / uploaded.name
    number = 2
    while target.exists():
        target = folder / f"{uploaded.stem}-{number}{uploaded.suffix}"
        number += 1
    shutil.move(uploaded, target)
    return target


def _checked_format(key: object) -> str:
    """Raises:
    NotFound: no form of data set is called so.
    """
    if key not in formats.keys():  # noqa: SIM118 - a function of the module, not a dict's
        raise NotFound(kind=_FORM, name=str(key), hint=Words("Choose one of the list.", "请从列表中选择。"))
    return str(key)


def _sets(t: Text, selected: str | None) -> dict:
    offered = [
        cards.Card(
            key=each.name,
            title=each.name,
            badge=t("app.demo_badge") if each.demo else "",
            text=t("data.demo_text") if each.demo else t.of(formats.get(each.format).label),
            facts=(cards.Fact(t("data.train"), f"{each.train:,}"), cards.Fact(t("data.val"), f"{each.val:,}")),
        )
        for each in datasets.data_sets()
    ]
    return cards.choice(t("data.title"), offered, selected, name="dataset", empty=t("data.none"))


def _files(t: Text, selected: str) -> dict:
    uploads = sorted(home.folder("uploads").glob("[!.]*.*"), key=lambda path: -path.stat().st_mtime)
    demo = cards.Card(DEMO, t("data.demo_file"), t("data.demo_text"), t("app.demo_badge"))
    offered = [cards.Card(path.name, path.name, home.size_text(path.stat().st_size)) for path in uploads[:8]]
    return cards.choice(t("data.new_title"), [demo, *offered], selected, name="file")


def _facts(t: Text, path: Path, found: dict) -> list[cards.Fact]:
    facts = [
        cards.Fact(t("data.rows"), f"{found['rows']:,}"),
        cards.Fact(t("data.columns"), str(len(found["columns"]))),
        cards.Fact(t("data.file_format"), str(found["format"]).upper()),
        cards.Fact(t("data.encoding"), str(found["encoding"] or "–").upper()),
    ]
    return [*facts, cards.Fact(t("data.file_size"), home.size_text(path.stat().st_size))]


def _role_updates(t: Text, names: list[str], mapping: dict[str, str], format: str) -> list[dict]:
    held = formats.get(format).holds
    updates = []
    for role in roles.ROLES:
        given = mapping.get(role.key)
        # A template of several columns is offered by its columns: "title + ask".
        joined = [] if given is None or given in names else [(" + ".join(re.findall(r"{([^{}]+)}", given)), given)]
        choices = [(t("data.no_column"), ""), *joined, *((name, name) for name in names)]
        updates.append(gr.update(choices=choices, value=given or "", visible=role.key in held))
    return updates


def _format_of(mapping: dict[str, str]) -> str:
    """The form of data set that suits the roles found."""
    for key, wanted in (("preference", "rejected"), ("messages", "messages"), ("text", "text")):
        if wanted in mapping:
            return key
    return "qa"


def _notes(t: Text, found: dict) -> str:
    """What was found out about a file, and what looks wrong with it."""
    said = [("bad", problem) for problem in found["problems"]] + [("info", note) for note in found["notes"]]
    lines = "".join(f'<p class="td-message is-{kind}">{html.escape(words[t.lang])}</p>' for kind, words in said)
    return f'<div class="td-messages">{lines}</div>' if lines else ""


def _report(t: Text, data: datasets.DataSet | None) -> list:
    """What became of the rows of a data set: statistics, and why some were dropped. Nothing where it has no report."""
    path = data.path / "report.json" if data else None
    if path is None or not path.is_file():
        return [[], ""]
    report = home.read_json(path)
    lost = sum(report["dropped"].values())
    facts = [
        cards.Fact(t("data.read"), f"{report['input_rows']:,}"),
        cards.Fact(t("data.train"), f"{report['train']:,}", kind="is-good"),
        cards.Fact(t("data.val"), f"{report['val']:,}", kind="is-good"),
        cards.Fact(t("data.dropped"), f"{lost:,}", kind="is-warn" if lost else ""),
        cards.Fact(t("data.unused"), f"{report['unused']:,}"),
    ]
    return [cards.figures(facts), _dropped(t, report)]


def _dropped(t: Text, report: dict) -> str:
    rows = "".join(
        f"<li>{t.html('data.dropped_row', count=f'{count:,}', reason=t.of(REASONS[reason]))}</li>"
        for reason, count in report["dropped"].items()
    )
    return f'<div class="td-reasons"><h4>{t.html("data.dropped_title")}</h4><ul>{rows}</ul></div>' if rows else ""


def _free_name(name: str) -> str:
    """`name`, or the first of `name-2`, `name-3` ... that no data set has."""
    taken = {each.name for each in datasets.data_sets()}
    name = re.sub(r'[/\\:*?"<>|]', "-", name.removesuffix("-")) or "data"
    base, number = re.sub(r"-\d+$", "", name), 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    return name
