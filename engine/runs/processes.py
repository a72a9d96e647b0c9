"""Processes: which one is meant, whether it lives, how to end it, and what the kernel says about a lack of memory.

Knows nothing of runs.
"""

import os
import signal
import sys
from pathlib import Path

import psutil

from engine import home


def identity(pid: int) -> dict:
    """`{"pid", "born"}`, which names one process for good: pids are reused. `born` is None for a dead process."""
    return {"pid": pid, "born": _born(pid)}


def environment() -> dict[str, str]:
    """The environment of a process that computes.

    OpenMP's threads wait for each other by spinning, a millisecond at a time. Beside other work (a browser drawing the
    chart is enough) such processes then mostly wait for one another: on two cores, three at a time were over ten times
    slower than one after the other. So they spin shortly, then sleep.

    glibc lays small free blocks aside without joining them to the free ones beside them: the slivers that aligning a
    large block leaves. A large block that is freed between two of them is then too small for the next of its own size.
    They are joined at once, which takes a tenth off the peak of a 0.5B model. Elsewhere the variable means nothing.

    Whatever such processes need is on this machine: a hub is never asked.
    """
    own = {
        "TUNEDESK_HOME": str(home.home()),
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "GOMP_SPINCOUNT": "2000",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0",
    }
    return own | os.environ | {"TUNEDESK_HOME": own["TUNEDESK_HOME"]}


def me() -> dict:
    """The identity of this process."""
    return identity(os.getpid())


def alive(who: dict | None) -> bool:
    """Whether the very process that `identity` described is still running. A zombie is not."""
    return who is not None and who["born"] is not None and _born(who["pid"]) == who["born"]


def kill(who: dict) -> None:
    """End the process and all that it started, at once. Nothing happens when it is gone."""
    if not alive(who):
        return
    process = psutil.Process(who["pid"])
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue


def find(arguments: list[str]) -> dict | None:
    """The identity of a living process whose command line ends with `arguments`."""
    for process in psutil.process_iter():
        try:
            if process.cmdline()[-len(arguments) :] == arguments and alive(who := identity(process.pid)):
                return who
        except psutil.Error:
            continue
    return None


def oom_kills() -> int:
    """How many processes the kernel has ended for want of memory, as far as it tells (0 where it does not).

    Only a rise of this number means anything. The kernel counts a kill in the control group and on the machine.
    """
    return sum(_count(path) for path in [*_memory_events(), Path("/proc/vmstat")])


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _born(pid: int) -> str | None:
    """When a living process began, in a form that no change of the clock alters."""
    if sys.platform == "linux":
        # psutil derives the start from the wall clock at boot, which moves when the clock is set; ticks do not.
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{_boot()}-{fields[19]}"
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]


def _memory_events() -> list[Path]:
    """The files in which this process's control groups count such kills (version 2, version 1)."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    paths = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            paths.append(Path(f"/sys/fs/cgroup{group}/memory.events"))
        elif "memory" in controllers.split(","):
            paths.append(Path(f"/sys/fs/cgroup/memory{group}/memory.oom_control"))
    return paths


def _count(path: Path) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
