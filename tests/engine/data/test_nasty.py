"""Every nasty file gives the right table, or one sentence that names the place."""

import os

import openpyxl
import pytest

from engine.data import convert, spool, tables
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


@pytest.mark.parametrize("name", ["klingon", "undefined", "idna", "rot13", "utf-8\0"])
def test_unknown_encoding(tmp_path, name):
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(NotATable, match=name):
        tables.open_table(tmp_path / "a.csv", encoding=name)


def test_names_out_of_a_zip_made_on_chinese_windows(tmp_path):
    nasty.renamed(nasty.zipped({"xxxx.csv": b"question,answer\nq,a\n"}), b"xxxx", "数据".encode("gbk"))(
        tmp_path / "a.zip"
    )
    assert "数据.csv" in tables.open_table(tmp_path / "a.zip").notes[0].zh


def test_more_files_than_the_cache_keeps(tmp_path):
    """What belongs to one table is not forgotten while the rest of it is opened."""
    paths = [tmp_path / f"{i}.jsonl" for i in range(spool._KEPT + 5)]
    for i, path in enumerate(paths):
        path.write_bytes(nasty.lines({"question": f"q{i}", "answer": "a"}))
    assert tables.open_tables(paths).count() == (len(paths), True)
    nasty.zipped({path.name: path.read_bytes() for path in paths})(tmp_path / "all.zip")
    assert tables.open_table(tmp_path / "all.zip").count() == (len(paths), True)
    assert convert.convert(paths, tmp_path / "out")["input_rows"] == len(paths)
    # Later it is.
    for folder in spool.folder().iterdir():
        os.utime(folder, (0, 0))
    (tmp_path / "new.jsonl").write_bytes(nasty.lines({"question": "q", "answer": "a"}))
    tables.open_table(tmp_path / "new.jsonl")
    assert len(list(spool.folder().iterdir())) == spool._KEPT


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
