"""The Learn step: both languages hold the same lessons, every drawing is there in both, and all follows the registries."""

import re
from dataclasses import replace
from itertools import product
from xml.etree import ElementTree

import pytest

from engine import home
from engine.errors import InvalidFields, NotFound
from engine.training.methods import METHODS
from engine.training.objectives import OBJECTIVES
from engine.words import Words
from ui import advisor, learn_tab, numbers, quantise
from ui.lessons import lessons, markup
from ui.text import LANGUAGES, Text

DRAWINGS = [
    path.relative_to(home.ASSETS) for folder in ("learn", "methods") for path in (home.ASSETS / folder).glob("*.svg")
]
KEYS = [spec.key for spec in METHODS]


def pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\((\w+)\)", text)


def test_both_languages_hold_the_same_lessons():
    zh, en = lessons("zh"), lessons("en")
    assert list(zh) == list(en)
    assert [pictures(each.text) for each in zh.values()] == [pictures(each.text) for each in en.values()]
    part_of = {en[key].part: zh[key].part for key in en}
    assert all(part_of[en[key].part] == zh[key].part for key in en)
    assert all(each.title and each.text for each in [*zh.values(), *en.values()])


def test_every_method_has_a_drawing_and_more_to_say():
    for spec in METHODS:
        assert (home.ASSETS / "methods" / spec.diagram).is_file()
        assert spec.key in lessons("en")


def test_every_drawing_is_used():
    used = {f"learn/{name}.svg" for each in lessons("en").values() for name in pictures(each.text)}
    used |= {f"methods/{spec.diagram}" for spec in METHODS}
    assert {path.as_posix() for path in DRAWINGS} == used


@pytest.mark.parametrize("path", DRAWINGS, ids=str)
def test_words_in_a_drawing_are_in_both_languages(path):
    root = ElementTree.parse(home.ASSETS / path).getroot()
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        spans = [span.get("lang") for span in text]
        assert spans in ([], ["en", "zh"])
        # What has no translation is a name or a formula; a line of several belongs to one language.
        if not spans and text.get("lang") != "zh":
            assert not re.search(r"[\u4e00-\u9fff]", text.text)
    lines = [text.get("lang") for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert ("en" in lines) == ("zh" in lines)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_lessons_in_one_language_hold_only_that(lang):
    other = "zh" if lang == "en" else "en"
    for lesson in lessons(lang).values():
        shown = markup(lesson, lang)
        assert f'lang="{other}"' not in shown
        assert "**" not in shown
        if lang == "en":
            assert not re.search(r"[\u4e00-\u9fff]", shown)


def test_a_topic_leads_to_its_lesson():
    t = Text("en")
    assert learn_tab.place(t, "qlora") == ("methods", "qlora")
    assert learn_tab.place(t, "training") == ("training", None)
    assert learn_tab.place(t, None) == learn_tab.place(t, "<nowhere>") == ("model", None)
    for spec in OBJECTIVES:
        assert learn_tab.place(t, spec.key) == ("routes", spec.key)


def test_every_objective_is_explained():
    shown = learn_tab._objectives(Text("zh"), OBJECTIVES[1].key)
    assert all(spec.label.zh in shown and spec.summary.zh in shown for spec in OBJECTIVES)
    assert f'is-current"><dt>{OBJECTIVES[1].label.zh}' in shown


def test_a_method_added_with_one_entry_is_explained(monkeypatch):
    new = replace(METHODS[0], key="new", label=Words("Brand <new>", "新<法>"), diagram="new.svg")
    monkeypatch.setattr(learn_tab, "METHODS", (*METHODS, new))
    t = Text("en")
    shown = learn_tab._lesson(t, *learn_tab.place(t, "new"))
    assert "Brand &lt;new&gt;" in shown and "Two small matrices" in shown
    assert 'data-take="new"' in shown and 'data-topic="lora"' in shown


def test_the_figures_on_forgetting_are_the_recorded_ones():
    recorded = home.read_json(learn_tab._FORGETTING)
    shown = learn_tab._forgetting(Text("en"))
    for row in recorded["rows"]:
        assert f"<b>{row['base']:.2f}</b>" in shown and f"<b>{row['tuned']:.2f}</b>" in shown
    medical, everyday = recorded["rows"]
    assert medical["tuned"] < medical["base"] and everyday["tuned"] > everyday["base"]
    assert recorded["answers"] and recorded["answers"][0]["tuned"] in shown


def test_the_advisor_always_has_advice_and_every_rule_is_reached():
    reached = set()
    for answers in product(*advisor.QUESTIONS.values()):
        rule = advisor.advise(dict(zip(advisor.QUESTIONS, answers, strict=True)))
        reached.add(rule.why)
        assert rule.method is None or rule.method in KEYS
        shown = advisor.shown(Text("zh"), answers)
        assert shown["why"] and learn_tab.place(Text("zh"), shown["topic"])[0] in lessons("zh")
    assert reached == {rule.why for rule in advisor.RULES}


@pytest.mark.parametrize(
    ("answers", "method"),
    [
        ({}, "lora"),
        ({"goal": "facts", "memory": "tight"}, None),
        ({"memory": "tight"}, "qlora"),
        ({"goal": "most", "memory": "plenty", "rows": "many"}, "full"),
        ({"goal": "<x>", "memory": 7}, "lora"),
    ],
)
def test_advice(answers, method):
    assert advisor.advise(answers).method == method


def test_a_number_in_every_format():
    rows = {row["label"]: row for row in numbers.shown(Text("en"), "0.1", "1")["rows"]}
    assert "".join(each["bit"] for each in rows["BF16"]["bits"]) == "0011110111001101"
    assert [each["kind"] for each in rows["FP16"]["bits"]] == ["sign"] + ["exponent"] * 5 + ["fraction"] * 10
    assert rows["NF4"]["value"] == "0.0795802996"
    exact = numbers.shown(Text("en"), "0.5", "0.25")["rows"]
    assert all(row["off"] == "exact" for row in exact)  # its block's largest is then itself
    assert numbers.shown(Text("zh"), "7e4", "1")["rows"][1]["value"] == "∞"


@pytest.mark.parametrize("number", ["", "abc", "nan", "inf", "1e39", "<b>"])
def test_what_is_no_number_is_said(number):
    with pytest.raises(InvalidFields, match="is not a number"):
        numbers.shown(Text("en"), number, "1")


def test_a_matrix_quantised():
    t = Text("en")
    name = "model.layers.1.self_attn.q_proj.weight"
    plain = quantise.shown(t, {}, name, "nf4", False)
    double = quantise.shown(t, {}, name, "nf4", True)
    assert plain["stats"][0]["value"] == "4.5" and double["stats"][0]["value"] == "4.127"
    assert len(plain["levels"]) == 16 and plain["words"]["part"] == ""
    assert quantise.shown(t, {}, name, "<nothing>", False) == plain
    with pytest.raises(NotFound):
        quantise.shown(t, {}, "../../x", "nf4", False)
