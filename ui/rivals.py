"""A section on a run: its answers beside those of another run, on the rows that both were measured on."""

import gradio as gr

from engine.compare import evaluate
from engine.runs import store
from engine.words import Words
from ui import evaluation
from ui.columns import comparable, run_name
from ui.drawn import drawn
from ui.page import Page
from ui.text import Text
from ui.training_runs import found


def build(page: Page) -> None:
    t = page.t
    other = gr.Dropdown(label=t("rivals.other"), info=t("rivals.help"), elem_id="rivals-other", interactive=True)
    table = drawn("rivals", "evaluation")

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        measured = run is not None and bool(evaluate.results(run))
        others = [each for each in comparable() if each != run and evaluate.results(each)] if measured else []
        listed = [(t("rivals.nobody"), ""), *((run_name(t, each), each.id) for each in others)]
        return [gr.update(choices=listed, value="", visible=bool(others)), {}]

    def against(chosen: dict, id: str | None) -> dict:
        return shown(t, store.here(chosen["run"]), store.here(id)) if id else {}

    page.render("runs", show, [other, table])
    other.input(page.guarded(against), [page.chosen, other], table, api_visibility="private", show_progress="hidden")


def shown(t: Text, run: store.Run, other: store.Run) -> dict:
    """The value that draws `run` against `other`.

    Raises:
        NotFound: no row was answered by both.
    """
    result = evaluate.between(run, other)
    words = {"measure": t("evaluation.measure"), "change": t("evaluation.change")}
    names = {"before": other.card["name"] or other.id, "after": run.card["name"] or run.id}
    return {
        "words": words | names,
        "verdict": result["verdict"],
        "sentence": t.of(Words(*result["sentence"])),
        "rows": evaluation.rows(t, result, ("other", "run")),
        "note": t(f"evaluation.units_{result['units']}"),
        "examples": [],
    }
