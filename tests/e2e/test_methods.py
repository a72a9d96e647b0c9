"""Two methods by clicking: AdaLoRA on modules that were ticked, with its ranks at the end; Prefix-Tuning from a preset."""

import pytest

from engine import home
from engine.data import convert


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The demo's spreadsheet, converted into the application's workspace."""
    convert.convert([home.DEMO_DATA], tmp_path / "workspace" / "data" / "demo", train=64, val=8)


@pytest.mark.timeout(900)
def test_a_method_is_chosen_set_understood_and_trained(visit, data):
    at = visit("en")
    page = at.page
    at.go("train")

    # What will happen follows what is chosen.
    page.wait_for_selector("#outlook-story li:has-text('LoRA')")
    page.click("#methods label:has-text('AdaLoRA')")
    page.wait_for_selector("#outlook-story li:has-text('AdaLoRA')")
    all_linear = page.inner_text("#outlook-facts .td-stat >> nth=0")
    page.check("#adalora-target_modules label:has-text('q_proj') >> nth=-1")
    page.check("#adalora-target_modules label:has-text('v_proj') >> nth=-1")
    at.differs("#outlook-facts .td-stat", all_linear)
    at.expect("#adalora-target_modules label:has-text('All linear layers') input").not_to_be_checked()
    at.shot("methods-adalora")

    # A preset fills the fields; a wrong value says at its field what goes.
    page.click("#presets label:has-text('Quick try')")
    page.wait_for_selector("#outlook-facts .td-stat:has-text('60')")
    page.click("#train-advanced > button")
    at.expect("#training-max_steps input").to_have_value("60")
    page.fill("#training-max_steps input", "6")
    page.fill("#adalora-target_r input", "40")
    page.press("#adalora-target_r input", "Tab")
    page.wait_for_selector("#outlook-story:has-text('initial rank')")
    page.click("#train-start")
    page.wait_for_selector("#adalora-target_r.td-wrong")
    page.fill("#adalora-target_r input", "4")
    page.press("#adalora-target_r input", "Tab")
    page.wait_for_selector("#outlook-story li")
    page.click("#train-start")
    page.wait_for_selector("#train-run .td-pill.is-finished")
    page.wait_for_selector("#train-ranks .td-ranks td")
    ranks = [int(text) for text in page.locator("#train-ranks td").all_inner_texts()]
    matrices = len(ranks)
    assert sum(ranks) == 4 * matrices and max(ranks) <= 12
    assert f"{sum(ranks)} ranks over {matrices} matrices" in page.inner_text("#train-ranks")
    at.shot("methods-ranks")

    # Another method, its form in place of the first one's.
    page.click("#methods [data-more]")
    page.click("#methods label:has-text('Prefix-Tuning')")
    page.wait_for_selector("#prefix_tuning-num_virtual_tokens input")
    page.wait_for_selector("#adalora-target_r", state="hidden")
    page.fill("#prefix_tuning-num_virtual_tokens input", "5")
    page.press("#prefix_tuning-num_virtual_tokens input", "Tab")
    page.wait_for_selector("#outlook-facts .td-stat:has-text('6.4 k')")
    page.click("#train-start")
    page.wait_for_selector("#train-run:has-text('Prefix-Tuning') .td-pill.is-finished")
    page.wait_for_function("document.querySelectorAll('#train-ranks td').length === 0")
    at.shot("methods-prefix")
