"""Section of an opened run: its name, a note and tags, in a person's own words."""

import gradio as gr

from engine.runs import store
from ui.page import Page
from ui.training_runs import found


def build(page: Page) -> None:
    t = page.t
    with gr.Row(elem_classes="td-halves"):
        name = gr.Textbox(label=t("runs.name"), elem_id="run-rename", elem_classes="td-field", max_lines=1)
        tags = gr.Textbox(
            label=t("runs.tags"), info=t("runs.tags_help"), elem_id="run-tags", elem_classes="td-field", max_lines=1
        )
    note = gr.Textbox(label=t("runs.note"), info=t("runs.note_help"), elem_id="run-note", lines=3, max_lines=12)
    with gr.Row(elem_classes="td-actions"):
        save = gr.Button(t("runs.card_save"), elem_id="run-card-save")

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        card = run.card if run else {"name": "", "tags": [], "note": ""}
        return [card["name"] or "", t("runs.tags_between").join(card["tags"]), card["note"]]

    def keep(chosen: dict, new_name: str, new_tags: str, new_note: str) -> dict:
        run = store.here(chosen["run"])
        run.rename(new_name)
        run.tag(new_tags.replace("，", ",").split(","))
        run.note(new_note)
        gr.Success(t("runs.card_saved"), title=t("app.done"))
        # Looks the same to the browser's storage, so what shows the name asks for it by itself.
        return chosen

    page.render("runs", show, [name, tags, note])
    save.click(
        page.guarded(keep),
        [page.chosen, name, tags, note],
        page.chosen,
        api_visibility="private",
        show_progress="hidden",
    )
