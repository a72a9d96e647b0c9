"""Pages come and go while a run goes on; what people type and upload is text; every width holds the page."""

import re

import pytest


@pytest.mark.timeout(1800)
def test_no_page_owns_a_run(visit):
    first = visit("en")
    first.page.click("#demo-start")
    first.page.wait_for_selector("#train-run .td-pill.is-running")
    first.page.wait_for_selector("#train-run .scatterlayer .trace")
    name = first.page.inner_text("#train-run [data-part=title]")

    first.open()  # as a reload does
    first.page.wait_for_selector("#train-run .scatterlayer .trace")
    assert first.page.inner_text("#train-run [data-part=title]") == name

    second = visit("zh")
    second.go("train")
    second.page.wait_for_selector("#train-run .scatterlayer .trace")
    assert second.page.inner_text("#train-run [data-part=title]") == name
    before = step(second.page)

    first.context.close()
    second.context.close()
    third = visit("en")
    third.go("train")
    third.page.wait_for_selector("#train-run .scatterlayer .trace")
    assert step(third.page) >= before

    # A second Start waits, and says so; both can be stopped.
    third.page.click("#train-start")
    third.page.wait_for_selector("#train-run .td-pill.is-queued")
    assert "ahead" in third.page.inner_text("#train-run [data-part=message]")
    third.page.click("#train-stop")
    third.page.wait_for_selector("#train-run .td-pill.is-stopped")
    third.go("runs")
    third.page.click("#runs tr[data-row]:has(.td-pill.is-running), #runs tr[data-row]:has(.td-pill.is-starting)")
    third.page.click("#runs-stop")
    third.page.wait_for_selector("#runs-run .td-pill.is-stopped")
    third.page.wait_for_selector("#runs-resume")
    third.page.wait_for_selector("#runs-compare")


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
    at.page.wait_for_selector("#datasets .td-card, #datasets .td-empty:not(:empty)")
    if not at.page.locator("#datasets .td-card").count():
        at.page.wait_for_selector("#data-rows td")
        at.page.click("#data-convert")
    at.page.wait_for_selector("#datasets .td-card")
    at.go("train")
    at.page.fill("#training-num_train_epochs input", "-3")
    at.page.press("#training-num_train_epochs input", "Tab")
    at.page.wait_for_timeout(500)
    at.page.click("#train-start")
    at.page.wait_for_selector("#training-num_train_epochs.td-wrong")
    assert "more than 0" in at.page.inner_text("#training-num_train_epochs")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_is_wider_than_its_window(visit, lang, width):
    at = visit(lang, width)
    for step_name in ("model", "data", "train", "compare", "runs"):
        at.go(step_name)
        at.page.wait_for_timeout(400)
        assert at.page.evaluate("document.documentElement.scrollWidth") <= width
        at.check()


def test_english_pages_hold_no_chinese(visit):
    at = visit("en")
    for step_name in ("model", "compare", "runs"):
        at.go(step_name)
        at.page.wait_for_timeout(400)
        words = at.page.inner_text("#steps") + at.page.inner_text(f"#tab-{step_name} .td-heading")
        assert not re.search(r"[\u4e00-\u9fff]", words)


def new_data_set(at) -> None:
    """Go to the data step, with the part for new data sets unfolded: it is folded once there is one."""
    at.go("data")
    at.page.wait_for_selector("#datasets .td-card, #datasets .td-empty:not(:empty)")
    at.page.wait_for_timeout(1000)
    if not at.page.is_visible("#data-upload"):
        at.page.click("#data-new > button")
    at.page.wait_for_selector("#data-rows td")


def step(page) -> int:
    return int(page.inner_text("#train-run .td-stat >> nth=0").split("\n")[1].replace(",", ""))
