"""One run opened: its live chart, what can be done with it, and sections on everything that is known of it.

A section is a module with `build(page)`: it lays itself out in a tab, and follows the opened run by
`page.render("runs", show, outputs)`, where `show(chosen)` finds the run with `opened(chosen)`. Adding one is one line in
`_SECTIONS`, and its title `runs.section_KEY` in the locales.
"""

import gradio as gr

from engine import home
from engine.runs import status as states
from engine.runs import store
from ui import chart, evaluation, export, report, rivals, run_card, run_checkpoints, run_log, run_settings
from ui.page import Page
from ui.text import Text
from ui.training_runs import found

_SECTIONS = {
    "evaluation": lambda page: (evaluation.build(page), rivals.build(page)),
    "report": report.build,
    "export": export.build,
    "settings": run_settings.build,
    "checkpoints": run_checkpoints.build,
    "log": run_log.build,
    "card": run_card.build,
}


def build(page: Page) -> None:
    """Lays out the panel; it is shown when `chosen["run"]` is a run."""
    t, services = page.t, page.services
    with gr.Column(elem_classes=["td-panel", "td-opened"], visible=False, elem_id="run") as panel:
        view = chart.run_view(t, services, "runs-run")
        with gr.Row(elem_classes="td-actions"):
            compare = gr.Button(t("runs.compare"), variant="primary", elem_id="runs-compare")
            resume = gr.Button(t("runs.resume"), elem_id="runs-resume")
            more = gr.Button(t("runs.resume"), elem_id="runs-more")
            stop = gr.Button(t("train.stop"), variant="stop", elem_id="runs-stop")
            kill = gr.Button(t("runs.stop_now"), variant="stop", elem_id="runs-stop-now")
            sooner = gr.Button(t("runs.sooner"), elem_id="runs-sooner")
            later = gr.Button(t("runs.later"), elem_id="runs-later")
            delete = gr.Button(t("runs.delete"), elem_id="runs-delete")
        with gr.Row(elem_classes=["td-actions", "td-sure"], visible=False) as sure:
            question = gr.HTML("", apply_default_css=False)
            yes = gr.Button(t("runs.delete_yes"), variant="stop", elem_id="runs-delete-yes")
            no = gr.Button(t("runs.delete_no"), elem_id="runs-delete-no")
        with gr.Tabs(elem_classes="td-sections"):
            for key, section in _SECTIONS.items():
                with gr.Tab(t(f"runs.section_{key}"), id=key, elem_id=f"section-{key}"):
                    section(page)

    actions = [compare, resume, more, stop, kill, sooner, later, delete]

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        return [
            gr.update(visible=run is not None),
            chart.shown(t, run.id if run else None),
            gr.update(visible=False),
            *fitting(run),
        ]

    def fitting(run: store.Run | None) -> list:
        """Which actions the state of a run allows."""
        if run is None:
            return [gr.skip()] * len(actions)
        state = run.status()["state"]
        place = services.jobs.position(run)
        return [
            gr.update(visible=run.has_model()),
            gr.update(visible=state in ("stopped", "failed", "interrupted")),
            gr.update(visible=state == "finished", value=_more(t, _epochs(run))),
            gr.update(
                visible=state not in states.ENDED and state != "stopping",
                value=t("runs.cancel" if state == states.QUEUED else "train.stop"),
            ),
            gr.update(visible=state in states.ACTIVE),
            gr.update(visible=place is not None and place > 1),
            gr.update(visible=place is not None),
            gr.update(visible=state in states.ENDED),
        ]

    def changed(chosen: dict, event: gr.EventData) -> list:
        """Nothing where another run has been opened by now."""
        id = event._data.get("run")
        return fitting(found(id) if id == chosen["run"] else None)

    def resume_this(chosen: dict) -> None:
        services.jobs.resume(store.here(chosen["run"]))
        gr.Info(t("runs.resumed"), title=t("app.done"))

    def train_more(chosen: dict) -> None:
        run = store.here(chosen["run"])
        services.jobs.resume(run, num_train_epochs=run_checkpoints.epochs_in_force(run) + _epochs(run))
        gr.Info(t("runs.resumed"), title=t("app.done"))

    def halt(chosen: dict) -> None:
        services.jobs.stop(store.here(chosen["run"]))

    def halt_now(chosen: dict) -> None:
        services.jobs.stop(store.here(chosen["run"]), now=True)

    def move(chosen: dict, by: int) -> list:
        run = store.here(chosen["run"])
        place = services.jobs.position(run)
        if place is not None:
            services.jobs.reorder(run, max(1, place + by))
        return fitting(run)

    def earlier(chosen: dict) -> list:
        return move(chosen, -1)

    def postpone(chosen: dict) -> list:
        return move(chosen, 1)

    def ask_delete(chosen: dict) -> list:
        run = store.here(chosen["run"])
        text = t.html("runs.delete_sure", name=run.card["name"] or run.id, size=home.size_text(run.size()))
        return [gr.update(visible=True), f"<p>{text}</p>"]

    def delete_this(chosen: dict) -> dict:
        freed = store.here(chosen["run"]).delete()
        gr.Success(t("runs.deleted", size=home.size_text(freed)), title=t("app.done"))
        return {**chosen, "run": None}

    page.render("runs", show, [panel, view, sure, *actions])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    view.state(changed, page.chosen, actions, queue=False, **private)
    compare.click(lambda chosen: {**chosen, "step": "compare"}, page.chosen, page.chosen, **private)
    resume.click(page.guarded(resume_this), page.chosen, None, **private)
    more.click(page.guarded(train_more), page.chosen, None, **private)
    stop.click(page.guarded(halt), page.chosen, None, **private)
    kill.click(page.guarded(halt_now), page.chosen, None, **private)
    sooner.click(page.guarded(earlier), page.chosen, actions, **private)
    later.click(page.guarded(postpone), page.chosen, actions, **private)
    delete.click(page.guarded(ask_delete), page.chosen, [sure, question], **private)
    yes.click(page.guarded(delete_this), page.chosen, page.chosen, **private)
    no.click(lambda: gr.update(visible=False), None, sure, **private)


def _epochs(run: store.Run) -> float:
    """The epochs that the run was asked for when it was made."""
    return run.config.get("training", {}).get("num_train_epochs", 1.0)


def _more(t: Text, epochs: float) -> str:
    return t("runs.more_epoch") if epochs == 1 else t("runs.more_epochs", n=f"{epochs:g}")
