"""Data sets in the workspace: listed, found, read by row, renamed, deleted; their lengths and card."""

import json

import pytest

from engine import home
from engine.data import card, convert, datasets, lengths, tables
from engine.data.formats import examples
from engine.errors import Exists, NotATable, NotFound, TuneDeskError


@pytest.fixture
def made(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text(
        "question,answer\n" + "".join(f"问题{i}？,{'答' * (i + 1)}\n" for i in range(20)), encoding="utf-8"
    )
    convert.convert(source, datasets.place("我的数据"), train=15, val=5)
    return datasets.find("我的数据")


def test_listed_and_found(made, tmp_path):
    (listed,) = datasets.data_sets()
    assert (listed.name, listed.format, listed.train, listed.val, listed.demo) == ("我的数据", "qa", 15, 5, False)
    assert listed.bytes > 1000 and datasets.find(made) == made and datasets.load(made) == listed
    with pytest.raises(NotFound, match="nothing"):
        datasets.find("nothing")


def test_renamed_and_deleted(made):
    with pytest.raises(Exists):
        datasets.rename("我的数据", "我的数据")
    for bad in ("../out", "a/b", "", " ", ".hidden", "a:b"):
        with pytest.raises(TuneDeskError):
            datasets.rename("我的数据", bad)
    datasets.rename("我的数据", "new name")
    assert [each.name for each in datasets.data_sets()] == ["new name"]
    datasets.delete("new name")
    assert datasets.data_sets() == [] and home.folder("data").is_dir()
    with pytest.raises(NotFound):
        datasets.delete("new name")


def test_rows_from_any_place(made, tmp_path):
    rows = datasets.rows(made / "train.json")
    assert len(rows) == 15 and rows[14] == json.loads((made / "train.json").read_text().splitlines()[14])
    hand = tmp_path / "hand.json"
    hand.write_text('{"a": 1}\n\n{"a": 2}\n\n\n{"a": 3}')
    assert [row["a"] for row in datasets.rows(hand)] == [1, 2, 3]
    hand.write_bytes(b'\r\n{"a": 1}\r\n\r\n{"a": 2}\r\n\r\n')
    assert [row["a"] for row in datasets.rows(hand)] == [1, 2]
    hand.write_text('{"a": 1}\n[2]\n')
    with pytest.raises(NotATable, match="line 2"):
        datasets.rows(hand)[1]
    hand.write_text("")
    assert len(datasets.rows(hand)) == 0


def test_folder_of_somebody_else(tmp_path):
    (tmp_path / "train.json").write_text('{"messages": [{"role": "user", "content": "q"}]}\n')
    assert datasets.load(tmp_path).format == "messages"
    (tmp_path / "train.json").write_text('{"something": "else"}\n')
    with pytest.raises(NotATable, match="known forms"):
        datasets.load(tmp_path)


def test_a_folder_of_somebody_else_hides_no_other(made):
    other = home.folder("data") / "other"
    other.mkdir()
    (other / "train.json").write_text('{"something": "else"}\n')
    assert [each.name for each in datasets.data_sets()] == ["我的数据"]
    (other / "train.json").write_text('{"question": "q", "answer": "a"}\n')
    for report in ('{"format": "q', "[]", '{"their": "own"}'):
        (other / "report.json").write_text(report)
        assert {each.name: each.train for each in datasets.data_sets()} == {"我的数据": 15, "other": 1}


def test_examples():
    row = {"instruction": "译", "input": "猫", "output": "cat", "system": "s", "history": [["a", "b"]]}
    assert [(m["role"], m["content"]) for m in examples(row, "alpaca")] == [
        ("system", "s"),
        ("user", "a"),
        ("assistant", "b"),
        ("user", "译\n猫"),
        ("assistant", "cat"),
    ]


def test_lengths(made, tmp_path):
    told = lengths.characters(datasets.rows(made / "train.json"), "qa")
    assert list(told) == ["question", "answer"] and told["answer"]["rows"] == 15
    assert sum(told["answer"]["counts"]) == 15 and told["answer"]["max"] <= 20
    cut = lengths.histogram([1, 2, 3, 10], limit=3)
    assert cut["over"] == 0.25 and cut["median"] == 2 and sum(cut["counts"]) == 4
    assert lengths.histogram([])["rows"] == 0


def test_columns_at_a_glance(tmp_path):
    (tmp_path / "a.csv").write_text("question,n\n问,1\n问题,2\n,3\n", encoding="utf-8")
    told = lengths.columns(tables.open_table(tmp_path / "a.csv"))
    assert told["rows"] == 3
    assert told["columns"][0] | {"filled": 0} == {"name": "question", "filled": 0, "distinct": 2, "numbers": 0.0, "mean": 1.5, "max": 2, "example": "问"}  # fmt: skip
    assert told["columns"][1]["numbers"] == 1.0


def test_a_data_set_on_its_way_is_not_listed(made):
    with home.new_folder(datasets.place("on its way")) as folder:
        (folder / "train.json").write_text('{"question": "q", "answer": "a"}\n')
        (folder / "report.json").write_text('{"format": "q')
        assert [each.name for each in datasets.data_sets()] == ["我的数据"]


def test_card_names_source_and_counts(made):
    written = (made / "README.md").read_text(encoding="utf-8")
    report = json.loads((made / "report.json").read_text())
    assert report["sources"][0]["sha256"] in written and "训练行数: 15" in written and "Training rows: 15" in written
    assert "- Cleaning: Drop empty rows; Drop duplicates\n" in written


def test_card_names_the_switches_that_were_on(made):
    report = json.loads((made / "report.json").read_text())
    report["settings"]["cleaning"] |= {"duplicate": False, "short": True, "long": "cut", "max_chars": 90}
    said = dict(card.facts(report, "en"))["Cleaning"]
    assert said == "Drop empty rows; Long rows: Cut at the limit (90); Drop short answers (5)"
