"""Models by clicking: downloaded from a hub on loopback, reloaded in between, cancelled, gone on with, looked into, deleted."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine import home
from engine.downloads import queue
from engine.models import library, source
from tests.e2e.conftest import running, until
from tests.engine.models.loopback import Hub

_FILES = {path.name: path.read_bytes() for path in home.DEMO_MODEL.iterdir() if path.is_file()}
_TABLE = "question,answer\n" + "".join(f"What is {n}?,It is {n}.\n" for n in range(40))


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[Hub]:
    """With a home folder for the application, where tokens are kept."""
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    with Hub({"me/tiny": _FILES, "me/qa": {"train.csv": _TABLE.encode()}}, pace=0.2) as hub:
        yield hub


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_model_from_a_hub(hub, visit, lang, tmp_path):
    hub.private, hub.tokens = {"me/tiny"}, {"secret-token"}
    at = visit(lang)
    page = at.page
    page.wait_for_selector("#offers .td-card:has-text('Qwen2.5-0.5B')")
    at.shot("model")
    page.click("#fetch-more > button")
    page.fill("#fetch-id :is(input, textarea)", "me/tiny")
    page.fill("#fetch-endpoint :is(input, textarea)", hub.url)
    page.fill("#fetch-token :is(input, textarea)", "secret-token")
    page.click("#fetch-start")
    page.wait_for_selector("#downloads .td-pill.is-running")
    assert "secret" not in page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    kept = [path for path in tmp_path.rglob("*") if b"secret-token" in content(path)]
    assert kept and not any((tmp_path / "workspace") in path.parents for path in kept)  # the hub's own file alone

    at.open()  # as a reload does
    page.wait_for_selector("#downloads .td-pill.is-running")
    page.click("#downloads summary")
    page.wait_for_selector("#downloads li:has-text('model.safetensors')")
    at.shot("downloading")
    page.click("#downloads [data-act=cancel]")
    page.wait_for_selector("#downloads .td-pill.is-stopped")
    at.expect("#models .td-card:has-text('tiny')").to_have_count(0)

    hub.pace = 0
    page.click("#downloads [data-act=resume]")
    page.wait_for_selector("#downloads .td-pill.is-finished")
    assert hub.sent["model.safetensors"] < len(_FILES["model.safetensors"]) + 2_000_000
    page.click("#downloads [data-act=use]")
    page.wait_for_selector("#models .td-card.is-selected:has-text('tiny')")

    page.click("#model-inside > button")
    page.wait_for_selector("#structure .td-node code:has-text('Qwen2ForCausalLM')")
    page.wait_for_selector("#structure:has-text('5,236,992')")
    page.wait_for_selector("#structure summary:has-text('q_proj') .td-mark:has-text('4,096')")  # LoRA's
    at.shot("inside")
    page.click("#structure-method input")
    page.click("ul[role=listbox] li >> nth=9")  # IA3
    page.wait_for_selector("#structure summary:has-text('k_proj') .td-mark:has-text('128')")
    at.expect("#structure summary:has-text('q_proj') .td-mark").to_have_count(0)

    page.click("#model-delete")
    page.click("#model-delete-yes")
    page.wait_for_selector("#models .td-card.is-selected:not(:has-text('tiny'))")
    at.expect("#models .td-card:has-text('tiny')").to_have_count(0)


def content(path: Path) -> bytes:
    """Nothing of a folder, nor of a file that was there for a moment only: a download is going on."""
    try:
        return path.read_bytes()
    except (IsADirectoryError, FileNotFoundError):
        return b""


@pytest.mark.timeout(600)
def test_the_application_killed_in_the_middle_goes_on_at_its_next_start(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    hub.pace, weights = 0.02, "model.safetensors"
    download = queue.begin(source.read("me/tiny", "modelscope", "model", hub.url))
    first = running(tmp_path)
    next(first)
    until(lambda: hub.sent.get(weights, 0) > 300_000)
    # The application and its workers, as a power cut ends them; not the browser of other tests.
    app = next(each for each in psutil.Process().children() if str(tmp_path) in each.cmdline())
    for process in [*app.children(recursive=True), app]:
        process.kill()
    first.close()
    # The hub notices that nobody listens any more.
    until(lambda: not any("process_request_thread" in thread.name for thread in threading.enumerate()))
    sent = hub.sent[weights]
    here = {name: done for name, done, _ in queue.progress(download).files}
    assert 0 < here[weights] < len(_FILES[weights]) and library.models()[1:] == []

    hub.pace = 0
    second = running(tmp_path)
    next(second)
    until(lambda: download.status()["state"] == "finished")
    second.close()
    assert [model.name for model in library.models()[1:]] == ["tiny"]
    # What lay on the disk is not fetched again, to the byte.
    assert hub.sent[weights] == sent + len(_FILES[weights]) - here[weights]


@pytest.mark.timeout(600)
def test_a_data_set_from_a_hub_and_a_wrong_id(hub, visit):
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
