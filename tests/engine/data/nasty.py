"""Small files that are hard to read, each with what must come of it: a table, or a sentence that names the place."""

import csv
import datetime
import gzip
import io
import json
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
from pyarrow import parquet

PAIRS = [
    ["高血压患者能吃党参吗？", "高血压病人可以口服党参的，平时注意休息。"],
    ["糖尿病怎么治疗更好？", "饮食要严格注意质和量的掌控，\n建议咨询医生。"],
    ["感冒了，怎么办？", '多喝水，"好好休息"，注意保暖。'],
]
TRADITIONAL = [
    ["高血壓患者能吃黨參嗎？", "高血壓病人可以口服黨參的，平時注意休息。"],
    ["感冒了，應該怎麼辦呢？", "多喝水，好好休息，注意保暖，這樣就會好起來。"],
]
JAPANESE = [
    ["風邪をひいたときはどうすればいいですか。", "水をたくさん飲んで、ゆっくり休んでください。"],
    ["血圧が高いのですが、何を食べたらよいでしょうか。", "野菜を多く食べて、塩を減らしましょう。"],
]
FRENCH = [
    ["Où puis-je trouver un médecin près d'ici ?", "Vous pouvez demander à la réception de l'hôtel."],
    ["Le café est-il mauvais pour la santé ?", "Non, à condition de ne pas dépasser trois tasses."],
]
HEADER = ["question", "answer"]


@dataclass(frozen=True)
class Case:
    """`rows`: what must be read, or `says`: what the refusal must name."""

    name: str
    make: Callable[[Path], None]
    columns: list[str] | None = None
    rows: list[list[str]] | None = None
    encoding: str | None = None
    says: str | None = None


def table(
    rows: list[list[str]], header: list[str] | None = HEADER, encoding="utf-8", **options
) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        out = io.StringIO(newline="")
        writer = csv.writer(out, **options)
        if header:
            writer.writerow(header)
        writer.writerows(rows)
        path.write_bytes(out.getvalue().encode(encoding))

    return make


def raw(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content)


def text(content: str, encoding="utf-8") -> Callable[[Path], None]:
    return raw(content.encode(encoding))


def csv_case(name: str, rows: list[list[str]], encoding: str, found: str | None = None, **options) -> Case:
    return Case(name, table(rows, encoding=encoding, **options), HEADER, rows, found or encoding)


def xlsx(fill: Callable[[openpyxl.Workbook], None]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        book = openpyxl.Workbook()
        fill(book)
        book.save(path)

    return make


def _plain_sheet(book):
    for row in [HEADER, *PAIRS]:
        book.active.append(row)


def _dates(book):
    sheet = book.active
    sheet.append(["when", "share", "code", "amount", "long"])
    sheet.append([datetime.datetime(2024, 3, 9), 0.125, 7, 1.5, "123456789012345678"])
    sheet["A2"].number_format = 'yyyy"年"m"月"d"日"'
    sheet["B2"].number_format = "0.0%"
    sheet["C2"].number_format = "00000"


def _merged(book):
    sheet = book.active
    sheet.append(["department", "question", "answer"])
    sheet.append(["内科", "感冒了怎么办？", "多喝水。"])
    sheet.append([None, "发烧了怎么办？", "量体温，多休息。"])
    sheet.merge_cells("A2:A3")


def _titled(book):
    sheet = book.active
    sheet.append(["门诊问答记录"])
    sheet.append(HEADER)
    for row in PAIRS:
        sheet.append(row)
    sheet.merge_cells("A1:B1")


def _second_sheet(book):
    for row in [HEADER, *PAIRS]:
        book.create_sheet("数据").append(row) if "数据" not in book.sheetnames else book["数据"].append(row)


def formulas(path: Path) -> None:
    """A formula with its stored value, which openpyxl itself does not write."""
    book = openpyxl.Workbook()
    book.active.append(["question", "answer"])
    book.active.append(["一加一等于几？", "=1+1"])
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(
                    b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"
                )
            new.writestr(member, content)


def xls(path: Path) -> None:
    """A BIFF2 worksheet (Excel 2.1), written by hand: a stream of records, strings in the Western code page."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    cells = [["question", "answer"], ["Is coffee good?", "In moderation, yes."], ["Is 0 a number?", "Yes."]]
    out = record(0x0009, struct.pack("<HH", 2, 0x10)) + record(0x0042, struct.pack("<H", 1252))
    out += record(0x0000, struct.pack("<HHHH", 0, len(cells), 0, 2))
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            out += record(0x0004, struct.pack("<HH3sB", i, j, b"\0\0\0", len(cell)) + cell.encode("cp1252"))
    path.write_bytes(out + record(0x000A, b""))


def broken_inside(make: Callable[[Path], None], name: str) -> Callable[[Path], None]:
    """A zip file whose list is whole, but not the packed bytes of the member `name`."""

    def damage(path: Path) -> None:
        make(path)
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(name)
        content = bytearray(path.read_bytes())
        middle = member.header_offset + 30 + len(name) + member.compress_size // 2
        content[middle : middle + 20] = bytes(20 * [0xFF])
        path.write_bytes(content)

    return damage


def renamed(make: Callable[[Path], None], old: bytes, new: bytes) -> Callable[[Path], None]:
    """A zip file with a member's name written otherwise."""

    def change(path: Path) -> None:
        make(path)
        path.write_bytes(path.read_bytes().replace(old, new))

    return change


def packed(how: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", how) as archive:
            archive.writestr("data.csv", _csv_bytes([HEADER, *([f"q{i}", f"a{i}"] for i in range(999))]))

    return make


def zipped(members: dict[str, bytes], link: str | None = None) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")
            for name, content in members.items():
                info = zipfile.ZipInfo(name)
                info.compress_type = zipfile.ZIP_DEFLATED
                if name == link:
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(info, content)

    return make


def bomb(path: Path) -> None:
    """300 MB of zeros in 300 kB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("data.csv", "w") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))


def gz_bomb(path: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    with open(path, "wb") as file:
        for _ in range(300):
            file.write(packer.compress(bytes(1 << 20)))
        file.write(packer.flush())


def link_to_table(path: Path) -> None:
    target = path.with_name("target.csv")
    table(PAIRS)(target)
    path.symlink_to(target)


def parquet_file(path: Path) -> None:
    columns = {"question": [q for q, _ in PAIRS], "answer": [a for _, a in PAIRS], "n": [0, 7, None]}
    parquet.write_table(pa.table(columns), path)


def lines(*values: object) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def _csv_bytes(rows) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


RECORDS = [dict(zip(HEADER, row, strict=True)) for row in PAIRS]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
BROKEN = lines(*[RECORDS[0]] * 16) + b'{"question": "x", "answer": }\n' + lines(RECORDS[1])
MANY = [[str(i * j) for j in range(2000)] for i in range(3)]
KEEP = [
    ["0", "007", "12345678901234567890123", "1.10", "-0", "1e5"],
    ["😀👨‍👩‍👧", "𠮷野家", "㐀䶵", "é", "\u00a0x", "=cmd()|'/c calc'!A1"],
]
KEEP_HEADER = ["a1", "b1", "c1", "d1", "e1", "f1"]
SCRIPT = [["<script>alert(1)</script>", "<b>bold</b>"], ["=cmd()", '+1+cmd|" /C calc"!A0']]

CASES = [
    csv_case("utf8.csv", PAIRS, "utf-8"),
    csv_case("utf8-bom.csv", PAIRS, "utf-8-sig"),
    csv_case("utf16.csv", PAIRS, "utf-16"),
    csv_case("utf16-le-without-mark.csv", PAIRS, "utf-16-le"),
    csv_case("utf16-be-without-mark.csv", PAIRS, "utf-16-be"),
    csv_case("gb18030.csv", [*PAIRS, ["四字节：𠮷 㐀 怎么读？", "这是生僻字，请注意看说明。"]], "gb18030"),
    csv_case("gbk.csv", PAIRS, "gbk", "gb18030"),
    csv_case("big5.csv", TRADITIONAL, "big5"),
    csv_case("shift-jis.csv", JAPANESE, "shift_jis"),
    Case("latin1.csv", table(FRENCH, encoding="latin-1"), HEADER, FRENCH),
    csv_case("tabs.tsv", PAIRS, "utf-8", delimiter="\t"),
    csv_case("semicolons.csv", PAIRS, "utf-8", delimiter=";"),
    csv_case("bars.csv", PAIRS, "utf-8", delimiter="|"),
    csv_case("all-quoted.csv", PAIRS, "utf-8", quoting=csv.QUOTE_ALL),
    csv_case("mac-line-ends.csv", [PAIRS[0], PAIRS[2]], "utf-8", lineterminator="\r"),
    csv_case("unix-line-ends.csv", PAIRS, "utf-8", lineterminator="\n"),
    Case("mixed-line-ends.csv", text("question,answer\r\nq1,a1\nq2,a2\rq3,a3\r\n"), HEADER, [["q1", "a1"], ["q2", "a2"], ["q3", "a3"]]),
    Case("no-header.csv", table(PAIRS, header=None), ["column_1", "column_2"], PAIRS),
    Case("greeting-first.csv", table([["你好", "您好"], *PAIRS], header=None), ["column_1", "column_2"], [["你好", "您好"], *PAIRS]),
    Case("blank-lines.csv", text("question,answer\n\nq1,a1\n\n\nq2,a2\n\n"), HEADER, [["q1", "a1"], ["q2", "a2"]]),
    Case("ragged-long.csv", text("question,answer\nq1,a, b, c\nq2,a2\nq3,a3\n"), HEADER, [["q1", "a, b, c"], ["q2", "a2"], ["q3", "a3"]]),
    Case("ragged-short.csv", text("question,answer\nq1\nq2,a2\nq3,a3\n"), HEADER, [["q1", ""], ["q2", "a2"], ["q3", "a3"]]),
    Case("nul-bytes.csv", text("question,answer\nq\x001,a1\nq2,a2\n"), HEADER, [["q\x001", "a1"], ["q2", "a2"]]),
    Case("scripts.csv", table(SCRIPT), HEADER, SCRIPT),
    Case("exact-values.csv", table(KEEP, KEEP_HEADER), KEEP_HEADER, KEEP),
    Case("exact-values-gb18030.csv", table(KEEP, KEEP_HEADER, "gb18030"), KEEP_HEADER, KEEP),
    Case("doubled-names.csv", text("a,a,,a\nx,1,2,3\ny,4,5,6\n"), ["a", "a (2)", "column_3", "a (3)"], [["x", "1", "2", "3"], ["y", "4", "5", "6"]]),
    Case("two-thousand-columns.csv", table(MANY, [f"c{j}" for j in range(2000)]), [f"c{j}" for j in range(2000)], MANY),
    Case("one-column.csv", table([[a] for _, a in PAIRS], ["text"]), ["text"], [[a] for _, a in PAIRS]),
    Case("only-header.csv", text("question,answer\n"), HEADER, []),
    Case("big-cell.csv", table([["q", "长" * 3_500_000]]), HEADER, [["q", "长" * 3_500_000]]),
    Case("symbolic-link.csv", link_to_table, HEADER, PAIRS),
    Case("array.json", text(json.dumps(RECORDS, indent=2, ensure_ascii=False)), HEADER, PAIRS),
    Case("lines.jsonl", raw(lines(*RECORDS)), HEADER, PAIRS),
    Case("nested.json", text(json.dumps({"version": 1, "data": {"rows": RECORDS}})), HEADER, PAIRS),
    Case("columns.json", text(json.dumps({"question": [q for q, _ in PAIRS], "answer": [a for _, a in PAIRS]})), HEADER, PAIRS),
    Case("gb18030.json", text(json.dumps(RECORDS, ensure_ascii=False), "gb18030"), HEADER, PAIRS, "gb18030"),
    Case("numbers.json", text('[{"n": 0, "long": 123456789012345678901, "f": 1.10, "e": null, "b": true, "in": {"x": [1.50]}}]'), ["n", "long", "f", "e", "b", "in"], [["0", "123456789012345678901", "1.10", "", "true", '{"x": [1.50]}']]),
    Case("plain.xlsx", xlsx(_plain_sheet), HEADER, PAIRS),
    Case("dates.xlsx", xlsx(_dates), ["when", "share", "code", "amount", "long"], [["2024年3月9日", "12.5%", "00007", "1.5", "123456789012345678"]]),
    Case("merged.xlsx", xlsx(_merged), ["department", "question", "answer"], [["内科", "感冒了怎么办？", "多喝水。"], ["内科", "发烧了怎么办？", "量体温，多休息。"]]),
    Case("titled.xlsx", xlsx(_titled), HEADER, PAIRS),
    Case("second-sheet.xlsx", xlsx(_second_sheet), HEADER, PAIRS),
    Case("formulas.xlsx", formulas, HEADER, [["一加一等于几？", "2"]]),
    Case("old.xls", xls, HEADER, [["Is coffee good?", "In moderation, yes."], ["Is 0 a number?", "Yes."]]),
    Case("table.parquet", parquet_file, ["question", "answer", "n"], [[*PAIRS[0], "0"], [*PAIRS[1], "7"], [*PAIRS[2], ""]]),
    Case("one.zip", zipped({"data.csv": _csv_bytes([HEADER, *PAIRS])}), HEADER, PAIRS),
    Case("two.zip", zipped({"a.csv": _csv_bytes([HEADER, PAIRS[0]]), "b.jsonl": lines(*RECORDS[1:])}), HEADER, PAIRS),
    Case("two-lines.zip", zipped({"a\rb\nc.csv": _csv_bytes([HEADER, *PAIRS])}), HEADER, PAIRS),
    Case("packed.csv.gz", lambda path: path.write_bytes(gzip.compress(_csv_bytes([HEADER, *PAIRS]))), HEADER, PAIRS),
    Case("blocks.txt", text("问题一？\n回答一。\n\n\n问题二，\n第二行？\n回答二。\n\n\n\n问题三？\n\n回答三。\n"), HEADER, [["问题一？", "回答一。"], ["问题二，\n第二行？", "回答二。"], ["问题三？", "回答三。"]]),
    Case("documents.txt", text("第一段，第一行。\n第二行。\n\n第二段。\n"), ["text"], [["第一段，第一行。\n第二行。"], ["第二段。"]]),
    Case("wrong-name.xlsx", table(PAIRS), HEADER, PAIRS),
    # And what is refused.
    Case("empty.csv", raw(b""), says="empty"),
    Case("blank.csv", raw(b"\n \n\n"), says="no rows"),
    Case("image.csv", raw(PNG), says="PNG"),
    Case("binary.csv", raw(bytes(range(256)) * 40), says="binary"),
    Case("pickle.csv", raw(b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00]\x94."), says="pickle"),
    Case("broken-line-17.jsonl", raw(BROKEN), says="line 17"),
    Case("broken.json", text('[\n {"question": "q", "answer": "a"},\n {"question": "q" "answer"}\n]'), says="line 3"),
    Case("cut-off.json", text('[{"question": "q", "answer": "a"}, {"question": "q"'), says="line 1"),
    Case("deep.json", text("[" * 100_000 + "]" * 100_000), says="deep"),
    Case("damaged.xlsx", zipped({"xl/workbook.xml": b"<not xml"}), says="damaged"),
    Case("broken-sheet.xlsx", broken_inside(xlsx(_plain_sheet), "xl/worksheets/sheet1.xml"), says="damaged"),
    *(
        Case(f"broken-{how}.zip", broken_inside(packed(how), "data.csv"), says="damaged")
        for how in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    ),
    Case("name.zip", renamed(zipped({"é.csv": b"a,b\n1,2\n"}), "é".encode(), b"\xff\xff"), says="zip"),
    Case("damaged.zip", raw(b"PK\x03\x04 this is not a zip archive"), says="zip"),
    Case("damaged.csv.gz", raw(gzip.compress(b"question,answer\n" * 99)[:40]), says="gz"),
    Case("damaged.parquet", raw(b"PAR1 and nothing more PAR1"), says="Parquet"),
    Case("empty-sheet.xlsx", xlsx(lambda book: None), says="filled cells"),
    Case("bomb.zip", bomb, says="unpack to"),
    Case("bomb.csv.gz", gz_bomb, says="unpack to"),
    Case("leads-out.zip", zipped({"../../evil.csv": b"question,answer\nq,a\n"}), says="../../evil.csv"),
    Case("absolute.zip", zipped({"/etc/evil.csv": b"question,answer\nq,a\n"}), says="/etc/evil.csv"),
    Case("link-inside.zip", zipped({"data.csv": b"/etc/passwd"}, link="data.csv"), says="link"),
    Case("zip-in-zip.zip", zipped({"inner.zip": b"PK\x05\x06" + bytes(18)}), says="archive"),
    Case("nothing-inside.zip", zipped({}), says="no file"),
    Case("open-quote.csv", text('question,answer\nq1,"a1\n' + "q,a\n" * 40), HEADER, [["q1", '"a1'], *[["q", "a"]] * 40]),
]  # fmt: skip
