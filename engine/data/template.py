"""Chat templates: messages to the text a model reads, and where in that text the assistant's answers lie.

It renders with jinja2 in the same sandbox settings as transformers, without importing it, so that training, the
command line and the interface's sample show the same text. It knows nothing of tokens.
"""

import json
from datetime import datetime
from functools import lru_cache

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
        self._shapes: dict[tuple, list[str]] = {}

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

        An answer includes the mark that ends the turn (`<|im_end|>`), and not the line break after it: the model
        must learn to stop, and never sees what follows a stop.
        """
        text = self.render(messages)
        return text, self._walk(text, messages) or self._by_prefixes(text, messages)

    def _walk(self, text: str, messages: Messages) -> list[Span] | None:
        """Spans by laying the template's fixed pieces over `text`; None where the contents changed the pieces."""
        shape = tuple((message["role"], message["content"] == "") for message in messages)
        if shape not in self._shapes:
            self._shapes[shape] = self._pieces(messages)
        pieces = self._shapes[shape]
        if len(pieces) != 2 * len(messages) + 1:
            return None
        spans = []
        at = len(pieces[0])
        if not text.startswith(pieces[0]):
            return None
        for message, mark, piece in zip(messages, pieces[1::2], pieces[2::2], strict=True):
            content = message["content"]
            if not text.startswith(content + piece, at):
                content = content.strip()  # many templates trim
                if not text.startswith(content + piece, at):
                    return None
            if message["role"] == "assistant":
                spans.append((at, at + len(content) + len(mark)))
            at += len(content) + len(piece)
        return spans if at == len(text) else None

    def _pieces(self, messages: Messages) -> list[str]:
        """`[before, mark, between, mark, ..., mark, after]`: what the template writes around contents of this shape.

        `mark` is the end-of-turn mark after a content, a prefix of the piece that follows it.
        """
        stand_ins = [f"\ue0f0{i}\ue0f1" for i in range(len(messages))]
        filled = [{**m, "content": s if m["content"] else ""} for m, s in zip(messages, stand_ins, strict=True)]
        rest = self.render(filled)
        pieces = []
        for i, message in enumerate(filled):
            before, found, rest = rest.partition(message["content"]) if message["content"] else ("", "", "")
            if not found:
                return []
            pieces.append(before)
            mark = ""
            if message["role"] == "assistant":
                closed = self.render(filled[: i + 1])
                mark = _common(closed[closed.rfind(message["content"]) + len(message["content"]) :], rest).rstrip()
            pieces.append(mark)
        return [*pieces, rest]

    def _by_prefixes(self, text: str, messages: Messages) -> list[Span]:
        """Spans by rendering the conversation up to each answer; for templates that rewrite what they are given."""
        spans = []
        for i, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            start = len(_common(self.render(messages[:i], add_generation_prompt=True), text))
            closed = _common(self.render(messages[: i + 1]), text)
            end = len(closed.rstrip()) if len(closed) > start else start
            if end > start:
                spans.append((start, end))
        return spans


def _common(one: str, other: str) -> str:
    """The longest common beginning of both."""
    if other.startswith(one):
        return one
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return one[:i]
    return one[: len(other)]
