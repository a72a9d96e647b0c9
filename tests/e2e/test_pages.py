"""What people type and upload is text; what is wrong is said where it is; every width holds the page."""

import re
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import running


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[str]:
    """One for all of them: none starts a run."""
    yield from running(tmp_path_factory.mktemp("workspace"))


def test_data_is_text(visit, tmp_path):
    nasty = (
        "<img src=x onerror=document.title='caught'>",
        "${(document.title = 'caught')}",
        "{{value}} `x` C:\\new <script>1</script>",
    )
    path = tmp_path / "nasty.csv"
    path.write_text("question,answer\n" + "".join(f'"{text}","{text}"\n' for text in nasty), encoding="utf-8")
    at = visit("en")
    new_data_set(at)
    at.page.set_input_files("#data-upload input", path)
    at.page.wait_for_selector("#files .td-card.is-selected:has-text('nasty.csv')")
    at.page.wait_for_selector("#data-rows td:has-text('onerror')")
    shown = at.page.locator("#data-rows td div").all_inner_texts()
    assert all(text in shown for text in nasty)
    assert at.page.title() != "caught"


def test_a_file_that_is_no_table_is_one_sentence(visit, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    at = visit("zh")
    new_data_set(at)
    at.page.set_input_files("#data-upload input", path)
    said = at.page.wait_for_selector("[data-testid=toast-body]:has-text('photo.png')").inner_text()
    assert "Traceback" not in said and "图片" in said


def test_a_wrong_parameter_is_said_at_its_field(visit):
    at = visit("en")
    at.go("data")
    at.page.wait_for_selector("#data-rows td")
    at.page.click("#data-convert")
    at.page.wait_for_selector("#datasets .td-card")
    at.go("train")
    at.page.fill("#training-num_train_epochs input", "-3")
    at.page.press("#training-num_train_epochs input", "Tab")
    at.page.click("#train-start")
    at.page.wait_for_selector("#training-num_train_epochs.td-wrong:has-text('more than 0')")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_is_wider_than_its_window(visit, lang, width):
    at = visit(lang, width)
    for step_name in ("model", "data", "train", "compare", "runs"):
        at.go(step_name)
        assert at.page.evaluate("document.documentElement.scrollWidth") <= width
        at.check()


def test_english_pages_hold_no_chinese(visit):
    at = visit("en")
    for step_name in ("model", "compare", "runs"):
        at.go(step_name)
        words = at.page.inner_text("#steps") + at.page.inner_text(f"#tab-{step_name} .td-heading")
        assert not re.search(r"[\u4e00-\u9fff]", words)


def new_data_set(at) -> None:
    """Go to the data step, with the part for new data sets unfolded: it is folded once there is one."""
    at.go("data")
    if not at.page.is_visible("#data-upload"):
        at.page.click("#data-new > button")
    at.page.wait_for_selector("#data-rows td")
