"""The Learn step by clicking: lessons, things to try, and the ways between a method's card and its explanation."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import running


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[str]:
    """One for all of them: none changes the workspace."""
    yield from running(tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_advice_becomes_the_method_to_train_with(visit, lang):
    at = visit(lang)
    page = at.page
    at.go("learn")
    page.click("#learn-contents [data-topic=choose]")
    page.wait_for_selector("#advisor-advice [data-take=lora]")
    page.click("#advisor-memory input[value=tight]")
    page.click("#advisor-advice [data-take=qlora]")
    page.wait_for_selector("#methods .td-card.is-selected:has(input[value=qlora])")
    page.wait_for_selector("#qlora-r input")

    # It is taken once: another chosen by its card stays, and the model's structure shows what that
    # trains. A card's explanation is one click away.
    page.click("#methods .td-more")
    page.click("#methods .td-card:has(input[value=dora])")
    page.wait_for_selector("#dora-r input")
    at.go("model")
    page.click("#model-inside > button")
    page.wait_for_selector("#structure .td-node")
    at.expect("#structure-method input").to_have_value("DoRA")
    at.go("train")
    page.wait_for_selector("#methods .td-card.is-selected:has(input[value=dora])")
    page.click("#methods [data-learn=dora]")
    page.wait_for_selector("#learn-lesson .td-method:has(h3:has-text('DoRA')) svg")
    at.shot("learn-dora")
    page.click("#learn-lesson [data-topic=ia3]")
    page.wait_for_selector("#learn-lesson [data-take=ia3]")
    page.click("#learn-lesson [data-take=ia3]")
    page.wait_for_selector("#methods .td-card.is-selected:has(input[value=ia3])")


def test_a_number_and_a_matrix_in_fewer_bits(visit):
    at = visit("en")
    page = at.page
    at.go("learn")
    page.click("#learn-contents [data-topic=numbers]")
    page.fill("#numbers-number input", "-0.75")
    page.press("#numbers-number input", "Enter")
    page.wait_for_selector("#numbers-bits section:has-text('NF4') >> text=-0.696192801")
    page.fill("#numbers-number input", "many")
    page.press("#numbers-number input", "Enter")
    page.wait_for_selector("[data-testid=toast-body]:has-text('is not a number')")

    page.click("#learn-onward .is-after")
    page.wait_for_selector("#quantise-picture svg rect.is-after")
    at.expect("#quantise-picture rect.is-after").to_have_count(16)
    page.click("#quantise-format input[value=int8]")
    page.wait_for_selector("#quantise-picture .td-stat:has-text('8.5')")
    page.click("#quantise-double input")
    page.wait_for_selector("#quantise-picture .td-stat:has-text('8.127')")
    at.shot("learn-quantised")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_lesson_is_wider_than_a_phone(visit, lang):
    at = visit(lang, width=390)
    at.go("learn")
    at.page.wait_for_selector("#learn-contents option", state="attached")
    keys = at.page.eval_on_selector_all("#learn-contents option", "all => all.map((each) => each.value)")
    assert len(keys) > 10
    for _ in keys[1:]:
        title = at.page.inner_text("#learn-lesson h2")
        at.page.click("#learn-onward .is-after")
        at.differs("#learn-lesson h2", title)
        assert at.page.evaluate("document.documentElement.scrollWidth") <= 390
