"""A worker that trains nothing: it writes events as told by its config and behaves well or badly. Started as a process."""

import os
import signal
import sys
import time
from pathlib import Path

from engine import home
from engine.runs import plan
from engine.runs.events import Events


def main(job: Path) -> int:
    config = home.read_json(job / "config.json")
    begin = plan.read(job)
    events = Events(job / "events.jsonl")
    events.write("phase", phase="loading")
    time.sleep(config.get("loading", 0))
    rows = max(1, config.get("rows", 8) // begin["micro_batch_divisor"])
    steps = config["steps"] if "steps" in config else config["training"]["max_steps"]
    events.write("phase", phase="training", max_steps=steps, micro_batch=rows)
    first = begin["checkpoint"] or 0
    for step in range(first + 1, steps + 1):
        if rows > config.get("rows_that_fit", rows):
            if config["out_of_memory"] == "kernel":
                allocate_without_end()
            events.write("error", error="OutOfMemory", details={})
            return 1
        trouble = config.get("trouble", {})
        if trouble.get("step") == step and not (trouble.get("once") and first):
            misbehave(trouble["kind"], events)
        events.write("step", step=step, epoch=step / steps, loss=10.0 / step, learning_rate=1e-3)
        if step % config.get("save_steps", 10) == 0:
            folder = job / "checkpoints" / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            if (loss := config.get("evals", {}).get(str(step))) is not None:
                events.write("eval", step=step, eval_loss=loss)
            (folder / "trainer_state.json").write_text("{}")
            events.write("checkpoint", step=step, path=str(folder))
        if (job / "stop").exists() and config.get("obeys", True):
            events.write("done", stopped=True, steps=step, final_loss=10.0 / step)
            return 0
        time.sleep(config.get("delay", 0.01))
    events.write("eval", step=steps, eval_loss=0.5)
    events.write("done", stopped=False, steps=steps, final_loss=10.0 / steps, eval_loss=0.5)
    return 0


def misbehave(kind: str, events: Events) -> None:
    if kind == "exit":
        print("something went wrong", file=sys.stderr)
        sys.exit(3)
    if kind == "error":
        events.write("error", error="LossNotFinite", details={"value": "nan", "step": 5, "learning_rate": 1})
        sys.exit(1)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "hang":
        time.sleep(600)


def allocate_without_end() -> None:
    """Until the kernel ends the process: its control group is limited by the test."""
    home_group = Path(os.environ["FAKE_CGROUP"])
    (home_group / "cgroup.procs").write_text(str(os.getpid()))
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1024)) * 4096)


if __name__ == "__main__":
    given = sys.stdin.readline().strip() if sys.argv[1] == "--standby" else sys.argv[1]
    sys.exit(main(Path(given)) if given else 0)
