"""Conversations inside a cell: OpenAI messages, ShareGPT turns, Alpaca's history, preference answers as messages.

All become `[{"role", "content"}, ...]`. It knows nothing of tables.
"""

import json

from engine.data.formats import Messages

_ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "用户": "user",
    "患者": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "医生": "assistant",
    "助手": "assistant",
    "system": "system",
    "系统": "system",
}


def messages(cell: str) -> Messages | None:
    """The conversation in `cell`, JSON of OpenAI messages or ShareGPT turns; None where it is no such thing."""
    turns = _json(cell)
    if isinstance(turns, dict):
        turns = turns.get("messages") or turns.get("conversations")
    if not isinstance(turns, list) or not turns:
        return None
    found = []
    for turn in turns:
        message = _message(turn)
        if message is None:
            return None
        found.append(message)
    return found


def _message(turn: object) -> dict | None:
    if not isinstance(turn, dict):
        return None
    role = _ROLES.get(str(turn.get("role") or turn.get("from") or "").casefold())
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):  # OpenAI's parts: [{"type": "text", "text": ...}]
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(parts) if parts and all(isinstance(part, str) for part in parts) else None
    return {"role": role, "content": content} if role and isinstance(content, str) else None


def pairs(conversation: Messages) -> tuple[str, list[tuple[str, str]]]:
    """The system message ("" for none) and the (question, answer) turns; several of one side in a row are joined."""
    system, turns = "", []
    asked: list[str] = []
    for message in conversation:
        if message["role"] == "system":
            system = "\n".join(filter(None, (system, message["content"])))
        elif message["role"] == "user":
            asked.append(message["content"])
        elif asked:
            turns.append(("\n".join(asked), message["content"]))
            asked = []
        elif turns:
            turns[-1] = (turns[-1][0], f"{turns[-1][1]}\n{message['content']}")
    return system, turns


def history(cell: str) -> list[list[str]] | None:
    """Earlier turns as `[[question, answer], ...]`, from JSON of that form or of messages; None for anything else."""
    turns = _json(cell)
    if not isinstance(turns, list):
        return None
    if all(isinstance(t, list) and len(t) == 2 and all(isinstance(s, str) for s in t) for t in turns):
        return turns
    found = messages(cell)
    return [list(turn) for turn in pairs(found)[1]] if found else None


def last_answer(cell: str) -> str:
    """A preference answer: the last assistant message where `cell` is a conversation, else the cell itself."""
    return _last(cell, "assistant")


def last_question(cell: str) -> str:
    """What is asked: the last user message where `cell` is a conversation, else the cell itself."""
    return _last(cell, "user")


def _last(cell: str, role: str) -> str:
    if not cell.lstrip().startswith(("[", "{")):
        return cell
    alone = _message(_json(cell))
    found = [alone] if alone else messages(cell) or []
    return next((message["content"] for message in reversed(found) if message["role"] == role), cell)


def _json(cell: str) -> object:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None
