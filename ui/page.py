"""What every tab is given: the words, the engine's services, and what the person has chosen.

What is chosen (step, model, data set, run) lives in the browser's storage and is only a hint: each tab renders from the
engine, so a choice whose folder is gone falls back to a default. Nothing is kept in the server's memory per page.
"""

import functools
import inspect
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import gradio as gr
import orjson
from gradio.events import Dependency

from engine import home
from engine.errors import InputError, TuneDeskError, from_os_error
from ui.services import Services
from ui.text import Text

STEPS = ("model", "data", "train", "compare", "runs", "learn")
# `method` is one that the step Train takes over when it is shown, `format` a form of data that an objective was found to lack; `topic` is the lesson that is open, or the method or objective it is about.
NOTHING_CHOSEN = {
    "step": "model",
    "model": None,
    "data": None,
    "file": None,
    "run": None,
    "method": None,
    "format": None,
    "topic": None,
}

UPLOAD_LIMIT = "20 GB"

# Answers are drawn one after another; the generation process has a lock of its own.
GENERATION = "generation"


@dataclass(frozen=True)
class Page:
    """`shown`: by step the values that change when that step must be drawn anew, one for each who draws (`due`); `again`:
    the id of a run (and a time) whose settings the train step is to take over. None is ever seen. `method`: whose marks the
    model's structure bears; it follows the step Train."""

    t: Text
    services: Services
    chosen: gr.BrowserState
    shown: dict[str, list[gr.Textbox]]
    again: gr.Textbox
    method: gr.Dropdown

    def due(self, step: str) -> gr.Textbox:
        """A value that changes when `step` must be drawn anew, for one listener. Of several that listen to the same event
        Gradio starts all once more when one has missed its newest, which makes others miss theirs, and so on without end."""
        value = gr.Textbox("", visible="hidden", render=False)
        self.shown[step].append(value)
        return value

    def render(
        self,
        step: str,
        fn: Callable[..., list],
        outputs: Sequence[gr.components.Component],
        inputs: Sequence[gr.components.Component] = (),
        after: Dependency | None = None,
    ) -> Dependency:
        """Call `fn(chosen, *inputs)` when the page is opened on `step`, when the person goes to it, and when a choice
        changes while it is shown; `after` what an earlier call of this returned, where `inputs` are drawn by that."""

        def if_shown(chosen: dict, *values: object) -> object:
            chosen = choices(chosen)
            updates = fn(chosen, *values) if chosen["step"] == step else [gr.skip()] * len(outputs)
            # A list for a single output would be taken for its value.
            return updates if len(outputs) > 1 else updates[0]

        # Not every step listens to every choice: a click would cost a request for each view of each step.
        when = after.then if after else self.due(step).change
        return when(
            self.guarded(if_shown),
            [self.chosen, *inputs],
            list(outputs),
            queue=False,
            show_progress="hidden",
            trigger_mode="always_last",
            api_visibility="private",
        )

    def guarded(self, fn: Callable) -> Callable:
        """`fn`, whose TuneDeskErrors become messages in the page's language."""
        return guarded(fn, self.t)


def choices(chosen: object) -> dict:
    """What a browser sent as its choices, made whole: only known names, only plain values."""
    given = chosen if isinstance(chosen, dict) else {}
    kept = {key: given[key] for key in NOTHING_CHOSEN if isinstance(given.get(key), str)}
    found = NOTHING_CHOSEN | kept
    return found if found["step"] in STEPS else found | {"step": STEPS[0]}


def free(name: str, taken: Callable[[str], bool]) -> str:
    """`name`, or the first of `name-2`, `name-3` ... that is not taken."""
    base, number, made = re.sub(r"-\d+$", "", name), 2, name
    while taken(made):
        made, number = f"{base}-{number}", number + 1
    return made


def served(fn: Callable[[dict], object]) -> Callable[[object], object]:
    """`fn` as a function that scripts in the page may call. Anybody can send it anything: what is no mapping counts as an
    empty one, and what names nothing here is answered with nothing."""

    @functools.wraps(fn)
    def call(sent: object) -> object:
        try:
            return fn(sent if isinstance(sent, dict) else {})
        except InputError:
            return None

    return call


def mark(told: object) -> str:
    """Eight letters that change with what a page is told, so that it can ask for what it does not know yet."""
    return f"{zlib.crc32(orjson.dumps(told)):08x}"


def guarded(fn: Callable, t: Text) -> Callable:
    """`fn`, whose TuneDeskErrors, and what the system says of a file or of its disk, become Gradio's, said in the language
    of `t`.

    Its signature stays: Gradio reads it, for event data and for the public API.
    """

    @functools.wraps(fn)
    def call(*args: object, **kwargs: object) -> object:
        try:
            return fn(*args, **kwargs)
        except (TuneDeskError, OSError) as error:
            raise _said(error, t) from error

    @functools.wraps(fn)
    def stream(*args: object, **kwargs: object) -> Iterator[object]:
        try:
            yield from fn(*args, **kwargs)
        except (TuneDeskError, OSError) as error:
            raise _said(error, t) from error

    return stream if inspect.isgeneratorfunction(fn) else call


def _said(error: TuneDeskError | OSError, t: Text) -> gr.Error:
    if isinstance(error, OSError):
        error = from_os_error(error, error.filename or home.home())
    return gr.Error(error.text(t.lang), title=t("app.error"), print_exception=False, duration=12)
