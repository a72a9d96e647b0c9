"""Blind votes: two answers without names, a vote, and only then whose they were; what the votes add up to, and training on
them.

The page knows a comparison's id and the two texts; who stands where is on disk (`engine.compare.feedback`).
"""

import random
import time
from collections.abc import Iterator
from contextlib import closing

import gradio as gr

from engine.compare import feedback
from engine.compare.conversations import goes_on
from engine.compare.settings import GenerationParams
from engine.data import datasets
from engine.errors import Unsupported
from engine.runs import store
from engine.training import config as configs
from engine.words import Words
from ui import columns, questions
from ui.answers import Pace
from ui.drawn import drawn
from ui.page import GENERATION, Page, choices, served
from ui.text import Text

# The data sets that votes gather in, and the form of each, by the objective that learns from it.
_DATA = {"dpo": "votes", "kto": "votes-thumbs"}
_FORMATS = {"dpo": "preference", "kto": "kto"}
_NO_RUN = Words("Train a model first, then vote.", "请先训练一个模型，再来投票。")
_NO_QUESTION = Words("Type a question first.", "请先输入一个问题。")
_NO_WAY = Words("Choose how the model learns from the votes.", "请选择模型以哪种方式学习这些投票。")
_SIDES = ("left", "right")
_HIDDEN = gr.update(visible=False)
# The columns of the votes as a table.
_TABLE = ("time", "who", "verdict", "question", "better", "model_a", "a", "model_b", "b", "seed")


def build(page: Page, run: gr.Dropdown) -> None:
    """The section; `run` is that of the compare tab."""
    t, services = page.t, page.services

    def table(_: dict) -> list[list[str]]:
        """Every vote as a row, for a spreadsheet."""
        return _table(t)

    with (
        gr.Column(elem_classes="td-panel"),
        gr.Accordion(t("votes.section"), open=False, elem_classes="td-section", elem_id="votes"),
    ):
        gr.HTML(f'<p class="td-sub">{t.html("votes.lead")}</p>', apply_default_css=False)
        question = gr.Textbox(
            label=t("votes.question"), placeholder=t("compare.question_example"), lines=2, elem_id="votes-question"
        )
        with gr.Row(elem_classes="td-actions"):
            ask = gr.Button(t("votes.ask"), variant="primary", elem_id="votes-ask")
            another = gr.Button(t("votes.another"), elem_id="votes-another")
        shown = drawn("votes-answers", "blind")
        with gr.Column(visible=False, elem_id="votes-voting") as voting:
            better = gr.Textbox(
                "", label=t("votes.better"), info=t("votes.better_help"), lines=2, max_lines=8, elem_id="votes-better"
            )
            with gr.Row(elem_classes="td-actions"):
                buttons = [
                    gr.Button(t(f"votes.{verdict}"), elem_id=f"votes-{verdict}") for verdict in feedback.VERDICTS
                ]
        who = gr.Textbox("", label=t("votes.who"), info=t("votes.who_help"), max_lines=1, elem_id="votes-who")
        board = gr.HTML(
            {},
            html_template="${TuneDesk.draw.votes(value)}",
            js_on_load="TuneDesk.votes(element, props, server);",
            server_functions=[served(table)],
            elem_id="votes-board",
            apply_default_css=False,
        )
        way = gr.Radio(
            [(t(f"votes.way_{key}"), key) for key in _FORMATS],
            value="dpo",
            label=t("votes.way"),
            info=t("votes.way_help"),
            elem_id="votes-way",
            visible=False,
        )
        with gr.Row(elem_classes="td-actions"):
            train = gr.Button(t("votes.train"), variant="primary", elem_id="votes-train", visible=False)
            undo = gr.Button(t("votes.undo"), elem_id="votes-undo", visible=False)

    def standing(id: str | None) -> list:
        """The scoreboard and what can be done with the votes."""
        given = feedback.votes()
        return [_board(t, id, given), *[gr.update(visible=bool(given))] * 3]

    def show(place: dict) -> list:
        return standing(place["run"])

    def suggest(id: str | None) -> str:
        found = store.here(id) if id else None
        asks = found is not None and not goes_on(found)
        offered = questions.offered(found, 1, random.randrange(10_000))[0] if asks else []
        return offered[0] if offered else ""

    def answer(id: str | None, asked: str) -> Iterator[list]:
        if not id:
            raise Unsupported(reason=_NO_RUN)
        if not (asked or "").strip():
            raise Unsupported(reason=_NO_QUESTION)
        settings = GenerationParams(seed=random.randrange(2**31)).model_dump()
        begun = feedback.begin(asked.strip(), (f"base:run:{id}", f"run:{id}"), settings)
        said, pace = ["", ""], Pace()
        yield [_answers(t, begun.id, said, busy=True), _HIDDEN, ""]
        messages = [{"role": "user", "content": begun.question}]
        models = [begun.left.model, begun.right.model]
        with closing(services.chat.compare(models, [messages] * 2, **settings)) as events:
            for event in events:
                if "delta" in event:
                    said[event["index"]] += event["delta"]
                if pace.due():
                    yield [_answers(t, begun.id, said, busy=True), gr.skip(), gr.skip()]
        feedback.complete(begun.id, *said)
        yield [_answers(t, begun.id, said, busy=False), gr.update(visible=True), gr.skip()]

    def cast(verdict: str):
        def vote(value: dict, typed: str, name: str, id: str | None) -> list:
            given = feedback.vote(str(value.get("id", "")), verdict, typed or "", name or "")
            said = [given.left.answer, given.right.answer]
            titles = [_title(t, id, side.model) for side in (given.left, given.right)]
            revealed = _answers(t, given.comparison, said, busy=False, titles=titles, chosen=verdict)
            return [revealed, _HIDDEN, *standing(id)]

        return vote

    def take_back(value: dict, id: str | None) -> list:
        """The last vote. Its answers go: whose they are is known by now."""
        last = next(reversed(feedback.votes()), None)
        if last is None:
            return [gr.skip()] * 6
        feedback.undo(last.comparison)
        gr.Info(t("votes.undone"), title=t("app.info"))
        same = isinstance(value, dict) and value.get("id") == last.comparison
        return [{} if same else gr.skip(), _HIDDEN if same else gr.skip(), *standing(id)]

    def learn(place: dict, id: str | None, objective: str) -> dict:
        if not id:
            raise Unsupported(reason=_NO_RUN)
        if objective not in _FORMATS:
            raise Unsupported(reason=_NO_WAY)
        data = feedback.export(_DATA[objective], _FORMATS[objective])
        settings = feedback.few(datasets.load(data).train)
        wanted = configs.build(id, str(data), objective, settings=settings)
        made = store.create(wanted.model_dump(mode="json"), name=t("votes.run_name"))
        services.jobs.submit(made)
        return {**choices(place), "run": made.id, "data": _DATA[objective], "step": "train"}

    standing_views = [board, way, train, undo]
    page.render("compare", show, standing_views)
    private = {"api_visibility": "private", "show_progress": "hidden"}
    run.change(page.guarded(suggest), run, question, **private)
    another.click(page.guarded(suggest), run, question, **private)
    gr.on(
        [ask.click, question.submit],
        page.guarded(answer),
        [run, question],
        [shown, voting, better],
        concurrency_id=GENERATION,
        concurrency_limit=4,
        **private,
    )
    for verdict, button in zip(feedback.VERDICTS, buttons, strict=True):
        button.click(
            page.guarded(cast(verdict)), [shown, better, who, run], [shown, voting, *standing_views], **private
        )
    undo.click(page.guarded(take_back), [shown, run], [shown, voting, *standing_views], **private)
    train.click(page.guarded(learn), [page.chosen, run, way], page.chosen, **private)


def _answers(
    t: Text, id: str, said: list[str], busy: bool, titles: list[str] | None = None, chosen: str | None = None
) -> dict:
    """The value of the two answers. `titles`: whose they are, once the vote is cast."""
    letters = [t("votes.a"), t("votes.b")]
    marked = {"both_good": _SIDES}.get(chosen, (chosen,))
    return {
        "id": id,
        "answers": [
            {
                "letter": letter,
                "title": titles[place] if titles else t("votes.hidden"),
                "text": text,
                "busy": busy,
                "chosen": side in marked,
            }
            for place, (side, letter, text) in enumerate(zip(_SIDES, letters, said, strict=True))
        ],
        "note": "" if busy else t(f"votes.{'thanks' if titles else 'same' if said[0] == said[1] else 'which'}"),
    }


def _title(t: Text, id: str | None, model: str) -> str:
    """What a model is called: before or after, for those of the run `id`; else by its name."""
    if id and model in (f"base:run:{id}", f"run:{id}"):
        return t("compare.base" if model.startswith("base:") else "compare.tuned")
    ref = model.removeprefix("base:").removeprefix("run:")
    other = next((each for each in columns.comparable() if each.id == ref), None)
    own = columns.known_as(t, other) if other else ref
    return f"{own} · {t('compare.base' if model.startswith('base:') else 'compare.tuned')}"


def _board(t: Text, id: str | None, given: list[feedback.Vote]) -> dict:
    if not given:
        return {}
    rows = [
        {
            "model": _title(t, id, row["model"]),
            "wins": row["wins"],
            "losses": row["losses"],
            "ties": row["ties"],
            "rate": f"{100 * row['rate']:.0f}%" if row["wins"] + row["losses"] else "–",
            "between": f"{100 * row['low']:.0f}–{100 * row['high']:.0f}%",
            "low": round(100 * row["low"], 1),
            "high": round(100 * row["high"], 1),
            "at": round(100 * row["rate"], 1),
        }
        for row in feedback.scoreboard(given)
    ]
    names = ("model", "wins", "losses", "ties", "rate", "interval", "save", "file")
    return {
        "words": {name: t(f"votes.column_{name}") for name in names},
        "rows": rows,
        "note": t(
            "votes.counted",
            votes=len(given),
            pairs=len(feedback.preferences(given)),
            thumbs=len(feedback.thumbs(given)),
        ),
    }


def _table(t: Text) -> list[list[str]]:
    heads = [t(f"votes.table_{name}") for name in _TABLE]
    return [heads] + [
        [
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(vote.time)),
            vote.who,
            t(f"votes.{vote.verdict}"),
            vote.question,
            vote.better,
            _title(t, None, vote.left.model),
            vote.left.answer,
            _title(t, None, vote.right.model),
            vote.right.answer,
            str(vote.settings.get("seed", "")),
        ]
        for vote in feedback.votes()
    ]
