"""Questions with a reference answer, drawn from the held-out rows of a run's data; beginnings of texts likewise."""

from pathlib import Path

from engine.data import datasets, formats
from engine.errors import NotFound
from engine.runs import store

# Held-out rows among which a question's reference answer is looked for.
_SEARCHED = 20_000
_FORMATS = ("qa", "alpaca", "messages", "preference", "kto", "text")
# Characters of a text's beginning at most.
_BEGINNING = 120


def examples(run: store.Run, count: int, start: int = 0) -> list[tuple[str, str]]:
    """`count` questions with their answers, spread over the held-out rows, from place `start` on (round and round)."""
    return _spread(*_rows(run), count, start)


def offered(run: store.Run, count: int, start: int = 0) -> tuple[list[str], bool]:
    """Questions to begin with, as `examples`, and whether the model never saw them: where no row was held out they are of
    those that it learnt from."""
    held_out = examples(run, count, start)
    found = held_out or _spread(*_rows(run, "train.json"), count, start)
    return [asked for asked, _ in found], bool(held_out)


def expected(run: store.Run, question: str) -> str | None:
    """The answer that the held-out rows give to `question`, if it is one of theirs."""
    rows, format = _rows(run)
    pairs = (_pair(rows[i], format) for i in range(min(len(rows), _SEARCHED)))
    return next((answer for asked, answer in pairs if asked == question), None)


def is_demo(run: store.Run) -> bool:
    """Whether the run learnt from the demo's made-up data."""
    data = _data(run)
    return data is not None and data.demo


def _data(run: store.Run) -> datasets.DataSet | None:
    """The data set of a run; None where it is gone."""
    try:
        return datasets.load(Path(run.config["data"]))
    except NotFound:
        return None


def _rows(run: store.Run, file: str = "val.json") -> tuple[datasets.Rows | list, str]:
    """The rows of a run's data in `file` and their form; none where the data is gone or has no questions."""
    data = _data(run)
    if data is None or data.format not in _FORMATS or not (data.path / file).is_file():
        return [], "qa"
    rows = datasets.rows(data.path / file)
    # An answer with a thumb down is nobody's reference.
    return [row for row in rows if row["label"]] if data.format == "kto" else rows, data.format


def _spread(rows: datasets.Rows | list, format: str, count: int, start: int) -> list[tuple[str, str]]:
    stride = max(1, len(rows) // 97)
    return [_pair(rows[(start + i) * stride % len(rows)], format) for i in range(min(count, len(rows)))]


def _pair(row: dict, format: str) -> tuple[str, str]:
    if format == "text":
        return _halves(row["text"].strip())
    if format in ("preference", "kto"):
        answer = {"role": "assistant", "content": formats.reference(row, format)}
        messages = [*formats.asked(row["prompt"]), answer]
    else:
        messages = datasets.examples(row, format)
    asked = next((m["content"] for m in messages if m["role"] == "user"), "")
    answered = next((m["content"] for m in messages if m["role"] == "assistant"), "")
    return asked.strip(), answered


def _halves(text: str) -> tuple[str, str]:
    """The beginning of a text, which ends where a word does, and the rest."""
    begun = text[: min(_BEGINNING, (len(text) + 1) // 2)]
    if text[len(begun) - 1 : len(begun) + 1].isascii():
        begun = begun.rsplit(None, 1)[0] if begun.split() else begun
    begun = begun.rstrip()
    return begun, text[len(begun) :].strip()
