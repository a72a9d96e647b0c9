"""Section of an opened run: its checkpoints with their validation loss and size, and going on from any of them."""

import time

import gradio as gr

from engine import home
from engine.fields import validated
from engine.runs import plan, store
from engine.runs import status as states
from engine.training.config import TrainingParams
from ui.chart import number
from ui.page import Page, mark, served
from ui.text import Text
from ui.training_runs import found


def build(page: Page) -> None:
    t, services = page.t, page.services

    def follow(asked: dict) -> dict | None:
        """The list, unless it is the one with the mark that the page knows."""
        run = found(asked.get("run"))
        told = _listing(t, run) if run else None
        return told if told and told["mark"] != asked.get("mark") else None

    listing = gr.HTML(
        {"run": None},
        html_template="<div data-part='grid'></div>",
        js_on_load="TuneDesk.checkpoints(element, props, server, trigger, watch); // 'changed'",
        server_functions=[served(follow)],
        elem_id="run-checkpoints",
        apply_default_css=False,
    )
    with gr.Row(elem_classes="td-inline", visible=False) as form:
        start = gr.Dropdown(
            label=t("runs.from_checkpoint"), info=t("runs.from_checkpoint_help"), elem_id="run-from", min_width=220
        )
        epochs = gr.Number(label=t("runs.epochs"), info=t("runs.epochs_help"), elem_id="run-epochs", min_width=180)
        go_on = gr.Button(t("runs.go_on"), elem_id="run-go-on", min_width=150)

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        return [{"run": run.id if run else None}, *offer(chosen)]

    def offer(chosen: dict) -> list:
        """Where an ended run can go on from."""
        run = found(chosen["run"])
        if run is None or run.status()["state"] not in states.ENDED:
            return [gr.update(visible=False), gr.skip(), gr.skip()]
        offered = [(t("runs.at_step", step=step), step) for step in reversed(run.checkpoints())]
        offered.append((t("runs.from_start"), 0))
        return [gr.update(visible=True), gr.update(choices=offered, value=offered[0][1]), epochs_in_force(run)]

    def resume(chosen: dict, step: object, wanted: object) -> None:
        run = store.here(chosen["run"])
        total = validated(TrainingParams, {"num_train_epochs": wanted}).num_train_epochs
        services.jobs.resume(run, int(step or 0), None if total == epochs_in_force(run) else total)
        gr.Info(t("runs.resumed"), title=t("app.done"))

    page.render("runs", show, [listing, form, start, epochs])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    listing.changed(page.guarded(offer), page.chosen, [form, start, epochs], trigger_mode="always_last", **private)
    go_on.click(page.guarded(resume), [page.chosen, start, epochs], None, **private)


def epochs_in_force(run: store.Run) -> float:
    """The epochs that a run goes to in all: what it was made with, or what it was given since."""
    asked = run.config.get("training", {}).get("num_train_epochs", TrainingParams().num_train_epochs)
    return plan.read(run.path)["num_train_epochs"] or asked


def _listing(t: Text, run: store.Run) -> dict:
    best = run.status()["best"]
    measured = {event["step"]: event["eval_loss"] for event in run.log.notable() if event["type"] == "eval"}
    rows = []
    for step in reversed(run.checkpoints()):
        folder = run.path / "checkpoints" / f"checkpoint-{step}"
        note = t("runs.best") if best and best["step"] == step else ""
        saved = time.strftime("%Y-%m-%d %H:%M", time.localtime(folder.stat().st_mtime))
        rows.append([f"{step:,}", number(measured.get(step)), home.size_text(home.size_of(folder)), saved, note])
    told = {
        "columns": [t(f"runs.checkpoint_{name}") for name in ("step", "loss", "size", "saved")] + [""],
        "rows": rows,
        "empty": t("runs.no_checkpoints"),
        "state": run.status()["state"],
    }
    return told | {"mark": mark(told)}
