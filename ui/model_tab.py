"""Step 1: which model learns. The demo model, the models already here, and folders added by path."""

from pathlib import Path

import gradio as gr

from engine import home
from engine.models import library
from ui import cards
from ui.page import Page
from ui.text import Text


def build(page: Page) -> None:
    t = page.t
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "model"), apply_default_css=False)
        models = cards.cards("models")
        fold = gr.Accordion(t("model.add_title"), open=False, elem_classes="td-fold")
        with fold, gr.Row(elem_classes="td-inline"):
            path = gr.Textbox(
                label=t("model.path"),
                info=t("model.path_help"),
                placeholder=t("model.path_example"),
                elem_id="model-path",
                max_lines=1,
                scale=4,
            )
            add = gr.Button(t("model.add"), elem_id="model-add", scale=1, min_width=120)
    with gr.Row(elem_classes="td-next"):
        gr.HTML(f"<p>{t.html('model.next_hint')}</p>", apply_default_css=False)
        forward = gr.Button(t("model.next"), variant="primary", size="lg", elem_id="model-next")

    def offer(chosen: dict) -> list:
        return [choice(t, chosen["model"])]

    def choose(value: dict, chosen: dict) -> dict:
        return {**chosen, "model": str(library.find(cards.selected(value) or ""))}

    def add_folder(text: str, chosen: dict) -> tuple[dict, str]:
        model = library.add_folder(text.strip())
        gr.Success(t("model.added", name=model.name), title=t("app.done"))
        return {**chosen, "model": str(model.path)}, ""

    page.render("model", offer, [models])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    models.pick(page.guarded(choose), [models, page.chosen], page.chosen, **private)
    gr.on([add.click, path.submit], page.guarded(add_folder), [path, page.chosen], [page.chosen, path], **private)
    forward.click(lambda chosen: {**chosen, "step": "data"}, page.chosen, page.chosen, **private)


def chosen_model(path: str | None) -> library.Model:
    """The model in the folder `path`; the demo model when that is gone or none was chosen.

    Raises:
        NotAModel: even the demo model is gone.
    """
    listed = (model for model in library.models() if str(model.path) == path)
    return next(listed, None) or library.describe(home.DEMO_MODEL)


def choice(t: Text, path: str | None) -> dict:
    offered = [_card(t, model) for model in library.models()]
    return cards.choice(t("model.title"), offered, str(chosen_model(path).path), name="model")


def model_name(t: Text, model: library.Model) -> str:
    return t("model.demo_name") if model.demo else model.name


def model_label(t: Text, path: str) -> str:
    """As `model_name`, for a folder that may be gone by now."""
    return t("model.demo_name") if Path(path) == home.DEMO_MODEL else Path(path).name


def heading(t: Text, step: str) -> str:
    """A step's title and the one sentence that says what it is for."""
    return f'<div class="td-heading"><h2>{t.html(f"{step}.title")}</h2><p>{t.html(f"{step}.lead")}</p></div>'


def count(number: int | None) -> str:
    """A number of parameters as people write it: 5.5 M, 1.54 B."""
    if number is None:
        return "–"
    for size, unit in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def _card(t: Text, model: library.Model) -> cards.Card:
    return cards.Card(
        key=str(model.path),
        title=model_name(t, model),
        text=t("model.demo_text") if model.demo else str(model.path),
        badge=t("app.demo_badge") if model.demo else t(f"model.from_{model.source}"),
        facts=(
            cards.Fact(t("model.parameters"), count(model.parameters)),
            cards.Fact(t("model.size"), home.size_text(model.bytes)),
            cards.Fact(t("model.context"), f"{model.context_length:,}" if model.context_length else "–"),
        ),
    )
