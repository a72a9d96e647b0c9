"""The process that trains: `python -m engine.training.worker RUN`, or `--standby` and the run on standard input later.

It reads the run's `config.json`, prepares data and model, trains, saves, and writes what happens to `events.jsonl`.
It knows nothing of queues or screens; whoever started it may die and it goes on. It ends with 0 when the run finished
or was stopped, else with 1 after an `error` event.
"""

import os
import sys
import traceback
from pathlib import Path

from engine import home
from engine.errors import DeviceLost, OutOfMemory, TuneDeskError, WorkError, from_os_error
from engine.runs.events import Events
from engine.training import distributed, heap

# How processor, CUDA, cuBLAS and Metal say it where they have no exception of their own for it.
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "MPS backend out of memory",
)

# Seconds that training waits for room on a full disk.
_PATIENCE = 1800.0


def main(run: Path) -> int:
    heap.keep()
    # Of several processes one tells; the others have their say only when they fail.
    told = run / "events.jsonl" if distributed.is_main() else Path(os.devnull)
    with Events(told, patience=_PATIENCE) as events:
        try:
            _train(run, events)
        except TuneDeskError as error:
            return _failed(run, error)
        except OSError as error:
            return _failed(run, from_os_error(error, run))
        except Exception as error:
            # Whatever a library raises must reach the person; the trace goes to worker.log.
            traceback.print_exc()
            return _failed(run, _named(error))
        return 0


def _train(run: Path, events: Events) -> None:
    events.write("phase", phase="loading")
    from engine.data import datasets
    from engine.models import library
    from engine.training import config as configs
    from engine.training.session import Session

    config = configs.load(home.read_json(run / "config.json"))
    # Either may have been deleted since the run was made.
    library.find(config.model)
    datasets.find(config.data)
    Session(run, config, events).run()


def _failed(run: Path, error: TuneDeskError) -> int:
    with Events(run / "events.jsonl", patience=_PATIENCE) as events:
        events.write("error", **error.record())
    return 1


def _named(error: Exception) -> WorkError:
    """What a library raised, as an error that says what to do."""
    import torch

    text = str(error)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
        return OutOfMemory()
    if isinstance(error, torch.AcceleratorError):
        return DeviceLost(reason=text.partition("\n")[0])
    return WorkError(reason=f"{type(error).__name__}: {text}")


def _stand_by() -> Path | None:
    """Import what takes long, then wait for a run's folder on standard input; None when nobody has one any more. From
    then on what is printed goes into the run's log."""
    heap.keep()
    from engine.training import packed, session  # noqa: F401

    run = sys.stdin.readline().strip()
    if not run:
        return None
    log = os.open(Path(run) / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    return Path(run)


if __name__ == "__main__":
    given = _stand_by() if sys.argv[1] == "--standby" else Path(sys.argv[1])
    sys.exit(main(given) if given else 0)
