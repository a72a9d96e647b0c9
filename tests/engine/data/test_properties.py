"""Arbitrary text, written in every format and encoding, is read back equal; natural text is found out unaided."""

import csv
import gzip
import io
import json
import string
import zipfile

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from engine.data import encodings, tables

HEADER = ["first", "second", "third"]
CODECS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "big5", "shift_jis", "latin-1")
quiet = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def cells(codec: str) -> st.SearchStrategy[str]:
    """Text that `codec` can hold and gives back."""
    if codec.startswith("utf") or codec == "gb18030":
        letters = st.characters(exclude_categories=("Cs",), exclude_characters="\x01\x02")
    else:
        there = [chr(i) for i in range(32, 0x10000) if _returns(chr(i), codec)]
        letters = st.sampled_from([*there, "\n", "\r", "\t", '"', ","])
    return st.text(letters, max_size=20)


def _returns(character: str, codec: str) -> bool:
    try:
        return character.encode(codec).decode(codec) == character
    except UnicodeError:
        return False


STRATEGIES = {
    codec: st.lists(st.lists(cells(codec), min_size=3, max_size=3), min_size=1, max_size=8) for codec in CODECS
}


def rows_of(table):
    return [row for block in table.blocks() for row in block.rows]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("codec", CODECS)
def test_delimited(codec, delimiter, tmp_path):
    @quiet
    # csv.writer leaves a lone "\r" without quotes where lines end in "\n": such a file has no one reading.
    @given(
        STRATEGIES[codec],
        st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
    )
    def check(rows, written):
        end, quoting = written
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
        writer.writerows([HEADER, *rows])
        path = tmp_path / "table.csv"
        path.write_bytes(out.getvalue().encode(codec))
        dialect = {"delimiter": delimiter, "header": True, "quote": '"'}
        table = tables.open_table(path, encoding=codec, **dialect)
        assert table.columns == HEADER
        assert rows_of(table) == rows

    check()


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "gb18030"])
def test_json(codec, tmp_path):
    @quiet
    @given(STRATEGIES[codec], st.booleans(), st.sampled_from([None, 2]))
    def check(rows, lines, indent):
        records = [dict(zip(HEADER, row, strict=True)) for row in rows]
        path = tmp_path / "table.json"
        if lines:
            content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        else:
            content = json.dumps(records, ensure_ascii=False, indent=indent)
        path.write_bytes(content.encode(codec))
        table = tables.open_table(path, encoding=codec)
        assert table.columns == HEADER
        assert rows_of(table) == rows

    check()


@pytest.mark.parametrize("packing", ["zip", "gz"])
@quiet
@given(STRATEGIES["gb18030"])
def test_packed(packing, tmp_path, rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, *rows])
    content = out.getvalue().encode("gb18030")
    path = tmp_path / f"table.csv.{packing}"
    if packing == "gz":
        path.write_bytes(gzip.compress(content))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("table.csv", content)
    table = tables.open_table(path, encoding="gb18030", delimiter=",", header=True, quote='"')
    assert table.columns == HEADER
    assert rows_of(table) == rows


@quiet
@given(STRATEGIES["utf-8"])
def test_parquet(tmp_path, rows):
    path = tmp_path / "table.parquet"
    parquet.write_table(
        pa.table({name: list(column) for name, column in zip(HEADER, zip(*rows, strict=True), strict=True)}), path
    )
    table = tables.open_table(path)
    assert table.columns == HEADER
    assert rows_of(table) == rows


sheet_cells = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=20)


@settings(quiet, max_examples=15)
@given(st.lists(st.lists(sheet_cells, min_size=3, max_size=3), min_size=1, max_size=5))
def test_sheet(tmp_path, rows):
    path = tmp_path / "table.xlsx"
    book = openpyxl.Workbook()
    for i, row in enumerate([["question", "answer", "title"], *rows], 1):
        for j, value in enumerate(row, 1):
            cell = book.active.cell(i, j)
            cell.value = value
            cell.data_type = "s"  # text, also where it begins with "="
    book.save(path)
    table = tables.open_table(path)
    assert table.columns == ["question", "answer", "title"]
    assert rows_of(table) == rows


NATURAL = {
    "chinese": (
        ("utf-8", "utf-8-sig", "utf-16", "gb18030"),
        "高血压患者平时要注意控制食盐的摄入量，不要吃太油腻的食物，多吃新鲜的蔬菜和水果，同时保持心情愉快。"
        "如果您最近经常感到头晕，建议先到医院测量血压，在医生的指导下服药，不要自己停药或者换药。"
        "小孩子发烧的时候，家长应该多给他喝水，注意观察体温的变化，超过三十八度五就要考虑使用退烧药。"
        "春天来了，公园里的花都开了，很多人带着家人出来走走，晒晒太阳，呼吸新鲜的空气。",
    ),
    "traditional": (
        ("utf-8", "utf-16", "big5"),
        "高血壓患者平時要注意控制食鹽的攝入量，不要吃太油膩的食物，多吃新鮮的蔬菜和水果，同時保持心情愉快。"
        "如果您最近經常感到頭暈，建議先到醫院測量血壓，在醫生的指導下服藥，不要自己停藥或者換藥。"
        "小孩子發燒的時候，家長應該多給他喝水，注意觀察體溫的變化，春天來了，公園裡的花都開了。",
    ),
    "japanese": (
        ("utf-8", "utf-16", "shift_jis"),
        "血圧が高い人は、毎日の食事で塩の量に気をつけてください。野菜や果物をたくさん食べて、よく眠ることも大切です。"
        "子どもが熱を出したときは、水をたくさん飲ませて、体温の変化をよく見てあげましょう。"
        "春になると公園にはきれいな花が咲き、多くの人が家族と一緒に散歩を楽しみます。",
    ),
    "french": (
        ("utf-8", "utf-16", "latin-1"),
        "Les personnes âgées devraient vérifier régulièrement leur tension et éviter les repas trop salés. "
        "Le médecin a conseillé à la mère de donner beaucoup d'eau à l'enfant fiévreux. "
        "Au printemps, les fleurs s'épanouissent et les gens se promènent près de la rivière, où l'air est léger.",
    ),
    "german": (
        ("utf-8", "latin-1"),
        "Ältere Menschen sollten regelmäßig ihren Blutdruck prüfen und zu salzige Mahlzeiten meiden. "
        "Übermäßiger Stress schadet der Gesundheit, dagegen hilft ein Spaziergang im Grünen am frühen Morgen.",
    ),
}
FOUND_AS = {"latin-1": {"latin-1", "cp1252"}, "utf-8-sig": {"utf-8-sig"}, "shift_jis": {"shift_jis", "cp932"}}


@pytest.mark.parametrize(("language", "codec"), [(k, c) for k, (codecs, _) in NATURAL.items() for c in codecs])
def test_natural_text_is_found_out(language, codec, tmp_path):
    text = NATURAL[language][1]
    marks = ".。" + string.whitespace

    @settings(quiet, max_examples=25)
    @given(st.integers(0, len(text) // 3), st.integers(200, 400), st.sampled_from([",", "\t", ";"]))
    def check(start, length, delimiter):
        piece = (text + text)[start : start + length].strip(marks)
        half = len(piece) // 2
        rows = [[piece[:half], piece[half:]], [piece[half:], piece[:half]]]
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter).writerows([["question", "answer"], *rows])
        path = tmp_path / "table.csv"
        path.write_bytes(out.getvalue().encode(codec))
        found = encodings.find(path).encoding
        assert found in FOUND_AS.get(codec, {codec})
        table = tables.open_table(path)
        assert table.columns == ["question", "answer"]
        assert rows_of(table) == rows

    check()
