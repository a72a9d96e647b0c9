"""The data sets made so far: chosen, looked into, downloaded, renamed, deleted, each with its data card."""

from pathlib import Path

import gradio as gr
from fastapi.responses import FileResponse, Response

from engine import home
from engine.data import card, datasets, formats, tables
from engine.data.cleaning import CHANGES, REASONS
from engine.data.personal import KINDS
from engine.data.shapes import LOST
from engine.errors import NotFound, Unsupported
from engine.runs import status as states
from engine.runs import store
from engine.words import Words
from ui import cards, judgements, table
from ui.drawn import drawn
from ui.model_tab import heading
from ui.page import Page, choices
from ui.text import Text

FILES = ("train.json", "val.json", "report.json", "README.md", "judgements.jsonl")
_RANGES = 6  # stretches of rows that are named for one reason; the report has them all
_WORDS = {**REASONS, **CHANGES, **KINDS, **LOST}


def build(page: Page) -> None:
    t = page.t
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "data"), apply_default_css=False)
        sets = cards.cards("datasets")
        result = cards.stats("data-result")
        told = drawn("data-dropped", "told")
        files = drawn("data-files", "downloads")
        with gr.Column(visible=False) as more:
            with gr.Accordion(t("sets.inside"), open=False, elem_classes="td-fold", elem_id="data-inside") as fold:
                side = gr.Radio(
                    [(t("data.train"), "train"), (t("data.val"), "val")],
                    value="train",
                    show_label=False,
                    container=False,
                    elem_id="set-side",
                )
                rows = table.table("set-rows")
            judged = judgements.Fold(t, "set-judgements")
            with gr.Accordion(t("sets.card"), open=False, elem_classes="td-fold", elem_id="data-card"):
                card_view = drawn("set-card", "card")
            with gr.Accordion(t("sets.change"), open=False, elem_classes="td-fold", elem_id="data-change"):
                with gr.Row(elem_classes="td-inline"):
                    name = gr.Textbox(label=t("sets.new_name"), elem_id="set-name", max_lines=1, scale=4)
                    rename = gr.Button(t("sets.rename"), elem_id="set-rename", scale=1, min_width=120)
                    delete = gr.Button(t("sets.delete"), variant="stop", elem_id="set-delete", scale=1, min_width=120)
                with gr.Row(elem_classes="td-actions", visible=False) as sure:
                    question = gr.HTML("", apply_default_css=False)
                    yes = gr.Button(t("sets.delete_yes"), variant="stop", elem_id="set-delete-yes")
                    no = gr.Button(t("sets.delete_no"), elem_id="set-delete-no")

    def show(chosen: dict, inside: dict, which: str) -> list:
        data = chosen_data(chosen["data"])
        report = datasets.account(data.path) if data else None
        seen = inside.get("set") if isinstance(inside, dict) else None
        fresh = {} if data is None else look_inside(data, which) if seen not in (None, data.name) else gr.skip()
        return [
            _sets(t, data.name if data else None),
            cards.figures(_facts(t, report)),
            _told(t, report),
            _downloads(t, data),
            gr.update(visible=data is not None),
            fresh,
            _card(t, report),
            data.name if data else "",
            gr.update(visible=False),
            *judged.shown(data.path if data else None),
        ]

    def look_inside(data: datasets.DataSet, which: object, **wanted: object) -> dict:
        file = data.path / ("val.json" if which == "val" else "train.json")
        if not file.is_file() or not file.stat().st_size:
            return {"set": data.name}
        return table.page(t, tables.open_table(file, "utf-8"), **wanted) | {"set": data.name}

    def unfold(chosen: dict, which: str) -> dict:
        return look_inside(_found(chosen), which)

    def turn(chosen: dict, which: str, event: gr.EventData) -> dict:
        return look_inside(_found(chosen), which, **table.wanted(event))

    def turn_judged(chosen: dict, event: gr.EventData) -> dict:
        return judged.turned(_found(chosen).path, table.wanted(event)["start"])

    def choose(value: dict, chosen: dict) -> dict:
        return {**chosen, "data": datasets.find(cards.selected(value) or "").name}

    def rename_this(chosen: dict, new: str) -> dict:
        data = _free(_found(chosen))
        new = new.strip()
        datasets.rename(data.name, new)
        gr.Success(t("sets.renamed", name=new), title=t("app.done"))
        return {**chosen, "data": new}

    def ask_delete(chosen: dict) -> list:
        data = _found(chosen)
        text = t.html("sets.delete_sure", name=data.name, size=home.size_text(data.bytes))
        return [gr.update(visible=True), f"<p>{text}</p>"]

    def delete_this(chosen: dict) -> dict:
        data = _free(_found(chosen))
        datasets.delete(data.name)
        gr.Success(t("sets.deleted", name=data.name), title=t("app.done"))
        return {**chosen, "data": None}

    views = [sets, result, told, files, more, rows, card_view, name, sure, *judged.outputs]
    page.render("data", show, views, [rows, side])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    sets.pick(page.guarded(choose), [sets, page.chosen], page.chosen, **private)
    gr.on([fold.expand, side.input], page.guarded(unfold), [page.chosen, side], rows, **private)
    rows.turn(page.guarded(turn), [page.chosen, side], rows, **private)
    judged.view.turn(page.guarded(turn_judged), page.chosen, judged.view, **private)
    gr.on([rename.click, name.submit], page.guarded(rename_this), [page.chosen, name], page.chosen, **private)
    delete.click(page.guarded(ask_delete), page.chosen, [sure, question], **private)
    yes.click(page.guarded(delete_this), page.chosen, page.chosen, **private)
    no.click(lambda: gr.update(visible=False), None, sure, **private)


def chosen_data(name: str | None) -> datasets.DataSet | None:
    """The data set called `name`, else the newest, else None."""
    listed = datasets.data_sets()
    return next((each for each in listed if each.name == name), None) or next(iter(listed), None)


def download(name: str, file: str) -> Response:
    """A file of a data set, to be saved and never shown: what is in it is somebody's text."""
    if file not in FILES:
        return Response(status_code=404)
    path = home.folder("data") / name / file
    if Path(name).name != name or not path.is_file():
        return Response(status_code=404)
    return FileResponse(path, media_type="application/octet-stream", filename=file)


def _found(chosen: object) -> datasets.DataSet:
    """The data set that a page has chosen.

    Raises:
        NotFound: there is none.
    """
    name = choices(chosen)["data"]
    data = chosen_data(name)
    if data is None:
        hint = Words("Create one below first.", "请先在下面生成一个。")
        raise NotFound(kind=datasets.DATA_SET, name=name or "", hint=hint)
    return data


def _free(data: datasets.DataSet) -> datasets.DataSet:
    """Raises:
    Unsupported: a run that waits or works learns from it.
    """
    for run in store.runs():
        state = run.status()["state"]
        if (state == states.QUEUED or state in states.ACTIVE) and Path(run.config["data"]) == data.path:
            raise Unsupported(
                reason=Words(
                    f"The run “{run.card['name']}” is learning from this data set. Let it end, or stop it first.",
                    f"任务“{run.card['name']}”正在使用这个数据集。请等它结束，或先停止它。",
                )
            )
    return data


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
    return cards.choice(
        t("data.title"),
        offered,
        selected,
        name="dataset",
        empty=t("data.none"),
        first=6,
        more=t("sets.all", n=len(offered)),
    )


def _facts(t: Text, report: dict | None) -> list[cards.Fact]:
    if report is None:
        return []
    lost = sum(report["dropped"].values())
    return [
        cards.Fact(t("data.read"), f"{report['input_rows']:,}"),
        cards.Fact(t("data.train"), f"{report['train']:,}", kind="is-good"),
        cards.Fact(t("data.val"), f"{report['val']:,}", kind="is-good"),
        cards.Fact(t("data.dropped"), f"{lost:,}", kind="is-warn" if lost else ""),
        cards.Fact(t("data.unused"), f"{report['unused']:,}"),
    ]


def _told(t: Text, report: dict | None) -> dict:
    """Why rows were dropped, what was changed, found and lost, with the numbers of the rows."""
    if report is None:
        return {}
    groups = {
        "dropped": {kind: (count, report["rows"][kind]) for kind, count in report["dropped"].items()},
        **{name: {kind: (e["count"], e["rows"]) for kind, e in report[name].items()} for name in ("changed", "found")},
        "lost": {kind: (count, []) for kind, count in report["lost"].items()},
    }
    return {
        "groups": [
            {
                "title": t(f"sets.told_{name}"),
                "lines": [
                    {"text": t("sets.told_row", count=f"{n:,}", reason=t.of(_WORDS[kind])), "rows": _stretches(t, rows)}
                    for kind, (n, rows) in kinds.items()
                ],
            }
            for name, kinds in groups.items()
            if kinds
        ]
    }


def _stretches(t: Text, rows: list[list[int]]) -> str:
    """ "rows 3, 17–20 …"; "" for none."""
    named = [f"{a:,}" if a == b else f"{a:,}–{b:,}" for a, b in rows[:_RANGES]]
    return t("sets.rows", rows=", ".join(named) + (" …" if len(rows) > _RANGES else "")) if rows else ""


def _downloads(t: Text, data: datasets.DataSet | None) -> dict:
    there = [name for name in FILES if data and (data.path / name).is_file()]
    sizes = {name: home.size_text((data.path / name).stat().st_size) for name in there}
    return {
        "label": t("sets.download"),
        "set": data.name if data else "",
        "files": [
            {"name": name, "text": t("sets.card") if name == "README.md" else name, "size": sizes[name]}
            for name in there
        ],
    }


def _card(t: Text, report: dict | None) -> dict:
    if report is None:
        return {"note": t("sets.no_card")}
    return {
        "facts": [{"label": label, "value": value} for label, value in card.facts(report, t.lang)],
        "sources": [
            {
                "name": source["name"],
                "facts": [
                    {"label": t("data.rows"), "value": f"{source['rows']:,}"},
                    {"label": t("data.file_format"), "value": source["format"].upper()},
                    {"label": t("data.encoding"), "value": (source["encoding"] or "–").upper()},
                    {"label": t("data.roles"), "value": "; ".join(f"{r} = {c}" for r, c in source["mapping"].items())},
                    {"label": "SHA-256", "value": source["sha256"]},
                ],
            }
            for source in report["sources"]
        ],
    }
