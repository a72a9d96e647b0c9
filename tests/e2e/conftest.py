"""A real application and a real browser. What the page's console says is part of every test."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
# Patient: the machine that runs the tests may be busy with others.
PATIENCE = 120_000
# Seconds that a step is given to be drawn before a test goes on; what it waits for is waited for all the same.
_SETTLES = 10
# The pages that a test has opened.
_PAGES = pytest.StashKey[list]()
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[str]:
    """The address of an application with an empty workspace."""
    (tmp_path / "workspace").mkdir()
    yield from running(tmp_path / "workspace")


@functools.cache
def measured() -> str:
    """What this machine computes: measured once, not anew for each workspace, which would take longer than many a test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "machine.json"
        subprocess.run([sys.executable, "-m", "engine.training.calibration", str(file)], cwd=ROOT, check=True)
        return file.read_text("utf-8")


def running(home: Path) -> Iterator[str]:
    (home / "cache").mkdir(exist_ok=True)
    (home / "cache" / "machine.json").write_text(measured(), encoding="utf-8")
    command = [sys.executable, "app.py", "--port", "0", "--home", str(home), "--no-browser"]
    with open(home / "app.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield address(process, home / "app.log")
    finally:
        process.terminate()
        process.wait()
        end_workers(home)


def end_workers(home: Path) -> None:
    """Training outlives the application on purpose; a test leaves nothing behind."""
    for path in home.glob("runs/*/status.json"):
        worker = json.loads(path.read_bytes())["worker"]
        if worker and psutil.pid_exists(worker["pid"]):
            psutil.Process(worker["pid"]).kill()


def address(process: subprocess.Popen, log: Path) -> str:
    """Where the application answers, which it prints once it does."""
    while process.poll() is None:
        if said := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return said[0]
        time.sleep(0.1)
    pytest.fail(log.read_text())


def until(true: Callable[[], object]) -> None:
    """For what no page shows."""
    end = time.monotonic() + PATIENCE / 1000
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


# Not for the whole session: while Playwright is up, an event loop runs in this thread, and others cannot use their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        pytest.skip("no Chrome or Chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page that remembers every error; `shot` keeps a picture where TUNEDESK_SHOTS names a folder."""

    def __init__(self, browser: object, url: str, lang: str, width: int = 1280):
        self.lang, self.errors, self._asked = lang, [], 0
        self._begun, self._requests = time.monotonic(), deque(maxlen=40)
        self.context = browser.new_context(viewport={"width": width, "height": 900}, locale="en-US")
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        self.page.on("console", self._listen)
        self.page.on("request", self._sent)
        for over in ("requestfinished", "requestfailed"):
            self.page.on(over, self._answered)
        self.url = f"{url}/{lang}/"
        self.open()

    def open(self) -> None:
        self.page.goto(self.url)
        self.page.wait_for_selector("#steps [data-step]")
        self._settle()

    def go(self, step: str) -> None:
        self.page.click(f"#steps [data-step={step}]")
        self.page.wait_for_selector(f"#steps [data-step={step}].is-current")
        self._settle()

    def expect(self, selector: str) -> object:
        """What is claimed of it (`to_have_count`, `to_have_value` ...) is waited for."""
        from playwright.sync_api import expect

        return expect(self.page.locator(selector))

    def differs(self, selector: str, before: str) -> None:
        """Wait until it says something other than `before`; while it is drawn anew it may be away."""
        said = "([at, before]) => { const it = document.querySelector(at); return it && it.innerText !== before; }"
        self.page.wait_for_function(said, arg=[selector, before])

    def shot(self, name: str) -> None:
        folder = os.environ.get("TUNEDESK_SHOTS")
        if folder:
            self.page.screenshot(path=f"{folder}/{self.lang}-{name}.png", full_page=True)

    def state(self) -> str:
        """What is on the page, and the last that it asked for: why a wait was in vain."""
        return "\n".join([*self._requests, *self.errors, self.words()])

    def words(self) -> str:
        return self.page.inner_text("body")

    def check(self) -> None:
        """No error so far, and nothing on the page that looks like the key of a text."""
        assert self.errors == []
        assert (
            re.findall(
                r"\b(?:app|steps|form|state|phase|run|chart|model|data|train|compare|runs|job|evaluation|rivals|contest|present|upload)\.(?!json\b|csv\b|safetensors\b)[a-z_]{3,}\b",
                self.words(),
            )
            == []
        )

    def _listen(self, message: object) -> None:
        # A page that is left ends its stream, and Gradio's client reports that as an error.
        if message.type == "error" and not message.text.startswith("AbortError: signal is aborted without reason"):
            self.errors.append(f"console: {message.text} {message.location.get('url')}")

    def _settle(self) -> None:
        """Until the step has been drawn: it asks for its parts one by one, and an answer may fold or fill what was clicked
        before it came."""
        drawn = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.page.evaluate(drawn)
        end = time.monotonic() + _SETTLES
        while self._asked and time.monotonic() < end:
            self.page.wait_for_timeout(20)
            self.page.evaluate(drawn)

    def _answered(self, request: object) -> None:
        self._asked -= "/run/" in request.url
        self._note(request.failure or "answered", request)

    def _sent(self, request: object) -> None:
        self._asked += "/run/" in request.url
        self._note("asked", request)
        if not request.url.startswith((self.url.rsplit("/", 2)[0], "data:", "blob:")):
            self.errors.append(f"request to elsewhere: {request.url}")

    def _note(self, what: str, request: object) -> None:
        if "gradio_api" in request.url and "component_server" not in request.url:
            said = f"{request.url.rpartition('gradio_api')[2]} {(request.post_data or '')[-100:]}"
            self._requests.append(f"{time.monotonic() - self._begun:.1f} {what}: {said}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """A test that fails tells what its pages showed."""
    report = yield
    if report.failed and report.when == "call":
        report.sections += [("page", page.state()) for page in item.stash.get(_PAGES, []) if not page.page.is_closed()]
    return report


@pytest.fixture
def visit(browser: object, app: str, request: pytest.FixtureRequest) -> Iterator[object]:
    """`visit(lang, width=1280)` opens a page; at the end each page opened is checked and closed."""
    pages = request.node.stash[_PAGES] = []

    def opened(lang: str, width: int = 1280) -> Watched:
        pages.append(Watched(browser, app, lang, width))
        return pages[-1]

    yield opened
    for page in pages:
        if page.page.is_closed():
            assert page.errors == []
            continue
        page.check()
        page.context.close()
