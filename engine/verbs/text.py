"""Plain text for a terminal: tables and lists of facts, aligned also where characters are two columns wide."""

import unicodedata
from collections.abc import Iterable


def table(heads: list[str], rows: Iterable[list[object]]) -> str:
    """Rows under heads; None is shown as "-"."""
    cells = [heads, *[[_cell(value) for value in row] for row in rows]]
    widths = [max(width(row[column]) for row in cells) for column in range(len(heads))]
    return "\n".join("  ".join(_padded(*pair) for pair in zip(row, widths, strict=True)).rstrip() for row in cells)


def facts(values: dict[str, object]) -> str:
    """One "name  value" a line."""
    longest = max(width(name) for name in values)
    return "\n".join(f"{_padded(name, longest)}  {_cell(value)}".rstrip() for name, value in values.items())


def width(text: str) -> int:
    """Columns that `text` takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def duration(seconds: float | None) -> str:
    """ "42 s", "3:05", "1:02:09"."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def _cell(value: object) -> str:
    return "-" if value is None else " ".join(str(value).split())


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
