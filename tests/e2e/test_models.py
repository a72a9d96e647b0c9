"""Models by clicking: downloaded from a hub on loopback, reloaded in between, cancelled, gone on with, looked into, deleted."""

from collections.abc import Iterator

import pytest

from engine import home
from tests.engine.models.loopback import Hub

_FILES = {path.name: path.read_bytes() for path in home.DEMO_MODEL.iterdir() if path.is_file()}
_TABLE = "question,answer\n" + "".join(f"What is {n}?,It is {n}.\n" for n in range(40))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub({"me/tiny": _FILES, "me/qa": {"train.csv": _TABLE.encode()}}, pace=0.2) as hub:
        yield hub


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_model_from_a_hub(visit, hub, lang):
    at = visit(lang)
    page = at.page
    page.wait_for_selector("#offers .td-card:has-text('Qwen2.5-0.5B')")
    at.shot("model")
    page.click("#fetch-more > button")
    page.fill("#fetch-id :is(input, textarea)", "me/tiny")
    page.fill("#fetch-endpoint :is(input, textarea)", hub.url)
    page.click("#fetch-start")
    page.wait_for_selector("#downloads .td-pill.is-running")

    at.open()  # as a reload does
    page.wait_for_selector("#downloads .td-pill.is-running")
    page.click("#downloads summary")
    page.wait_for_selector("#downloads li:has-text('model.safetensors')")
    at.shot("downloading")
    page.click("#downloads [data-act=cancel]")
    page.wait_for_selector("#downloads .td-pill.is-stopped")
    assert page.locator("#models .td-card:has-text('tiny')").count() == 0

    hub.pace = 0
    page.click("#downloads [data-act=resume]")
    page.wait_for_selector("#downloads .td-pill.is-finished")
    assert hub.sent["model.safetensors"] < len(_FILES["model.safetensors"]) + 2_000_000
    page.click("#downloads [data-act=use]")
    page.wait_for_selector("#models .td-card.is-selected:has-text('tiny')")

    page.click("#model-inside > button")
    page.wait_for_selector("#structure .td-node code:has-text('Qwen2ForCausalLM')")
    assert "5,236,992" in page.inner_text("#structure")
    page.click("#structure summary:has-text('Qwen2DecoderLayer')")
    page.wait_for_selector("#structure summary:has-text('self_attn')")
    at.shot("inside")

    page.click("#model-delete")
    page.click("#model-delete-yes")
    page.wait_for_selector("#models .td-card.is-selected:not(:has-text('tiny'))")
    assert page.locator("#models .td-card:has-text('tiny')").count() == 0


@pytest.mark.timeout(600)
def test_a_data_set_from_a_hub_and_a_wrong_id(visit, hub):
    at = visit("en")
    page = at.page
    page.wait_for_selector("#offers .td-card")
    page.fill("#fetch-id :is(input, textarea)", "not an id")
    page.click("#fetch-start")
    assert "owner/name" in page.wait_for_selector("[data-testid=toast-body]").inner_text()

    at.go("data")
    page.wait_for_selector("#data-rows td")
    page.click("#data-fetch > button")
    page.click("#data-fetch-more > button")
    page.fill("#data-fetch-id :is(input, textarea)", "me/qa")
    page.fill("#data-fetch-endpoint :is(input, textarea)", hub.url)
    page.click("#data-fetch-start")
    page.wait_for_selector("#files .td-card.is-selected:has-text('qa-train.csv')")
    page.wait_for_selector("#data-rows td:has-text('What is 7?')")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_model_step_on_a_narrow_page(visit, lang):
    at = visit(lang, 390)
    at.page.wait_for_selector("#offers .td-card")
    at.page.click("#model-inside > button")
    at.page.wait_for_selector("#structure .td-node")
    assert at.page.evaluate("document.documentElement.scrollWidth") <= 390
    at.shot("model-390")
