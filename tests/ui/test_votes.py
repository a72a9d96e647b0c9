"""Votes on the page: what is said of the answers, and the votes as a table."""

import pytest

from engine.compare import feedback
from engine.runs import store
from engine.words import LANGUAGES
from ui import votes
from ui.text import Text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_votes_are_exported_in_the_language_of_the_page(tmp_path, monkeypatch, lang):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    t = Text(lang)
    run = store.create({"model": "m", "data": "d", "objective": "sft", "method": "lora"}, name="mine").id
    begun = feedback.begin("why?", (f"base:run:{run}", f"run:{run}"), {"seed": 7})
    feedback.complete(begun.id, "so", "thus")
    feedback.vote(begun.id, "both_bad", "because", "Ming")
    heads, row = votes._table(t)
    told = dict(zip(heads, row, strict=True))
    assert heads == [t(f"votes.table_{name}") for name in votes._TABLE]
    assert told[t("votes.table_verdict")] == t("votes.both_bad") and told[t("votes.table_seed")] == "7"
    # A run that made no model that answers is known by its id alone.
    assert {told[t("votes.table_model_a")], told[t("votes.table_model_b")]} == {
        f"{run} · {t('compare.base')}",
        f"{run} · {t('compare.tuned')}",
    }


def test_answers_that_say_the_same_are_told():
    t = Text("en")
    notes = [votes._answers(t, "", said, busy=False)["note"] for said in (["a", "a"], ["a", "b"])]
    assert notes == [t("votes.same"), t("votes.which")]
    assert votes._answers(t, "", ["a", "a"], busy=False, titles=["x", "y"])["note"] == t("votes.thanks")
