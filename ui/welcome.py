"""The first thing a newcomer sees: what TuneDesk does, and one button that does all of it with the demo."""

import gradio as gr

from engine import home
from engine.data import convert, datasets
from ui.page import Page
from ui.text import Text
from ui.training_runs import launch


def build(page: Page) -> None:
    t, services = page.t, page.services
    with gr.Row(elem_classes="td-hero"):
        gr.HTML(_words(t), apply_default_css=False)
        button = gr.Button(t("welcome.button"), elem_id="demo-start", size="lg")

    def demo(chosen: dict) -> dict:
        data = demo_data(t)
        run = launch(t, services, str(home.DEMO_MODEL), str(data.path), name=t("welcome.run_name"))
        found = {"model": str(home.DEMO_MODEL), "data": data.name, "run": run.id}
        return {**chosen, **found, "step": "train"}

    button.click(page.guarded(demo), page.chosen, page.chosen, api_visibility="private", show_progress="hidden")


def demo_data(t: Text) -> datasets.DataSet:
    """The data set made of the demo's spreadsheet; made now where there is none."""
    known = next((each for each in datasets.data_sets() if each.demo), None)
    if known is not None:
        return known
    folder = datasets.place(t("data.demo_set"))
    convert.convert([home.DEMO_DATA], folder)
    return datasets.load(folder)


def _words(t: Text) -> str:
    steps = "".join(f"<li>{t.html(f'welcome.step_{n}')}</li>" for n in (1, 2, 3))
    return f"<h1>{t.html('welcome.title')}</h1><p>{t.html('welcome.text')}</p><ol>{steps}</ol>"
