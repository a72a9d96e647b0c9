"""Step 4: compare. One question, two answers side by side: the model before training and after, same seed."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gradio as gr

from engine.compare.settings import GenerationParams
from engine.data import datasets
from engine.errors import InvalidFields, NotFound
from engine.fields import validated
from engine.runs import store
from ui.forms import Form
from ui.model_tab import heading, model_label
from ui.page import GENERATION, Page
from ui.text import Text

EXAMPLES = 5
# Held-out rows among which a question's reference answer is looked for.
_SEARCHED = 20_000


def build(page: Page) -> None:
    t, services = page.t, page.services
    form = Form(GenerationParams, t, "generation")
    with gr.Column(elem_classes="td-panel"):
        gr.HTML(heading(t, "compare"), apply_default_css=False)
        with gr.Column(elem_id="compare-empty", visible=False) as nothing:
            gr.HTML(f'<p class="td-empty">{t.html("compare.no_runs")}</p>', apply_default_css=False)
            to_train = gr.Button(t("compare.to_train"), variant="primary", elem_id="compare-to-train")
        with gr.Column() as asking:
            run = gr.Dropdown(label=t("compare.run"), elem_id="compare-run", interactive=True, filterable=True)
            question = gr.Textbox(
                label=t("compare.question"),
                placeholder=t("compare.question_example"),
                lines=2,
                max_lines=8,
                elem_id="compare-question",
            )
            chips = gr.HTML(
                {},
                html_template="${TuneDesk.draw.chips(value)}",
                js_on_load="TuneDesk.chips(element, trigger); // 'pick'",
                elem_id="compare-examples",
                apply_default_css=False,
            )
            with gr.Accordion(t("compare.settings"), open=False, elem_classes="td-fold") as fold:
                form.basic()
                form.advanced()
            with gr.Row(elem_classes="td-actions"):
                ask = gr.Button(t("compare.ask"), variant="primary", size="lg", elem_id="compare-ask")
                stop = gr.Button(t("compare.stop"), variant="stop", size="lg", elem_id="compare-stop", visible=False)
    with gr.Row(elem_classes="td-answers") as answers:
        base = _answer("answer-base", _idle(t, "base"))
        tuned = _answer("answer-tuned", _idle(t, "tuned"))
    reference = gr.HTML(
        {},
        html_template="${TuneDesk.draw.reference(value)}",
        js_on_load=None,
        elem_id="compare-reference",
        apply_default_css=False,
    )

    def show(chosen: dict) -> list:
        runs = comparable()
        if runs:
            services.warm_up()
        current = next((r for r in runs if r.id == chosen["run"]), next(iter(runs), None))
        listed = gr.update(choices=[(_run_name(t, r), r.id) for r in runs], value=current.id if current else None)
        return [
            gr.update(visible=not runs),
            gr.update(visible=bool(runs)),
            gr.update(visible=bool(runs)),
            listed,
            *offer(current.id if current else None),
        ]

    def offer(id: str | None, start: int = 0) -> list:
        """Example questions of a run, the first of them in the box, and both answers empty."""
        questions = [asked for asked, _ in examples(id, start)] if id else []
        value = {"label": t("compare.examples"), "more": t("compare.more"), "chips": questions, "start": start}
        return [value, questions[0] if questions else "", _idle(t, "base"), _idle(t, "tuned"), _reference(t, id)]

    def pick(value: dict, id: str, event: gr.EventData) -> list:
        index = event._data.get("index", 0)
        if index == -1:
            return offer(id, int(value.get("start", 0)) + EXAMPLES)
        return [gr.skip(), value["chips"][index], gr.skip(), gr.skip(), gr.skip()]

    def answer(id: str, asked: str, *values: object) -> Iterator[list]:
        settings = form.settings(values)
        fine = form.problems(None)
        untouched = [gr.skip()] * len(fine)
        try:
            params = validated(GenerationParams, {k: v for k, v in settings.items() if v is not None})
        except InvalidFields as error:
            gr.Warning(error.text(t.lang), title=t("train.check_fields"))
            yield [*[gr.skip()] * 5, gr.update(open=True), *form.problems(error)]
            return
        if not asked.strip():
            gr.Warning(t("compare.empty_question"), title=t("app.notice"))
            yield [gr.skip()] * (6 + len(fine))
            return
        voices = [_Voice(t, "base"), _Voice(t, "tuned")]
        yield [
            gr.update(visible=False),
            gr.update(visible=True),
            *(v.value() for v in voices),
            _reference(t, id),
            gr.skip(),
            *fine,
        ]
        names, messages = [f"base:run:{id}", f"run:{id}"], [{"role": "user", "content": asked.strip()}]
        # Closed also when the person leaves the page: nobody waits for the rest then.
        with closing(services.chat.compare(names, [messages] * 2, **params.model_dump())) as events:
            for event in events:
                voice = voices[event["index"]]
                voice.take(event)
                outputs = [gr.skip(), gr.skip()]
                outputs[event["index"]] = voice.value()
                yield [gr.skip(), gr.skip(), *outputs, gr.skip(), gr.skip(), *untouched]
        said = _reference(t, id, expected(id, asked.strip()))
        yield [gr.skip(), gr.skip(), gr.skip(), gr.skip(), said, gr.skip(), *untouched]

    def ended(base: dict, tuned: dict) -> list:
        """However it ended: Ask is back, and no answer looks as if it went on."""
        resting = [value | {"busy": False, "meta": ""} if value["busy"] else gr.skip() for value in (base, tuned)]
        return [gr.update(visible=True), gr.update(visible=False), *resting]

    page.render("compare", show, [nothing, asking, answers, run, chips, question, base, tuned, reference])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    shown = [chips, question, base, tuned, reference]
    run.input(page.guarded(offer), run, shown, **private)
    chips.pick(page.guarded(pick), [chips, run], shown, **private)
    asked = gr.on(
        [ask.click, question.submit],
        page.guarded(answer),
        [run, question, *form.components],
        [ask, stop, base, tuned, reference, fold, *form.components],
        concurrency_id=GENERATION,
        concurrency_limit=4,
        **private,
    )
    asked.then(ended, [base, tuned], [ask, stop, base, tuned], **private)
    stop.click(page.guarded(services.chat.stop), None, None, queue=False, **private)
    to_train.click(lambda chosen: {**chosen, "step": "train"}, page.chosen, page.chosen, **private)


class _Voice:
    """One of the two answers, as it grows."""

    def __init__(self, t: Text, kind: str):
        self._t, self._kind = t, kind
        self._text, self._end, self._loading = "", None, False

    def take(self, event: dict) -> None:
        """Add what an event of `Chat.compare` brings."""
        self._loading = event.get("phase") == "loading"
        if "delta" in event:
            self._text += event["delta"]
        if "finish_reason" in event:
            self._end = event

    def value(self) -> dict:
        """What the panel shows now."""
        return _panel(self._t, self._kind) | {"text": self._text, "busy": self._end is None, "meta": self._meta()}

    def _meta(self) -> str:
        if self._end is None:
            return self._t(
                "compare.writing" if self._text else "compare.loading" if self._loading else "compare.thinking"
            )
        told = self._t("compare.meta", tokens=self._end["tokens"], seconds=f"{self._end['seconds']:.1f}")
        return told + {"length": self._t("compare.cut"), "cancelled": self._t("compare.stopped")}.get(
            self._end["finish_reason"], ""
        )


def comparable() -> list[store.Run]:
    """The runs that have saved a model, newest first."""
    return [run for run in store.runs() if (run.path / "final").is_dir()]


def examples(id: str, start: int = 0) -> list[tuple[str, str]]:
    """A few questions and answers from the held-out rows of a run's data, from row `start` on (round and round)."""
    rows, format = _held_out(id)
    if not rows:
        return []
    stride = max(1, len(rows) // 97)
    return [_pair(rows[(start + i) * stride % len(rows)], format) for i in range(min(EXAMPLES, len(rows)))]


def expected(id: str, question: str) -> str | None:
    """The answer that the held-out rows give to `question`, if it is one of theirs."""
    rows, format = _held_out(id)
    pairs = (_pair(rows[i], format) for i in range(min(len(rows), _SEARCHED)))
    return next((answer for asked, answer in pairs if asked == question), None)


def _reference(t: Text, id: str | None, answer: str | None = None) -> dict:
    """What stands below the answers: the held-out row's own answer, and what the demo's data are."""
    data = _data_of(id) if id else None
    demo = t("compare.demo") if data and data.demo else ""
    return {"title": t("compare.reference"), "text": answer or "", "demo": demo}


def _data_of(id: str) -> datasets.DataSet | None:
    """The data set of a run; None where it is gone."""
    try:
        return datasets.load(Path(store.find(id).config["data"]))
    except NotFound:
        return None


def _held_out(id: str) -> tuple[datasets.Rows | list, str]:
    """The validation rows of a run's data and their form; none where the data is gone or has no questions."""
    data = _data_of(id)
    if data is None:
        return [], "qa"
    val = data.path / "val.json"
    if data.format not in ("qa", "alpaca", "messages") or not val.is_file():
        return [], "qa"
    return datasets.rows(val), data.format


def _pair(row: dict, format: str) -> tuple[str, str]:
    messages = datasets.examples(row, format)
    asked = next((m["content"] for m in messages if m["role"] == "user"), "")
    answered = next((m["content"] for m in messages if m["role"] == "assistant"), "")
    return asked.strip(), answered


def _run_name(t: Text, run: store.Run) -> str:
    when = time.strftime("%m-%d %H:%M", time.localtime(run.status()["created"]))
    return f"{run.card['name'] or run.id} · {model_label(t, run.config['model'])} · {when}"


def _answer(elem_id: str, value: dict) -> gr.HTML:
    return gr.HTML(
        value, html_template="${TuneDesk.draw.answer(value)}", js_on_load=None, elem_id=elem_id, apply_default_css=False
    )


def _panel(t: Text, kind: str) -> dict:
    return {"kind": f"is-{kind}", "title": t(f"compare.{kind}"), "note": t(f"compare.{kind}_note"), "quiet": False}


def _idle(t: Text, kind: str) -> dict:
    return _panel(t, kind) | {"text": t("compare.waiting"), "quiet": True, "busy": False, "meta": ""}
