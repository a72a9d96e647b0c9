"""Rows out of JSON: an array, one value a line, one list somewhere inside an object, an object of columns.

Text is kept exactly: a number is the digits that stand in the file. A value inside a cell is written as JSON again.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from engine.data.spool import Found
from engine.errors import NotATable
from engine.words import Words

_CHUNK = 1 << 20  # characters
_LARGEST_OBJECT = 1 << 29  # characters of one top-level object, which has to be read as a whole


class _Number(str):
    """A number as its digits in the file."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number, strict=False)


def looks_like_json(text: str) -> bool:
    """Whether `text`, the beginning of a file, is meant as JSON."""
    text = text.lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[")):
        return False
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        # A long value is cut off at the end; one that breaks at its beginning was never JSON.
        return error.pos > 2 and ('"' in text[:200] or text.startswith("[["))
    except RecursionError:
        return True
    return True


def read(path: Path, found: Found) -> Iterator[list[str]]:
    """The rows of the JSON file `path` in encoding `found.encoding`.

    Raises:
        NotATable: broken JSON, with line and column; or no list of rows in it.
    """
    places: dict[str, int] = {}
    named = True
    for value in _values(path, found):
        if isinstance(value, dict):
            row = [""] * len(places)
            for key, cell in value.items():
                if key in places:
                    row[places[key]] = text_of(cell)
                else:
                    places[key] = len(places)
                    row.append(text_of(cell))
        else:
            named = False
            row = list(map(text_of, value)) if isinstance(value, list) else [text_of(value)]
            for i in range(len(places), len(row)):
                places[f"column_{i + 1}"] = i
        yield row
    found.columns = list(places)
    found.header = named
    if not places:
        raise _refuse(path, "there are no rows in it", "其中没有任何行")


def text_of(value: object) -> str:
    """A value as the text of a cell."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _dumped(value)


def _dumped(value: object) -> str:
    """`value` as JSON, its numbers digit for digit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_dumped(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dumped, value)) + "]"
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _values(path: Path, found: Found) -> Iterator[object]:
    """The values that are rows."""
    with open(path, encoding=found.encoding, errors="replace", newline="") as file:
        first = _first(file)
        file.seek(0)
        try:
            if first.startswith("["):
                line = file.readline()
                again = file.readline().lstrip()
                file.seek(0)
                if _is_whole(line) and again.startswith("["):
                    found.format = "jsonl"
                    yield from _lines(path, file)
                else:
                    yield from _array(path, file)
            elif _is_whole(_content_line(file)):
                file.seek(0)
                yield from _lines_or_object(path, file, found)
            else:
                file.seek(0)
                yield from _object(path, file, found)
        except RecursionError:
            raise _refuse(path, "it is nested too deeply", "嵌套层数过多") from None


def _first(file: TextIO) -> str:
    return file.read(1 << 12).lstrip("\ufeff \t\r\n")


def _content_line(file: TextIO) -> str:
    for line in file:
        if line.strip("\ufeff \t\r\n"):
            return line
    return ""


def _is_whole(line: str) -> bool:
    text = line.strip("\ufeff \t\r\n")
    try:
        _, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        return False
    return end == len(text)


def _lines_or_object(path: Path, file: TextIO, found: Found) -> Iterator[object]:
    """One value a line; a single line may also hold an object with the list of rows inside."""
    only = _content_line(file)
    more = _content_line(file)
    file.seek(0)
    if more:
        found.format = "jsonl"
        yield from _lines(path, file)
        return
    yield from _inside(path, _DECODER.decode(only.strip("\ufeff \t\r\n")), found)


def _lines(path: Path, file: TextIO) -> Iterator[object]:
    for number, line in enumerate(file, 1):
        text = line.strip("\ufeff \t\r\n")
        if not text:
            continue
        try:
            yield _DECODER.decode(text)
        except json.JSONDecodeError as error:
            raise _broken(path, number, error.pos + 1, error.msg) from None


def _array(path: Path, file: TextIO) -> Iterator[object]:
    """The elements of a top-level array, a piece of the file at a time."""
    text = file.read(_CHUNK)
    at = text.index("[") + 1
    place = 1, 1  # line and column at which `text` begins in the file
    size = _CHUNK
    ended = False
    while True:
        while at < len(text) and text[at] in " \t\r\n,\ufeff":
            at += 1
        if at < len(text) and text[at] == "]":
            return
        try:
            value, end = _DECODER.raw_decode(text, at)
            whole = end < len(text)
        except json.JSONDecodeError as error:
            if ended:
                raise _broken(path, *_after(text[: error.pos], *place), error.msg) from None
            whole = False
        if whole:
            yield value
            at = end
            size = _CHUNK
        elif ended:
            raise _broken(path, *_after(text[:at], *place), "the closing ] is missing")
        if not whole or at > len(text) // 2:
            place = _after(text[:at], *place)
            more = file.read(size)
            ended = not more
            size *= 2
            text = text[at:] + more
            at = 0


def _after(text: str, line: int, column: int) -> tuple[int, int]:
    """Line and column after a text that begins at these."""
    more = text.count("\n")
    return line + more, len(text) - text.rfind("\n") if more else column + len(text)


def _object(path: Path, file: TextIO, found: Found) -> Iterator[object]:
    text = file.read(_LARGEST_OBJECT)
    if len(text) == _LARGEST_OBJECT:
        raise _refuse(
            path,
            "it is one object of more than 500 MB; save it as JSON Lines",
            "它是一个超过 500 MB 的对象，请另存为 JSON Lines",
        )
    start = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    try:
        value, end = _DECODER.raw_decode(text, start)
        rest = text[end:].strip()
        if not rest:
            yield from _inside(path, value, found)
            return
        # Objects over several lines, one after the other.
        while True:
            yield value
            end += len(text[end:]) - len(text[end:].lstrip(" \t\r\n,"))
            if end >= len(text):
                return
            value, end = _DECODER.raw_decode(text, end)
    except json.JSONDecodeError as error:
        raise _broken(path, error.lineno, error.colno, error.msg) from None


def _inside(path: Path, value: dict, found: Found) -> Iterator[object]:
    """The rows of an object: the longest list of objects or lists in it, its columns, or the object itself."""
    name, rows = max(_lists(value, ""), key=lambda each: len(each[1]), default=("", []))
    columns = list(value.values())
    scalars = all(isinstance(c, list) and not any(isinstance(v, dict | list) for v in c) for c in columns)
    if rows:
        found.notes.append(Words(f"The rows are the list '{name}' in the file.", f"取用了文件中名为“{name}”的列表。"))
        yield from rows
    elif columns and scalars and len({len(column) for column in columns}) == 1 and len(columns[0]):
        for cells in zip(*columns, strict=True):
            yield dict(zip(value, cells, strict=True))
    elif columns and all(isinstance(c, dict) for c in columns) and len({tuple(c) for c in columns}) == 1:
        # pandas' to_json: {column: {row: value}}
        for key in columns[0]:
            yield {name: column[key] for name, column in value.items()}
    elif columns:
        yield value


def _lists(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, list]]:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        # A conversation by itself is one row, not many.
        if not all(("role" in row and "content" in row) or ("from" in row and "value" in row) for row in value):
            yield name, value
    elif isinstance(value, dict) and depth < 4:
        for key, inner in value.items():
            yield from _lists(inner, f"{name}.{key}" if name else key, depth + 1)


def _broken(path: Path, line: int, column: int, reason: str) -> NotATable:
    return _refuse(
        path,
        f"the JSON is broken in line {line}, column {column} ({reason})",
        f"第 {line} 行第 {column} 列的 JSON 有错误（{reason}）",
    )


def _refuse(path: Path, en: str, zh: str) -> NotATable:
    return NotATable(file=path.name, reason=Words(en, zh))
