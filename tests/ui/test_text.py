"""Every text is there in every language, with the same values to fill in, and every one that the code asks for exists."""

import re
import string
from pathlib import Path

import pytest

from ui.text import LANGUAGES, Text, texts

UI = Path(__file__).resolve().parents[2] / "ui"
# Keys put together in the code: t(f"state.{state}").
MADE = (
    "judge.",
    "scratch.",
    "votes.",
    "steps",
    "state",
    "phase",
    "run.phase_",
    "chart",
    "columns",
    "findings",
    "lengths",
    "sample",
    "sets.told_",
    "table",
    "runs.column_",
    "runs.section_",
    "runs.group_",
    "runs.checkpoint_",
    "model.from_",
    "train.hint_",
    "welcome.step_",
    "learn.",
    "advisor.",
    "numbers.",
    "quantise.",
    "compare",
    "job.",
    "evaluation.",
    "export.",
    "report.in_",
    "contest.",
    "fetch.",
    "fit.",
    "outlook.then_",
    "reading.",
)


def test_every_locale_is_complete():
    keys = {lang: set(texts(lang)) for lang in LANGUAGES}
    assert keys["zh"] == keys["en"]


def test_no_text_is_empty_and_all_take_the_same_values():
    for key, text in texts("zh").items():
        assert text.strip() and texts("en")[key].strip(), key
        assert names(text) == names(texts("en")[key]), key


def test_every_key_in_the_code_exists():
    code = "\n".join(path.read_text(encoding="utf-8") for path in UI.glob("*.py"))
    asked = set(re.findall(r"""\bt(?:\.html)?\(\s*["']([a-z]+\.[a-z_0-9]+)["']""", code))
    assert len(asked) > 80
    assert asked <= set(texts("en"))


def test_every_text_is_used():
    code = "\n".join(path.read_text(encoding="utf-8") for path in UI.glob("*.py"))
    literal = set(re.findall(r"""["']([a-z]+\.[a-z_0-9]+)["']""", code))
    left = {key for key in texts("en") if key not in literal and not key.startswith(MADE)}
    # A step's heading is made of its name.
    assert {key for key in left if not key.endswith((".title", ".lead"))} == set()


def test_a_missing_value_or_key_is_an_error():
    t = Text("en")
    with pytest.raises(KeyError):
        t("train.no_such_text")
    with pytest.raises(KeyError):
        t("model.added", nam="x")


def test_html_is_escaped():
    assert Text("en").html("model.added", name="<b>") == "Model “&lt;b&gt;” was added."


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
