"""Every nasty file gives the right table, or one sentence that names the place."""

import openpyxl
import pytest

from engine.data import tables
from engine.errors import NotATable, NotFound
from tests.engine.data import nasty


@pytest.mark.parametrize("case", nasty.CASES, ids=lambda case: case.name)
def test_nasty_file(case, tmp_path):
    path = tmp_path / case.name
    case.make(path)
    if case.says:
        with pytest.raises(NotATable) as caught:
            rows_of(tables.open_table(path))
        for lang in ("en", "zh"):
            sentence = caught.value.text(lang)
            assert "\n" not in sentence and len(sentence) < 400
        assert case.says in caught.value.text("en")
        assert case.name in caught.value.text("en")
        return
    table = tables.open_table(path)
    rows = rows_of(table)
    assert table.columns == case.columns
    assert rows == case.rows
    if case.encoding:
        assert table.encoding == case.encoding
    assert tables.inspect(path)["rows"] == len(case.rows)


def rows_of(table):
    return [row for block in table.blocks() for row in block.rows]


def test_there_are_forty():
    assert len(nasty.CASES) >= 40


def test_no_such_file(tmp_path):
    with pytest.raises(NotFound, match=r"missing\.csv"):
        tables.open_table(tmp_path / "missing.csv")
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "missing.csv")
    with pytest.raises(NotFound):
        tables.open_table(tmp_path / "dangling.csv")


def test_folder_is_no_table(tmp_path):
    with pytest.raises(NotATable, match="folder"):
        tables.open_table(tmp_path)


def test_unknown_encoding(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(NotATable, match="klingon"):
        tables.open_table(tmp_path / "a.csv", encoding="klingon")


def test_what_was_found_can_be_said_otherwise(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("question,answer\n'a;b',c\n", encoding="utf-8")
    assert rows_of(tables.open_table(path)) == [["'a;b'", "c"]]
    headless = tables.open_table(path, header=False)
    assert headless.columns == ["column_1", "column_2"] and len(rows_of(headless)) == 2
    assert rows_of(tables.open_table(path, delimiter=";", header=False)) == [["question,answer", ""], ["'a", "b',c"]]
    assert rows_of(tables.open_table(path, quote="'")) == [["a;b", "c"]]
    path.write_text('question,answer\n"q","a"\n', encoding="utf-8")
    plain = tables.open_table(path, quote="")
    assert rows_of(plain) == [['"q"', '"a"']] and plain.quote is None
    with pytest.raises(NotATable, match="both"):
        tables.open_table(path, delimiter='"')
    # What is kept of one way of reading is not given for another.
    assert plain.key() != tables.open_table(path).key()


def test_a_spreadsheet_with_a_header_or_without(tmp_path):
    book = openpyxl.Workbook()
    for row in (["question", "answer"], ["q", "a"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert rows_of(tables.open_table(tmp_path / "a.xlsx")) == [["q", "a"]]
    told = tables.Told(header=False)
    assert rows_of(tables.open_tables([tmp_path / "a.xlsx"], told)) == [["question", "answer"], ["q", "a"]]
    assert tables.inspect(tmp_path / "a.xlsx", told)["header"] is False
