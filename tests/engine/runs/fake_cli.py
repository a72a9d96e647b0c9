"""The command line with a worker that trains nothing. Started as a process."""

import sys

from engine.__main__ import main
from engine.runs import kinds

if __name__ == "__main__":
    kinds.KINDS["train"] = kinds.Kind(module="fake_worker", folder="runs", needs_device=True)
    sys.exit(main())
