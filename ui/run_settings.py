"""Section of an opened run: every setting it was made with, and a new run made from them with changes."""

import time
from pathlib import Path

import gradio as gr

from engine.runs import store
from engine.training import described
from engine.training.ranks import of_run as final_ranks
from ui import ranks
from ui.model_tab import chosen_model, model_label
from ui.page import Page
from ui.sets import chosen_data
from ui.training_runs import found


def build(page: Page) -> None:
    t = page.t
    facts = gr.HTML(
        [],
        html_template="${TuneDesk.draw.facts(value)}",
        elem_id="run-settings",
        apply_default_css=False,
    )
    shares = ranks.view("run-ranks")
    with gr.Row(elem_classes="td-actions"):
        again = gr.Button(t("runs.again"), elem_id="run-again")

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        if run is None:
            return [gr.skip(), gr.skip()]
        groups: dict[str, list] = {}
        for setting in described.settings(run.config, t.lang):
            value = model_label(t, run.config["model"]) if setting.name == "model" else setting.value
            groups.setdefault(setting.group, []).append([setting.label, value])
        if run.card["parent"]:
            parent = found(run.card["parent"])
            name = parent.card["name"] or parent.id if parent else run.card["parent"]
            groups.setdefault("run", []).append([t("runs.parent"), name])
        told = [{"title": t(f"runs.group_{group}"), "facts": facts} for group, facts in groups.items()]
        return [told, ranks.shown(t, final_ranks(run.path))]

    def make_again(chosen: dict) -> list:
        """To the train step, with everything as in this run."""
        run = store.here(chosen["run"])
        model, data = run.config.get("model"), Path(run.config.get("data") or "")
        there = chosen_data(data.name)
        if str(chosen_model(model).path) != model or there is None or there.path != data:
            gr.Warning(t("runs.again_missing"), title=t("app.notice"))
        # The time makes it another value when the same run is taken again.
        return [{**chosen, "step": "train", "model": model, "data": data.name}, f"{run.id} {time.time()}"]

    page.render("runs", show, [facts, shares])
    again.click(
        page.guarded(make_again),
        page.chosen,
        [page.chosen, page.again],
        api_visibility="private",
        show_progress="hidden",
    )
