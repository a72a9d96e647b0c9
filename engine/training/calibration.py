"""What this machine computes in a second, measured once in a process of its own and kept in the workspace.

`python -m engine.training.calibration FILE` measures and writes; `machine()` is what others call. It takes some seconds,
mostly torch's import, so the interface starts it before anybody asks.
"""

import shutil
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from engine import hardware, home
from engine.errors import WorkError
from engine.runs import processes
from engine.words import Words

_VERSION = 2
_FAILED = Words("this machine could not be measured ({reason})", "无法测量本机的性能（{reason}）")
_lock = threading.Lock()


@dataclass(frozen=True)
class Machine:
    """`kind`: "cpu", "cuda" or "mps"; `memory`: bytes of the device; `dtypes`: fastest first; `gflops`: matrix products
    by number format; `call_us`: one small operation; `runtime`: bytes of a process that has loaded the libraries."""

    kind: str
    name: str
    memory: int
    dtypes: tuple[str, ...]
    gflops: dict[str, float]
    call_us: float
    runtime: int


def machine() -> Machine:
    """This machine, from the workspace's cache, or measured now.

    Raises:
        WorkError: it cannot be measured.
    """
    with _lock:
        found = known()
        if found is None:
            path = _file()
            command = [sys.executable, "-m", "engine.training.calibration", str(path)]
            done = subprocess.run(
                command,
                cwd=home.ASSETS.parent,
                env=processes.environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            found = known()
            if found is None:
                raise WorkError(reason=_FAILED.filled(reason=(done.stderr.splitlines() or ["?"])[-1][:200]))
        return found


def at_a_glance() -> Machine | None:
    """This machine as measured, or what is known of it without measuring: enough for its memory. None where only a
    measurement tells, since it may compute on a GPU."""
    if shutil.which("nvidia-smi") or sys.platform == "darwin":
        return known()
    guess = Machine(
        "cpu", hardware.processor_name(), hardware.memory_limit(), ("fp32",), {"fp32": 100.0}, 5.0, 510_000_000
    )
    return known() or guess


def _file() -> Path:
    return home.folder("cache") / "machine.json"


def known() -> Machine | None:
    """The kept measurement; None where there is none or it is of another machine."""
    try:
        found = home.read_json(_file())
    except (FileNotFoundError, ValueError):
        return None
    if found.pop("version", None) != _VERSION or found.pop("processor", None) != hardware.processor_name():
        return None
    return Machine(**found | {"dtypes": tuple(found["dtypes"])})


def _measure(path: Path) -> None:
    import psutil
    import torch

    from engine.training import packed, session  # noqa: F401 - what a worker has loaded

    runtime = psutil.Process().memory_info().rss
    device = hardware.best()
    gflops = {dtype: _matrix_rate(device.key, hardware.torch_dtype(dtype)) for dtype in device.dtypes}
    small = torch.ones(64, 64, device=device.key)
    call = _seconds(lambda: small.add(1.0), device.key, 200) * 1e6
    found = Machine(device.kind, device.name, device.memory, device.dtypes, gflops, call, runtime)
    home.write_json(path, asdict(found) | {"version": _VERSION, "processor": hardware.processor_name()})


def _matrix_rate(device: str, dtype: object) -> float:
    """Billions of multiplications and additions a second in products of the size of a layer's."""
    import torch

    size = 1024 if device == "cpu" else 4096
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / _seconds(lambda: a @ b, device, 5) / 1e9


def _seconds(work, device: str, times: int) -> float:
    """The fastest of three rounds, so that a busy moment does not count."""
    import time

    import torch

    def wait() -> None:
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    work()
    rounds = []
    for _ in range(3):
        wait()
        started = time.perf_counter()
        for _ in range(times):
            work()
        wait()
        rounds.append((time.perf_counter() - started) / times)
    return min(rounds)


if __name__ == "__main__":
    _measure(Path(sys.argv[1]))
