"""Who may supervise a job, and whose turn the device is. Both are file locks, which the kernel frees when a process dies.

Shared by every process that works in this workspace: the app and the command lines.
"""

from pathlib import Path

from filelock import FileLock, Timeout

from engine import home


def _try(path: Path, wait: float = 0.0) -> FileLock | None:
    # thread_local=False: a claim taken by the queue's thread is let go by the thread that supervised the job.
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=wait, poll_interval=0.02)
    except Timeout:
        return None
    return lock


def claim(job: Path, wait: float = 0.0) -> FileLock | None:
    """The right to supervise the job in the folder `job`; None while another has it."""
    return _try(job / ".supervisor", wait)


def device(wait: float = 0.0, number: int = 0) -> FileLock | None:
    """The right to start a worker on a device; None while another has it.

    A free lock is not yet a free device: a worker may have outlived its supervisor.
    """
    return _try(home.home() / f"device-{number}.lock", wait)
