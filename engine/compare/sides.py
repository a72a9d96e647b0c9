"""One side of an evaluation: what a model said to each row, kept as it comes in a file whose name changes with the model.

A base's answers are kept in the cache, for all runs that began with it; a run's own in its `evaluation/`.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from engine import home
from engine.compare import names
from engine.compare.settings import DEFAULT_MAX_TOKENS
from engine.data import tokens
from engine.errors import from_os_error
from engine.runs.store import Run

_AT_ONCE = 64  # rows decoded in one batch


class Answering(Protocol):
    """Whoever answers: `Chat`, or the worker that does it in its own process. The events are those of `Desk`."""

    def batch(
        self, model: str, conversations: list[list[dict]], longest: int, **settings: object
    ) -> Iterator[dict]: ...

    def losses(self, model: str, conversations: list[list[dict]], max_length: int) -> Iterator[dict]: ...


class Side:
    """Base or tuned, of a run: what it said to each row. Nothing is asked before `measure`."""

    def __init__(self, run: Run, side: str):
        self._name = f"base:run:{run.path}" if side == "base" else f"run:{run.path}"
        self._max_length = run.config["training"]["max_length"]
        source = names.resolve(self._name)
        self._words = source.words
        template = source.template.read_text(encoding="utf-8") if source.template else ""
        model = [names.stamp(source.weights), source.adapter and names.stamp(source.adapter), source.quantised]
        key = hashlib.sha256(repr([model, template, self._max_length]).encode()).hexdigest()[:12]
        # What the base said is shared by all runs that began with it.
        folder = run.path / "evaluation" if side == "tuned" else home.folder("cache") / "base-answers"
        folder.mkdir(exist_ok=True)
        (run.path / "evaluation").mkdir(exist_ok=True)
        self._file = folder / f"{side}-{key}.jsonl"
        self._said = {line["row"]: line for line in _lines(self._file)}

    def said(self, messages: list[dict]) -> dict | None:
        """What was said to a row: `answer` (None: too long for the context), `loss` (nats over `tokens`), `tokens`,
        `length` (of the answer, in tokens); None where it was not asked yet."""
        return self._said.get(_key(messages))

    def measure(self, conversations: list[list[dict]], chat: Answering) -> Iterator[int]:
        """Answer and measure what is not there yet; how many of `conversations` are done, after each answer."""
        missing = [messages for messages in conversations if _key(messages) not in self._said]
        # Alike lengths end together, so that a batch wastes little.
        missing.sort(key=lambda messages: len(messages[-1]["content"]))
        before = len(conversations) - len(missing)
        yield before
        for start in range(0, len(missing), _AT_ONCE):
            for answered in self._measure(missing[start : start + _AT_ONCE], chat):
                yield before + start + answered

    def _measure(self, batch: list[list[dict]], chat: Answering) -> Iterator[int]:
        """How many of `batch` are answered, after each; they are kept when the last is."""
        references = [messages[-1]["content"] for messages in batch]
        expected = max(tokens.read(self._words).counts(references))
        # A base that never stops must not cost ten times the answers worth having.
        longest = min(expected * 3 // 2 + 16, DEFAULT_MAX_TOKENS)
        lines = [{"row": _key(messages), "answer": None, "loss": 0.0, "tokens": 0} for messages in batch]
        for event in chat.losses(self._name, batch, self._max_length):
            lines[event["index"]] |= {"loss": event["loss"], "tokens": event["tokens"]}
        questions = [messages[:-1] for messages in batch]
        for answered, event in enumerate(chat.batch(self._name, questions, longest, temperature=0), start=1):
            lines[event["index"]] |= {"answer": event["text"], "length": event["tokens"]}
            yield answered
        try:
            with open(self._file, "a", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        except OSError as error:
            raise from_os_error(error, self._file) from error
        self._said |= {line["row"]: line for line in lines}


def _key(messages: list[dict]) -> str:
    return hashlib.sha256(json.dumps(messages, ensure_ascii=False).encode()).hexdigest()[:20]


def _lines(file: Path) -> Iterator[dict]:
    """What is whole in a file that a crash may have cut short. A torn end is cut off, so that the next line is whole."""
    if not file.is_file():
        return
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        home.write_atomically(file, whole)
    for line in whole.splitlines():
        yield json.loads(line)
