"""A section on a run: its report for people who were not there, as one page to open, print or pass on."""

import gradio as gr

from engine.compare import evaluate, tasks
from engine.runs import store
from ui import job_view
from ui.downloads import report_address
from ui.drawn import drawn
from ui.page import Page
from ui.text import LANGUAGES, Text
from ui.training_runs import found


def build(page: Page) -> None:
    t, services = page.t, page.services
    gr.HTML(f'<p class="td-sub">{t.html("report.lead")}</p>', apply_default_css=False)
    links = drawn("report", "report")
    progress = job_view.view(t, services, "report-job")
    measure = gr.Button(t("report.measure"), variant="primary", elem_id="report-measure", visible=False)

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        if run is None:
            return [{}, {"job": None}, gr.update(visible=False)]
        unmeasured = evaluate.last(run) is None and run.has_model()
        return [shown(t, run), job_view.shown(t, services, None), gr.update(visible=unmeasured)]

    def begin(chosen: dict) -> list:
        job = tasks.evaluation(store.here(chosen["run"]))
        services.jobs.submit(job)
        return [job_view.shown(t, services, job), gr.update(visible=False)]

    def ended(chosen: dict) -> list:
        run = found(chosen["run"])
        return [shown(t, run), gr.update(visible=evaluate.last(run) is None)] if run else [gr.skip(), gr.skip()]

    page.render("runs", show, [links, progress, measure])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    measure.click(page.guarded(begin), page.chosen, [progress, measure], **private)
    progress.state(page.guarded(ended), page.chosen, [links, measure], queue=False, **private)


def shown(t: Text, run: store.Run) -> dict:
    """Where the report is, in each language, and whether it can tell anything of quality yet."""
    return {
        "note": "" if evaluate.last(run) else t("report.not_measured"),
        "links": [
            {
                "title": t(f"report.in_{lang}"),
                "href": report_address(run, lang),
                "open": t("report.open"),
                "save": t("report.save"),
            }
            for lang in sorted(LANGUAGES, key=lambda lang: lang != t.lang)
        ],
    }
