"""Section of an opened run: every setting it was made with, and a new run made from them with changes."""

import gradio as gr

from engine.training import described
from ui.page import Page
from ui.train_tab import found


def build(page: Page) -> None:
    t = page.t
    facts = gr.HTML(
        [],
        html_template="${TuneDesk.draw.facts(value)}",
        elem_id="run-settings",
        apply_default_css=False,
    )

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        if run is None:
            return [gr.skip()]
        groups: dict[str, list] = {}
        for setting in described.settings(run.config, t.lang):
            groups.setdefault(setting.group, []).append([setting.label, setting.value])
        return [[{"title": t(f"runs.group_{group}"), "facts": facts} for group, facts in groups.items()]]

    page.render("runs", show, [facts])
