"""Pre-training by clicking: a file of plain text, a model from nothing, and how it goes on with a text."""

import json
import re

import pytest

from tests.e2e.test_pages import new_data_set


@pytest.mark.timeout(900)
def test_a_model_from_nothing_reads_a_text(visit, tmp_path):
    at = visit("en")
    page = at.page
    new_data_set(at)
    lines = [f"Row {row} of the garden holds {row * 7 % 31} roses and a small green frog." for row in range(60)]
    (tmp_path / "garden.txt").write_text("\n\n".join([*lines, lines[0]]), encoding="utf-8")
    page.set_input_files("#data-upload input", tmp_path / "garden.txt")
    page.wait_for_selector("#files .td-card.is-selected:has-text('garden.txt')")
    page.wait_for_selector("#data-rows td:has-text('roses')")
    page.click("#data-convert")
    page.wait_for_selector("#datasets .td-card.is-selected:has-text('Plain text')")
    # Why a row is gone stands below, with its number.
    page.wait_for_selector("#data-dropped li:has-text('61')")

    # Who brings another file is about to make a data set of it: that button is the one that stands out.
    assert "primary" not in page.get_attribute("#data-convert", "class").split()
    new_data_set(at)
    (tmp_path / "more.txt").write_text("\n\n".join(lines[:9]), encoding="utf-8")
    page.set_input_files("#data-upload input", tmp_path / "more.txt")
    page.wait_for_selector("#data-convert.primary")

    at.go("model")
    page.click("#scratch > button")
    page.click("#scratch-size input")
    page.click("ul[role=listbox] li:has-text('Tiny')")
    at.expect("#scratch-tokenizer input").to_have_value(re.compile("garden"))
    page.click("#scratch-make")
    page.wait_for_selector("#steps [data-step=model]:has-text('my-model')")
    at.go("train")
    page.click("#objectives .td-card:has(input[value=pretrain])")
    page.wait_for_selector("#objectives .is-selected:has(input[value=pretrain])")
    # Random weights are all to learn: the method that does so is chosen with them.
    page.wait_for_selector("#methods .is-selected:has(input[value=full])")
    page.click("#train-advanced > button")
    page.fill("#training-max_steps input", "4")
    page.press("#training-max_steps input", "Tab")
    page.click("#train-start")
    page.wait_for_selector("#train-hint:has-text('goes on with texts')")
    page.click("#train-next")

    # It never learnt to chat: it goes on with the beginning of a text that it has not read.
    page.wait_for_selector("#compare-question:has-text('Beginning of a text')")
    page.wait_for_selector("#compare-examples [data-chip]:has-text('of the garden')")
    page.click("#compare-settings > button")
    page.fill("#generation-max_tokens input", "12")
    page.click("#compare-ask")
    page.wait_for_selector("#compare-thread .td-reference:has-text('frog')")
    at.shot("pretrained")
    page.click("#compare-goes-on input")
    page.wait_for_selector("#compare-question:has-text('Question')")
    page.fill("#compare-question textarea", "Are you there?")
    page.click("#compare-ask")
    page.wait_for_selector("#compare-thread .td-asked:has-text('Are you there?')")
    page.wait_for_selector("#compare-thread [data-again]")

    (home,) = tmp_path.glob("workspace/runs/*/chats")
    kept = [json.loads(file.read_bytes()) for file in sorted(home.glob("*.json"))]
    assert {chat["turns"][0]["question"] == "Are you there?": chat["goes_on"] for chat in kept} == {
        True: False,
        False: True,
    }
