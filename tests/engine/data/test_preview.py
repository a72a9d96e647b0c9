"""Pages of a table: exact text from any place, searched and sorted."""

import csv
import errno
import random

import numpy as np
import pytest

from engine.data import preview, tables
from engine.errors import BadMapping, DiskFull


@pytest.fixture
def rows():
    made = random.Random(3)
    return [
        [str(i), f"问题{made.randint(0, 99999)}", "行\n" * made.randint(0, 3) + f"回答 <b>{i * 7 % 1000}</b>"]
        for i in range(6000)
    ]


@pytest.fixture(params=["utf-8", "gb18030", "utf-16", "jsonl"])
def table(request, rows, tmp_path):
    if request.param == "jsonl":
        import json

        records = (dict(zip(("number", "question", "answer"), row, strict=True)) for row in rows)
        (tmp_path / "t.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
        return tables.open_table(tmp_path / "t.jsonl")
    with open(tmp_path / "t.csv", "w", encoding=request.param, newline="") as file:
        csv.writer(file).writerows([["number", "question", "answer"], *rows])
    return tables.open_table(tmp_path / "t.csv")


def test_every_page(table, rows):
    for start in (0, 1, 49, 2999, 5990, 6000, 7000):
        assert table.page(start, 50)[:2] == (rows[start : start + 50], 6000)


def test_the_large_file_is_counted_when_somebody_looks_behind_its_front(table, rows, monkeypatch):
    monkeypatch.setattr(preview, "_COUNTED", 1000)
    monkeypatch.setattr(preview, "_FRONT", 10_000)
    about, exact = table.count()
    assert not exact and abs(about - 6000) < 1500
    found, total, _ = table.page(0, 50)
    assert found == rows[:50] and abs(total - 6000) < 1500
    assert table.page(5000, 50)[:2] == (rows[5000:5050], 6000)
    assert table.count() == (6000, True)


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    table = tables.open_table(tmp_path / "a.csv")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull):
        table.count()
    assert not list(preview.place(table, "index").parent.iterdir())


def test_search(table, rows):
    wanted = [row for row in rows if any("<B>77" in cell.upper() for cell in row)]
    assert table.page(0, 10_000, search="<b>77")[:2] == (wanted, len(wanted))
    assert table.page(0, 10, search="nowhere at all") == ([], 0, [])


def test_sort(table, rows):
    by_text = sorted(rows, key=lambda row: row[1])
    assert table.page(100, 50, sort="question")[:2] == (by_text[100:150], 6000)
    by_number = sorted(rows, key=lambda row: -int(row[0]))
    assert table.page(0, 50, sort="number", descending=True)[0] == by_number[:50]
    wanted = [row for row in by_text if "<b>77" in row[2]]
    assert table.page(0, 99, search="<b>77", sort="question")[0] == wanted
    with pytest.raises(BadMapping, match="nothing"):
        table.page(sort="nothing")


def test_rows_keep_their_numbers(table, rows):
    few = np.array([3, 77, 5999])
    assert table.page(1, 2, among=few) == ([rows[77], rows[5999]], 3, [77, 5999])
    assert table.page(0, 9, among=few, sort="number", descending=True).numbers == [5999, 77, 3]
    assert table.page(0, 9, among=few, search=rows[77][1]).numbers == [77]
    assert table.page(0, 9, search="<b>77").numbers[0] == next(i for i, row in enumerate(rows) if "<b>77" in row[2])


def test_a_block_is_the_same_from_wherever_it_is_read(table):
    blocks = list(table.blocks())
    assert len(blocks) > 1
    for block in blocks[1:]:
        again = next(table.blocks(block.start, block.row))
        assert (again.end, again.row, again.rows) == (block.end, block.row, block.rows)


def test_a_changed_file_is_read_anew(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("question,answer\nq1,a1\n")
    assert tables.open_table(path).page()[1] == 1
    path.write_text("question,answer\nq1,a1\nq2,a2\n")
    assert tables.open_table(path).page() == ([["q1", "a1"], ["q2", "a2"]], 2, [0, 1])


def test_index_is_small(table):
    assert preview._index(table).dtype == np.int64
