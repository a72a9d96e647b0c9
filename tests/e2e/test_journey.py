"""The whole journey by clicking, once in each language: model, data, train, compare, runs."""

import pytest

STEPS_IN_TEST = "6"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_primary_buttons_tune_and_compare_the_demo(visit, lang):
    at = visit(lang)
    page = at.page

    page.wait_for_selector("#models .td-card.is-selected")
    at.shot("1-model")
    page.click("#model-next")

    page.wait_for_selector("#data-rows td")
    at.expect("#data-rows tbody tr").to_have_count(50)
    page.wait_for_selector("#role-question:has-text('ask')")
    page.wait_for_selector("#role-answer:has-text('answer')")
    page.click("#data-sample > button")
    page.wait_for_selector("#sample .td-tokens .is-counted")
    at.shot("2-data")
    page.click("#data-convert")
    page.wait_for_selector("#data-result .td-stat.is-good")
    at.expect("#datasets .td-card.is-selected").to_have_count(1)
    at.shot("3-converted")
    page.click("#data-next")

    page.wait_for_selector("#train-subject .td-stat")
    page.click("#train-advanced > button")
    page.wait_for_selector("#training-max_steps input")
    page.fill("#training-eval_rows input", "8")
    page.fill("#training-max_steps input", STEPS_IN_TEST)
    page.press("#training-max_steps input", "Tab")
    page.click("#train-start")
    # Six steps may be over before the page asks again.
    page.wait_for_selector("#train-run .td-pill.is-running, #train-run .td-pill.is-finished")
    page.wait_for_selector("#train-run .td-plot .scatterlayer .trace")
    at.shot("4-training")
    page.wait_for_selector("#train-run .td-pill.is-finished")
    page.wait_for_selector("#train-next")
    assert page.inner_text("#train-run .td-stat >> nth=0").split("\n")[1] == STEPS_IN_TEST
    at.shot("5-trained")
    page.click("#train-next")

    page.wait_for_selector("#compare-examples [data-chip]")
    at.expect("#compare-question textarea").not_to_have_value("")
    page.click("#compare-ask")
    page.wait_for_selector("#compare-thread .td-reference")
    base = page.inner_text("#compare-thread .is-base .td-answer-text")
    tuned = page.inner_text("#compare-thread .is-tuned .td-answer-text")
    assert base and tuned and base != tuned
    at.shot("6-compared")

    at.go("runs")
    page.wait_for_selector("#runs tr[data-row]")
    page.wait_for_selector("#runs-run .td-plot .scatterlayer .trace")
    page.wait_for_selector("#runs .td-pill.is-finished")
    at.shot("7-runs")
