"""The data step by clicking: a real spreadsheet in GB18030 looked at, mapped, cleaned and made into data sets."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.test_pages import new_data_set


@pytest.fixture
def spreadsheet() -> Path:
    folder = os.environ.get("TUNEDESK_TEST_DATA")
    if not folder:
        pytest.skip("TUNEDESK_TEST_DATA names no folder of real data")
    return next(Path(folder, "chinese-medical-dialogue").glob("*.csv"))


@pytest.mark.timeout(900)
def test_the_real_spreadsheet(visit, spreadsheet, tmp_path):
    at = visit("zh")
    page = at.page
    new_data_set(at)
    page.set_input_files("#data-upload input", spreadsheet)
    page.wait_for_selector("#data-facts:has-text('7,644')")
    page.wait_for_selector("#data-notes:has-text('GB18030')")
    page.wait_for_selector("#data-rows th:has-text('ask'):has-text('问题')")
    page.wait_for_selector("#data-rows th:has-text('answer'):has-text('回答')")

    # The rows, sorted, turned and searched on the server.
    page.click("#data-rows th:has-text('ask') button")
    page.wait_for_selector("#data-rows th[aria-sort=ascending]")
    page.click("#data-rows .td-pager [data-start] >> nth=2")
    page.wait_for_selector("#data-rows .td-pager:has-text('51–100')")
    page.fill("#data-search input", "高血压")
    page.wait_for_selector("#data-rows tbody tr:first-child td:has-text('高血压')")
    page.wait_for_selector("#data-rows .td-pager:not(:has-text('7,644'))")
    page.click("#data-columns > button")
    page.wait_for_selector("#columns td:has-text('department')")

    # What the model will see: the answer counts, the question is masked, special tokens are visible.
    page.click("#data-sample > button")
    counted = page.inner_text("#sample .td-tokens .is-counted >> nth=0")
    assert counted
    at.expect("#sample .td-tokens .is-special").to_have_count(4)
    page.click("#sample [data-row='1']")
    page.wait_for_selector("#sample header:has-text('第 2 行')")
    assert page.inner_text("#sample .td-tokens .is-counted >> nth=0") != counted
    before = page.inner_text("#sample .td-tokens")
    choose(page, "question", "title")
    at.differs("#sample .td-tokens", before)

    page.click("#data-lengths > button")
    page.wait_for_selector("#lengths .td-hist i", state="attached")
    at.expect("#lengths .td-hist").to_have_count(3)
    page.click("#data-cleaning > button")
    page.click("#data-check")
    page.wait_for_selector("#findings [data-kind=duplicate]:not([disabled])")
    page.click("#findings [data-kind=duplicate]")
    page.wait_for_selector("#found-rows td")
    at.shot("data-looked-at")

    page.fill("#data-train input", "5000")
    page.fill("#data-val input", "2000")
    page.press("#data-val input", "Tab")
    page.click("#data-convert")
    page.wait_for_selector("#data-result:has-text('7,644'):has-text('5,000'):has-text('2,000')")
    page.click("#data-card > button")
    page.wait_for_selector("#set-card:has-text('SHA-256')")
    page.click("#data-inside > button")
    page.wait_for_selector("#set-rows td")
    at.shot("data-made")

    with page.expect_download() as saved:
        page.click("#data-files a:has-text('train.json')")
    rows = [json.loads(line) for line in saved.value.path().read_text(encoding="utf-8").splitlines()]
    assert saved.value.suggested_filename == "train.json"
    assert len(rows) == 5000 and set(rows[0]) == {"question", "answer"} and "\n" in rows[0]["question"]

    page.click("#data-change > button")
    page.fill("#set-name input, #set-name textarea", "改过名字")
    page.click("#set-rename")
    page.wait_for_selector("#datasets .td-card.is-selected:has-text('改过名字')")
    page.click("#set-delete")
    page.click("#set-delete-yes")
    page.wait_for_selector("#datasets .td-empty")


@pytest.mark.timeout(600)
def test_several_files_another_encoding_and_preferences(visit, tmp_path):
    at = visit("en")
    page = at.page
    new_data_set(at)
    (tmp_path / "one.csv").write_text("prompt,chosen,rejected\nWhy?,Because.,No idea\n", encoding="utf-8")
    (tmp_path / "two.csv").write_text("prompt,chosen,rejected\nHow?,Like so.,No idea\n", encoding="utf-8")
    page.set_input_files("#data-upload input", [tmp_path / "one.csv", tmp_path / "two.csv"])
    page.wait_for_selector("#files .td-card.is-selected:has-text('2 files together')")
    page.wait_for_selector("#data-rows td:has-text('How?')")
    page.click("#data-sample > button")
    page.wait_for_selector("#sample h4:has-text('Better answer')")
    at.expect("#sample section").to_have_count(2)
    page.fill("#data-train input", "1")
    page.fill("#data-val input", "1")
    page.press("#data-val input", "Tab")
    page.click("#data-convert")
    page.wait_for_selector("#datasets .td-card.is-selected:has-text('Preference pairs')")

    new_data_set(at)
    (tmp_path / "names.csv").write_bytes("question,answer\nÄrger?,Größe\n".encode("cp1252"))
    page.set_input_files("#data-upload input", tmp_path / "names.csv")
    page.wait_for_selector("#data-rows td:has-text('Ärger')")
    page.click("#data-reading > button")
    at.expect("#data-encoding input").to_have_value("CP1252 (found)")
    at.expect("#data-delimiter input").to_have_value("Comma , (found)")
    page.click("#data-encoding input")
    page.click("ul[role=listbox] li:has-text('CP1251')")
    page.wait_for_selector("#data-rows td:has-text('Дrger')")
    page.click("#data-header input")
    page.click("ul[role=listbox] li:has-text('No')")
    page.wait_for_selector("#data-rows th:has-text('column_1')")
    at.expect("#data-rows td:has-text('Дrger')").to_have_count(1)


def choose(page, role: str, column: str) -> None:
    """One more column for a role."""
    page.click(f"#role-{role} input")
    page.click(f"ul[role=listbox] li:has-text('{column}')")
    page.keyboard.press("Escape")
