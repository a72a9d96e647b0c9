"""A conversation to take away, as Markdown."""

from engine.compare.conversations import Conversation
from engine.runs import store
from ui import columns
from ui.text import Text


def written(t: Text, run: store.Run, conversation: Conversation) -> str:
    """A conversation as Markdown."""
    titled = [columns.named(t, run, name) for name in conversation.models]
    parts = [f"# {columns.run_name(t, run)}"]
    if conversation.system:
        parts.append(f"{t('compare.instructions')} {conversation.system}")
    for turn in conversation.turns:
        parts.append(f"## {turn.question}")
        if turn.reference:
            parts.append(f"**{t('compare.reference')}**\n\n{turn.reference}")
        for column, answer in zip(titled, turn.answers, strict=True):
            parts.append(f"### {column.title} ({column.note})\n\n{answer['text']}")
    return "\n\n".join(parts) + "\n"
