"""Conversations kept with a run: what was asked of which models, and what each said.

One file a conversation, in `chats/` of the run. A conversation only grows: asking the same again, or another question in
the place of one, makes a new one beside it (`fork`), so that no answer is ever lost.
"""

import re
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from engine import home
from engine.errors import NotFound, from_os_error
from engine.runs.store import Run
from engine.words import Words

MOST_COLUMNS = 4
LISTED = 50  # the newest ones; the others stay on the disk
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_KIND = Words("conversation", "对话")
_HINT = Words("It may have been deleted; start a new one.", "它可能已被删除，请新建一个对话。")


@dataclass(frozen=True)
class Turn:
    """One question and what every column answered.

    `answers`: one a column, `{"text", "finish_reason", "tokens", "seconds"}`, and `reward` where a reward model scored
    it; `reference`: the answer of the held-out row that the question was taken from, or None; `settings`: of
    `GenerationParams`.
    """

    question: str
    answers: list[dict]
    settings: dict
    reference: str | None = None


def goes_on(run: Run) -> bool:
    """Whether what the run learnt is to go on with a text, not to answer."""
    return run.config.get("objective") == "pretrain"


def message(question: str, goes_on: bool = False) -> dict:
    """What a model is sent that is to answer `question`, or to go on with it."""
    return {"role": "text" if goes_on else "user", "content": question}


@dataclass(frozen=True)
class Conversation:
    """`models`: names (see `engine.compare.names`), one a column. `goes_on`: each question is the beginning of a text,
    which the models go on with. `id` is None until it is kept."""

    models: list[str]
    system: str = ""
    turns: list[Turn] = field(default_factory=list)
    id: str | None = None
    created: float = 0.0
    goes_on: bool = False

    def messages(self, column: int, question: str) -> list[dict]:
        """What one column's model reads to answer `question`: the instructions, its own answers so far, the question."""
        if self.goes_on:
            return [message(question, goes_on=True)]
        said = [{"role": "system", "content": self.system}] if self.system else []
        for turn in self.turns:
            said.append({"role": "user", "content": turn.question})
            said.append({"role": "assistant", "content": turn.answers[column]["text"]})
        return [*said, message(question)]

    def fork(self, turns: int) -> "Conversation":
        """A new conversation that begins with the first `turns` of this one."""
        return replace(self, turns=self.turns[:turns], id=None, created=0.0)

    def with_turn(self, turn: Turn) -> "Conversation":
        return replace(self, turns=[*self.turns, turn])


def keep(run: Run, conversation: Conversation) -> Conversation:
    """Write it down; a new one gets its `id` here.

    Raises:
        DiskFull: there is no room.
    """
    if conversation.id is None:
        now = time.time()
        id = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(2)}"
        conversation = replace(conversation, id=id, created=now)
    try:
        _folder(run).mkdir(exist_ok=True)
        home.write_json(_file(run, conversation.id), asdict(conversation))
    except OSError as error:
        raise from_os_error(error, run.path) from error
    return conversation


def load(run: Run, id: str) -> Conversation:
    """Raises:
    NotFound: the run keeps none of that id.
    """
    file = _file(run, id) if _ID.fullmatch(id) else None
    if file is None or not file.is_file():
        raise NotFound(kind=_KIND, name=id, hint=_HINT)
    kept = home.read_json(file)
    return Conversation(**{**kept, "turns": [Turn(**turn) for turn in kept["turns"]]})


def listed(run: Run) -> list[Conversation]:
    """The newest conversations of a run, newest first."""
    files = sorted((f for f in _folder(run).glob("*.json") if _ID.fullmatch(f.stem)), reverse=True)
    return [load(run, file.stem) for file in files[:LISTED]]


def _folder(run: Run) -> Path:
    return run.path / "chats"


def _file(run: Run, id: str) -> Path:
    return _folder(run) / f"{id}.json"
