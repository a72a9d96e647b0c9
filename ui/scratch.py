"""A model from nothing, on the step Model: a size, and where its tokenizer comes from. Pre-training does the rest."""

import gradio as gr

from engine.data import datasets
from engine.errors import InvalidFields
from engine.fields import validated
from engine.models import library
from engine.training import scratch
from ui.forms import Form
from ui.model_tab import model_label
from ui.page import Page, choices, free

_LEARN, _TAKE = "learn:", "take:"


def build(page: Page) -> None:
    t = page.t
    form = Form(scratch.ScratchParams, t, "scratch")
    with gr.Accordion(t("scratch.section"), open=False, elem_classes=["td-panel", "td-section"], elem_id="scratch"):
        gr.HTML(f'<p class="td-sub">{t.html("scratch.lead")}</p>', apply_default_css=False)
        with gr.Row(elem_classes="td-fields"):
            name = gr.Textbox(t("scratch.default_name"), label=t("scratch.name"), max_lines=1, elem_id="scratch-name")
            words = gr.Dropdown(
                label=t("scratch.tokenizer"),
                info=t("scratch.tokenizer_help"),
                elem_id="scratch-tokenizer",
                interactive=True,
            )
        form.basic()
        with gr.Accordion(t("form.advanced"), open=False, elem_classes="td-fold") as fold:
            form.advanced()
        with gr.Row(elem_classes="td-actions"):
            make = gr.Button(t("scratch.make"), variant="primary", elem_id="scratch-make")

    def show(place: dict, called: str) -> list:
        texts = sorted(datasets.data_sets(), key=lambda each: each.format != "text")
        learnt = [(t("scratch.learn", name=each.name), _LEARN + each.name) for each in texts]
        models = [each.path for each in library.models()]
        offered = [
            *learnt,
            *((t("scratch.take", name=model_label(t, str(each))), _TAKE + str(each)) for each in models),
        ]
        taken = {each.name for each in models}
        suggested = free(called or t("scratch.default_name"), taken.__contains__)
        return [gr.update(choices=offered, value=offered[0][1]), suggested]

    def create(place: dict, called: str, source: str | None, *values: object) -> list:
        try:
            given = {key: value for key, value in form.settings(values).items() if value is not None}
            params = validated(scratch.ScratchParams, given)
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            return [gr.skip(), gr.update(open=True), *form.problems(error)]
        source = source or ""
        text = source.removeprefix(_LEARN) if source.startswith(_LEARN) else None
        like = source.removeprefix(_TAKE) if source.startswith(_TAKE) else None
        made = scratch.create((called or "").strip(), params, text, like)
        gr.Success(t("scratch.made", name=made.name), title=t("app.done"))
        # Random weights have nothing that an adapter could stand beside: all of them are to learn.
        return [{**choices(place), "model": str(made), "method": "full"}, gr.skip(), *form.problems(None)]

    page.render("model", show, [words, name], [name])
    make.click(
        page.guarded(create),
        [page.chosen, name, words, *form.components],
        [page.chosen, fold, *form.components],
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=name,
    )
