"""From cells to training rows of one form: cells read by role, conversations unfolded, what a form cannot hold told.

It works on columns of a block at once, and knows nothing of files or cleaning.
"""

import json
from collections import Counter
from itertools import repeat

import orjson

from engine.data import conversations, formats, roles
from engine.data.cleaning import CODES, Columns
from engine.words import Words

# What a form could not hold; counted, and told in the report.
LOST = {
    "system": Words("system messages that this format cannot hold", "此格式无法保存的系统提示"),
    "turns": Words("further turns that this format cannot hold", "此格式无法保存的后续对话轮次"),
    "history": Words("earlier turns that this format cannot hold", "此格式无法保存的历史对话"),
}


class Shaper:
    """Makes rows of `format` from cells mapped by a (checked) `mapping`."""

    def __init__(self, format: str, mapping: roles.Mapping, columns: list[str]):
        self.format = formats.get(format)
        self._readers = [(role, roles.reader(template, columns)) for role, template in mapping.items()]
        self.lost: Counter = Counter()

    def columns(self, rows: list[list[str]], codes: bytearray) -> Columns:
        """One list of values for each role; rows whose conversation, history or label cannot be read are marked."""
        columns: Columns = {role: list(map(read, rows)) for role, read in self._readers}
        if "messages" in columns:
            columns |= self._unfolded(columns.pop("messages"), columns.get("system"), codes)
        elif "history" in columns:
            self._parse(columns, "history", conversations.history, [], codes)
        if self.format.key == "kto":
            self._parse(columns, "label", roles.thumb, None, codes)
        if self.format.key in ("preference", "kto"):
            # Here the cells may be conversations too, with what was asked and each answer in one of its own.
            columns["question"] = list(map(conversations.last_question, columns["question"]))
            for role in {"chosen", "rejected", "answer"} & columns.keys():
                columns[role] = list(map(conversations.last_answer, columns[role]))
        return columns

    @staticmethod
    def _parse(columns: Columns, role: str, parse, blank, codes: bytearray) -> None:
        cells = columns[role]
        columns[role] = [parse(cell) if cell.strip() else blank for cell in cells]
        for i, value in enumerate(columns[role]):
            if value is None and not codes[i]:
                codes[i] = CODES["unreadable"]

    def _unfolded(self, cells: list[str], systems: list[str] | None, codes: bytearray) -> Columns:
        """Conversations as system, history, question and answer. A form with a history asks the last question; one
        without asks the first, which needs no history."""
        whole = "history" in self.format.holds
        columns: Columns = {"system": [], "history": [], "question": [], "answer": []}
        for i, cell in enumerate(cells):
            system, turns = conversations.pairs(conversations.messages(cell) or [])
            if not turns:
                codes[i] = CODES["unreadable"] if cell.strip() else CODES["empty"]
                turns = [("", "")]
            elif len(turns) > 1 and not whole:
                self.lost["turns"] += 1
            question, answer = turns[-1] if whole else turns[0]
            columns["system"].append(system or (systems[i] if systems else ""))
            columns["history"].append([list(turn) for turn in turns[:-1]] if whole else [])
            columns["question"].append(question)
            columns["answer"].append(answer)
        return columns

    def lines(self, columns: Columns, codes: bytearray) -> tuple[list[bytes], list[str]]:
        """For each row that stays its line of JSON and what is asked in it, by which a split is made."""
        for role in ("system", "history"):
            if role not in self.format.holds and role in columns:
                kept = sum(bool(value) and not code for value, code in zip(columns[role], codes, strict=True))
                self.lost += Counter({role: kept})
        asked = columns["question"] if "question" in columns else columns["text"]
        if "context" in columns:
            asked = [f"{q}\n{c}" if c else q for q, c in zip(asked, columns["context"], strict=True)]
        rows = list(_ROWS[self.format.key](columns, asked))
        if "history" in columns and "history" in self.format.holds:
            # Many a conversation ends with the same "And what else?"; it is the same only if all before it was asked too.
            before = [[question for question, _ in turns or ()] for turns in columns["history"]]
            asked = ["\n".join([*earlier, q]) for earlier, q in zip(before, asked, strict=True)]
        if any(codes):
            rows = [row for row, code in zip(rows, codes, strict=True) if not code]
            asked = [text for text, code in zip(asked, codes, strict=True) if not code]
        return dumped(rows), asked


def _qa(columns: Columns, asked: list[str]):
    return [{"question": q, "answer": a} for q, a in zip(asked, columns["answer"], strict=True)]


def _alpaca(columns: Columns, asked: list[str]):
    inputs = columns.get("context") or repeat("")
    systems, histories = columns.get("system") or repeat(""), columns.get("history") or repeat([])
    for q, i, a, s, h in zip(columns["question"], inputs, columns["answer"], systems, histories, strict=False):
        row = {"instruction": q, "input": i, "output": a}
        yield row | ({"system": s} if s else {}) | ({"history": h} if h else {})


def _messages(columns: Columns, asked: list[str]):
    systems, histories = columns.get("system") or repeat(""), columns.get("history") or repeat([])
    for q, a, s, h in zip(asked, columns["answer"], systems, histories, strict=False):
        turns = [*(h or []), (q, a)]
        spoken = [m for q, a in turns for m in ({"role": "user", "content": q}, {"role": "assistant", "content": a})]
        yield {"messages": [{"role": "system", "content": s}, *spoken] if s else spoken}


def _preference(columns: Columns, asked: list[str]):
    answers = zip(asked, columns["chosen"], columns["rejected"], strict=True)
    return ({"prompt": q, "chosen": c, "rejected": r} for q, c, r in answers)


def _kto(columns: Columns, asked: list[str]):
    answers = zip(asked, columns["answer"], columns["label"], strict=True)
    return ({"prompt": q, "completion": a, "label": label} for q, a, label in answers)


def _text(columns: Columns, asked: list[str]):
    return ({"text": text} for text in columns["text"])


_ROWS = {"qa": _qa, "alpaca": _alpaca, "messages": _messages, "preference": _preference, "kto": _kto, "text": _text}


def dumped(rows: list[formats.Row]) -> list[bytes]:
    """Each row as a line of JSON. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    dumps = orjson.dumps
    try:
        return [dumps(row, None, orjson.OPT_APPEND_NEWLINE) for row in rows]
    except TypeError:
        return [dumps(_mended(row), None, orjson.OPT_APPEND_NEWLINE) for row in rows]


def _mended(row: formats.Row) -> formats.Row:
    text = json.dumps(row, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.loads(text)
