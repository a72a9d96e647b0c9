"""Chat templates: messages to the text a model reads, and where in that text the assistant's answers lie.

It renders with jinja2 in the same sandbox settings as transformers, without importing it, so that training, the
command line and the interface's sample show the same text. It knows nothing of tokens.
"""

import json
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Messages = list[dict]
Span = tuple[int, int]


class _Generation(Extension):
    """`{% generation %}...{% endgeneration %}` marks an answer for transformers; here it only prints its body."""

    tags = frozenset({"generation"})

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def _raise(message: str):
    raise jinja2.exceptions.TemplateError(message)


def _tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@lru_cache(maxsize=16)
def _compiled(source: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


class ChatTemplate:
    """A template's source with the special tokens (`bos_token`, `eos_token`, ...) that it may name."""

    def __init__(self, source: str, special: dict[str, str]):
        self.source = source
        self._special = special
        self._template = _compiled(source)
        self._shapes: dict[tuple, _Frame | None] = {}

    def render(self, messages: Messages, add_generation_prompt: bool = False) -> str:
        """The text of `messages`.

        Raises:
            jinja2.TemplateError: the template refuses these messages (for example two user turns in a row).
        """
        return self._template.render(
            messages=messages, tools=None, documents=None, add_generation_prompt=add_generation_prompt, **self._special
        )

    def answers(self, messages: Messages) -> tuple[str, list[Span]]:
        """The text of `messages`, and for each assistant turn the [start, end) of its answer in that text.

        An answer is what the model has to write itself: all that follows the prompt of a generation, up to and with
        the mark that ends the turn (`<|im_end|>`). The line break after that mark is not part of it: the model must
        learn to stop, and never sees what follows a stop.
        """
        text = self.render(messages)
        spans = self._walk(text, messages)
        return text, self._one_by_one(text, messages) if spans is None else spans

    def _walk(self, text: str, messages: Messages) -> list[Span] | None:
        """Spans by laying the template's fixed pieces over `text`; None where the contents changed the pieces."""
        shape = tuple((message["role"], message["content"] == "") for message in messages)
        if shape not in self._shapes:
            self._shapes[shape] = self._frame(messages)
        frame = self._shapes[shape]
        if frame is None:
            return None
        spans = []
        at = 0
        for message, (before, own, mark) in zip(messages, frame.turns, strict=True):
            at += len(before)
            content = message["content"]
            if not text.startswith(before, at - len(before)):
                return None
            if not text.startswith(content, at) or not text.startswith(mark, at + len(content)):
                content = content.strip()  # many templates trim
                if not text.startswith(content, at):
                    return None
            if message["role"] == "assistant":
                spans.append((at - own, at + len(content) + len(mark)))
            at += len(content)
        return spans if text[at:] == frame.after else None

    def _frame(self, messages: Messages) -> "_Frame | None":
        """What the template writes around contents of this shape; None where it leaves one of them out."""
        filled = [{**m, "content": _stand_in(i) if m["content"] else ""} for i, m in enumerate(messages)]
        rest = self.render(filled)
        done = ""
        turns = []
        for i, message in enumerate(filled):
            before, found, rest = rest.partition(message["content"]) if message["content"] else ("", "", "")
            if not found:
                return None
            own, mark = self._own(filled, i, done + before, rest) if message["role"] == "assistant" else (0, "")
            turns.append((before, own, mark))
            done += before + message["content"]
        return _Frame(turns, rest)

    def _own(self, filled: Messages, i: int, before: str, after: str) -> tuple[int, str]:
        """Around the content of turn `i`: how many characters before it the model writes itself (an empty thought,
        for example), and the mark that ends the turn."""
        prompt = self.render(filled[:i], add_generation_prompt=True)
        own = len(before) - len(prompt) if before.startswith(prompt) else 0
        closed = self.render(filled[: i + 1]).rpartition(filled[i]["content"])[2]
        return own, _common(closed, after).rstrip()

    def _one_by_one(self, text: str, messages: Messages) -> list[Span]:
        """Spans by putting a stand-in for one answer at a time; for templates that rewrite what they are given."""
        spans = []
        for i, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            filled = [{**m, "content": _stand_in(i)} if k == i else m for k, m in enumerate(messages)]
            before, found, after = self.render(filled).partition(_stand_in(i))
            if found and text.startswith(before) and text.endswith(after) and len(before) + len(after) <= len(text):
                own, mark = self._own(filled, i, before, after)
                spans.append((len(before) - own, len(text) - len(after) + len(mark)))
        return spans


class _Frame(NamedTuple):
    """`turns`: for each message (text before its content, characters of that the model writes, mark that ends it)."""

    turns: list[tuple[str, int, str]]
    after: str


def _stand_in(i: int) -> str:
    """A content that no template changes and no text holds: private-use characters."""
    return f"\ue0f0{i}\ue0f1"


def _common(one: str, other: str) -> str:
    """The longest common beginning of both."""
    if other.startswith(one):
        return one
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return one[:i]
    return one[: len(other)]
