"""The kinds of job: which module works on one, where its directories lie, and whether it needs the device."""

from dataclasses import dataclass
from pathlib import Path

from engine import home


@dataclass(frozen=True)
class Kind:
    """`module` is run as `python -m module JOB_DIRECTORY`; `folder` is the workspace folder of such jobs.

    Jobs that need the device go one at a time, in the order of the queue; the others start at once.
    """

    module: str
    folder: str
    needs_device: bool


KINDS = {
    "train": Kind(module="engine.training.worker", folder="runs", needs_device=True),
    "download": Kind(module="engine.downloads.worker", folder="downloads", needs_device=False),
    "evaluate": Kind(module="engine.compare.worker", folder="evaluations", needs_device=True),
    "judge": Kind(module="engine.compare.worker", folder="judgements", needs_device=True),
    "export": Kind(module="engine.compare.worker", folder="exports", needs_device=False),
    "upload": Kind(module="engine.compare.worker", folder="published", needs_device=False),
}


def folders() -> list[str]:
    return sorted({kind.folder for kind in KINDS.values()})


def kind_of(job: Path) -> str:
    """The kind of the job in a directory: what its card says; with a damaged card, what lies in such a folder."""
    try:
        card = home.read_json(job / "card.json")
    except (FileNotFoundError, ValueError):
        card = None
    if isinstance(card, dict) and card.get("kind") in KINDS:
        return card["kind"]
    return next(kind for kind, facts in KINDS.items() if facts.folder == job.parent.name)
