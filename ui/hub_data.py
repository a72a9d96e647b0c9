"""Data sets from ModelScope or Hugging Face, in the data step: their tables come to the uploads, ready to be converted."""

import gradio as gr

from engine.downloads import queue
from ui import fetching
from ui.model_hub import Fields, begin
from ui.page import Page


def build(page: Page) -> None:
    t = page.t
    with gr.Accordion(t("fetch.data_title"), open=False, elem_classes="td-fold", elem_id="data-fetch"):
        fields = Fields(t, "data-fetch", "dataset")
    downloads = fetching.view(t, page.services, "data-downloads", "dataset")

    def fetch(*values: str) -> str:
        begin(page, fields.source(*values))
        return ""

    def use(chosen: dict, event: gr.EventData) -> dict:
        """The first of the tables that came is the file to look at."""
        return {**chosen, "file": queue.tables(fetching.found(event._data.get("job")))[0]}

    private = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on([fields.start.click, fields.id.submit], page.guarded(fetch), fields.components, fields.token, **private)
    # Arrived and asked for come to the same: it is looked at.
    for event in (downloads.arrived, downloads.use):
        event(page.guarded(use), page.chosen, page.chosen, **private)
