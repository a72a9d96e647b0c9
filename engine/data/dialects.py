"""How a delimited file is written: its delimiter, its quotes, and whether its first row is a header.

It judges by a few hundred rows from the front and knows nothing of the rest of the file.
"""

import csv
import io
import re
from collections import Counter

from engine.data import roles

DELIMITERS = (",", "\t", ";", "|", "\x01", "^", "¦")
_ROWS = 300


def lines_of(text: str, whole: bool) -> str:
    """`text` up to its last line end, unless it is the whole file."""
    end = max(text.rfind("\n"), text.rfind("\r"))
    return text if whole or end < 0 else text[: end + 1]


def parsed(text: str, delimiter: str, quote: str | None, escape: str | None = None) -> list[list[str]]:
    """The first rows of `text`; none where it cannot be read in this way."""
    options = {"delimiter": delimiter, "quotechar": quote, "escapechar": escape, "doublequote": escape is None}
    options["quoting"] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), **options):
            if row:
                rows.append(row)
            if len(rows) == _ROWS:
                break
    except csv.Error:
        return []
    return rows


def find_delimiter(text: str) -> tuple[str, float]:
    """The delimiter that cuts the rows of `text` into the same number of cells most often, and how often (0 to 1).

    ("", 0.0) where none cuts anything.
    """
    best = ("", 0.0, 0.0)
    for delimiter in DELIMITERS:
        rows = parsed(text, delimiter, '"')
        widths = Counter(map(len, rows))
        if not widths:
            continue
        # The first row names the columns, so its width counts where it is as good as any.
        width = len(rows[0]) if len(rows[0]) > 1 else widths.most_common(1)[0][0]
        if width < 2:
            continue
        share = widths[width] / len(rows)
        score = share + min(width, 20) * 0.002
        if score > best[2]:
            best = (delimiter, share, score)
    return best[0], best[1]


def find_quotes(text: str, delimiter: str) -> tuple[str | None, str | None]:
    """The quote and the escape character: the double quote, doubled inside a cell, unless the text shows another way."""
    d = re.escape(delimiter)
    if '"' not in text:
        single = len(re.findall(f"(?:^|{d})'[^'\n]*'(?={d}|\r?\n|$)", text, re.M))
        plain = len(re.findall(f"(?:^|{d})[^'{d}\n]", text, re.M))
        return ("'" if single > 2 * plain and single > 3 else '"'), None
    if '\\"' in text and not re.search(f'[^{d}\r\n]""[^{d}\r\n]', text):
        usual, escaped = (_agreement(parsed(text, delimiter, '"', e)) for e in (None, "\\"))
        if escaped > usual:
            return '"', "\\"
    usual, none = parsed(text, delimiter, '"'), parsed(text, delimiter, None)
    # A quote that opens and never closes joins many good rows into one cell; then quotes are ordinary characters.
    if _agreement(none) > 0.95 and (_agreement(usual) < 0.9 or len(usual) < 0.5 * len(none)):
        return None, None
    return '"', None


def _agreement(rows: list[list[str]]) -> float:
    """The share of rows as wide as most, 0 for none."""
    widths = Counter(map(len, rows))
    return widths.most_common(1)[0][1] / len(rows) if rows else 0.0


_WORD = re.compile(r"[A-Za-z_][\w.-]{0,30}")
_HEADING = re.compile(
    "科|部门|题|名|号|时间|日期|类|型|来源|内容|性别|年龄|描述|建议|诊断|症状|备注|原文|译文|关键词|地址|链接|分数|评分"
)
_SENTENCE = re.compile(r"[。？！?!；;]|\.\s|\.$|，")


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first of `rows` names the columns rather than being data."""
    first, body = rows[0], rows[1:]
    if any(map(roles.known, first)):
        return all(len(cell) <= 40 for cell in first)
    cells = [cell.strip() for cell in first if cell.strip()]
    if not cells or not body or len(set(cells)) < len(cells):
        return False
    if any(_SENTENCE.search(cell) or len(cell) > 40 or roles.is_number(cell) for cell in cells):
        return False
    if not any(_WORD.fullmatch(cell) or _HEADING.search(cell) for cell in cells):
        return False  # "你好" and "您好" above longer rows are a row too
    # A name is shorter than what stands below it, or is a word above numbers.
    votes = 0
    for i, cell in enumerate(first):
        below = [row[i] for row in body if i < len(row) and row[i]]
        if not below:
            continue
        longer = sum(len(value) > 2 * len(cell) for value in below) / len(below)
        numbers = sum(map(roles.is_number, below)) / len(below)
        words = sum(bool(_WORD.fullmatch(value)) for value in below) / len(below)
        if longer > 0.6 or numbers > 0.9 or (_WORD.fullmatch(cell) and words < 0.5):
            votes += 1
        elif longer <= 0.3:
            votes -= 1
    return votes > 0


def column_names(header: list[str]) -> list[str]:
    """Names for columns out of a header row: blanks named by place, repeated ones numbered."""
    names: list[str] = []
    taken = set()
    for i, cell in enumerate(header):
        name = base = cell.strip().replace("\ufeff", "") or f"column_{i + 1}"
        again = 2
        while name in taken:
            name = f"{base} ({again})"
            again += 1
        taken.add(name)
        names.append(name)
    return names


def default_names(count: int) -> list[str]:
    """Names for the columns of a table without a header."""
    return [f"column_{i + 1}" for i in range(count)]
