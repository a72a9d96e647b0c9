"""The order in which jobs that wait are taken: `queue.json` in the workspace, shared by all processes.

A list of ids and nothing else. Order is a place in this list, not a time, so that a clock set back cannot change it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock

from engine import home


def order() -> list[str]:
    """The ids that wait, first come first. Empty when the file is damaged: jobs without a place come last, oldest first."""
    try:
        listed = home.read_json(home.home() / "queue.json")["order"]
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return []
    return [id for id in listed if isinstance(id, str)]


def append(id: str) -> None:
    """Put `id` at the end."""
    with _changed() as ids:
        if id in ids:
            ids.remove(id)
        ids.append(id)


def remove(id: str) -> None:
    with _changed() as ids:
        if id in ids:
            ids.remove(id)


def arrange(ids: list[str]) -> None:
    """Put `ids` first, in this order; the others stay behind them as they were."""
    with _changed() as kept:
        kept[:] = ids + [id for id in kept if id not in ids]


@contextmanager
def _changed() -> Iterator[list[str]]:
    root = home.home()
    with FileLock(root / "queue.lock", poll_interval=0.02):
        before = order()
        after = list(before)
        yield after
        if after != before:
            home.write_json(root / "queue.json", {"order": after})
