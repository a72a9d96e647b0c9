"""What a judge said of each pair and why, read back from the lines that a judging leaves."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from engine.compare.judges import FIRST, SECOND, TIE

FILE = "judgements.jsonl"
# The item of a vote that was judged too, to see how far judge and people agree: this and the comparison's id.
VOTE = "vote:"
BY_PLACE, SAME = "place", "same"


@dataclass(frozen=True)
class Judgement:
    """Two answers compared. `outcome`: FIRST, SECOND, TIE, BY_PLACE (the same place in both orders) or SAME (nothing to
    compare); `said`: choice and reason with the first answer in front, then with the second; `vote`: of a person, who
    preferred the first."""

    question: str
    first: str
    second: str
    outcome: str
    said: tuple[tuple[str, str], ...]
    vote: bool


def outcome(straight: str, turned: str) -> str:
    """What two choices come to: `straight` with the first answer in front, `turned` with the second; each names a place."""
    if (straight, turned) in ((FIRST, SECOND), (SECOND, FIRST)):
        return straight
    return BY_PLACE if straight == turned != TIE else TIE


def page(folder: Path, start: int, count: int) -> tuple[list[Judgement], int]:
    """`count` judgements from the one at `start` (0-based) of those kept in `folder`, and how many there are; none where
    nothing was judged. A judge may be at work on the file: pairs that it has seen in one order only do not count yet."""
    path = folder / FILE
    text = path.read_bytes() if path.is_file() else b""
    items: dict[str, list[dict]] = {}
    for line in text[: text.rfind(b"\n") + 1].splitlines():
        row = orjson.loads(line)
        items.setdefault(row["item"], []).append(row)
    done = [rows for rows in items.values() if len(rows) == 2]
    return [_of(*rows) for rows in done[start : start + count]], len(done)


def _of(straight: dict, turned: dict) -> Judgement:
    first, second = straight["first"], straight["second"]
    same = first.strip() == second.strip()
    # In the turned order the first place holds the second answer.
    meant = {FIRST: SECOND, SECOND: FIRST, TIE: TIE}[turned["choice"]]
    return Judgement(
        question=straight["question"],
        first=first,
        second=second,
        outcome=SAME if same else outcome(straight["choice"], turned["choice"]),
        said=() if same else ((straight["choice"], straight["reason"]), (meant, turned["reason"])),
        vote=straight["item"].startswith(VOTE),
    )
