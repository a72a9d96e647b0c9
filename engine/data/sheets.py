"""Rows out of Excel files: cells as a person sees them. A formula gives the value that was stored with it, a date the
text in which it is shown, a number its digits.
"""

import datetime
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from engine.data import dialects
from engine.data.spool import Found
from engine.errors import NotATable
from engine.words import Words

# How zipfile, zlib, the parser of XML and openpyxl say it.
_DAMAGED = (
    KeyError,
    ValueError,
    TypeError,
    SyntaxError,
    EOFError,
    NotImplementedError,
    zlib.error,
    zipfile.BadZipFile,
)
_EMPTY = Words("there are no filled cells in it", "其中没有任何有内容的单元格")


def read_xlsx(path: Path, found: Found) -> Iterator[list[str]]:
    """The rows of the first filled sheet.

    Raises:
        NotATable: damaged, or nothing in it.
    """
    import openpyxl

    with warnings.catch_warnings(), open(path, "rb") as file:
        warnings.simplefilter("ignore")  # of styles and extensions that a table does not need
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            for sheet in book.worksheets:
                sheet.reset_dimensions()
                rows = _filled(_shown_rows(sheet), _merges(path, sheet))
                first = next(rows, None)
                if first is None:
                    continue
                _note_sheets(found, sheet.title, [each.title for each in book.worksheets])
                yield from _headed(first, rows, found)
                return
        except _DAMAGED as error:
            raise _damaged(path, error) from error
    raise NotATable(file=path.name, reason=_EMPTY)


def _damaged(path: Path, error: Exception) -> NotATable:
    reason = Words(
        f"the Excel file is damaged ({error}); open it in Excel and save it again",
        f"Excel 文件已损坏（{error}），请在 Excel 中打开后重新保存",
    )
    return NotATable(file=path.name, reason=reason)


def _note_sheets(found: Found, used: str, names: list[str]) -> None:
    if len(names) > 1:
        en, zh = ", ".join(names), "、".join(names)
        found.notes.append(Words(f"Sheet '{used}' of {en}.", f"取用了工作表“{used}”（共有：{zh}）。"))


def _headed(first: list[str], rows: Iterator[list[str]], found: Found) -> Iterator[list[str]]:
    """Set the columns' names from `first` and what follows, and give the rows of data."""
    ahead = [first]
    for row in rows:
        ahead.append(row)
        if len(ahead) > 200:
            break
    # A title above the table stands alone in its row.
    while len(ahead) > 2 and sum(map(bool, ahead[0])) == 1 and sum(map(bool, ahead[1])) > 1:
        title = next(filter(None, ahead.pop(0)))
        found.notes.append(
            Words(f"The title '{title}' above the table is left out.", f"略过了表格上方的标题“{title}”。")
        )
    width = max(map(len, ahead))
    if found.header is None:
        found.header = dialects.has_header(ahead)
    names = [*ahead[0], *[""] * (width - len(ahead[0]))] if found.header else []
    found.columns = dialects.column_names(names) if names else dialects.default_names(width)
    yield from ahead[1:] if found.header else ahead
    yield from rows


def _filled(rows: Iterator[list[str]], merges: list[tuple[int, int, int]]) -> Iterator[list[str]]:
    """Rows without those that are empty; a cell merged over several rows has its text in each of them."""
    held: dict[tuple[int, int, int], str] = {}
    for number, row in enumerate(rows, 1):
        for merge in merges:
            column, top, bottom = merge
            if number == top and column < len(row):
                held[merge] = row[column]
            elif top < number <= bottom and merge in held:
                row += [""] * (column + 1 - len(row))
                row[column] = held[merge]
        while row and not row[-1]:
            row.pop()
        if row:
            yield row


_MERGE = re.compile(rb'<mergeCell ref="([A-Z]+)(\d+):[A-Z]+(\d+)"')
_MOST_MERGES = 1000


def _merges(path: Path, sheet) -> list[tuple[int, int, int]]:
    """Merged cells that span several rows, as (column from 0, first row, last row from 1).

    openpyxl does not tell them while it streams; they stand behind the cells in the sheet's XML.
    """
    from openpyxl.utils import column_index_from_string

    tail = b""
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as xml:
        while part := xml.read(1 << 20):
            at = part.find(b"<mergeCells")
            if tail or at >= 0:
                tail += part if tail else part[at:]
            if len(tail) > 1 << 22:
                break
    spans = [(column_index_from_string(c.decode()) - 1, int(a), int(b)) for c, a, b in _MERGE.findall(tail)]
    return [span for span in spans if span[1] < span[2]][:_MOST_MERGES]


def _shown_rows(sheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [shown(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]


def read_xls(path: Path, found: Found) -> Iterator[list[str]]:
    """As `read_xlsx`, for the format of Excel 97 and before."""
    import xlrd

    try:
        book = xlrd.open_workbook(path, formatting_info=True, logfile=io.StringIO())
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, AssertionError, IndexError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error
    for sheet in book.sheets():
        merges = [(left, top + 1, bottom) for top, bottom, left, _ in sheet.merged_cells if bottom - top > 1]
        rows = _filled((_old_row(book, sheet, i) for i in range(sheet.nrows)), merges)
        first = next(rows, None)
        if first is not None:
            _note_sheets(found, sheet.name, book.sheet_names())
            yield from _headed(first, rows, found)
            return
    raise NotATable(file=path.name, reason=_EMPTY)


def _old_row(book, sheet, i: int) -> list[str]:
    import xlrd

    cells = []
    for cell in sheet.row(i):
        value = cell.value
        form = "General"
        if cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE) and cell.xf_index is not None:
            known = book.format_map.get(book.xf_list[cell.xf_index].format_key)
            form = known.format_str if known else form
        if cell.ctype == xlrd.XL_CELL_DATE:
            value = xlrd.xldate_as_datetime(value, book.datemode)
        elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
            value = bool(value)
        elif cell.ctype == xlrd.XL_CELL_ERROR:
            value = xlrd.error_text_from_code.get(value, "#ERR!")
        cells.append(shown(value, form))
    return cells


def shown(value: object, form: str) -> str:
    """A cell's value as text; `form` is its number format."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, form)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return date_text(value, form)
    return str(value)


def _number(value: int | float, form: str) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    percent = re.fullmatch(r"0(?:\.(0+))?%", form)
    if percent:
        return f"{value * 100:.{len(percent[1] or '')}f}%"
    if re.fullmatch(r"0{2,}", form) and isinstance(value, int):
        return f"{value:0{len(form) + (value < 0)}d}"
    return repr(value)


_DATE_PART = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|y+|m+|d+|h+|s+(?:\.0+)?|am/pm|a/p|.', re.I | re.S)


def date_text(value: datetime.datetime | datetime.date | datetime.time, form: str) -> str:
    """A date or time as it is shown in the common formats; ISO where the format follows the viewer's country."""
    has_time = isinstance(value, datetime.datetime | datetime.time)
    if form in ("mm-dd-yy", "General", "m/d/yy", "m/d/yy h:mm"):
        if not has_time or (isinstance(value, datetime.datetime) and value.time() == datetime.time()):
            return value.strftime("%Y-%m-%d") if not isinstance(value, datetime.time) else value.isoformat()
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value.isoformat()
    parts = _DATE_PART.findall(form.split(";")[0])
    noon = any(part.lower() in ("am/pm", "a/p") for part in parts)
    names = [part[0].lower() for part in parts]
    out = []
    for i, part in enumerate(parts):
        before = next((n for n in reversed(names[:i]) if n in "ymdhs"), "")
        after = next((n for n in names[i + 1 :] if n in "ymdhs"), "")
        out.append(_date_part(value, part, has_time, noon, minute=before == "h" or after == "s"))
    return "".join(out).strip()


def _date_part(value, part: str, has_time: bool, noon: bool, minute: bool) -> str:
    kind, size = part[0].lower(), len(part)
    if part.lower() in ("am/pm", "a/p"):
        return ("AM" if value.hour < 12 else "PM") if has_time else ""
    if kind in "hs" or (kind == "m" and minute):
        if not has_time:
            return ""
        hour = (value.hour % 12 or 12) if noon else value.hour
        number = {"h": hour, "m": value.minute, "s": value.second}[kind]
        return f"{number:02d}" if size > 1 else str(number)
    if kind in "ymd" and isinstance(value, datetime.time):
        return ""
    if kind == "y":
        return f"{value.year:04d}" if size > 2 else f"{value.year % 100:02d}"
    if kind == "m":
        return value.strftime("%b" if size == 3 else "%B") if size > 2 else f"{value.month:0{size}d}"
    if kind == "d":
        return value.strftime("%a" if size == 3 else "%A") if size > 2 else f"{value.day:0{size}d}"
    if part.startswith('"'):
        return part[1:-1]
    if part.startswith("["):
        return ""
    return part[1:] if part.startswith("\\") else part.replace("@", "")
