"""Questions that the compare step offers: from the held-out rows of every kind of data set that asks something."""

import pytest

from engine.runs import store
from tests.engine.training.objectives import write
from ui import questions


@pytest.mark.parametrize(
    ("format", "rows", "offered"),
    [
        ("qa", [{"question": "a?", "answer": "b"}], [("a?", "b")]),
        ("preference", [{"prompt": "a?", "chosen": "b", "rejected": "c"}], [("a?", "b")]),
        (
            "kto",
            [{"prompt": "x?", "completion": "y", "label": False}, {"prompt": "a?", "completion": "b", "label": True}],
            [("a?", "b")],
        ),
        ("text", [{"text": "天上有月亮，也有星星。"}], [("天上有月亮，", "也有星星。")]),
        ("text", [{"text": "One two three four"}], [("One two", "three four")]),
        ("text", [{"text": "a"}], [("a", "")]),
    ],
)
def test_questions_and_references_are_found(tmp_path, monkeypatch, format, rows, offered):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    data = write(tmp_path / "data" / "some", format, rows, rows)
    run = store.create({"data": str(data)})
    assert questions.examples(run, 3) == offered
    ((question, answer),) = offered
    assert questions.expected(run, question) == answer and questions.expected(run, "another") is None


def test_without_held_out_rows_those_learnt_from_are_offered(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    rows = [{"question": "a?", "answer": "b"}]
    run = store.create({"data": str(write(tmp_path / "data" / "some", "qa", rows, []))})
    assert questions.offered(run, 3) == (["a?"], False) and questions.examples(run, 3) == []
    run = store.create({"data": str(write(tmp_path / "data" / "more", "qa", [], rows))})
    assert questions.offered(run, 3) == (["a?"], True)
    run = store.create({"data": str(tmp_path / "data" / "gone")})
    assert questions.offered(run, 3) == ([], False)
