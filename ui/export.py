"""A section on a run: its model to take away, as an adapter, as one merged model, or as GGUF; with progress and download."""

import gradio as gr

from engine import home
from engine.compare import export, modelcard, tasks
from engine.runs import store
from ui import cards, job_view, upload
from ui.downloads import export_address
from ui.page import Page
from ui.text import Text
from ui.training_runs import found


def build(page: Page) -> None:
    t, services = page.t, page.services
    gr.HTML(f'<p class="td-sub">{t.html("export.lead")}</p>', apply_default_css=False)
    forms = cards.cards("export-forms", columns="narrow")
    with gr.Row(elem_classes="td-actions"):
        start = gr.Button(t("export.start"), variant="primary", elem_id="export-start")
    progress = job_view.view(t, services, "export-job")
    made = gr.HTML(
        {},
        html_template="${TuneDesk.draw.exports(value)}",
        js_on_load="TuneDesk.exports(element, trigger); // 'remove' 'upload'",
        elem_id="exports",
        apply_default_css=False,
    )
    upload.build(page, made)

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        if run is None or not run.has_model():
            return [cards.choice("", [], empty=t("export.no_model")), gr.update(visible=False), {"job": None}, {}]
        return [
            _forms(t, run),
            gr.update(visible=True),
            job_view.shown(t, services, tasks.unfinished(run, tasks.EXPORT)),
            _made(t, run),
        ]

    def begin(chosen: dict, form: dict) -> dict:
        run = store.here(chosen["run"])
        export.check(run, cards.selected(form) or "")
        job = tasks.exportation(run, cards.selected(form))
        services.jobs.submit(job)
        return job_view.shown(t, services, job)

    def ended(chosen: dict) -> dict:
        run = found(chosen["run"])
        return _made(t, run) if run else {}

    def remove(chosen: dict, event: gr.EventData) -> dict:
        run = store.here(chosen["run"])
        job = next((job for job in tasks.of(run, tasks.EXPORT) if job.id == event._data.get("job")), None)
        if job is not None:
            gr.Success(t("runs.deleted", size=home.size_text(job.delete())), title=t("app.done"))
        return _made(t, run)

    page.render("runs", show, [forms, start, progress, made])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    start.click(page.guarded(begin), [page.chosen, forms], progress, **private)
    progress.state(page.guarded(ended), page.chosen, made, queue=False, **private)
    made.remove(page.guarded(remove), page.chosen, made, **private)


def _forms(t: Text, run: store.Run) -> dict:
    """The forms; one that this run or this machine cannot give says why."""
    offered = []
    for form in export.FORMATS:
        refusal = export.refusal(run, form)
        text = t.of(refusal) if refusal else t(f"export.{form}_text")
        if not refusal and form != "adapter" and run.config["method"] == "qlora":
            text = f"{text} {t.of(modelcard.FROM_4_BIT)}"
        offered.append(cards.Card(form, t(f"export.{form}"), text, disabled=refusal is not None))
    first = next((card.key for card in offered if not card.disabled), None)
    return cards.choice(t("export.lead"), offered, first, name="export-form")


def _made(t: Text, run: store.Run) -> dict:
    """The exports that are there, newest first."""
    rows = []
    for job in tasks.of(run, tasks.EXPORT):
        folder = tasks.exported(job)
        if folder is not None:
            rows.append(
                {
                    "job": job.id,
                    "title": t(f"export.{job.config['format']}"),
                    "size": home.size_text(home.size_of(folder)),
                    "path": str(folder),
                    "href": export_address(job),
                }
            )
    words = {name: t(f"export.{name}") for name in ("download", "upload", "remove", "where")}
    return {"words": words, "rows": rows}
