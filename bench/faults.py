"""Worker and app killed again and again at random moments, and what became of it: `python -m engine bench faults [--kills N]`.

Both get N times SIGKILL: at a random moment of a run of the demo model, in the middle of a checkpoint (the worker), and in
the middle of writing the state (the app). A run that lost its worker is resumed. Each must end with the same losses and
the same adapter, bit for bit, as a run left in peace; no file may be torn; and after each kill the state must be true
again at once.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import home
from engine.data import convert
from engine.runs import jobs, processes, queue, store
from engine.runs.status import ENDED
from engine.training import config as configs

_ROOT = Path(__file__).resolve().parent.parent
_APP = "import threading; from engine.runs.background import Jobs; Jobs().start(); print('ready', flush=True); threading.Event().wait()"
_SETTINGS = {
    "max_steps": 60,
    "save_steps": 5,
    "eval_steps": 20,
    "eval_rows": 8,
    "batch_size": 4,
    "precision": "fp32",
    "lora_dropout": 0.1,
}
# The moments that each victim is killed at, in turn.
MOMENTS = {"worker": ("random", "checkpoint"), "app": ("random", "state")}


def main(argv: list[str]) -> dict:
    """Measure, record, and return `{"rows": [{"name", "kills", "slowest_truth_s", "torn_files", "different_ends"}], ...}`."""
    parser = argparse.ArgumentParser(prog="bench faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="of the worker, and as many of the app")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-save", action="store_true", help="leave the recorded results as they are")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEDESK_HOME"] = folder
        result = campaign(args.kills, args.seed, lambda line: print(line, file=sys.stderr, flush=True))
    if args.no_save:
        return result
    from bench import _record

    return _record.record("faults", result)


def campaign(kills: int, seed: int, say: Callable[[str], None] = lambda line: None) -> dict:
    """`kills` of the worker and `kills` of the app, in the workspace that `TUNEDESK_HOME` names; see `main`."""
    app = App()
    try:
        return _campaign(app, kills, seed, say)
    finally:
        app.end()
        for run in store.jobs():
            if (worker := run.status()["worker"]) is not None:
                processes.kill(worker)


class App:
    """The app's queue, without an interface, as a process that can be killed and started again."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        environment = os.environ | {"PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _APP], cwd=_ROOT, env=environment, stdout=subprocess.PIPE
        )
        self._process.stdout.readline()
        self.pid = self._process.pid

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def restart(self) -> None:
        self.end()
        self._start()


def _campaign(app: App, kills: int, seed: int, say: Callable[[str], None]) -> dict:
    data = home.folder("data") / "medical"
    convert.convert([home.DEMO_DATA], data, train=400, val=40)
    config = configs.build(str(home.DEMO_MODEL), str(data), settings=_SETTINGS).model_dump(mode="json")

    def submit() -> store.Run:
        run = store.create(config)
        queue.append(run.id)
        return run

    calm = submit()
    _until(lambda: ended(calm))
    if calm.status()["state"] != "finished":
        raise RuntimeError(calm.log_tail())
    usual = calm.status()["seconds"]
    draw = random.Random(seed)
    plan = [(victim, MOMENTS[victim][i % 2]) for victim in MOMENTS for i in range(kills)]
    draw.shuffle(plan)
    rows = {pair: {"kills": 0, "slowest_truth_s": 0.0} for pair in sorted(set(plan))}
    torn, different, runs = 0, 0, 0
    while plan:
        run = submit()
        runs += 1
        while run.status()["state"] != "finished":
            if plan and not ended(run) and _moment(*plan[-1], run, draw.uniform(0, usual)):
                victim, moment = plan.pop()
                truth = _kill(victim, run, app)
                rows[victim, moment]["kills"] += 1
                rows[victim, moment]["slowest_truth_s"] = max(rows[victim, moment]["slowest_truth_s"], round(truth, 2))
                say(f"{len(plan)} left: {victim} killed ({moment}) at step {run.status()['step']}")
            _until(lambda: ended(run) or plan)  # noqa: B023 - called at once
            if ended(run) and run.status()["state"] != "finished":
                jobs.prepare_resume(run)
                queue.append(run.id)
        for found in problems(run):
            say(f"torn or left behind: {found}")
            torn += 1
        different += curve(run) != curve(calm) or model(run) != model(calm)
    return {
        "runs": runs,
        "seconds_undisturbed": round(usual, 1),
        "torn_files": torn,
        "different_ends": different,
        "rows": [{"name": f"{victim}, {moment}", **facts} for (victim, moment), facts in rows.items()],
    }


def _moment(victim: str, moment: str, run: store.Run, delay: float) -> bool:
    """Wait for the moment to kill; False when the run ended first."""
    deadline = time.monotonic() + delay
    signs = {
        "random": lambda: time.monotonic() > deadline,
        "checkpoint": lambda: time.monotonic() > deadline and any(run.path.glob("checkpoints/.writing/*/*")),
        "state": lambda: time.monotonic() > deadline and any(run.path.glob(".status.json.*")),
    }
    _until(lambda: ended(run) or signs[moment](), pause=0.001)
    # Before a worker is started there is none to kill.
    return not ended(run) and (victim == "app" or processes.alive(run.status()["worker"]))


def _kill(victim: str, run: store.Run, app: App) -> float:
    """Seconds from the kill (of the app: from its next start) until the state is true."""
    if victim == "app":
        app.restart()
        began = time.monotonic()
        _until(lambda: ended(run) or (run.status()["supervisor"] or {}).get("pid") == app.pid)
    else:
        worker = run.status()["worker"]
        began = time.monotonic()
        os.kill(worker["pid"], signal.SIGKILL)
        _until(lambda: ended(run) or run.status()["worker"] != worker)
    return time.monotonic() - began


def ended(run: store.Run) -> bool:
    return run.status()["state"] in ENDED


def curve(run: store.Run) -> dict[str, list]:
    steps = run.series(limit=10**6)["steps"]
    return {name: steps[name] for name in ("step", "loss", "learning_rate", "grad_norm")}


def model(run: store.Run) -> bytes:
    return (run.path / "final" / "adapter_model.safetensors").read_bytes()


def problems(run: store.Run) -> list[str]:
    """Files of a run that ended which cannot be read, or were left half-written, and gaps in its events."""
    found = [str(path) for path in run.path.rglob(".*") if path.name != ".supervisor"]
    for path in run.path.rglob("*.json"):
        try:
            home.read_json(path)
        except ValueError:
            found.append(str(path))
    seqs = [event["seq"] for event in run.events()]
    return found if seqs == list(range(1, len(seqs) + 1)) else [*found, "events.jsonl"]


def _until(condition: Callable[[], object], pause: float = 0.02) -> None:
    while not condition():
        time.sleep(pause)
