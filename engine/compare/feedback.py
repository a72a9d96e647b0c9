"""Votes: which of two answers a person prefers, not knowing whose they are; and what the votes add up to.

A comparison keeps on disk who stands left and who right; the page learns it after the vote. A vote is one line of
`votes/votes.jsonl`, flushed before it counts, so none is lost and none is there by half. Undoing adds a line too.
"""

import json
import math
import os
import random
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from engine import home
from engine.data import datasets
from engine.errors import Exists, NoRows, NotFound, Unsupported, from_os_error
from engine.words import Words

VERDICTS = ("left", "right", "both_good", "both_bad")
_COMPARISON = Words("comparison", "对比")
_ASK_AGAIN = Words("Ask the question again.", "请重新提问。")
_NOT_ANSWERED = Words("Wait until both answers are there, then vote.", "请等两个回答都生成完再投票。")
_NO_VOTES = Words("Vote on some answers first.", "请先给一些回答投票。")
_NO_WINNER = Words(
    "No vote says which answer is better. Vote for one, type a better answer, or learn from thumbs (KTO).",
    "还没有任何投票分出好坏。请选出更好的一个、写下更好的回答，或改用点赞点踩（KTO）学习。",
)
_NO_VERDICT = Words("'{given}' is not a vote.", "“{given}”不是有效的投票。")
_MAX_BETTER = 20_000
# Rows held out of the votes that are trained on: every tenth, once there are so many.
_HELD_OUT = 10
_writing = threading.Lock()


@dataclass(frozen=True)
class Side:
    """`model`: a name as in `names`; `answer`: None until it is given."""

    model: str
    answer: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One question to two models. `settings`: of generation, the seed among them."""

    id: str
    question: str
    left: Side
    right: Side
    settings: dict


@dataclass(frozen=True)
class Vote:
    """`better`: an answer that the person would have liked more, "" for none; `who`: a name they gave, "" for none."""

    comparison: str
    time: float
    who: str
    verdict: str
    better: str
    question: str
    left: Side
    right: Side
    settings: dict = field(default_factory=dict)

    @property
    def winner(self) -> Side | None:
        return {"left": self.left, "right": self.right}.get(self.verdict)

    @property
    def loser(self) -> Side | None:
        return {"left": self.right, "right": self.left}.get(self.verdict)


def begin(question: str, models: tuple[str, str], settings: dict) -> Comparison:
    """A comparison with the two models on sides drawn by lot."""
    left, right = random.SystemRandom().sample(models, 2)
    made = Comparison(secrets.token_hex(8), question, Side(left), Side(right), settings)
    _keep(made)
    return made


def complete(id: str, left: str, right: str) -> Comparison:
    """The comparison with its answers, which are kept for the vote.

    Raises:
        NotFound: there is no such comparison.
    """
    found = load(id)
    done = Comparison(id, found.question, Side(found.left.model, left), Side(found.right.model, right), found.settings)
    _keep(done)
    return done


def load(id: str) -> Comparison:
    """Raises:
    NotFound: there is no such comparison.
    """
    path = _comparisons() / f"{id}.json"
    if not id.isalnum() or not path.is_file():
        raise NotFound(kind=_COMPARISON, name=id, hint=_ASK_AGAIN)
    return _sides(Comparison, home.read_json(path))


def vote(id: str, verdict: str, better: str = "", who: str = "") -> Vote:
    """Keep a vote on the comparison `id`; a second one on the same replaces the first.

    Raises:
        NotFound: there is no such comparison.
        Unsupported: no such verdict, or the answers are not there yet.
        DiskFull: it could not be kept.
    """
    if verdict not in VERDICTS:
        raise Unsupported(reason=_NO_VERDICT.filled(given=verdict))
    on = load(id)
    if on.left.answer is None or on.right.answer is None:
        raise Unsupported(reason=_NOT_ANSWERED)
    given = Vote(
        comparison=id,
        time=round(time.time(), 3),
        who=who.strip()[:200],
        verdict=verdict,
        better=better.strip()[:_MAX_BETTER],
        question=on.question,
        left=on.left,
        right=on.right,
        settings=on.settings,
    )
    _append({"vote": asdict(given)})
    return given


def undo(id: str) -> None:
    """Take back the vote on the comparison `id`."""
    _append({"undo": id})


def votes() -> list[Vote]:
    """Every vote that stands, oldest first."""
    path = _votes()
    standing: dict[str, Vote] = {}
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # cut off by a crash
        if "undo" in said:
            standing.pop(said["undo"], None)
        else:
            given = _sides(Vote, said["vote"])
            standing.pop(given.comparison, None)
            standing[given.comparison] = given
    return list(standing.values())


def scoreboard(given: Iterable[Vote]) -> list[dict]:
    """`{"model", "wins", "losses", "ties", "rate", "low", "high"}`, best first: `rate` is the share of its decided votes
    that a model won, with Wilson's 95% interval."""
    tally: dict[str, list[int]] = {}
    for each in given:
        for side in (each.left, each.right):
            counts = tally.setdefault(side.model, [0, 0, 0])
            counts[2 if each.winner is None else 0 if side is each.winner else 1] += 1
    board = []
    for model, (wins, losses, ties) in tally.items():
        rate, low, high = wilson(wins, wins + losses)
        board.append(
            {"model": model, "wins": wins, "losses": losses, "ties": ties, "rate": rate, "low": low, "high": high}
        )
    return sorted(board, key=lambda row: (-row["rate"], row["model"]))


def wilson(wins: int, count: int, z: float = 1.96) -> tuple[float, float, float]:
    """(share, low, high): Wilson's score interval (1927); with nothing counted (0.5, 0, 1)."""
    if not count:
        return 0.5, 0.0, 1.0
    share = wins / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, max(0.0, centre - reach), min(1.0, centre + reach)


def preferences(given: Iterable[Vote]) -> list[dict]:
    """The votes as rows of the form "preference". An answer typed in is better than both that were shown."""
    rows = []
    for each in given:
        if each.better:
            rejected = [each.left.answer, each.right.answer]
            rows += [_pair(each, each.better, worse) for worse in dict.fromkeys(rejected) if worse != each.better]
        elif each.winner and each.winner.answer != each.loser.answer:
            rows.append(_pair(each, each.winner.answer, each.loser.answer))
    return rows


def thumbs(given: Iterable[Vote]) -> list[dict]:
    """The votes as rows of the form "kto"; here two good or two bad answers count as well."""
    rows = []
    for each in given:
        good = {"left": (True, False), "right": (False, True), "both_good": (True, True), "both_bad": (False, False)}
        for side, label in zip((each.left, each.right), good[each.verdict], strict=True):
            rows.append({"prompt": each.question, "completion": side.answer, "label": label})
        if each.better:
            rows.append({"prompt": each.question, "completion": each.better, "label": True})
    return rows


def export(name: str, format: str = "preference") -> Path:
    """The votes as the data set `name` of the workspace; one of that name made from votes before makes way.

    Raises:
        NoRows: no vote says anything for this form.
        Exists: a data set of that name was made from files.
        DiskFull: there is no room.
    """
    given = votes()
    rows = preferences(given) if format == "preference" else thumbs(given)
    if not rows:
        raise NoRows(read=len(given), dropped=len(given), hint=_NO_WINNER if given else _NO_VOTES)
    folder = datasets.place(name)
    if datasets.account(folder):
        raise Exists(path=name)
    return write_rows(folder, format, rows)


def write_rows(folder: Path, format: str, rows: list[dict]) -> Path:
    """`rows` as the data set in `folder`, every tenth of them for validation where there are enough."""
    val = rows[_HELD_OUT - 1 :: _HELD_OUT]
    train = [row for place, row in enumerate(rows, 1) if place % _HELD_OUT]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        home.write_atomically(folder / "train.json", _lines(train))
        home.write_atomically(folder / "val.json", _lines(val))
        counts = {"train": len(train), "val": len(val), "input_rows": len(rows), "unused": 0, "dropped": {}}
        home.write_json(folder / "report.json", {"format": format, **counts})
    except OSError as error:
        raise from_os_error(error, folder) from error
    return folder


def few(rows: int) -> dict[str, int]:
    """Training settings for so few `rows` that the defaults would end after a step or two: about thirty steps."""
    batch = max(2, min(16, rows // 4))
    return {"batch_size": batch, "num_train_epochs": max(2, min(20, math.ceil(30 * batch / rows)))}


def _pair(each: Vote, chosen: str, rejected: str) -> dict:
    return {"prompt": each.question, "chosen": chosen, "rejected": rejected}


def _append(said: dict) -> None:
    """One line, on the disk when this returns. A line that a crash cut short stays alone."""
    line = json.dumps(said, ensure_ascii=False).encode() + b"\n"
    try:
        with _writing, open(_votes(), "ab") as file:
            before = file.tell()
            torn = before and _votes().read_bytes()[-1:] != b"\n"
            try:
                file.write(b"\n" + line if torn else line)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise from_os_error(error, _votes()) from error


def _keep(comparison: Comparison) -> None:
    try:
        home.write_json(_comparisons() / f"{comparison.id}.json", asdict(comparison))
    except OSError as error:
        raise from_os_error(error, _comparisons()) from error


def _sides(kind: type, record: dict) -> object:
    return kind(**record | {side: Side(**record[side]) for side in ("left", "right")})


def _lines(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _votes() -> Path:
    return home.folder("votes") / "votes.jsonl"


def _comparisons() -> Path:
    folder = home.folder("votes") / "comparisons"
    folder.mkdir(exist_ok=True)
    return folder
