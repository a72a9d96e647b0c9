"""What is dropped or changed on the way from a table to training rows: each with a switch, a count and row numbers.

`Cleaning` declares the switches once, for form and command line; `Cleaner` applies them to columns of text. It knows
nothing of files. Duplicates, which need all rows at once, are found in `convert`.
"""

import re
from collections.abc import Callable
from typing import Literal

from engine.data import personal
from engine.fields import Params, param
from engine.words import Words


class Cleaning(Params):
    """By default only rows that cannot be used and exact repetitions go, and text is left as it is."""

    empty: bool = param(
        True,
        Words("Drop empty rows", "删除空行"),
        Words("Rows without a question or without an answer.", "没有问题或没有回答的行。"),
    )
    duplicate: bool = param(
        True,
        Words("Drop duplicates", "删除重复"),
        Words("Rows whose question and answer both stand further up already.", "问题和回答都与前面某行完全相同的行。"),
    )
    near_duplicate: bool = param(
        False,
        Words("Drop near duplicates", "删除近似重复"),
        Words(
            "Rows that differ from one further up in a few characters only. Takes more time and memory.",
            "与前面某行只差几个字的行。需要更多时间和内存。",
        ),
        advanced=True,
    )
    similarity: float = param(
        0.85,
        Words("Near means", "相似程度"),
        Words("Share of common pieces of three characters from which two rows count as near duplicates.",
              "两行的三字片段相同的比例达到多少时，视为近似重复。"),
        advanced=True,
        ge=0.5,
        le=1,
    )  # fmt: skip
    long: Literal["keep", "drop", "cut"] = param(
        "keep",
        Words("Long rows", "过长的行"),
        Words(
            "What happens to a question or answer longer than the limit below.", "问题或回答超过下面的上限时怎么办。"
        ),
        advanced=True,
        choices={
            "keep": Words("Keep", "保留"),
            "drop": Words("Drop the row", "删除该行"),
            "cut": Words("Cut at the limit", "截断到上限"),
        },
    )
    max_chars: int = param(
        2000,
        Words("Longest text", "最长字数"),
        Words("Characters that a question or an answer may have.", "问题或回答最多可有多少个字。"),
        advanced=True,
        ge=1,
    )
    short: bool = param(
        False,
        Words("Drop short answers", "删除过短的回答"),
        Words("Rows whose answer is shorter than the limit below.", "回答短于下面下限的行。"),
        advanced=True,
    )
    min_chars: int = param(
        5,
        Words("Shortest answer", "最短字数"),
        Words("Characters that an answer must have.", "回答至少要有多少个字。"),
        advanced=True,
        ge=1,
    )
    control: bool = param(
        False,
        Words("Remove control characters", "去除控制字符"),
        Words("Invisible characters other than line breaks and tabs.", "除换行和制表符之外的不可见字符。"),
        advanced=True,
    )
    html: bool = param(
        False,
        Words("Remove HTML tags", "去除 HTML 标签"),
        Words("Tags such as <br> and <p>; the text between them stays.", "去掉 <br>、<p> 等标签，保留其中的文字。"),
        advanced=True,
    )
    width: bool = param(
        False,
        Words("Unify character width", "统一全角半角"),
        Words(
            "Full-width letters and digits become ordinary ones; Chinese punctuation stays.",
            "全角字母和数字改为半角；中文标点保持不变。",
        ),
        advanced=True,
    )
    repeats: bool = param(
        False,
        Words("Drop answers that repeat the question", "删除复述问题的回答"),
        Words("Rows whose answer says no more than the question.", "回答与问题内容相同的行。"),
        advanced=True,
    )
    personal: bool = param(
        False,
        Words("Look for personal data", "检查个人信息"),
        Words(
            "Counts rows with phone numbers, identity numbers and e-mail addresses. Nothing is changed.",
            "统计含有手机号、身份证号、电子邮箱的行。不做任何修改。",
        ),
        advanced=True,
    )


# Why a row is dropped, in the order of their codes (from 1); the first reason that holds is the one told.
REASONS = {
    "unreadable": Words("the conversation, history or label cannot be read", "对话、历史或标签无法解析"),
    "empty": Words("empty question or answer", "问题或回答为空"),
    "short": Words("answer too short", "回答过短"),
    "long": Words("question or answer too long", "问题或回答过长"),
    "repeats": Words("the answer repeats the question", "回答复述了问题"),
    "duplicate": Words("the same question and answer stand further up", "问题和回答与前面的行完全相同"),
    "near_duplicate": Words("almost the same row stands further up", "与前面的行几乎相同"),
}
CODES = {reason: code for code, reason in enumerate(REASONS, 1)}

# What was done to rows that stay.
CHANGES = {
    "control": Words("control characters removed", "去除了控制字符"),
    "html": Words("HTML tags removed", "去除了 HTML 标签"),
    "width": Words("character width unified", "统一了全角半角"),
    "cut": Words("cut at the limit", "截断到上限"),
}

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>|<!--.*?-->", re.S)
_WIDE = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_WIDE[0x3000] = 0x20
_NOISE = re.compile(r"[\W_]+")

_TEXTS = ("system", "question", "context", "answer", "chosen", "rejected", "text")
_ANSWERS = ("answer", "chosen", "text")

Columns = dict[str, list[str]]  # role -> one value a row


class Cleaner:
    """Applies the switches to blocks of rows; remembers which rows were changed or hold personal data."""

    def __init__(self, cleaning: Cleaning):
        self._cleaning = cleaning
        self.changed: dict[str, list[int]] = {}
        self.found: dict[str, list[int]] = {}
        self._edits: list[tuple[str, Callable[[str], str]]] = []
        if cleaning.control:
            self._edits.append(("control", lambda text: _CONTROL.sub("", text)))
        if cleaning.html:
            self._edits.append(("html", lambda text: _TAG.sub("", text)))
        if cleaning.width:
            self._edits.append(("width", lambda text: text.translate(_WIDE)))
        if cleaning.long == "cut":
            self._edits.append(("cut", lambda text: text[: cleaning.max_chars]))

    def clean(self, columns: Columns, needs: tuple[str, ...], codes: bytearray, first: int) -> None:
        """Edit `columns` in place, and set in `codes` why a row is dropped (0: it stays).

        Args:
            needs: the roles that must not be empty.
            first: the number of the first row.
        """
        texts = [role for role in _TEXTS if role in columns]
        for name, edit in self._edits:
            touched: set[int] = set()
            for role in texts:
                new = list(map(edit, columns[role]))
                if new != columns[role]:
                    touched.update(i for i, (a, b) in enumerate(zip(new, columns[role], strict=True)) if a != b)
                    columns[role] = new
            self.changed.setdefault(name, []).extend(first + i for i in sorted(touched))
        if self._cleaning.empty:
            for role in needs:
                values = columns[role]
                if "" in values or any(map(str.isspace, values)):
                    for i, value in enumerate(values):
                        if not value or value.isspace():
                            codes[i] = codes[i] or CODES["empty"]
        self._lengths(columns, texts, codes)
        if self._cleaning.repeats and "question" in columns and "answer" in columns:
            for i, (asked, said) in enumerate(zip(columns["question"], columns["answer"], strict=True)):
                if not codes[i] and _NOISE.sub("", asked) == _NOISE.sub("", said):
                    codes[i] = CODES["repeats"]
        if self._cleaning.personal:
            for i in range(len(codes)):
                for kind in personal.kinds("\n".join(columns[role][i] for role in texts)):
                    self.found.setdefault(kind, []).append(first + i)

    def _lengths(self, columns: Columns, texts: list[str], codes: bytearray) -> None:
        if self._cleaning.short:
            for role in (role for role in _ANSWERS if role in columns):
                for i, value in enumerate(columns[role]):
                    if not codes[i] and len(value.strip()) < self._cleaning.min_chars:
                        codes[i] = CODES["short"]
        if self._cleaning.long == "drop":
            for role in texts:
                for i, value in enumerate(columns[role]):
                    if not codes[i] and len(value) > self._cleaning.max_chars:
                        codes[i] = CODES["long"]
