"""The forms of a training row on disk: question/answer, Alpaca, messages, preference, thumbs, text.

Everything that differs between the forms is in `FORMATS`. It knows nothing of files.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.words import Words

Row = dict
Messages = list[dict]


@dataclass(frozen=True)
class Format:
    key: str
    label: Words
    keys: tuple[str, ...]  # by which a row of this form is known
    needs: tuple[str, ...]  # the roles without which no row can be made
    holds: tuple[str, ...]  # every role that it can keep

    @property
    def filled(self) -> tuple[str, ...]:
        """The roles whose text must not be empty."""
        return tuple(role for role in self.needs if role != "label")


FORMATS = (
    Format(
        "qa",
        Words("Question and answer", "问答（question / answer）"),
        ("question", "answer"),
        ("question", "answer"),
        ("question", "answer", "context"),
    ),
    Format(
        "alpaca",
        Words("Alpaca (instruction, input, output)", "Alpaca（instruction / input / output）"),
        ("instruction", "output"),
        ("question", "answer"),
        ("question", "answer", "context", "system", "history"),
    ),
    Format(
        "messages",
        Words("Conversation (messages)", "对话（messages）"),
        ("messages",),
        ("question", "answer"),
        ("question", "answer", "context", "system", "history"),
    ),
    Format(
        "preference",
        Words("Preference pairs (prompt, chosen, rejected)", "偏好对（prompt / chosen / rejected）"),
        ("prompt", "chosen", "rejected"),
        ("question", "chosen", "rejected"),
        ("question", "context", "chosen", "rejected"),
    ),
    Format(
        "kto",
        Words("Thumbs up or down (prompt, completion, label)", "点赞点踩（prompt / completion / label）"),
        ("prompt", "completion", "label"),
        ("question", "answer", "label"),
        ("question", "context", "answer", "label"),
    ),
    Format(
        "text",
        Words("Plain text, for pre-training", "纯文本（用于预训练）"),
        ("text",),
        ("text",),
        ("text",),
    ),
)


def get(key: str) -> Format:
    """The format called `key`, which the caller has checked (`keys`)."""
    return next(each for each in FORMATS if each.key == key)


def keys() -> list[str]:
    return [each.key for each in FORMATS]


def missing(format: str, given: Iterable[str]) -> list[str]:
    """The roles that `format` needs and `given` lacks; whole conversations hold both question and answer."""
    given = {*given, *(("question", "answer") if "messages" in given else ())}
    return [role for role in get(format).needs if role not in given]


def suggest(given: Iterable[str]) -> str:
    """The form that keeps the most of rows with these roles; question and answer where it makes no difference."""
    found = set(given)
    for format, signs in (
        ("preference", {"rejected"}),
        ("kto", {"label"}),
        ("messages", {"messages"}),
        ("text", {"text"}),
        ("alpaca", {"system", "history"}),
    ):
        if found & signs:
            return format
    return "qa"


def recognise(row: Row) -> str | None:
    """The form of a row as it lies on disk, or None."""
    return next((each.key for each in FORMATS if all(key in row for key in each.keys)), None)


def conversations(row: Row, format: str) -> dict[str, Messages]:
    """Every conversation in a row, by the name of its answer: two in a preference pair, none in plain text."""
    answers = {"preference": ("chosen", "rejected"), "kto": ("completion",), "text": ()}.get(format)
    if answers is None:
        return {"answer": examples(row, format)}
    return {name: asked(row["prompt"]) + answered(row[name]) for name in answers}


def examples(row: Row, format: str) -> Messages:
    """The conversation in a row of form "qa", "alpaca" or "messages": `[{"role", "content"}, ...]`."""
    if format == "qa":
        return [
            {"role": "user", "content": row["question"]},
            {"role": "assistant", "content": row["answer"]},
        ]
    if format == "alpaca":
        asked = f"{row['instruction']}\n{row['input']}" if row.get("input") else row["instruction"]
        messages = [{"role": "system", "content": row["system"]}] if row.get("system") else []
        for question, answer in row.get("history") or []:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return [*messages, {"role": "user", "content": asked}, {"role": "assistant", "content": row["output"]}]
    return row["messages"]


def question(row: Row, format: str) -> Messages:
    """What is asked in a row of any form but plain text: the conversation up to its last answer."""
    if format in ("preference", "kto"):
        return asked(row["prompt"])
    messages = examples(row, format)
    return messages[:-1] if messages[-1]["role"] == "assistant" else messages


def reference(row: Row, format: str) -> str:
    """The answer that such a row wants; "" where it names none."""
    if format == "preference":
        return answered(row["chosen"])[-1]["content"]
    if format == "kto":
        return answered(row["completion"])[-1]["content"] if row["label"] else ""
    last = examples(row, format)[-1]
    return last["content"] if last["role"] == "assistant" else ""


def asked(prompt: str | Messages) -> Messages:
    """A prompt, given as text or as messages, as messages."""
    return prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]


def answered(answer: str | Messages) -> Messages:
    """An answer, given as text or as messages, as messages."""
    return answer if isinstance(answer, list) else [{"role": "assistant", "content": answer}]


def text_of(messages: Messages) -> str:
    """What is said in a conversation, without who says it."""
    return "\n".join(message["content"] for message in messages)
