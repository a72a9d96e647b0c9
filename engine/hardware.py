"""What this machine has: devices, their memory, and the number formats that each really computes in."""

import functools
import importlib.metadata
import math
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "accelerate",
    "bitsandbytes",
    "gradio",
    "modelscope",
    "pandas",
    "plotly",
)

# Below this many parameters the overhead of each operation rules, not its arithmetic: bf16 gains nothing there.
_BF16_PAYS_FROM = 50_000_000


@dataclass(frozen=True)
class Device:
    """`key` is what torch calls it; `memory` in bytes; `dtypes` fastest first, fp32 always among them."""

    key: str
    name: str
    memory: int
    dtypes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """ "cuda", "mps" or "cpu"."""
        return self.key.partition(":")[0]


def devices() -> list[Device]:
    """Every device here, the one to use first. The processor is always the last."""
    import torch

    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            bf16 = ("bf16",) if torch.cuda.is_bf16_supported(including_emulation=False) else ()
            found.append(Device(f"cuda:{index}", properties.name, properties.total_memory, (*bf16, "fp16", "fp32")))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", psutil.virtual_memory().total, ("bf16", "fp16", "fp32")))
    cpu_dtypes = ("bf16", "fp32") if _cpu_has_bf16() else ("fp32",)
    found.append(Device("cpu", processor_name(), memory_limit(), cpu_dtypes))
    return found


@functools.cache
def gpus() -> int:
    """How many NVIDIA GPUs this process may use, asked of the driver's own tool: importing torch takes seconds."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return len([each for each in allowed.split(",") if each.strip() not in ("", "-1")])
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    listed = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False).stdout
    return len([line for line in listed.splitlines() if line.startswith("GPU ")])


def best() -> Device:
    """The device that work runs on; of several GPUs each process of a launch has its own."""
    found = devices()
    return found[int(os.environ.get("LOCAL_RANK", "0"))] if found[0].kind == "cuda" else found[0]


def precision(wanted: str, device: Device, parameters: int) -> str:
    """The number format ("fp32", "bf16" or "fp16") for `wanted` ("auto" or one of them) on `device`.

    What the device lacks becomes the next best it has; "auto" takes bf16 where the hardware has it and the model is
    large enough for it to pay.
    """
    if wanted == "auto":
        wanted = "bf16" if parameters >= _BF16_PAYS_FROM else "fp32"
    return wanted if wanted in device.dtypes else "fp32"


def training_precision(
    wanted: str, device: Device, parameters: int, rest: str, free: int, bf16_is_faster: Callable[[], bool]
) -> str:
    """As `precision`, where large products rule the time: a processor that is slower in bf16 takes fp32 for "auto", if the
    model, whose weights then lie in the format `rest`, fits into half of the `free` bytes."""
    name = precision(wanted, device, parameters)
    if wanted == "auto" and name == "bf16" and device.kind == "cpu" and not bf16_is_faster():
        return "fp32" if parameters * BYTES[rest] < free / 2 else "bf16"
    return name


@functools.cache
def bf16_products_are_faster() -> bool:
    """Whether this processor multiplies matrices faster in bf16 than in fp32, measured once in about a tenth of a
    second. Having the instructions says little: two cores of an AMD EPYC did 365 GFLOP/s in bf16 and 150 in fp32, two of
    an Intel Xeon without AMX 167 and 314."""
    import torch

    taken = {torch.bfloat16: math.inf, torch.float32: math.inf}
    with torch.inference_mode():
        pairs = {dtype: (torch.ones(256, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)) for dtype in taken}
        for _ in range(6):
            for dtype, (left, right) in pairs.items():
                started = time.perf_counter()
                left @ right.T
                taken[dtype] = min(taken[dtype], time.perf_counter() - started)
    return taken[torch.bfloat16] < taken[torch.float32]


# Of a value in each number format.
BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}


def torch_dtype(name: str) -> "torch.dtype":
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def memory_limit() -> int:
    """Bytes of memory this process may have: the machine's, or its control group's limit where that is lower."""
    total = psutil.virtual_memory().total
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                text = file.read().strip()
        except OSError:
            continue
        if text.isdigit():
            return min(total, int(text))
    return total


def free_memory(device: Device) -> int:
    """Bytes that can be taken on `device` now."""
    if device.kind == "cuda":
        import torch

        return torch.cuda.mem_get_info(device.key)[0]
    return free_ram()


def free_ram() -> int:
    """Bytes of the computer's own memory that can be taken now. Loads no torch."""
    return min(psutil.virtual_memory().available, memory_limit())


def free_together(device: Device) -> int:
    """Bytes that can be taken now on `device` and all others like it."""
    if device.kind == "cuda":
        import torch

        return sum(torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count()))
    return free_memory(device)


def doctor() -> dict:
    """What `python -m engine doctor` tells: `device`, `dtype`, `memory_gb`, `packages`, and every device there is."""
    found = devices()
    return {
        "device": found[0].key,
        "name": found[0].name,
        "dtype": found[0].dtypes[0],
        "memory_gb": round(found[0].memory / 1e9, 1),
        "devices": [
            {"key": d.key, "name": d.name, "memory_gb": round(d.memory / 1e9, 1), "dtypes": d.dtypes} for d in found
        ],
        "packages": packages(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def packages() -> dict[str, str]:
    """The version of each package that the results of a run depend on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def processor_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return f"{names[0] if names else platform.processor() or platform.machine()} ({psutil.cpu_count()} cores)"


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 matrices in hardware (AVX-512 BF16, AMX or Arm's BF16)."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "arm_bf16"))
