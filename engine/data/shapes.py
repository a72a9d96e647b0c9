"""From the values of roles to a training row of one form: what each form keeps, and what it has to leave out.

It knows nothing of files or cleaning.
"""

from collections.abc import Callable

from engine.data import conversations, roles
from engine.data.formats import Row

Values = dict[str, str]  # role -> text

# What a form could not hold, or what made a row unusable: keys of `LOST` and of the reasons for dropping.
Shape = Callable[[Values], tuple[Row | None, str | None]]


def shape(format: str) -> Shape:
    """The function that makes rows of `format`: values -> (row or None where they cannot be read, what was lost)."""
    return _SHAPES[format]


def _asked(values: Values) -> str:
    context = values.get("context")
    return f"{values['question']}\n{context}" if context else values["question"]


def _qa(values: Values) -> tuple[Row | None, str | None]:
    lost = "system" if values.get("system") else "history" if values.get("history") else None
    return {"question": _asked(values), "answer": values["answer"]}, lost


def _alpaca(values: Values) -> tuple[Row | None, str | None]:
    row: Row = {"instruction": values["question"], "input": values.get("context", ""), "output": values["answer"]}
    if values.get("system"):
        row["system"] = values["system"]
    if values.get("history"):
        history = conversations.history(values["history"])
        if history is None:
            return None, None
        row["history"] = history
    return row, None


def _messages(values: Values) -> tuple[Row | None, str | None]:
    messages = [{"role": "system", "content": values["system"]}] if values.get("system") else []
    if values.get("history"):
        history = conversations.history(values["history"])
        if history is None:
            return None, None
        for question, answer in history:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    messages += [{"role": "user", "content": _asked(values)}, {"role": "assistant", "content": values["answer"]}]
    return {"messages": messages}, None


def _preference(values: Values) -> tuple[Row | None, str | None]:
    chosen, rejected = conversations.last_answer(values["chosen"]), conversations.last_answer(values["rejected"])
    return {"prompt": _asked(values), "chosen": chosen, "rejected": rejected}, "system" if values.get(
        "system"
    ) else None


def _kto(values: Values) -> tuple[Row | None, str | None]:
    label = roles.thumb(values["label"])
    if label is None:
        return None, None
    row = {"prompt": _asked(values), "completion": values["answer"], "label": label}
    return row, "system" if values.get("system") else None


def _text(values: Values) -> tuple[Row | None, str | None]:
    return {"text": values["text"]}, None


_SHAPES: dict[str, Shape] = {
    "qa": _qa,
    "alpaca": _alpaca,
    "messages": _messages,
    "preference": _preference,
    "kto": _kto,
    "text": _text,
}
