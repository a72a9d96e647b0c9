"""An app without an interface: the queue's thread, till it is told to go (SIGTERM) or killed. Started as a process."""

import signal
import sys
import threading

from engine.runs import kinds
from engine.runs.background import Jobs
from engine.runs.bounds import Bounds


def main() -> None:
    kinds.KINDS["train"] = kinds.Kind(module="fake_worker", folder="runs", needs_device=True)
    jobs = Jobs(Bounds(stop=60, quiet=120, floor=60, poll=0.05))
    jobs.start()
    print("ready", flush=True)
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    over.wait()
    jobs.shutdown()


if __name__ == "__main__":
    sys.exit(main())
