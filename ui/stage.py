"""Preparing a presentation: which questions the audience is offered, then its address and password."""

from collections.abc import Sequence

import gradio as gr

from engine.errors import NotFound
from engine.runs import store
from ui import columns, present
from ui.drawn import drawn
from ui.page import Page
from ui.present import Presentation
from ui.presenter import Door
from ui.text import Text

_MOST = 12


def build(page: Page, run: gr.Dropdown, chosen: Sequence[gr.Dropdown]) -> None:
    """The section; `run` and the models `chosen` for the columns are those of the compare tab."""
    t, services = page.t, page.services
    with (
        gr.Column(elem_classes="td-panel"),
        gr.Accordion(t("present.section"), open=False, elem_classes="td-section", elem_id="stage"),
    ):
        gr.HTML(f'<p class="td-sub">{t.html("present.lead")}</p>', apply_default_css=False)
        questions = gr.Textbox(
            "",
            label=t("present.questions"),
            info=t("present.questions_help", most=_MOST),
            lines=6,
            max_lines=12,
            elem_id="stage-questions",
        )
        free = gr.Checkbox(label=t("present.free"), elem_id="stage-free", interactive=True)
        everywhere = gr.Checkbox(label=t("present.everywhere"), info=t("present.everywhere_help"), interactive=True)
        with gr.Row(elem_classes="td-actions"):
            start = gr.Button(t("present.start"), variant="primary", elem_id="stage-start")
            stop = gr.Button(t("present.stop"), variant="stop", elem_id="stage-stop", visible=False)
        door = drawn("stage-door", "door")

    def show(place: dict) -> list:
        open_door = services.presenter.door
        return [_door(t, open_door), gr.update(visible=open_door is not None)]

    def offered(id: str | None) -> list:
        try:
            offer = present.read(store.here(id)) if id else Presentation([])
        except NotFound:
            offer = Presentation([])
        return ["\n".join(offer.questions), offer.free]

    def begin(id: str, text: str, may_ask: bool, wide: bool, *picked: str | None) -> list:
        found = store.here(id)
        asked = [line.strip() for line in (text or "").splitlines() if line.strip()][:_MOST]
        models = [column.name for column in columns.columns(t, found, list(picked))]
        present.write(found, Presentation(asked, bool(may_ask), models))
        opened = services.presenter.start(services, found, bool(wide))
        return [_door(t, opened), gr.update(visible=True)]

    def end() -> list:
        services.presenter.stop()
        return [{}, gr.update(visible=False)]

    page.render("compare", show, [door, stop])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    run.change(page.guarded(offered), run, [questions, free], trigger_mode="multiple", **private)
    start.click(page.guarded(begin), [run, questions, free, everywhere, *chosen], [door, stop], **private)
    stop.click(end, None, [door, stop], **private)


def _door(t: Text, door: Door | None) -> dict:
    if door is None:
        return {}
    return {
        "url": door.url,
        "open": t("present.open"),
        "facts": [
            {"label": t("present.address"), "value": door.url},
            {"label": t("present.name"), "value": door.name},
            {"label": t("present.password"), "value": door.password},
        ],
        "note": t("present.going" if door.everywhere else "present.going_here"),
    }
