"""Stakeholder mode: the model before and after, for an audience. Chosen questions, large type, and nothing to change.

It is an application of its own, with its own address and password; whatever does not belong to its one page answers 404.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field

import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from engine import home
from engine.compare import names
from engine.compare.conversations import goes_on, message
from engine.compare.settings import GenerationParams
from engine.errors import InputError, from_os_error
from engine.runs import store
from ui import answers, columns, questions, theme
from ui.page import GENERATION, guarded
from ui.services import Services
from ui.text import LANGUAGES, Text

QUESTIONS = 6
_FILE = "presentation.json"
_LONGEST_QUESTION = 2000
# What the one page asks for: itself, its parts, and the answers to its own questions.
_ALLOWED = re.compile(
    r"/|/favicon\.ico|/static/[\w.-]+|/login|"
    rf"/({'|'.join(LANGUAGES)})/?(|login|config|theme\.css|assets/.+|static/.+|manifest\.json|"
    r"gradio_api/(queue/join|queue/data|startup-events|cancel|reset|app_id|heartbeat/.+))"
)


@dataclass(frozen=True)
class Presentation:
    """What an audience is offered: `questions`, whether it may also ask its own (`free`), and the `models` that answer,
    named as in `engine.compare.names`; none chosen: the run before and after."""

    questions: list[str]
    free: bool = False
    models: list[str] = field(default_factory=list)


def read(run: store.Run) -> Presentation:
    """What was chosen for `run`; without a choice, a few of its held-out questions."""
    file = run.path / _FILE
    if file.is_file():
        return Presentation(**home.read_json(file))
    return Presentation([asked for asked, _ in questions.examples(run, QUESTIONS)])


def write(run: store.Run, chosen: Presentation) -> None:
    """Raises:
    DiskFull: there is no room.
    """
    try:
        home.write_json(run.path / _FILE, asdict(chosen))
    except OSError as error:
        raise from_os_error(error, run.path) from error


def build(lang: str, services: Services, run: store.Run) -> gr.Blocks:
    """The one page, in one language."""
    t = Text(lang)
    offered = read(run)
    title = columns.called(t, run)
    there = [name for name in offered.models if _is_there(name)]
    titled = columns.columns(t, run, there if len(there) > 1 else columns.usual(run))
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(_header(t, title), apply_default_css=False, elem_id="header")
        chips = gr.HTML(
            {"label": t("present.pick"), "more": "", "chips": offered.questions},
            html_template="${TuneDesk.draw.chips(value)}",
            js_on_load="TuneDesk.chips(element, trigger); // 'pick'",
            elem_id="present-questions",
            elem_classes=["td-panel", "td-large"],
            apply_default_css=False,
        )
        if offered.free:
            with gr.Row(elem_classes=["td-panel", "td-inline"]):
                box = gr.Textbox(label=t("present.own"), max_lines=4, elem_id="present-question", scale=5)
                ask = gr.Button(t("compare.ask"), variant="primary", elem_id="present-ask", scale=1, min_width=120)
        live = answers.panel(t, "present-answers", read_only=True)
        demo = t.html("compare.demo") if questions.is_demo(run) else ""
        gr.HTML(f'<p class="td-disclaimer">{demo}</p>', apply_default_css=False)

        def answer(question: str) -> Iterator[dict]:
            growing = answers.Growing(t, titled, question, questions.expected(run, question))
            yield growing.value()
            pace = answers.Pace()
            messages = [[message(question, goes_on(run))] for _ in titled]
            asked = [column.name for column in titled]
            params = GenerationParams(temperature=0)
            with closing(services.chat.compare(asked, messages, **params.model_dump())) as events:
                for event in events:
                    growing.take(event)
                    if "finish_reason" in event or pace.due():
                        yield growing.value()

        def pick(event: gr.EventData) -> Iterator[dict]:
            index = event._data.get("index")
            if isinstance(index, int) and 0 <= index < len(offered.questions):
                yield from answer(offered.questions[index])

        def asked(text: str) -> Iterator[dict]:
            if (text or "").strip():
                yield from answer(text.strip()[:_LONGEST_QUESTION])

        shared = {
            "concurrency_id": GENERATION,
            "concurrency_limit": 4,
            "api_visibility": "private",
            "show_progress": "hidden",
        }
        chips.pick(guarded(pick, t), None, live, trigger_mode="once", **shared)
        if offered.free:
            gr.on([ask.click, box.submit], guarded(asked, t), box, live, trigger_mode="once", **shared)
    return blocks


class Only:
    """Middleware: whatever the one page does not need is not there."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _ALLOWED.fullmatch(scope["path"]):
            await PlainTextResponse("404", 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_there(model: str) -> bool:
    """Whether a model that was chosen once still is: runs and models can be deleted."""
    try:
        names.resolve(model)
    except InputError:
        return False
    return True


def _header(t: Text, title: str) -> str:
    other = next(lang for lang in LANGUAGES if lang != t.lang)
    return (
        f'<header class="td-top"><a class="td-brand" href="/{t.lang}/"><img src="{theme.asset("icon.svg")}" alt="">'
        f"<b>{t.html('present.title', name=title)}</b></a><span></span>"
        f'<a class="td-lang" href="/{other}/" hreflang="{other}" lang="{other}">{t.html("app.other_language")}</a></header>'
    )
