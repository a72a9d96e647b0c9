"""Whose turn it is: who waits, who works, and the device handed to the first in line. The same for every process here."""

from filelock import FileLock

from engine.runs import locks, processes, queue, store
from engine.runs.kinds import KINDS
from engine.runs.status import ACTIVE, QUEUED
from engine.runs.store import Run


def waiting() -> list[Run]:
    """The jobs that wait for the device and that a living process waits with, the next one first."""
    places = {id: place for place, id in enumerate(queue.order())}
    found = [
        run
        for run in store.jobs()
        if run.status()["state"] == QUEUED
        and KINDS[run.kind].needs_device
        and processes.alive(run.status()["supervisor"])
    ]
    return sorted(found, key=lambda run: (places.get(run.id, len(places)), run.status()["created"]))


def take(run: Run) -> FileLock | None:
    """The device, if it is free and `run` is the first in line; else None."""
    if waiting()[:1] != [run]:
        return None
    held = locks.device()
    if held is not None and any(processes.alive(other.status()["worker"]) for other in active()):
        # A worker that outlived its supervisor still works on the device.
        held.release()
        return None
    if held is not None:
        queue.remove(run.id)
    return held


def active() -> list[Run]:
    """The jobs on the device whose state says that a worker is at them."""
    return [run for run in store.jobs() if run.status()["state"] in ACTIVE and KINDS[run.kind].needs_device]
