"""Answers side by side as the page shows them: the columns, each turn with its answers, scores and differences.

The drawing is in `assets/compare.js`; every text reaches it as text, except `markup`, which `engine.compare.markup` made.
"""

import time

import gradio as gr

from engine.compare import conversations
from engine.compare.conversations import Conversation, Turn
from engine.compare.differences import differences
from engine.compare.markup import markup
from engine.runs import store
from ui import columns, transcript
from ui.columns import Column
from ui.page import served
from ui.text import Text

# Of the scores these are shown beside an answer.
_SCORES = {"bleu4": "BLEU-4", "rougeL": "ROUGE-L"}
_WORDS = ("copy", "copied", "edit", "again", "reference", "instructions", "differences", "save", "plain", "new")


class Pace:
    """Whether a page is to be told how far its answers are: telling it of each token costs the processor that draws them."""

    def __init__(self, every: float = 0.1):
        """`every`: seconds from one time to the next."""
        self._every, self._told = every, time.monotonic()

    def due(self) -> bool:
        now = time.monotonic()
        if now - self._told < self._every:
            return False
        self._told = now
        return True


def panel(t: Text, elem_id: str, read_only: bool = False) -> gr.HTML:
    """Turns side by side. Its value is what `shown` and `Growing` make; it fires `edit` with `{"turn": n}`, `again`,
    and `fresh`. A `read_only` one reads no conversation that is kept."""

    def written(asked: dict) -> str:
        """A kept conversation as Markdown, to be saved by the page."""
        run = store.here(str(asked.get("run")))
        return transcript.written(t, run, conversations.load(run, str(asked.get("id"))))

    return gr.HTML(
        {},
        html_template="${TuneDesk.draw.turns(value)}",
        js_on_load="TuneDesk.answers(element, props, trigger, server); // 'edit' 'again' 'fresh'",
        server_functions=[] if read_only else [served(written)],
        elem_id=elem_id,
        elem_classes="td-turns-block",
        apply_default_css=False,
    )


def shown(t: Text, run: store.Run, conversation: Conversation, idle: bool = True) -> dict:
    """The value of a `panel` for a conversation, newest turn first. Without turns its columns are empty where `idle`."""
    titled = [columns.named(t, run, name) for name in conversation.models]
    last = len(conversation.turns) - 1
    turns = [_turn(t, titled, turn, place, place == last) for place, turn in enumerate(conversation.turns)]
    if not turns and idle:
        turns = [{"answers": [_head(column) | {"quiet": t("compare.waiting")} for column in titled]}]
    return {
        "words": _words(t),
        "run": run.id,
        "id": conversation.id,
        "system": conversation.system,
        "turns": turns[::-1],
    }


class Growing:
    """The turn that is being answered."""

    def __init__(self, t: Text, titled: list[Column], question: str, reference: str | None):
        self._t, self._question, self._reference = t, question, reference
        self._scorer = _scorer(reference)
        self._titled = titled
        self._loading = [False] * len(titled)
        self._scores: list[dict] = [{} for _ in titled]
        self.answers: list[dict] = [{"text": ""} for _ in titled]

    def take(self, event: dict) -> None:
        """Add what an event of `Chat.compare` brings."""
        index = event["index"]
        answer = self.answers[index]
        self._loading[index] = event.get("phase") == "loading"
        answer["text"] += event.get("delta", "")
        if "finish_reason" in event:
            answer.update({name: value for name, value in event.items() if name != "index"})
            if self._scorer:
                self._scores[index] = self._scorer.row(answer["text"], self._reference)

    def whole(self) -> list[int]:
        """The places of the answers that came to an end of their own."""
        return [at for at, answer in enumerate(self.answers) if answer.get("finish_reason") in ("stop", "length")]

    def end(self) -> None:
        """Nothing more comes: answers without an end were broken off."""
        for answer in self.answers:
            answer.setdefault("finish_reason", "cancelled")

    def value(self) -> dict:
        """What the panel shows now."""
        answers = []
        for column, answer, loading, scores in zip(
            self._titled, self.answers, self._loading, self._scores, strict=True
        ):
            if "finish_reason" in answer:
                answers.append(_answer(self._t, column, answer, scores))
                continue
            waiting = "writing" if answer["text"] else "loading" if loading else "thinking"
            meta = self._t(f"compare.{waiting}")
            answers.append(_head(column) | {"markup": markup(answer["text"]), "busy": True, "meta": meta})
        turn = {"question": self._question, "reference": self._reference, "answers": answers}
        return {"words": _words(self._t), "turns": [turn]}


def _turn(t: Text, titled: list[Column], turn: Turn, place: int, last: bool) -> dict:
    scorer = _scorer(turn.reference)
    marked = differences([answer["text"] for answer in turn.answers])
    answers = [
        _answer(t, column, answer, scorer.row(answer["text"], turn.reference) if scorer else {}) | {"marks": marks}
        for column, answer, marks in zip(titled, turn.answers, marked, strict=True)
    ]
    drawn = t("compare.drawn", seed=turn.settings["seed"], temperature=turn.settings["temperature"])
    return {
        "number": place,
        "last": last,
        "question": turn.question,
        "reference": turn.reference,
        "answers": answers,
        "drawn": drawn,
    }


def _answer(t: Text, column: Column, answer: dict, scores: dict) -> dict:
    """A finished answer. One that was broken off before its first token has no counts."""
    meta = ""
    if "tokens" in answer:
        meta = t("compare.meta", tokens=answer["tokens"], seconds=f"{answer['seconds']:.1f}")
        if answer["seconds"]:
            meta += t("compare.meta_speed", speed=f"{answer['tokens'] / answer['seconds']:.0f}")
    ends = {"length": t("compare.cut"), "cancelled": t("compare.stopped")}
    scored = [{"label": t("compare.reward"), "value": f"{answer['reward']:+.2f}"}] if "reward" in answer else []
    facts = [{"label": _SCORES[name], "value": f"{value:.0f}"} for name, value in scores.items() if name in _SCORES]
    return _head(column) | {
        "text": answer["text"],
        "markup": markup(answer["text"]),
        "meta": meta + ends.get(answer["finish_reason"], ""),
        "scores": scored + facts,
    }


def _head(column: Column) -> dict:
    return {"kind": f"is-{column.kind}", "title": column.title, "note": column.note}


def _scorer(reference: str | None):
    if not reference:
        return None
    from engine.compare.scores import Scorer  # its libraries take a second to import

    return Scorer([reference])


def _words(t: Text) -> dict:
    return {name: t(f"compare.{name}") for name in _WORDS}
