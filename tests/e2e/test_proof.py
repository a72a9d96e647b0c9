"""Proof by clicking: two methods trained against each other, base and both side by side, ten at once, evaluation, report,
export, an audience's page."""

import json
import os
import subprocess
import sys
import zipfile

import httpx
import pytest

from tests.e2e.conftest import CHROMIUM, PATIENCE, ROOT, running
from tests.engine.compare.receiving import Receiver
from tests.tiny import make_data, make_model


@pytest.fixture
def home(tmp_path):
    """A workspace with a tiny model and a tiny data set."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    make_model(folder / "models" / "tiny")
    data = make_data(folder / "data" / "foods", train=24, val=12)
    (data / "report.json").write_text(json.dumps({"format": "qa", "train": 24, "val": 12}), encoding="utf-8")
    return folder


@pytest.fixture
def app(home, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))  # where a token is kept
    yield from running(home)


@pytest.mark.timeout(1800)
def test_two_methods_compared_by_clicking(visit, home, tmp_path):
    at = visit("en")
    page = at.page
    page.click("#models .td-card:has-text('tiny')")
    page.wait_for_selector("#steps [data-step=model]:has-text('tiny')")
    at.go("train")

    # Two methods, one table.
    page.click("#contest > button")
    page.fill("#contest-steps textarea, #contest-steps input", "3")
    page.click("#contest-start")
    page.wait_for_selector("#contest-table tr[data-row]")
    page.wait_for_selector("#contest-table .td-pill.is-finished")
    at.expect("#contest-table .td-pill.is-finished").to_have_count(2)
    page.wait_for_selector("#contest-table .td-verdict:has-text('chance'), #contest-table .td-verdict:has-text('real')")
    at.expect("#contest-table .td-contest-bar").to_have_count(8)
    at.shot("p1-methods")

    # Base and both, side by side.
    at.go("compare")
    page.wait_for_selector("#compare-examples [data-chip]")
    page.click("#compare-columns > button")
    page.click("#compare-column-3 input")
    page.locator("ul[role=listbox] li").filter(has_text="After").nth(1).click()
    page.click("#compare-settings > button")
    page.fill("#generation-max_tokens textarea, #generation-max_tokens input", "12")
    page.click("#compare-ask")
    page.wait_for_selector("#compare-thread [data-again]")
    at.expect("#compare-thread .td-answer").to_have_count(3)
    at.expect("#compare-thread .td-reference").to_have_count(1)
    at.expect("#compare-thread .td-score").to_have_count(6)
    page.click("#compare-thread [data-marks]")
    page.wait_for_selector("#compare-thread.is-marking, .is-marking .td-marks")
    at.shot("p2-three")

    # A second turn, another seed, and an edit: each conversation stays in the history.
    page.fill("#compare-question textarea", "And now?")
    page.click("#compare-ask")
    page.wait_for_function("document.querySelectorAll('#compare-thread .td-turn').length == 2")
    page.fill("#compare-question textarea", "Not asked yet")
    at.go("runs")
    at.go("compare")
    at.expect("#compare-question textarea").to_have_value("Not asked yet")
    at.expect("#compare-thread .td-turn").to_have_count(2)
    page.click("#compare-thread [data-again]")
    page.wait_for_selector("#compare-thread:has-text('seed 43')")
    page.click("#compare-thread [data-edit='1']")
    page.wait_for_function("document.querySelectorAll('#compare-thread .td-turn').length == 1")
    at.expect("#compare-question textarea").to_have_value("And now?")
    (run,) = [folder for folder in home.glob("runs/*") if (folder / "chats").is_dir()]
    kept = [json.loads(file.read_bytes()) for file in (run / "chats").glob("*.json")]
    assert sorted(len(each["turns"]) for each in kept) == [1, 2, 2]
    with page.expect_download() as saved:
        page.click("#compare-thread [data-save]")
    assert kept[0]["turns"][0]["question"] in saved.value.path().read_text(encoding="utf-8")
    # A question drawn from the held-out rows stands on its own.
    page.locator("#compare-examples [data-chip]").nth(1).click()
    page.wait_for_selector("#compare-thread .is-quiet")
    at.expect("#compare-history input").to_have_value("New conversation")
    at.expect("#compare-thread .td-answer").to_have_count(3)

    page.click("#ten-ask")
    page.wait_for_selector("#ten-table tfoot")
    at.expect("#ten-table tbody tr").to_have_count(10)
    at.shot("p3-ten")

    # The report: opened with the network off, printed.
    at.go("runs")
    page.click("#runs [data-row]")
    page.click("#run [role=tab]:has-text('Evaluation')")
    page.wait_for_selector("#evaluation .td-measures")
    page.click("#rivals-other input")
    page.locator("ul[role=listbox] li").nth(1).click()
    page.wait_for_selector("#rivals .td-measures")
    page.wait_for_selector("#rivals .td-verdict:has-text('LoRA')")
    at.shot("p4-evaluation")
    page.click("#run [role=tab]:has-text('Report')")
    page.wait_for_selector("#report a[download]")
    with page.expect_download() as saved:
        page.click("#report a[download] >> nth=0")
    report = tmp_path / "report.html"
    saved.value.save_as(report)
    offline = at.context.browser.new_context(offline=True)
    asked = []
    opened = offline.new_page()
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(report.as_uri())
    assert asked == [report.as_uri()]
    assert opened.locator("table").count() >= 4 and opened.locator("svg polyline").count() >= 1
    assert opened.locator(".card").count() == 10
    offline.close()

    # The model, taken away as one file.
    page.click("#run [role=tab]:has-text('Export')")
    page.wait_for_selector("#export-forms .td-card.is-selected")
    at.shot("p5-export")
    page.click("#export-start")
    page.wait_for_selector("#exports a[download]")
    with page.expect_download() as saved:
        page.click("#exports a[download]")
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("README.md") for name in archive.namelist())
    _uploaded(at)

    page.click("#exports [data-remove]")
    page.wait_for_selector("#exports a[download]", state="detached")
    assert not list(home.glob("exports/*/config.json"))


def _uploaded(at):
    """The export, sent to a hub on loopback: asked twice, private, the token in the client's own file alone."""
    page, token = at.page, "may-write-123"
    with Receiver(token) as hub:
        page.click("#exports [data-upload]")
        page.click("#upload-hub label:has-text('Hugging Face')")
        page.fill("#upload-id textarea, #upload-id input", "me/tuned")
        page.fill("#upload-token input", token)
        page.fill("#upload-endpoint textarea, #upload-endpoint input", hub.url)
        at.expect("#upload-private input").to_be_checked()
        page.click("#upload-ask")
        page.wait_for_selector("#upload-question:has-text('me/tuned')")
        assert hub.repos == {}  # asked once: nothing has happened
        at.shot("p6-upload")
        page.click("#upload-yes")
        page.wait_for_selector(f"#uploads:has-text('{hub.url}/me/tuned')")
        assert hub.repos["me/tuned"]["private"] is True
        assert {"model.safetensors", "README.md"} <= hub.repos["me/tuned"]["files"].keys()
        at.shot("p7-uploaded")


@pytest.mark.timeout(600)
def test_an_audience_sees_one_page_and_nothing_else(visit, browser, home):
    run = _trained(home)
    at = visit("en")
    at.go("compare")
    page = at.page
    page.wait_for_selector("#compare-examples [data-chip]")
    page.click("#compare-columns > button")
    page.click("#compare-column-3 input")
    page.locator("ul[role=listbox] li").filter(has_text="tiny").last.click()
    page.click("#stage > button")
    page.fill("#stage-questions textarea", "One?\nTwo?")
    page.click("#stage-start")
    page.wait_for_selector("#stage-door .td-stat")
    url, name, password = page.locator("#stage-door .td-stat b").all_inner_texts()
    kept = json.loads((run / "presentation.json").read_bytes())
    assert (kept["questions"], kept["free"]) == (["One?", "Two?"], False)
    assert kept["models"][:2] == [f"base:run:{run.name}", f"run:{run.name}"] and len(kept["models"]) == 3
    assert httpx.get(url, trust_env=False).status_code == 401

    context = browser.new_context()
    guest = context.new_page()
    guest.set_default_timeout(PATIENCE)
    guest.goto(url)
    guest.fill("[name=username]", name)
    guest.fill("[name=password]", password)
    guest.click("button")
    guest.wait_for_selector("#present-questions [data-chip]")
    assert guest.locator("#present-questions [data-chip]:not(.is-more)").all_inner_texts() == ["One?", "Two?"]
    assert guest.locator("input, textarea").count() == 0
    guest.click("#present-questions [data-chip='1']")
    guest.wait_for_selector("#present-answers .td-answer footer button")
    assert guest.locator("#present-answers .td-answer").count() == 3
    assert guest.inner_text("#present-answers .td-asked p") == "Two?"
    for path in (
        "en/gradio_api/upload",
        "en/gradio_api/component_server",
        "gradio_api/info",
        "docs",
        f"report/{run.name}/en",
    ):
        assert context.request.get(f"{url}{path}").status == 404, path
        assert context.request.post(f"{url}{path}").status == 404, path
    context.close()
    page.click("#stage-stop")
    page.wait_for_selector("#stage-door .td-stat", state="detached")
    with pytest.raises(httpx.TransportError):
        httpx.get(url, trust_env=False)


def _trained(home):
    command = [
        sys.executable,
        "-m",
        "engine",
        "train",
        "--model",
        "tiny",
        "--data",
        "foods",
        "--set",
        "max_steps=1",
        "--json",
    ]
    env = {**os.environ, "TUNEDESK_HOME": str(home)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True)
    return home / "runs" / json.loads(done.stdout)["run"].rsplit("/", 1)[-1]


def test_the_report_prints(home, tmp_path):
    """To a PDF of several pages, by the browser alone."""
    run = _trained(home)
    command = [
        sys.executable,
        "-m",
        "engine",
        "report",
        str(run),
        "--out",
        str(tmp_path / "report.html"),
        "--lang",
        "zh",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    if CHROMIUM is None:
        pytest.skip("no Chrome or Chromium is installed")
    pdf = tmp_path / "report.pdf"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
    subprocess.run([CHROMIUM, *flags, (tmp_path / "report.html").as_uri()], check=True, capture_output=True)
    assert pdf.read_bytes().startswith(b"%PDF") and pdf.stat().st_size > 20_000
