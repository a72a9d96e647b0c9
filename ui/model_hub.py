"""The part of the model step that brings models here: from a hub, from a folder, from what other programs downloaded."""

import gradio as gr

from engine import home
from engine.downloads import queue
from engine.models import caches, catalogue, hub_token, library, source
from engine.models.catalogue import Offer
from engine.runs.status import QUEUED
from engine.training import calibration, estimate
from ui import cards, fetching, fit
from ui.page import Page
from ui.text import Text


def build(page: Page, models: gr.HTML, choice) -> None:
    """`models`: the cards of the models that are here, whose value `choice(chosen)` makes."""
    t = page.t
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(
            f'<div class="td-heading"><h2>{t.html("fetch.title")}</h2><p>{t.html("fetch.lead")}</p></div>',
            apply_default_css=False,
        )
        offers = cards.cards("offers")
        fields = Fields(t, "fetch", "model")
        downloads = fetching.view(t, page.services, "downloads", "model")
        with gr.Accordion(t("model.add_title"), open=False, elem_classes="td-fold", elem_id="model-local"):
            with gr.Row(elem_classes=["td-inline", "td-stack"]):
                path = gr.Textbox(
                    label=t("model.path"),
                    info=t("model.path_help"),
                    placeholder=t("model.path_example"),
                    elem_id="model-path",
                    max_lines=1,
                    scale=4,
                )
                add = gr.Button(t("model.add"), elem_id="model-add", scale=1, min_width=120)
            with gr.Column(visible=False) as cached:
                gr.HTML(
                    f'<h3>{t.html("model.cached")}</h3><p class="td-sub">{t.html("model.cached_help")}</p>',
                    apply_default_css=False,
                )
                caught = cards.cards("cached")

    def offer(chosen: dict) -> list:
        others = caches.found()
        return [_offers(t, None), gr.update(visible=bool(others)), _cached(t, others)]

    def pick(value: dict, key: str) -> str:
        place = cards.selected(value) or "0"
        return catalogue.OFFERS[int(place) if place.isdigit() else 0].ids[source.hub(key).key]

    def fetch(chosen: dict, *values: str) -> list:
        wanted = fields.source(*values)
        known = queue.here(wanted)
        if known is not None:
            gr.Info(t("fetch.already", name=wanted.folder), title=t("app.notice"))
            return [{**chosen, "model": str(known.path)}, ""]
        begin(page, wanted)
        return [gr.skip(), ""]

    def arrived(chosen: dict, event: gr.EventData) -> dict:
        found = queue.source_of(fetching.found(event._data.get("job")))
        gr.Success(t("fetch.arrived", name=found.folder), title=t("app.done"))
        return choice(chosen)

    def use(chosen: dict, event: gr.EventData) -> dict:
        found = queue.source_of(fetching.found(event._data.get("job")))
        return {**chosen, "model": str(library.describe(queue.place(found)).path)}

    def add_folder(text: str, chosen: dict) -> tuple[dict, str]:
        model = library.add_folder(text.strip())
        gr.Success(t("model.added", name=model.name), title=t("app.done"))
        return {**chosen, "model": str(model.path)}, ""

    def add_cached(value: dict, chosen: dict) -> dict:
        return add_folder(cards.selected(value) or "", chosen)[0]

    page.render("model", offer, [offers, cached, caught])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    offers.pick(page.guarded(pick), [offers, fields.hub], fields.id, **private)
    inputs = [page.chosen, *fields.components]
    gr.on([fields.start.click, fields.id.submit], page.guarded(fetch), inputs, [page.chosen, fields.token], **private)
    downloads.arrived(page.guarded(arrived), page.chosen, models, **private)
    downloads.use(page.guarded(use), page.chosen, page.chosen, **private)
    gr.on([add.click, path.submit], page.guarded(add_folder), [path, page.chosen], [page.chosen, path], **private)
    caught.pick(page.guarded(add_cached), [caught, page.chosen], page.chosen, **private)


class Fields:
    """The fields that say what to download and from where. Its token goes to the hub's own file and leaves the page."""

    def __init__(self, t: Text, elem_id: str, kind: str):
        self._t, self._kind = t, kind
        what = "id" if kind == "model" else "data_id"
        help = "id_help" if kind == "model" else "data_help"
        example = "id_example" if kind == "model" else "data_example"
        with gr.Row(elem_classes=["td-inline", "td-stack"]):
            self.id = gr.Textbox(
                label=t(f"fetch.{what}"),
                info=t(f"fetch.{help}"),
                placeholder=t(f"fetch.{example}"),
                elem_id=f"{elem_id}-id",
                max_lines=1,
                scale=4,
            )
            self.hub = gr.Dropdown(
                label=t("fetch.hub"),
                choices=[(t.of(each.label), each.key) for each in source.HUBS],
                value=source.HUBS[0].key,
                interactive=True,
                elem_id=f"{elem_id}-hub",
                scale=2,
                min_width=160,
            )
            self.start = gr.Button(
                t("fetch.start"), variant="primary", elem_id=f"{elem_id}-start", scale=1, min_width=120
            )
        with (
            gr.Accordion(t("fetch.more"), open=False, elem_classes="td-fold", elem_id=f"{elem_id}-more"),
            gr.Row(elem_classes="td-fields"),
        ):
            self.endpoint = self._text("endpoint", elem_id)
            self.revision = self._text("revision", elem_id)
            self.token = self._text("token", elem_id, type="password")

    def _text(self, name: str, elem_id: str, **more: str) -> gr.Textbox:
        return gr.Textbox(
            label=self._t(f"fetch.{name}"),
            info=self._t(f"fetch.{name}_help"),
            elem_id=f"{elem_id}-{name}",
            elem_classes="td-field",
            max_lines=1,
            **more,
        )

    @property
    def components(self) -> list:
        return [self.id, self.hub, self.endpoint, self.revision, self.token]

    def source(self, id: str, key: str, *more: str | None) -> source.Source:
        """What the fields name. A token given is kept first, and is meant for the address given with it. `more` is None
        for fields in a fold that was never opened.

        Raises:
            Unsupported: they name nothing.
        """
        endpoint, revision, token = ((value or "").strip() for value in more)
        found = source.read(id or "", key, self._kind, endpoint, revision, True if token else None)
        if token:
            hub_token.save(found.hub, token)
        return found


def begin(page: Page, wanted: source.Source) -> None:
    """Start a download, or go on with it."""
    run = queue.begin(wanted)
    if run.status()["state"] == QUEUED:
        page.services.jobs.submit(run)
    gr.Info(page.t("fetch.begun", name=wanted.folder), title=page.t("app.notice"))


def _offers(t: Text, selected: str | None) -> dict:
    here = calibration.at_a_glance()
    offered = [_offer(t, place, each, here) for place, each in enumerate(catalogue.OFFERS)]
    more = t("fetch.all_offers", n=len(offered))
    return cards.choice(t("fetch.offers"), offered, selected, name="offer", first=3, more=more)


def _offer(t: Text, place: int, offer: Offer, here: calibration.Machine | None) -> cards.Card:
    verdict = estimate.at_a_glance(offer.shape, here) if here else None
    return cards.Card(
        key=str(place),
        title=offer.name,
        text=t.of(offer.text),
        badge=t(f"fetch.{verdict}") if verdict else "",
        kind=fit.KIND[verdict] if verdict else "",
        facts=(
            cards.Fact(t("fetch.size"), home.size_text(offer.bytes)),
            cards.Fact(t("fetch.licence"), offer.licence),
        ),
    )


def _cached(t: Text, others: list[library.Model]) -> dict:
    offered = [
        cards.Card(
            str(model.path), caches.name(model.path), facts=(cards.Fact(t("model.size"), home.size_text(model.bytes)),)
        )
        for model in others
    ]
    return cards.choice(t("model.cached"), offered, None, name="cached")
