"""What a person waits for, with a real browser: python -m engine bench startup [--whole] [--no-save]

From `python app.py` to a page that can be clicked; from the click on the demo to the first point of its loss on the
chart; with --whole also to the end of that run, the page open all the while, drawn by a headless Chromium without a
graphics card on the same cores; then the processor time that the page takes for a tour of the steps. Before that, without
a page: from Start to the first step where a worker waits with its imports done, and what memory that takes while it waits.
Needs what requirements-dev.txt lists, and Chromium.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench import _record
from engine import home
from engine.data import convert
from engine.runs import store
from engine.runs.background import Jobs
from engine.runs.jobs import stop
from engine.runs.kinds import KINDS
from engine.runs.standby import Standby
from engine.training import config as configs

_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def main(argv: list[str]) -> dict:
    """Measure, record, and return `{"rows": [{"name", "seconds" or "megabytes"}]}`."""
    parser = argparse.ArgumentParser(prog="bench startup", description=__doc__)
    parser.add_argument("--whole", action="store_true", help="wait for the end of the demo run")
    parser.add_argument("--no-save", action="store_true", help="leave the recorded results as they are")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        rows = _waiting(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        rows += [{"name": name, "seconds": round(seconds, 1)} for name, seconds in _measured(Path(folder), args.whole)]
    return {"rows": rows} if args.no_save else _record.record("startup", {"rows": rows})


def _waiting(folder: Path) -> list[dict]:
    """The second of two runs of the demo, as the first prepares its data: with a worker that waits."""
    os.environ["TUNEDESK_HOME"] = str(folder)
    data = home.folder("data") / "medical"
    convert.convert([home.DEMO_DATA], data)
    config = configs.build(str(home.DEMO_MODEL), str(data)).model_dump(mode="json")
    jobs = Jobs(standby=Standby(KINDS["train"].module))
    jobs.start()
    try:
        for _ in range(2):
            jobs.expect_training()
            worker = next(p for p in psutil.Process().children() if p.cmdline()[-1] == "--standby")
            spent = -1.0
            while worker.cpu_times().user > spent:
                spent = worker.cpu_times().user
                time.sleep(1.5)
            memory = worker.memory_info().rss
            run = store.create(config)
            started = time.monotonic()
            jobs.submit(run)
            # Not its state, which is written once a second.
            while not run.series()["steps"]["step"]:
                time.sleep(0.02)
            waited = time.monotonic() - started
            stop(run, now=True)
    finally:
        jobs.shutdown()
    return [
        {"name": "first step, a worker waiting", "seconds": round(waited, 1)},
        {"name": "memory of the waiting worker", "megabytes": round(memory / 1e6)},
    ]


def _measured(folder: Path, whole: bool) -> list[tuple[str, float]]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(900_000)
        port = _free_port()
        started = time.monotonic()
        command = [sys.executable, "app.py", "--port", str(port), "--home", str(folder), "--no-browser"]
        with open(folder / "app.log", "wb") as log:
            app = subprocess.Popen(command, cwd=Path(__file__).parent.parent, stdout=log, stderr=log)
        try:
            _open(page, port)
            found = [("page usable", time.monotonic() - started)]
            clicked = time.monotonic()
            page.click("#demo-start")
            page.wait_for_selector("#train-run .td-plot .scatterlayer .trace")
            found.append(("first loss on the chart", time.monotonic() - clicked))
            if whole:
                page.wait_for_selector("#train-run .td-pill.is-finished")
                found.append(("demo run, page open", time.monotonic() - clicked))
            else:
                page.click("#train-stop")
                page.wait_for_selector("#train-run .td-pill.is-stopped")
            return [*found, ("the page's own work, once through the steps", _tour(page))]
        finally:
            app.terminate()
            app.wait()
            browser.close()


def _tour(page: object) -> float:
    """Seconds of processor time that the page takes to show each step."""

    def spent() -> float:
        drawing = [child for child in psutil.Process().children(True) if "--type=renderer" in child.cmdline()]
        return sum(sum(child.cpu_times()[:2]) for child in drawing)

    before = spent()
    for step in ("model", "data", "train", "compare", "runs", "learn"):
        page.click(f"#steps [data-step={step}]")
        page.wait_for_selector(f"#steps [data-step={step}].is-current")
        page.wait_for_timeout(3000)
    return spent() - before


def _open(page: object, port: int) -> None:
    """The application opens its window once it answers; asking with the browser before would only take its processor."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    page.goto(f"http://127.0.0.1:{port}/en/")
    page.wait_for_selector("#demo-start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
