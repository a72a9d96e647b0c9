"""What each switch would touch, by itself, and some rows as they would become."""

import csv

import pytest

from engine.data import draft, findings, tables
from engine.data.cleaning import Cleaning
from engine.errors import BadMapping

MAPPING = {"question": "question", "answer": "answer"}
ROWS = [
    ["怎么办？", "多喝水，好好休息。"],
    ["<b>怎么办</b>？", "多喝水\x07，好好休息。"],
    ["怎么办？", "多喝水，好好休息。"],
    ["", "没有问题"],
    ["一样吗？", "一样吗"],
    ["ＡＢ？", "电话13800138000。"],
    ["长" * 30, "嗯"],
]


@pytest.fixture
def table(tmp_path):
    with open(tmp_path / "a.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["question", "answer"], *ROWS])
    return tables.open_table(tmp_path / "a.csv")


def test_every_switch_is_counted_on_the_text_as_it_stands(table):
    limits = Cleaning(max_chars=29, min_chars=2)
    assert not findings.known(table, MAPPING, "qa", limits)
    seen = []
    found = findings.look(table, MAPPING, "qa", limits, lambda done, total: seen.append((done, total)))
    assert {kind: rows.tolist() for kind, rows in found.items()} == {
        "empty": [3],
        "short": [6],
        "long": [6],
        "repeats": [4],
        "duplicate": [2],
        "control": [1],
        "html": [1],
        "width": [5],
        "phone": [5],
    }
    assert seen[-1][0] == seen[-1][1]
    assert findings.known(table, MAPPING, "qa", limits)
    assert not findings.known(table, MAPPING, "qa", Cleaning(max_chars=10))
    assert table.page(among=found["html"]).rows == [ROWS[1]]


def test_near_duplicates_are_looked_for_where_asked(tmp_path):
    asked = "糖尿病患者平时在饮食方面应该注意哪些问题呢"
    (tmp_path / "a.csv").write_text(
        "question,answer\n"
        + "".join(f"{asked}{mark},要控制总热量，少吃甜食，多吃蔬菜，定时定量。\n" for mark in "？?？"),
        encoding="utf-8",
    )
    table = tables.open_table(tmp_path / "a.csv")
    assert {k: v.tolist() for k, v in findings.look(table, MAPPING, "qa", Cleaning()).items()} == {"duplicate": [2]}
    found = findings.look(table, MAPPING, "qa", Cleaning(near_duplicate=True))
    assert found["near_duplicate"].tolist() == [1]


def test_a_row_is_shown_as_it_will_be_or_with_the_reason(table):
    cleaning = Cleaning(html=True, control=True)
    made = draft.rows(table.columns, ROWS[1:4], MAPPING, "qa", cleaning)
    assert made == [{"question": "怎么办？", "answer": "多喝水，好好休息。"}] * 2 + ["empty"]
    assert len(draft.sampled(table, MAPPING, "qa", cleaning)) == 6


def test_a_sample_is_spread_over_the_table(tmp_path):
    (tmp_path / "a.csv").write_text("question,answer\n" + "".join(f"q{i},a{i}\n" for i in range(5000)))
    made = draft.sampled(tables.open_table(tmp_path / "a.csv"), MAPPING, "qa", Cleaning(), most=100)
    numbers = [int(row["question"][1:]) for row in made]
    assert len(made) == 100 and numbers[0] == 0 and numbers[-1] == 4999 and numbers == sorted(set(numbers))


def test_several_files_as_one_table(tmp_path):
    (tmp_path / "a.csv").write_text("question,answer\nq1,a1\n")
    (tmp_path / "b.jsonl").write_text('{"answer": "a2", "question": "q2", "extra": "x"}\n')
    table = tables.open_tables([tmp_path / "a.csv", tmp_path / "b.jsonl"])
    assert table.columns == ["question", "answer", "extra"]
    assert table.page().rows == [["q1", "a1", ""], ["q2", "a2", "x"]]
    assert tables.look(table)["mapping"] == MAPPING
    (tmp_path / "b.jsonl").write_text('{"answer": "a3", "question": "q3"}\n')
    assert tables.open_tables([tmp_path / "a.csv", tmp_path / "b.jsonl"]).page().rows[1] == ["q3", "a3"]
    with pytest.raises(BadMapping):
        table.page(sort="nothing")
