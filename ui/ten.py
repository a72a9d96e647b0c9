"""Ten held-out questions answered by every column at once, as one table."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from statistics import fmean

import gradio as gr

from engine.compare.conversations import message
from engine.compare.markup import markup
from engine.compare.settings import GenerationParams
from engine.errors import NotFound
from engine.fields import validated
from engine.runs import store
from engine.words import Words
from ui import columns, questions
from ui.answers import Pace
from ui.columns import Column
from ui.forms import Form
from ui.page import GENERATION, Page
from ui.text import Text

_COUNT = 10
# An answer in the table ends here: ten bases that never stop must not keep a person waiting for minutes.
_LONGEST = 256
_EVERY = 0.3
_NO_QUESTIONS = Words(
    "This run's data has no held-out questions to draw from. Ask one of your own above.",
    "该任务的数据中没有可用的验证问题，请在上方自己提问。",
)


def build(
    page: Page,
    run: gr.Dropdown,
    chosen: Sequence[gr.Dropdown],
    goes_on: gr.Checkbox,
    system: gr.Textbox,
    settings: Form,
) -> None:
    """The section; what it is given are the fields of the compare tab."""
    t, services = page.t, page.services
    with gr.Column(elem_classes="td-panel", elem_id="ten"):
        gr.HTML(
            f'<div class="td-heading"><h2>{t.html("compare.ten_title")}</h2><p>{t.html("compare.ten_lead")}</p></div>',
            apply_default_css=False,
        )
        with gr.Row(elem_classes="td-actions"):
            ask = gr.Button(t("compare.ten_ask"), elem_id="ten-ask")
            stop = gr.Button(t("compare.stop"), variant="stop", elem_id="ten-stop", visible=False)
        table = gr.HTML(
            {},
            html_template="${TuneDesk.draw.ten(value)}",
            js_on_load="TuneDesk.ten(element, props);",
            elem_id="ten-table",
            apply_default_css=False,
        )

    def answer(id: str, value: dict, text: bool, said: str, *values: object) -> Iterator[list]:
        found = store.here(id)
        picked, given = list(values[: len(chosen)]), settings.settings(values[len(chosen) :])
        params = validated(GenerationParams, {k: v for k, v in given.items() if v is not None})
        titled = columns.columns(t, found, picked)
        start = int(value.get("next", 0)) if isinstance(value, dict) else 0
        asked = questions.examples(found, _COUNT, start)
        if not asked:
            raise NotFound(kind=Words("question", "问题"), name=found.id, hint=_NO_QUESTIONS)
        sheet = _Sheet(t, titled, asked, start)
        yield [gr.update(visible=False), gr.update(visible=True), sheet.value(0)]
        instructions = [{"role": "system", "content": said.strip()}] if said.strip() and not text else []
        conversations = [[*instructions, message(question, text)] for question, _ in asked]
        for place, column in enumerate(titled):
            pace = Pace(_EVERY)
            with closing(services.chat.batch(column.name, conversations, _LONGEST, **params.model_dump())) as events:
                for event in events:
                    sheet.take(place, event)
                    if pace.due():
                        yield [gr.skip(), gr.skip(), sheet.value(place)]
            yield [gr.skip(), gr.skip(), sheet.value(place + 1)]

    def ended(value: dict) -> list:
        resting = value | {"busy": ""} if isinstance(value, dict) and value.get("busy") else gr.skip()
        return [gr.update(visible=True), gr.update(visible=False), resting]

    private = {"api_visibility": "private", "show_progress": "hidden"}
    asked = ask.click(
        page.guarded(answer),
        [run, table, goes_on, system, *chosen, *settings.components],
        [ask, stop, table],
        concurrency_id=GENERATION,
        concurrency_limit=4,
        **private,
    )
    asked.then(ended, table, [ask, stop, table], **private)
    stop.click(page.guarded(services.chat.stop), None, None, queue=False, **private)
    run.input(lambda: {}, None, table, **private)


class _Sheet:
    """The table as it fills. `start`: where the next ten begin is counted from here."""

    def __init__(self, t: Text, titled: list[Column], asked: list[tuple[str, str]], start: int):
        from engine.compare.scores import Scorer  # its libraries take a second to import

        self._t, self._titled, self._asked, self._start = t, titled, asked, start
        self._scorer = Scorer([reference for _, reference in asked])
        self._cells: list[list[dict]] = [[{} for _ in titled] for _ in asked]

    def take(self, place: int, event: dict) -> None:
        """One answer of the column `place`; `event` as of `Chat.batch`."""
        question, text = event["index"], event["text"]
        if text is None:
            self._cells[question][place] = {"text": "", "markup": "", "note": self._t("compare.too_long"), "rouge": 0.0}
            return
        rouge = self._scorer.row(text, self._asked[question][1])["rougeL"]
        note = f"ROUGE-L {rouge:.0f}" + (self._t("compare.cut") if event["finish_reason"] == "length" else "")
        self._cells[question][place] = {"text": text, "markup": markup(text), "note": note, "rouge": rouge}

    def value(self, going: int) -> dict:
        """What the table shows while the column `going` answers."""
        ready = going >= len(self._titled)
        means = []
        for place in range(len(self._titled)):
            scores = [row[place]["rouge"] for row in self._cells if row[place]]
            means.append(f"ROUGE-L {fmean(scores):.1f}" if len(scores) == len(self._asked) else "")
        names = ("question", "reference_short", "mean", "save", "copy", "copied")
        return {
            "words": {name: self._t(f"compare.{name}") for name in names},
            "busy": "" if ready else self._t("compare.ten_going", name=self._titled[going].title),
            "next": self._start + _COUNT,
            "columns": [column.title for column in self._titled],
            "rows": [
                {"question": question, "reference": reference, "cells": cells}
                for (question, reference), cells in zip(self._asked, self._cells, strict=True)
            ],
            "means": means,
        }
