"""Every run in a live list with sparklines, to search, to open, and to select several of for an overlay."""

import time
from pathlib import Path

import gradio as gr

from engine.errors import NotFound
from engine.runs import sparkline, store
from engine.training import methods, objectives
from ui import chart, overlay, run_page
from ui.model_tab import heading, model_label
from ui.page import Page, mark, served
from ui.services import Services
from ui.text import Text
from ui.training_runs import found

_COLUMNS = ("name", "state", "curve", "loss", "model", "method", "time")
_SHOWN = 100

_SKELETON = """
<div class="td-runlist">
  <div class="td-runlist-bar">
    <input type="search" data-part="search" maxlength="200">
    <span data-part="count"></span>
  </div>
  <div class="td-table-wrap" data-part="wrap" hidden><table class="td-table td-runs">
    <thead><tr data-part="head"></tr></thead><tbody data-part="body"></tbody>
  </table></div>
  <p class="td-empty" data-part="empty" hidden></p>
</div>
"""


def build(page: Page) -> None:
    t, services = page.t, page.services

    def listing(asked: dict) -> dict | None:
        """The runs that match `query`, in order, with the rows whose mark is not the one in `known` (id -> mark)."""
        known = asked.get("known")
        return listed(t, services, str(asked.get("query", "")), known if isinstance(known, dict) else {})

    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "runs"), apply_default_css=False)
        table = gr.HTML(
            _shown(t, None),
            html_template=_SKELETON,
            js_on_load="TuneDesk.runlist(element, props, server, trigger, watch); // 'open' 'mark'",
            server_functions=[served(listing)],
            elem_id="runs",
            apply_default_css=False,
        )
        compared = overlay.overlay(t)
    run_page.build(page)

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        return [_shown(t, run.id if run else None)]

    def open_this(chosen: dict, event: gr.EventData) -> dict:
        return {**chosen, "run": str(event._data.get("row"))}

    def lay_over(event: gr.EventData) -> dict:
        return overlay.shown(t, event._data.get("runs"))

    page.render("runs", show, [table])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    table.open(open_this, page.chosen, page.chosen, **private)
    # Each click counts: what is taken up after another one went on would come with the data of the first.
    table.mark(lay_over, None, compared, trigger_mode="multiple", **private)


def listed(t: Text, services: Services, query: str, known: dict) -> dict | None:
    """What a list that knows the rows `known` (id -> mark) must change; None when nothing is new."""
    matching = [run for run in store.runs() if _matches(t, run, query)]
    rows = {run.id: _row(t, services, run) for run in matching[:_SHOWN]}
    fresh = {id: row for id, row in rows.items() if known.get(id) != row["mark"]}
    if not fresh and list(known) == list(rows):
        return None
    return {
        "order": list(rows),
        "rows": fresh,
        "count": t("runs.count", n=len(matching)) if len(matching) <= _SHOWN else t("runs.newest", n=_SHOWN),
        "empty": t("runs.nothing_found" if query else "runs.empty"),
    }


def _shown(t: Text, opened: str | None) -> dict:
    return {
        "opened": opened,
        "columns": [{"name": name, "title": t(f"runs.column_{name}")} for name in _COLUMNS],
        "words": {"search": t("runs.search"), "select": t("runs.select")},
    }


def _matches(t: Text, run: store.Run, query: str) -> bool:
    """Whether every word of `query` is in what the list says of a run, in its note or in its tags."""
    words = query.lower().split()
    if not words:
        return True
    card, config = run.card, run.config
    said = [run.id, card["name"], card["note"], *card["tags"], t(f"state.{run.status()['state']}")]
    said += [_data(config), _model(t, config), *_how(t, config)]
    text = "\n".join(filter(None, said)).lower()
    return all(word in text for word in words)


def _row(t: Text, services: Services, run: store.Run) -> dict:
    status, card, config = run.status(), run.card, run.config
    place = services.jobs.position(run) if status["state"] == "queued" else None
    objective, method = _how(t, config)
    best = status["best"]
    loss, note = status["loss"], t("runs.best_loss", loss=chart.number(best["eval_loss"])) if best else ""
    if status["reward"] is not None:  # what it earns says more than a loss around nought
        loss, note = status["reward"], t("chart.reward")
    row = {
        "name": card["name"] or run.id,
        "created": time.strftime("%Y-%m-%d %H:%M", time.localtime(status["created"])),
        "tags": card["tags"],
        "state": status["state"],
        "state_text": t(f"state.{status['state']}"),
        "state_note": t("runs.place", place=place) if place else _done(status),
        "curve": sparkline.of(run),
        "loss": chart.number(loss),
        "best": note,
        "model": _model(t, config),
        "data": _data(config),
        "method": method,
        "objective": objective,
        "time": chart.clock(status["seconds"] or None),
    }
    return row | {"mark": mark(row)}


def _done(status: dict) -> str:
    """How far a run that goes on is."""
    going = status["state"] in ("running", "stopping") and status["max_steps"]
    return f"{round(100 * status['step'] / status['max_steps'])}%" if going else ""


def _model(t: Text, config: dict) -> str:
    return model_label(t, config["model"]) if config.get("model") else "–"


def _data(config: dict) -> str:
    return Path(config.get("data") or "–").name


def _how(t: Text, config: dict) -> tuple[str, str]:
    """Objective and method in words; as they are called in the file where this version does not know them."""
    said = []
    for registry, key in ((objectives, config.get("objective")), (methods, config.get("method"))):
        try:
            said.append(t.of(registry.get(key).label))
        except NotFound:
            said.append(str(key or "–"))
    return said[0], said[1]
