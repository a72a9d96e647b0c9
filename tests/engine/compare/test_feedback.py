"""Votes: nobody knows whose answer they vote on, none is lost, and what they add up to is right."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine import home
from engine.compare import feedback
from engine.data import convert, datasets
from engine.errors import Exists, NoRows, NotFound, Unsupported

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))


def voted(verdict, better="", question="问？"):
    made = feedback.begin(question, ("base:a", "run:b"), {"seed": 7})
    feedback.complete(made.id, f"{made.left.model} answers", f"{made.right.model} answers")
    return feedback.vote(made.id, verdict, better, who="小王")


def test_sides_are_drawn_by_lot_and_kept_on_disk():
    made = [feedback.begin("?", ("base:a", "run:b"), {}) for _ in range(40)]
    assert {each.left.model for each in made} == {"base:a", "run:b"}
    assert all(feedback.load(each.id) == each for each in made)


def test_a_vote_keeps_who_when_models_and_settings():
    given = voted("left")
    (kept,) = feedback.votes()
    assert kept == given
    assert kept.who == "小王" and kept.settings == {"seed": 7} and kept.time > 1.7e9


def test_undo_and_a_second_vote():
    first, second = voted("left"), voted("right")
    feedback.undo(first.comparison)
    feedback.vote(second.comparison, "both_bad")
    assert [(vote.comparison, vote.verdict) for vote in feedback.votes()] == [(second.comparison, "both_bad")]


def test_bad_votes_are_refused():
    made = feedback.begin("?", ("base:a", "run:b"), {})
    with pytest.raises(Unsupported):
        feedback.vote(made.id, "left")
    with pytest.raises(Unsupported):
        feedback.vote(made.id, "middle")
    for id in ("nothing", "../votes", ""):
        with pytest.raises(NotFound):
            feedback.vote(id, "left")
    with pytest.raises(NoRows):
        feedback.export("mine")


def test_votes_become_pairs_and_thumbs():
    won, good = voted("left"), voted("both_good")
    improved = voted("both_bad", better="更好的回答")
    rows = feedback.preferences(feedback.votes())
    assert rows[0] == {"prompt": "问？", "chosen": won.left.answer, "rejected": won.right.answer}
    assert [row["chosen"] for row in rows] == [won.left.answer, "更好的回答", "更好的回答"]
    labels = [row["label"] for row in feedback.thumbs([won, good, improved])]
    assert labels == [True, False, True, True, False, False, True]
    assert datasets.load(feedback.export("mine")).train == 3
    assert datasets.load(feedback.export("thumbs", "kto")).format == "kto"
    assert datasets.load(feedback.export("mine")).train == 3  # made from votes before: it makes way
    convert.convert(home.DEMO_DATA, datasets.place("files"), train=20, val=0)
    with pytest.raises(Exists):
        feedback.export("files")
    assert datasets.load(datasets.find("files")).train == 20


def test_votes_without_a_winner_are_thumbs_only():
    voted("both_bad")
    with pytest.raises(NoRows) as caught:
        feedback.export("mine")
    assert "KTO" in caught.value.text("en")
    assert datasets.load(feedback.export("thumbs", "kto")).train == 2


def test_scoreboard_with_interval():
    for _ in range(3):
        made = voted("left")
        feedback.vote(made.comparison, "left" if made.left.model == "run:b" else "right")
    voted("both_good")
    first, last = feedback.scoreboard(feedback.votes())
    assert (first["model"], first["wins"], first["losses"], first["ties"]) == ("run:b", 3, 0, 1)
    assert (last["wins"], last["losses"]) == (0, 3)
    # Newcombe (1998), table I: 81 of 263.
    assert feedback.wilson(81, 263) == pytest.approx((0.3080, 0.2553, 0.3662), abs=1e-4)


def test_votes_survive_a_kill_at_any_moment(tmp_path):
    code = (
        "import itertools; from engine.compare import feedback as f\n"
        "for i in itertools.count():\n"
        "    made = f.begin(str(i), ('base:a', 'run:b'), {}); f.complete(made.id, 'x' * 5000, 'y'); f.vote(made.id, 'left')\n"
        "    print(i, flush=True)\n"
    )
    done = 0
    for wait in (1, 7, 20):
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as process:
            for _ in range(wait):
                assert process.stdout.readline()
            process.kill()
        done += wait
        assert len(feedback.votes()) >= done
        done = len(feedback.votes())
    # A line cut short, as a crash of the machine leaves it, takes nothing else along.
    with open(tmp_path / "votes" / "votes.jsonl", "ab") as file:
        file.write(b'{"vote": {"compar')
    voted("right")
    assert len(feedback.votes()) == done + 1
