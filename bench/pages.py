"""Twenty open pages on one long run: `python -m engine bench pages [--pages N] [--seconds S]`.

A run of 50,000 steps, the last of them live. Three of the pages are real ones in Chromium; the others ask as a page does.
Told are the app's own processor time, what the server sends to a page, whether a page's memory grows (what is in use once
the garbage is collected), and whether a zoom made by hand survives the updates. The worker is a process that only writes events.
"""

import argparse
import json
import math
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import psutil

from engine import home
from engine.data import convert
from engine.runs import processes, store
from engine.runs.events import Events
from engine.runs.status import Writer
from engine.training import config as configs

_ROOT = Path(__file__).resolve().parent.parent
_STEPS = 50_000
_REAL = 3
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
_SETTLING, _SAMPLING = 15.0, 15.0


def main(argv: list[str]) -> dict:
    """Measure, record, and return `{"rows": [{"name", "value", "limit"}], ...}`."""
    parser = argparse.ArgumentParser(prog="bench pages", description=__doc__)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--no-save", action="store_true", help="leave the recorded results as they are")
    parser.add_argument("--write", metavar="RUN", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.write:
        return _write(Path(args.write), args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        result = _measure(Path(folder), args.pages, args.seconds)
    for row in result["rows"]:
        print(f"{row['name']:48} {row['value']!s:>10}   limit {row['limit']}", file=sys.stderr)
    if args.no_save:
        return result
    from bench import _record

    return _record.record("pages", result)


def _measure(folder: Path, pages: int, seconds: float) -> dict:
    run = _make_run(seconds + 4 * _SETTLING)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "app.py", "--port", str(port), "--home", str(folder), "--no-browser"]
    with open(folder / "app.log", "wb") as log:
        app = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(url)
        return _watch(url, psutil.Process(app.pid), run, pages, seconds)
    finally:
        app.terminate()
        app.wait()
        if (worker := run.status()["worker"]) is not None:
            processes.kill(worker)


def _make_run(seconds: float) -> store.Run:
    """A run whose worker lives and has its last steps still to write."""
    data = home.folder("data") / "medical"
    convert.convert([home.DEMO_DATA], data, train=400, val=40)
    config = configs.build(str(home.DEMO_MODEL), str(data), settings={"max_steps": _STEPS})
    run = store.create(config.model_dump(mode="json"), name="A long run")
    # A session of its own: the app ends it as it would any worker.
    command = [sys.executable, "-m", "engine", "bench", "pages", "--write", str(run.path), "--seconds", str(seconds)]
    worker = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    Writer(run.path).update(state="starting", started=time.time(), worker=processes.identity(worker.pid), attempt=1)
    while run.log.last_seq() < _live_from():
        time.sleep(0.2)
    return run


def _live_from() -> int:
    return _STEPS - 1000


def _write(run: Path, seconds: float) -> dict:
    """The worker: all but the last thousand steps at once, those over `seconds`."""
    draw = random.Random(1)
    with Events(run / "events.jsonl") as events:
        events.write("phase", phase="training", max_steps=_STEPS, micro_batch=4, rows=2000)
        for step in range(1, _STEPS + 1):
            if step > _live_from():
                time.sleep(seconds / 1000)
            loss = 5 * math.exp(-step / 9000) + 0.4 + 0.2 * draw.random()
            events.write(
                "step",
                step=step,
                max_steps=_STEPS,
                epoch=round(step / 25_000, 4),
                loss=loss,
                learning_rate=1e-3 * (1 - step / _STEPS),
                grad_norm=draw.random(),
                tokens_per_second=2000 + 100 * draw.random(),
                memory_gb=1.234,
                eta_s=(_STEPS - step) / 10,
            )
            if step % 2500 == 0:
                events.write("eval", step=step, eval_loss=loss + 0.1)
        time.sleep(seconds)
    return {}


def _watch(url: str, app: psutil.Process, run: store.Run, pages: int, seconds: float) -> dict:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=_FLAGS)
        real = [_Page(browser, url) for _ in range(_REAL)]
        over = threading.Event()
        clients = [_Client(real[0].asked, over) for _ in range(pages - _REAL)]
        for client in clients:
            client.thread.start()
        real[0].zoom()
        real[0].wait(_SETTLING)
        zoomed, points = real[0].range(), real[1].points()
        sent, spent, began = [page.bytes for page in real], _cpu(app), time.time()
        times, heaps = [], []
        while time.time() - began < seconds:
            real[0].wait(_SAMPLING)
            times.append((time.time() - began) / 60)
            heaps.append([page.heap() for page in real])
        wall = time.time() - began
        cpu = (_cpu(app) - spent) / wall
        rates = [(page.bytes - before) / wall for page, before in zip(real, sent, strict=True)]
        over.set()
        newest = run.status()["step"]
        behind = newest - min([*(page.step() for page in real), *(client.step for client in clients)])
        survived = real[0].range() == zoomed and real[1].points() >= points
        browser.close()
    return {
        "pages": pages,
        "steps": _STEPS,
        "seconds": round(wall, 1),
        "rows": [
            {"name": "app's share of one core", "value": round(cpu, 3), "limit": 0.25},
            {"name": "bytes a second to a page", "value": round(max(rates)), "limit": 2000},
            {
                "name": "growth of a page's memory, bytes a minute",
                "value": round(_growth(times, heaps)),
                "limit": 100_000,
            },
            {"name": "steps that the slowest page is behind", "value": behind, "limit": 100},
            {"name": "points drawn", "value": real[1].drawn, "limit": 2500},
            {"name": "a zoom survives", "value": survived, "limit": True},
        ],
    }


def _growth(times: list[float], heaps: list[list[int]]) -> float:
    """Bytes a minute by which the page that grows most does, without its first half, in which the browser compiles what runs
    often and fills its own bounded lists. `times` in minutes; `heaps`: at each, bytes in use of every page."""
    half = len(times) // 2
    return max(statistics.linear_regression(times[half:], page).slope for page in zip(*heaps[half:], strict=True))


class _Page:
    """A real page on the train step, with its chart drawn. `bytes`: what it has received since it was opened."""

    def __init__(self, browser: object, url: str):
        self.bytes, self.asked, self.drawn = 0, {}, 0
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        self._page = context.new_page()
        self._page.set_default_timeout(120_000)
        self._page.on("request", self._note)
        self._cdp = context.new_cdp_session(self._page)
        self._cdp.send("Network.enable")
        self._cdp.send("HeapProfiler.enable")
        self._cdp.on("Network.loadingFinished", self._count)
        self._page.goto(f"{url}/en/")
        self._page.click("#steps [data-step=train]")
        self._page.wait_for_selector("#train-run .scatterlayer .trace")
        self._page.wait_for_timeout(3000)

    def wait(self, seconds: float) -> None:
        self._page.wait_for_timeout(seconds * 1000)

    def heap(self) -> int:
        self._cdp.send("HeapProfiler.collectGarbage")
        return self._cdp.send("Runtime.getHeapUsage")["usedSize"]

    def zoom(self) -> None:
        """As a person does: drag over the middle of the chart."""
        chart = self._page.locator("#train-run .nsewdrag").first
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        middle = box["y"] + box["height"] / 2
        self._page.mouse.move(box["x"] + box["width"] * 0.3, middle)
        self._page.mouse.down()
        self._page.mouse.move(box["x"] + box["width"] * 0.7, middle, steps=5)
        self._page.mouse.up()
        self._page.wait_for_timeout(1000)

    def range(self) -> list[float]:
        return self._page.evaluate("document.querySelector('#train-run .td-plot').layout.xaxis.range")

    def points(self) -> float:
        """The last step drawn; `drawn` becomes how many points there are."""
        self.drawn, last = self._page.evaluate(
            "(() => { const { x } = document.querySelector('#train-run .td-plot').data[0]; return [x.length, x.at(-1)]; })()"
        )
        return last

    def step(self) -> int:
        return int(self._page.inner_text("#train-run .td-stat >> nth=0").split("\n")[1].replace(",", ""))

    def _count(self, event: dict) -> None:
        self.bytes += int(event["encodedDataLength"])

    def _note(self, request: object) -> None:
        if "component_server" in request.url:
            body = json.loads(request.post_data)
            self.asked[body["fn_name"]] = (request.url, body)


class _Client:
    """Asks what a page asks, as often, in a thread of its own."""

    def __init__(self, asked: dict, over: threading.Event):
        self._asked, self._over = dict(asked), over
        self.step = 0
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        cursor, mark, turn = "", "", 0
        (follow, body), (pulse, other) = self._asked["follow"], self._asked["pulse"]
        with httpx.Client(trust_env=False, timeout=30, headers={"accept-encoding": "gzip, br"}) as http:
            while not self._over.wait(1.0):
                asked = {**body["data"], "cursor": cursor, "mark": mark}
                if answer := http.post(follow, json={**body, "data": asked}).json():
                    cursor, mark = answer["news"]["cursor"], answer["mark"]
                    self.step = int(answer["stats"][0]["value"].replace(",", ""))
                turn += 1
                if turn % 2:
                    http.post(pulse, json=other)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str) -> None:
    while True:
        try:
            httpx.get(f"{url}/en/", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.2)
