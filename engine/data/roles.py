"""What each column is for: roles, the names people give such columns, and templates that join several columns.

It knows nothing of files; it is handed column names and a few rows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

from engine.errors import BadMapping
from engine.words import Words

Mapping = dict[str, str]  # role -> column name, or a template such as "{title}\n{ask}"
Read = Callable[[list[str]], str]


@dataclass(frozen=True)
class Role:
    key: str
    label: Words
    names: tuple[str, ...]  # what people call it, without blanks, underscores and capitals


ROLES = (
    Role(
        "system",
        Words("System prompt", "系统提示"),
        ("system", "systemprompt", "系统", "系统提示", "系统提示词", "角色设定"),
    ),
    Role(
        "question",
        Words("Question", "问题"),
        (
            *("question", "questions", "ask", "query", "prompt", "instruction", "input", "user", "human", "problem"),
            *(
                "q",
                "usermessage",
                "inputtext",
                "source",
                "问题",
                "提问",
                "问",
                "问句",
                "题目",
                "用户",
                "指令",
                "输入",
                "患者",
            ),
            *("咨询", "病情描述", "用户问题", "問題", "提問", "用戶", "輸入", "質問"),
        ),
    ),
    Role(
        "context",
        Words("Context", "背景材料"),
        ("context", "background", "passage", "背景", "上下文", "材料", "参考", "参考资料"),
    ),
    Role(
        "answer",
        Words("Answer", "回答"),
        (
            *("answer", "answers", "response", "output", "reply", "completion", "assistant", "a", "bot", "gpt"),
            *(
                "target",
                "solution",
                "outputtext",
                "回答",
                "答案",
                "答",
                "回复",
                "答复",
                "输出",
                "解答",
                "医生",
                "助手",
                "回应",
            ),
            *("医生回答", "標準答案", "回覆", "輸出", "回答内容", "応答"),
        ),
    ),
    Role(
        "chosen",
        Words("Better answer", "更好的回答"),
        ("chosen", "preferred", "accepted", "better", "win", "好回答", "更好的回答", "采纳"),
    ),
    Role(
        "rejected",
        Words("Worse answer", "较差的回答"),
        ("rejected", "dispreferred", "worse", "lose", "差回答", "较差的回答", "拒绝"),
    ),
    Role(
        "label",
        Words("Thumb up or down", "点赞或点踩"),
        ("label", "thumb", "thumbs", "feedback", "rating", "标签", "评价", "点赞", "反馈"),
    ),
    Role(
        "text",
        Words("Plain text", "纯文本"),
        ("text", "content", "document", "body", "article", "文本", "正文", "内容", "文章"),
    ),
    Role("history", Words("Earlier turns", "历史对话"), ("history", "历史", "对话历史", "历史对话")),
    Role(
        "messages",
        Words("Whole conversation", "整段对话"),
        ("messages", "conversations", "conversation", "dialogue", "dialog", "对话", "会话"),
    ),
)
KEYS = tuple(role.key for role in ROLES)

_BY_NAME = {name: role.key for role in ROLES for name in role.names}
_MARK = re.compile(r"\{([^{}]+)\}")


def plain(name: str) -> str:
    """A column's name as it is compared: no blanks, underscores, hyphens, capitals."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


def known(name: str) -> str | None:
    """The role that a column of this name usually has."""
    return _BY_NAME.get(plain(name))


def suggest(columns: list[str], sample: list[list[str]], headed: bool = True) -> Mapping:
    """The mapping that fits names and contents; empty where nothing does.

    Args:
        sample: some rows of the table.
        headed: False where the columns have no names of their own.
    """
    named: dict[str, str] = {}
    if headed:
        for column in sorted(columns, key=_rank):
            role = known(column)
            if role:
                named.setdefault(role, column)
    if {"chosen", "rejected"} <= named.keys():
        if "question" not in named and "messages" in named:
            named["question"] = named["messages"]
        return _only(named, "system", "question", "context", "chosen", "rejected")
    if "messages" in named and any(_looks_nested(v) for v in _column(columns, sample, named["messages"])):
        return _only(named, "messages", "system")
    if {"question", "answer"} <= named.keys():
        context = named.get("context") or _second_question(columns, named["question"])
        if context:
            named["context"] = context
        wanted = ["system", "question", "context", "answer", "history"]
        if "label" in named and _is_thumbs(_column(columns, sample, named["label"])):
            wanted.append("label")
        return _only(named, *wanted)
    return _by_content(columns, sample, named)


def _rank(column: str) -> int:
    """Where a column's name stands in its role's list: the first names are the surest."""
    role = known(column)
    return next(r.names.index(plain(column)) for r in ROLES if r.key == role) if role else len(_BY_NAME)


def _second_question(columns: list[str], question: str) -> str | None:
    """Alpaca's `input` beside `instruction`."""
    return next((c for c in columns if c != question and plain(c) in ("input", "输入", "輸入")), None)


def _only(named: Mapping, *keys: str) -> Mapping:
    return {key: named[key] for key in keys if key in named}


def _column(columns: list[str], sample: list[list[str]], name: str) -> list[str]:
    i = columns.index(name)
    return [row[i] for row in sample if row[i]]


def _looks_nested(value: str) -> bool:
    return value.lstrip().startswith(("[", "{"))


def _is_thumbs(values: list[str]) -> bool:
    return bool(values) and all(thumb(value) is not None for value in values)


def _by_content(columns: list[str], sample: list[list[str]], named: Mapping) -> Mapping:
    """By lengths: of two columns of text the left one asks; one column of text alone is text."""
    texts = [c for c in columns if (values := _column(columns, sample, c)) and not all(map(is_number, values))]
    if len(columns) == 1 or len(texts) == 1:
        return {"text": (texts or columns)[0]} if texts or sample else {}
    if "text" in named:
        return {"text": named["text"]}
    sizes = {c: sum(map(len, _column(columns, sample, c))) for c in texts}
    longest = sorted(texts, key=lambda c: -sizes[c])[:2]
    for role in ("question", "answer"):
        if role in named and named[role] not in longest and longest:
            longest = [named[role], next(c for c in longest if c != named[role])]
    if len(longest) < 2:
        return {}
    question, answer = sorted(longest, key=columns.index)
    if named.get("question") == answer or named.get("answer") == question:
        question, answer = answer, question
    return {"question": question, "answer": answer}


def is_number(value: str) -> bool:
    """Whether a cell holds a number and nothing else."""
    try:
        float(value)
    except ValueError:
        return False
    return True


_UP = {
    "1",
    "true",
    "yes",
    "up",
    "good",
    "like",
    "liked",
    "thumbsup",
    "positive",
    "desirable",
    "+",
    "👍",
    "是",
    "赞",
    "好",
    "点赞",
}
_DOWN = {"0", "-1", "false", "no", "down", "bad", "dislike", "disliked", "thumbsdown", "negative", "undesirable", "-"}
_DOWN |= {"👎", "否", "踩", "差", "点踩", "不好"}


def thumb(value: str) -> bool | None:
    """A thumb up or down in the words people write; None for anything else."""
    word = re.sub(r"[\s_]+", "", value).casefold().removesuffix(".0")
    return True if word in _UP else False if word in _DOWN else None


def columns_in(template: str, columns: list[str]) -> list[str]:
    """The columns that one entry of a mapping uses."""
    return [template] if template in columns else _MARK.findall(template)


def check(mapping: Mapping, columns: list[str]) -> None:
    """
    Raises:
        BadMapping: an unknown role, a column that is not there, a column used twice.
    """
    used: dict[str, str] = {}
    for role, template in mapping.items():
        if role not in KEYS:
            names = ", ".join(KEYS)
            _refuse(f"there is no role '{role}'; the roles are {names}", f"没有“{role}”这个角色，可用的角色有 {names}")
        found = columns_in(template, columns)
        missing = [name for name in found if name not in columns]
        if missing or not found:
            name, have = (missing or [template])[0], ", ".join(columns[:30])
            _refuse(f"there is no column '{name}'; the columns are {have}", f"没有“{name}”这一列，现有的列是 {have}")
        for name in found:
            if used.setdefault(name, role) != role:
                _refuse(
                    f"column '{name}' is given to both {used[name]} and {role}; choose another for one of them",
                    f"“{name}”这一列同时给了 {used[name]} 和 {role}，请为其中一个另选一列",
                )


def _refuse(en: str, zh: str) -> None:
    raise BadMapping(reason=Words(en, zh))


def reader(template: str, columns: list[str]) -> Read:
    """A function from a row's cells to the value that one entry of a (checked) mapping gives.

    In a template `{column}` stands for a cell and the two characters `\\n` for a line break; line breaks and blanks
    that an empty cell leaves at the ends are removed.
    """
    if template in columns:
        return itemgetter(columns.index(template))
    parts = _MARK.split(template.replace("\\n", "\n"))
    fixed, places = parts[::2], [columns.index(name) for name in parts[1::2]]

    def read(row: list[str]) -> str:
        cells = (row[i] for i in places)
        return "".join([fixed[0], *(a + b for a, b in zip(cells, fixed[1:], strict=True))]).strip()

    return read
