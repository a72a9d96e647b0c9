"""Where the next worker of a run begins: `resume.json`. Written by whoever supervises, read by the worker."""

from pathlib import Path

from engine import home


def read(job: Path) -> dict:
    """What the worker in the directory `job` must heed; a run never resumed has no file and gets the defaults.

    `checkpoint` (a step; None: from the start), `micro_batch_divisor` (1, 2, 4 ...: hold that many times fewer rows in
    memory than you would; the batch size stays), `num_train_epochs` (a new total; None: as in the config).
    """
    try:
        written = home.read_json(job / "resume.json")
    except (FileNotFoundError, ValueError):
        written = {}
    return {"checkpoint": None, "micro_batch_divisor": 1, "num_train_epochs": None} | written


def write(job: Path, plan: dict) -> None:
    """
    Raises:
        OSError: there is no room.
    """
    home.write_json(job / "resume.json", plan)
