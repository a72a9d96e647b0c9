"""Sending an export to ModelScope or Hugging Face: asked twice, and private unless said otherwise."""

import gradio as gr

from engine import home
from engine.compare import tasks
from engine.errors import NotFound
from engine.models import hub_token, source
from engine.runs import store
from engine.runs.store import Run
from engine.words import Words
from ui import job_view
from ui.drawn import drawn
from ui.page import Page
from ui.text import Text
from ui.training_runs import found


def build(page: Page, made: gr.HTML) -> None:
    """The part below the exports; `made` lists them and fires `upload` with `{"job": id}`."""
    t, services = page.t, page.services
    with gr.Column(visible=False, elem_classes="td-upload", elem_id="upload") as form:
        # Which export is meant: no more than a name, which is looked up again.
        which = gr.Textbox(visible="hidden", elem_id="upload-which")
        what = gr.HTML("", elem_id="upload-what", apply_default_css=False)
        with gr.Row(elem_classes="td-fields"):
            to = gr.Radio(
                [(t.of(each.label), each.key) for each in source.HUBS],
                value=source.HUBS[0].key,
                label=t("upload.hub"),
                elem_id="upload-hub",
                interactive=True,
            )
            name = gr.Textbox(
                "", label=t("upload.id"), placeholder=t("upload.id_example"), max_lines=1, elem_id="upload-id"
            )
            token = gr.Textbox(
                "",
                label=t("upload.token"),
                info=t("upload.token_help"),
                type="password",
                max_lines=1,
                elem_id="upload-token",
            )
        private = gr.Checkbox(True, label=t("upload.private"), info=t("upload.private_help"), elem_id="upload-private")
        endpoint = gr.Textbox(
            "", label=t("upload.endpoint"), info=t("upload.endpoint_help"), max_lines=1, elem_id="upload-endpoint"
        )
        with gr.Row(elem_classes="td-actions"):
            ask = gr.Button(t("upload.ask"), elem_id="upload-ask")
            leave = gr.Button(t("upload.leave"), elem_id="upload-leave")
        with gr.Column(visible=False) as sure:
            question = gr.HTML("", elem_id="upload-question", apply_default_css=False)
            with gr.Row(elem_classes="td-actions"):
                yes = gr.Button(t("upload.yes"), variant="primary", elem_id="upload-yes")
                no = gr.Button(t("upload.no"), elem_id="upload-no")
    progress = job_view.view(t, services, "upload-job")
    sent = drawn("uploads", "uploads")

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        going = tasks.unfinished(run, tasks.UPLOAD) if run else None
        return [gr.update(visible=False), job_view.shown(t, services, going), _sent(t, run)]

    def open_form(chosen: dict, event: gr.EventData) -> list:
        export = _export(store.here(chosen["run"]), event._data.get("job"))
        folder = tasks.made(export)
        text = t.html("upload.what", name=folder.name, size=home.size_text(home.size_of(folder)))
        return [gr.update(visible=True), export.id, f"<h3>{text}</h3>", gr.update(visible=False)]

    def once(key: str, id: str, is_private: bool, address: str) -> list:
        """The first time: what would happen is said."""
        to = source.read(id, str(key), endpoint=address or None)
        kind = t("upload.as_private") if is_private else t("upload.as_public")
        text = t.html("upload.sure", hub=to.host, id=to.id, kind=kind)
        return [gr.update(visible=True), f'<p class="td-message {"" if is_private else "is-warn"}">{text}</p>']

    def twice(chosen: dict, export: str, key: str, id: str, secret: str, is_private: bool, address: str) -> list:
        """The second time: it is sent."""
        to = source.read(id, str(key), endpoint=address or None)
        if (secret or "").strip():
            hub_token.save(to.hub, secret)
        job = tasks.sending(_export(store.here(chosen["run"]), export), to, bool(is_private))
        services.jobs.submit(job)
        return [job_view.shown(t, services, job), gr.update(visible=False), gr.update(visible=False), ""]

    def ended(chosen: dict) -> dict:
        return _sent(t, found(chosen["run"]))

    page.render("runs", show, [form, progress, sent])
    quiet = {"api_visibility": "private", "show_progress": "hidden"}
    hidden = [lambda: gr.update(visible=False), None]
    made.upload(page.guarded(open_form), page.chosen, [form, which, what, sure], **quiet)
    ask.click(page.guarded(once), [to, name, private, endpoint], [sure, question], **quiet)
    yes.click(
        page.guarded(twice),
        [page.chosen, which, to, name, token, private, endpoint],
        [progress, form, sure, token],
        **quiet,
    )
    no.click(*hidden, sure, **quiet)
    leave.click(*hidden, form, **quiet)
    progress.state(page.guarded(ended), page.chosen, sent, queue=False, **quiet)


def _export(run: Run, id: object) -> Run:
    """The export called `id` among those of `run`: a page names no other.

    Raises:
        NotFound: there is none.
    """
    job = next((job for job in tasks.of(run, tasks.EXPORT) if job.id == id), None)
    if job is None:
        raise NotFound(
            kind=Words("export", "导出"), name=str(id), hint=Words("Export the model again.", "请重新导出模型。")
        )
    return job


def _sent(t: Text, run: Run | None) -> dict:
    """Where exports of the run have gone."""
    jobs = tasks.of(run, tasks.UPLOAD) if run else []
    done = [(job, job.status()["result"]) for job in jobs]
    return {
        "title": t("upload.sent"),
        "rows": [
            {
                "address": result["address"],
                "note": t("upload.as_private" if job.config["private"] else "upload.as_public"),
            }
            for job, result in done
            if result and "address" in result
        ],
    }
