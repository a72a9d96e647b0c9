"""Step 1: which model learns. The models that are here: chosen, looked into, deleted; `model_hub` brings others."""

from pathlib import Path

import gradio as gr

from engine import home
from engine.models import library
from ui import cards, model_hub, structure
from ui.page import Page, choices
from ui.text import Text
from ui.training_runs import found


def build(page: Page) -> None:
    t = page.t
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "model"), apply_default_css=False)
        models = cards.cards("models")
        with gr.Accordion(t("structure.title"), open=False, elem_classes="td-fold", elem_id="model-inside") as inside:
            page.method.render()
            tree = structure.tree("structure")
        with gr.Row(elem_classes="td-actions", visible=False) as offered:
            remove = gr.Button(t("model.delete"), size="sm", elem_id="model-delete")
        with gr.Row(elem_classes="td-actions", visible=False) as sure:
            question = gr.HTML("", apply_default_css=False)
            yes = gr.Button("", variant="stop", elem_id="model-delete-yes")
            no = gr.Button(t("model.delete_no"), elem_id="model-delete-no")
    with gr.Row(elem_classes="td-next"):
        gr.HTML(f"<p>{t.html('model.next_hint')}</p>", apply_default_css=False)
        forward = gr.Button(t("model.next"), variant="primary", size="lg", elem_id="model-next")
    model_hub.build(page, models, lambda chosen: choice(t, choices(chosen)["model"]))

    def offer(chosen: dict) -> list:
        model = chosen_model(chosen["model"])
        added = model.source == "folder"
        return [
            choice(t, chosen["model"]),
            gr.update(open=False),
            {},
            gr.update(visible=model.source in ("library", "folder")),
            t("model.forget") if added else t("model.delete"),
            gr.update(visible=False),
            t("model.forget_yes") if added else t("model.delete_yes"),
        ]

    def look_inside(chosen: dict, key: str) -> dict:
        return structure.shown(t, chosen_model(choices(chosen)["model"]).path, key)

    def choose(value: dict, chosen: dict) -> dict:
        return {**chosen, "model": str(library.find(cards.selected(value) or ""))}

    def ask(chosen: dict) -> list:
        model = chosen_model(choices(chosen)["model"])
        key = "model.forget_sure" if model.source == "folder" else "model.delete_sure"
        told = t.html(key, name=model.name, size=home.size_text(model.bytes))
        return [gr.update(visible=True), f"<p>{told}</p>"]

    def take_away(chosen: dict) -> dict:
        model = chosen_model(choices(chosen)["model"])
        if model.source == "folder":
            library.forget(model.name)
            gr.Success(t("model.forgotten", name=model.name), title=t("app.done"))
        else:
            freed = library.delete(model.path)
            gr.Success(t("model.deleted", size=home.size_text(freed)), title=t("app.done"))
        return {**chosen, "model": None}

    page.render("model", offer, [models, inside, tree, offered, remove, sure, yes])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    models.pick(page.guarded(choose), [models, page.chosen], page.chosen, **private)
    gr.on(
        [inside.expand, page.method.input],
        page.guarded(look_inside),
        [page.chosen, page.method],
        tree,
        **private | {"show_progress": "minimal"},
    )
    remove.click(page.guarded(ask), page.chosen, [sure, question], **private)
    yes.click(page.guarded(take_away), page.chosen, page.chosen, **private)
    no.click(lambda: gr.update(visible=False), None, sure, **private)
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
    """As `model_name`, for a folder that may be gone by now; a model that a run made has the run's name."""
    folder = Path(path)
    run = found(folder.parent.name) if folder.name == "final" else None
    if run is not None:
        return run.card["name"] or run.id
    return t("model.demo_name") if folder == home.DEMO_MODEL else library.name_of(folder)


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
