"""The interface: one FastAPI application with a Gradio tree a language, `/zh` and `/en`, over one engine.

Importing it loads no torch: what needs a model runs in processes of its own.
"""

import os
import time
from unittest import mock

# Before Gradio is imported: no look-ups at start, nothing reported, no history of inputs in the browser.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

# Each time it is imported, Gradio writes stubs of its components for editors, which takes a third of the import's time. It
# leaves out a component whose source file cannot be found.
with mock.patch("inspect.getfile", side_effect=OSError):
    import gradio as gr

from ui import (
    api,
    compare_tab,
    data_tab,
    learn_tab,
    model_tab,
    runs_tab,
    scratch,
    steps,
    structure,
    theme,
    train_tab,
    welcome,
)
from ui.page import NOTHING_CHOSEN, STEPS, Page, choices
from ui.services import BEFORE_TRAINING, Services
from ui.text import LANGUAGES, Text


def _first_step(page: Page) -> None:
    welcome.build(page)
    model_tab.build(page)
    scratch.build(page)


_TABS = {
    "model": _first_step,
    "data": data_tab.build,
    "train": train_tab.build,
    "compare": compare_tab.build,
    "runs": runs_tab.build,
    "learn": learn_tab.build,
}


def build(lang: str, services: Services) -> gr.Blocks:
    """The interface in one language: "zh" or "en"."""
    t = Text(lang)
    with gr.Blocks(title=t("app.title"), analytics_enabled=False, fill_width=True) as blocks:
        # The key and the secret are constant, so that a choice outlives a restart; it holds names, nothing private.
        chosen = gr.BrowserState(NOTHING_CHOSEN, storage_key="tunedesk", secret="tunedesk")
        shown = {step: [] for step in STEPS}
        again, method = gr.Textbox("", visible="hidden"), structure.method(t, "structure-method")
        page = Page(t, services, chosen, shown, again, method)
        gr.HTML(_header(t), apply_default_css=False, elem_id="header")
        row = steps.steps(t, services)
        with gr.Tabs(elem_id="tabs") as tabs:
            for step in STEPS:
                with gr.Tab(t(f"steps.{step}"), id=step, elem_id=f"tab-{step}"):
                    _TABS[step](page)
        gr.HTML(f"<footer>{t.html('app.footer')}</footer>", apply_default_css=False, elem_id="footer")

        def follow(chosen: dict) -> list:
            step = choices(chosen)["step"]
            if step in BEFORE_TRAINING:
                services.expect_training()
            drawn = [
                str(time.time_ns()) if each == step else gr.skip() for each, values in shown.items() for _ in values
            ]
            return [steps.shown(t, chosen), gr.Tabs(selected=step), *drawn]

        def go(chosen: dict, event: gr.EventData) -> dict:
            return choices({**chosen, "step": event._data.get("step")})

        private = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        values = [value for each in shown.values() for value in each]
        for value in values:
            value.render()
        # The browser's storage is read when the page opens, and that counts as a change.
        chosen.change(page.guarded(follow), chosen, [row, tabs, *values], trigger_mode="always_last", **private)
        row.go(go, chosen, chosen, **private)
        api.publish(t, services)
    return blocks


def _header(t: Text) -> str:
    other = next(lang for lang in LANGUAGES if lang != t.lang)
    return (
        f'<header class="td-top"><a class="td-brand" href="/{t.lang}/"><img src="{theme.asset("icon.svg")}" alt="">'
        f"<b>{t.html('app.name')}</b></a><span>{t.html('app.tagline')}</span>"
        f'<a class="td-lang" href="/{other}/" hreflang="{other}" lang="{other}">{t.html("app.other_language")}</a></header>'
    )
