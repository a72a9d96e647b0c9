"""Every run: its state, model, data, method and losses; one opened with its chart, to compare, resume, stop or delete."""

import time
from pathlib import Path

import gradio as gr

from engine import home
from engine.runs import status as states
from engine.runs import store
from engine.training import methods
from ui import chart
from ui.model_tab import heading, model_label
from ui.page import Page
from ui.text import Text
from ui.train_tab import found

_COLUMNS = ("name", "state", "model", "data", "method", "loss", "eval_loss", "time")
_NUMBERS = ("loss", "eval_loss", "time")


def build(page: Page) -> None:
    t, services = page.t, page.services
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "runs"), apply_default_css=False)
        table = gr.HTML(
            {},
            html_template="${TuneDesk.draw.runs(value)}",
            js_on_load="TuneDesk.table(element, trigger); // 'open'",
            elem_id="runs",
            apply_default_css=False,
        )
    with gr.Column(elem_classes=["td-panel", "td-live"], visible=False) as opened:
        view = chart.run_view(t, services, "runs-run")
        with gr.Row(elem_classes="td-actions"):
            compare = gr.Button(t("runs.compare"), variant="primary", elem_id="runs-compare")
            resume = gr.Button(t("runs.resume"), elem_id="runs-resume")
            stop = gr.Button(t("train.stop"), variant="stop", elem_id="runs-stop")
            delete = gr.Button(t("runs.delete"), elem_id="runs-delete")
        with gr.Row(elem_classes="td-actions", visible=False) as sure:
            question = gr.HTML("", apply_default_css=False)
            yes = gr.Button(t("runs.delete_yes"), variant="stop", elem_id="runs-delete-yes")
            no = gr.Button(t("runs.delete_no"), elem_id="runs-delete-no")

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        return [
            _listing(t, chosen["run"]),
            gr.update(visible=run is not None),
            chart.shown(t, run.id if run else None),
            *buttons(run),
            gr.update(visible=False),
        ]

    def buttons(run: store.Run | None) -> list:
        state = run.status()["state"] if run else None
        going = state == states.QUEUED or state in states.ACTIVE
        return [
            gr.update(visible=run is not None and (run.path / "final").is_dir()),
            gr.update(visible=state in ("stopped", "failed", "interrupted")),
            gr.update(visible=going and state != "stopping"),
            gr.update(visible=state in states.ENDED),
        ]

    def changed(chosen: dict, event: gr.EventData) -> list:
        return [_listing(t, chosen["run"]), *buttons(found(event._data.get("run")))]

    def open_this(chosen: dict, event: gr.EventData) -> dict:
        return {**chosen, "run": str(event._data.get("row"))}

    def resume_this(chosen: dict) -> None:
        services.jobs.resume(store.find(chosen["run"]))
        gr.Info(t("runs.resumed"), title=t("app.done"))

    def stop_this(chosen: dict) -> None:
        services.jobs.stop(store.find(chosen["run"]))

    def ask_delete(chosen: dict) -> list:
        run = store.find(chosen["run"])
        text = t.html("runs.delete_sure", name=run.card["name"] or run.id, size=home.size_text(run.size()))
        return [gr.update(visible=True), f"<p>{text}</p>"]

    def delete_this(chosen: dict) -> dict:
        freed = store.find(chosen["run"]).delete()
        gr.Success(t("runs.deleted", size=home.size_text(freed)), title=t("app.done"))
        return {**chosen, "run": None}

    page.render("runs", show, [table, opened, view, compare, resume, stop, delete, sure])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    table.open(open_this, page.chosen, page.chosen, **private)
    view.state(changed, page.chosen, [table, compare, resume, stop, delete], **private)
    compare.click(lambda chosen: {**chosen, "step": "compare"}, page.chosen, page.chosen, **private)
    resume.click(page.guarded(resume_this), page.chosen, None, **private)
    stop.click(page.guarded(stop_this), page.chosen, None, **private)
    delete.click(page.guarded(ask_delete), page.chosen, [sure, question], **private)
    yes.click(page.guarded(delete_this), page.chosen, page.chosen, **private)
    no.click(lambda: gr.update(visible=False), None, sure, **private)


def _listing(t: Text, opened: str | None) -> dict:
    return {
        "columns": [
            {"title": t(f"runs.column_{name}"), "kind": "td-num" if name in _NUMBERS else ""} for name in _COLUMNS
        ],
        "empty": t("runs.empty"),
        "rows": [_row(t, run, run.id == opened) for run in store.runs()],
    }


def _row(t: Text, run: store.Run, opened: bool) -> dict:
    status, settings = run.status(), run.config
    return {
        "id": run.id,
        "open": opened,
        "name": run.card["name"] or run.id,
        "created": time.strftime("%Y-%m-%d %H:%M", time.localtime(status["created"])),
        "state": status["state"],
        "state_text": t(f"state.{status['state']}"),
        "model": model_label(t, settings["model"]),
        "data": Path(settings["data"]).name,
        "method": t.of(methods.get(settings["method"]).label),
        "loss": chart.number(status["loss"]),
        "eval_loss": chart.number(status["eval_loss"]),
        "time": chart.clock(status["seconds"] or None),
    }
