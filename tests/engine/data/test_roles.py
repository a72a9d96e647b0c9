"""Suggested mappings, templates, thumbs; what inspect tells."""

import json

import pytest

from engine.data import roles, tables
from engine.errors import BadMapping

TEXT = "这是一段比较长的文字，足够说明它是内容。"


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        (["department", "title", "ask", "answer"], ["内科", "题", TEXT, TEXT], {"question": "ask", "answer": "answer"}),
        (["问题", "回答"], [TEXT, TEXT], {"question": "问题", "answer": "回答"}),
        (["ID", "User Message", "Response"], ["1", TEXT, TEXT], {"question": "User Message", "answer": "Response"}),
        (["instruction", "input", "output"], [TEXT, "", TEXT], {"question": "instruction", "context": "input", "answer": "output"}),
        (["input", "output"], [TEXT, TEXT], {"question": "input", "answer": "output"}),
        (["system", "question", "answer"], ["s", TEXT, TEXT], {"system": "system", "question": "question", "answer": "answer"}),
        (["prompt", "chosen", "rejected"], [TEXT] * 3, {"question": "prompt", "chosen": "chosen", "rejected": "rejected"}),
        (["prompt", "completion", "label"], [TEXT, TEXT, "True"], {"question": "prompt", "answer": "completion", "label": "label"}),
        (["question", "answer", "label"], [TEXT, TEXT, "儿科"], {"question": "question", "answer": "answer"}),
        (["id", "conversations"], ["1", '[{"from": "human"}]'], {"messages": "conversations"}),
        (["messages"], ['[{"role": "user"}]'], {"messages": "messages"}),
        (["text"], [TEXT], {"text": "text"}),
        (["id", "left", "right"], ["1", TEXT, TEXT], {"question": "left", "answer": "right"}),
    ],
)  # fmt: skip
def test_suggested(columns, row, expected):
    assert roles.suggest(columns, [row] * 3) == expected


def test_two_columns_without_a_header():
    assert roles.suggest(["column_1", "column_2"], [[TEXT, TEXT]], headed=False) == {
        "question": "column_1",
        "answer": "column_2",
    }


def test_template_leaves_no_empty_lines():
    read = roles.reader("{title}\\n{ask}", ["title", "ask"])
    assert [read(row) for row in (["a", "b"], ["", "b"], ["a", ""])] == ["a\nb", "b", "a"]
    with pytest.raises(BadMapping, match="subtitle"):
        roles.check({"question": "{subtitle}\\n{ask}", "answer": "title"}, ["title", "ask"])


@pytest.mark.parametrize(
    ("word", "up"), [("TRUE", True), ("1.0", True), ("👍", True), ("0", False), ("踩", False), ("?", None)]
)
def test_thumb(word, up):
    assert roles.thumb(word) is up


def test_inspect_tells_the_contract_and_json_can_hold_it(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        "问题,回答\n怎么办？,多喝水。\n再问一次可以吗？,当然可以，请说。\n".encode("gb18030")
    )
    told = tables.inspect(tmp_path / "a.csv")
    assert json.loads(json.dumps(told)) == told
    assert (told["format"], told["encoding"], told["delimiter"], told["rows"]) == ("csv", "gb18030", ",", 2)
    assert told["columns"] == ["问题", "回答"] and told["mapping"] == {"question": "问题", "answer": "回答"}
    assert told["problems"] == []
    assert all(set(note) == {"en", "zh"} for note in told["notes"])


def test_inspect_tells_problems(tmp_path):
    (tmp_path / "ragged.csv").write_text("question,answer\nq1,a,b\nq2\nq3,a3\n")
    assert len(tables.inspect(tmp_path / "ragged.csv")["problems"]) == 2
    good = "question,answer\n" + "问题一二三四五六七八九十,回答一二三四五六七八九十\n" * 30
    (tmp_path / "bytes.csv").write_bytes(good.encode() + b"q\xff,a\n")
    told = tables.inspect(tmp_path / "bytes.csv")
    assert told["encoding"] == "utf-8" and "1 characters" in told["problems"][0]["en"]
    assert told["rows"] == 31


def test_the_real_file(test_data):
    (source,) = (test_data / "chinese-medical-dialogue").glob("*.csv")
    told = tables.inspect(source)
    assert (told["encoding"], told["delimiter"], told["rows"]) == ("gb18030", ",", 7644)
    assert told["columns"] == ["department", "title", "ask", "answer"]
    assert told["mapping"] == {"question": "ask", "answer": "answer"} and told["problems"] == []
