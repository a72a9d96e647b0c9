"""Every nasty file gives the right table, or one sentence that names the place."""

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
