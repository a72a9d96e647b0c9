"""Any file a person has, as a table of text: format, encoding and layout are found, cells are given exactly.

It knows nothing of what is in each format (their readers do), nor how rows are read (`table`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engine import home
from engine.data import archives, dialects, encodings, formats, json_rows, kinds, parquet, plaintext, sheets, spool
from engine.data.delimited import DelimitedFile, Dialect, keeps_line_ends
from engine.data.spool import Found, Reader
from engine.data.table import Table
from engine.errors import NotATable, NotFound
from engine.words import Words

FILE = Words("file", "文件")
_HEAD = 1 << 18  # bytes from which dialect, header and mapping are judged


class Told(NamedTuple):
    """What the caller knows of how a file is to be read; None: it is found."""

    encoding: str | None = None  # of text
    delimiter: str | None = None  # of delimited text
    header: bool | None = None  # whether the first row names the columns, in delimited text and spreadsheets
    quote: str | None = None  # of delimited text; "": a quote is a character like others


def open_table(
    path: Path | str,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    quote: str | None = None,
) -> Table:
    """The table in the file `path`; the rest is as in `Told`.

    Raises:
        NotFound: there is no such file.
        NotATable: it cannot be read as a table, and why, with the place.
    """
    path = home.typed(path).absolute()
    if not path.exists():
        hint = Words("Check the path.", "请检查路径。")
        raise NotFound(kind=FILE, name=str(path), hint=hint)
    if not path.is_file():
        raise _refuse(path, "it is a folder or a device, not a file", "它是文件夹或设备，不是文件")
    if path.stat().st_size == 0:
        raise _refuse(path, "it is empty", "它是空文件")
    table = _opened(path, path.suffix.lower(), Told(encoding, delimiter, header, quote))
    table.path = path
    return table


def open_tables(paths: list[Path], told: Told = Told()) -> Table:  # noqa: B008 - it cannot be changed
    """The table in one file, or the tables in several as one: one below the other, columns matched by name.

    Raises:
        NotFound, NotATable: as `open_table`.
    """
    opened = [open_table(path, *told) for path in paths]
    if len(opened) == 1:
        return opened[0]
    table = _joined(paths[0], opened)
    table.notes.insert(0, Words(f"{len(paths)} files, one below the other.", f"{len(paths)} 个文件，依次上下相接。"))
    return table


def _opened(path: Path, suffix: str, told: Told) -> Table:
    kind = kinds.find(path)
    if kind is kinds.BINARY and told.encoding:
        kind = "text"  # whoever names its encoding says that it is text
    if isinstance(kind, Words):
        raise _refuse(path, f"it is {kind.en}", f"它是{kind.zh}")
    if kind == "text":
        return _text(path, suffix, told)
    if kind in ("zip", "gz"):
        return _archive(path, kind, told)
    if kind == "parquet":
        return _spooled(path, parquet.read, Found(kind))
    readers = {"xlsx": sheets.read_xlsx, "xls": sheets.read_xls}
    return _spooled(path, readers[kind], Found(kind, header=told.header), told.header)


def _spooled(path: Path, reader: Reader, found: Found, *how: object) -> Table:
    source, found = spool.rows_of(path, reader, found, found.encoding, *how)
    return Table(
        path,
        found.format,
        source,
        found.columns,
        found.encoding,
        None,
        found.header,
        found.layout,
        found.notes,
        found.problems,
    )


def _archive(path: Path, kind: str, told: Told) -> Table:
    inside = []
    for name, place in archives.unpacked(path, kind):
        if kinds.find(place) in ("zip", "gz"):
            raise _refuse(path, f"'{name}' in it is an archive again", f"其中的“{name}”又是一个压缩包")
        if place.stat().st_size:
            inside.append((name, place))
    if not inside:
        raise _refuse(path, "the files in it are empty", "其中的文件都是空的")
    opened = []
    for name, place in inside:
        try:
            opened.append(_opened(place, Path(name).suffix.lower(), told))
        except NotATable as error:
            raise NotATable(file=f"{path.name}/{name}", reason=error.details["reason"]) from error
    names = [name for name, _ in inside]
    note = Words(f"Out of the archive: {', '.join(names)}.", f"来自压缩包中的：{'、'.join(names)}。")
    table = opened[0] if len(opened) == 1 else _joined(path, opened)
    table.notes.insert(0, note)
    return table


def _joined(path: Path, opened: list[Table]) -> Table:
    """Several tables one below the other, their columns matched by name."""

    def read(_path: Path, found: Found) -> Iterator[list[str]]:
        found.columns = list(dict.fromkeys(name for table in opened for name in table.columns))
        for table in opened:
            places = {name: i for i, name in enumerate(table.columns)}
            order = [places.get(name) for name in found.columns]
            for block in table.blocks():
                yield from ([row[i] if i is not None else "" for i in order] for row in block.rows)

    first = opened[0]
    found = Found(first.format, encoding=first.encoding, header=first.header, layout=first.layout)
    table = _spooled(path, read, found, *(each.key() for each in opened))
    table.notes += [note for each in opened for note in each.notes]
    return table


def _text(path: Path, suffix: str, told: Told) -> Table:
    notes = []
    if told.encoding:
        encoding = encodings.check(told.encoding, path.name)
    else:
        found = encodings.find(path)
        encoding = found.encoding
        notes.append(Words(f"Encoding: {found.note.en}.", f"编码：{found.note.zh}。"))
    with open(path, "rb") as file:
        raw = file.read(_HEAD)
    text = dialects.lines_of(raw.decode(encoding, errors="replace").lstrip("\ufeff"), len(raw) < _HEAD)
    if not text.strip():
        raise _refuse(path, "there are no rows in it", "其中没有任何行")
    if told.delimiter is None and (suffix in (".json", ".jsonl", ".ndjson") or json_rows.looks_like_json(text)):
        table = _spooled(path, json_rows.read, Found("json", encoding=encoding))
    elif told.delimiter is None and suffix not in (".csv", ".tsv") and plaintext.looks_like_blocks(text):
        table = _spooled(path, plaintext.read_blocks, Found("text", encoding=encoding))
    else:
        table = _delimited(path, suffix, text, encoding, told)
    table.notes = notes + table.notes
    return table


_SURE = 0.95  # the share of rows of one width that makes a file of no telling name a table


def _delimited(path: Path, suffix: str, text: str, encoding: str, told: Told) -> Table:
    delimiter, header = told.delimiter, told.header
    if delimiter is None:
        delimiter, share = dialects.find_delimiter(text)
        if suffix not in (".csv", ".tsv") and (share < _SURE or text.count("\n") + text.count("\r") < 2):
            return _spooled(path, plaintext.read_documents, Found("text", encoding=encoding))
        delimiter = delimiter or ","
    quote, escape = dialects.find_quotes(text, delimiter) if told.quote is None else (told.quote or None, None)
    if quote == delimiter:
        raise _refuse(path, f"{quote} cannot both part and quote its cells", f"{quote} 不能既作分隔符又作引号")
    rows = dialects.parsed(text, delimiter, quote, escape)
    if not rows:
        raise _refuse(path, "there are no rows in it", "其中没有任何行")
    if header is None:
        header = dialects.has_header(rows)
    columns = dialects.column_names(rows[0]) if header else dialects.default_names(max(map(len, rows)))
    narrow = path if keeps_line_ends(encoding) else _rewritten(path, encoding)
    source = DelimitedFile(narrow, Dialect(encoding if narrow is path else "utf-8", delimiter, quote, escape))
    format = "tsv" if delimiter == "\t" else "csv"
    return Table(path, format, source, columns, encoding, delimiter, header, quote=quote)


def _rewritten(path: Path, encoding: str) -> Path:
    """The file in UTF-8, in the cache."""

    def fill(place: Path) -> None:
        with (
            open(path, encoding=encoding, errors="replace", newline="") as file,
            open(place / "text", "w", encoding="utf-8", errors="replace", newline="") as out,
        ):
            while part := file.read(1 << 20):
                out.write(part.lstrip("\ufeff") if out.tell() == 0 else part)

    return spool.filled(spool.stamp(path, "utf-8", encoding), fill) / "text"


def inspect(path: Path | str, told: Told = Told()) -> dict:  # noqa: B008 - it cannot be changed
    """`look` into the file `path`.

    Raises:
        NotFound, NotATable: as `open_table`.
    """
    return look(open_table(path, *told))


def look(table: Table) -> dict:
    """What is in a table, at a glance: the keys `format`, `encoding`, `delimiter`, `rows`, `columns`, `mapping`,
    `problems`, and `rows_exact` (False: `rows` is an estimate), `header`, `quote`, `layout`, `suits` (the form of data
    set), `notes`.

    `problems` and `notes` are lists of `{"en", "zh"}`. A large file is judged by its front.
    """
    rows, exact = table.count()
    mapping = table.suggest()
    problems = [*table.problems, *_mended(table)]
    if not rows:
        problems.append(Words("There is a header, but no row below it.", "只有表头，没有数据行。"))
    elif not mapping:
        problems.append(
            Words(
                "No column looks like a question or an answer; choose them yourself.",
                "没有哪一列像是问题或回答，请自行指定。",
            )
        )
    notes = list(table.notes)
    if not exact:
        notes.append(
            Words(f"About {rows:,} rows, judged by the front of the file.", f"约 {rows:,} 行（根据文件开头估算）。")
        )
    if not table.header and table.delimiter:
        notes.append(Words("There is no header row.", "没有表头。"))
    return {
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "rows": rows,
        "rows_exact": exact,
        "columns": table.columns,
        "header": table.header,
        "quote": table.quote,
        "layout": table.layout or _layout(mapping, table.columns),
        "suits": formats.suggest(mapping),
        "mapping": mapping,
        "problems": [words._asdict() for words in problems],
        "notes": [words._asdict() for words in notes],
    }


_LOOKED = 1 << 22  # bytes from the front in which `inspect` looks for what has to be mended


def _mended(table: Table) -> list[Words]:
    fresh = table.fresh()
    for block in fresh.blocks():
        if block.end > _LOOKED:
            break
    return fresh.mended()


def _layout(mapping: dict[str, str], columns: list[str]) -> str | None:
    """The name of a well-known layout."""
    if "messages" in mapping:
        return "sharegpt" if mapping["messages"].lower().startswith("conversation") else "messages"
    if {"chosen", "rejected"} <= mapping.keys():
        return "preference"
    if "label" in mapping:
        return "thumbs"
    if {"instruction", "output"} <= set(columns):
        return "alpaca"
    return {"question": "qa", "text": "text"}.get(next(iter(mapping), ""))


def _refuse(path: Path, en: str, zh: str) -> NotATable:
    return NotATable(file=path.name, reason=Words(en, zh))
