"""The command line that starts a worker: this Python, or `accelerate launch` with options for several devices.

A run's config may come from a form, so only options pass: nothing that would start another program.
"""

import shlex
import sys
from pathlib import Path

from engine.errors import Unsupported
from engine.words import Words

_LAUNCH = Words(
    "'{launch}' cannot start a run; give 'accelerate launch' and its options",
    "“{launch}”不能用来启动训练；请给出“accelerate launch”及其选项",
)
_ONE_MACHINE = Words("this run trains on one machine only", "该任务只在一台机器上训练")
_MACHINE = Words(
    "there is no machine {number} in this run; the others are 1 to {last}",
    "该任务没有编号为 {number} 的机器；其余机器的编号是 1 到 {last}",
)


def command(launch: str | None, worker: list[str]) -> list[str]:
    """`worker` (`["-m", module, job]`) as a whole command.

    Raises:
        Unsupported: `launch` is something else than `accelerate launch` and options.
    """
    return [sys.executable, *(_options(launch) if launch else []), *worker]


def several(processes: int, machines: int = 1, address: str = "", port: int = 0) -> str:
    """A `launch` for `processes` in all on `machines`, of which this is the first, at `address` and `port` (0: any free
    one)."""
    words = ["accelerate", "launch", "--multi_gpu", "--num_processes", str(processes), "--num_machines", str(machines)]
    if machines > 1:
        words += ["--machine_rank", "0", "--main_process_ip", address]
    return shlex.join([*words, "--main_process_port", str(port)])


def on_machine(launch: str | None, number: int) -> str:
    """The same `launch` for another machine: `number` counts from 0, the one that the run was started on.

    Raises:
        Unsupported: the run has no such machine.
    """
    words = [part for word in shlex.split(launch or "") for part in _parts(word)]
    count = int(words[words.index("--num_machines") + 1]) if "--num_machines" in words else 1
    if not 0 < number < count:
        raise Unsupported(reason=_MACHINE.filled(number=number, last=count - 1) if count > 1 else _ONE_MACHINE)
    if "--machine_rank" in words:
        at = words.index("--machine_rank")
        del words[at : at + 2]
    return shlex.join([*words, "--machine_rank", str(number)])


def configuration(launch: str) -> str:
    """The same as a file for `accelerate launch --config_file`."""
    words = shlex.split(launch)
    given = dict(zip(words[3::2], words[4::2], strict=True))
    lines = ["compute_environment: LOCAL_MACHINE", "distributed_type: MULTI_GPU", "rdzv_backend: static"]
    return "\n".join([*lines, *(f"{name[2:]}: {value}" for name, value in given.items()), ""])


def _parts(word: str) -> list[str]:
    """`--option=value` as the two words that it may be as well."""
    return word.split("=", 1) if word.startswith("--") else [word]


def _options(launch: str) -> list[str]:
    refused = Unsupported(reason=_LAUNCH.filled(launch=launch))
    try:
        first, second, *words = shlex.split(launch)
    except ValueError:
        raise refused from None
    if (first, second) != ("accelerate", "launch"):
        raise refused
    for option, word in zip(["", *words], words, strict=False):
        # A bare word is an option's value. Anywhere else it would be the program that accelerate starts; after a switch
        # it would be that too, and `-m` makes a module of it.
        file = option.endswith(("_file", "_config"))
        allowed = not _changes_program(word) if word.startswith("--") else option.startswith("--") and word[0:1] != "-"
        if not allowed or (not file and _program(word)):
            raise refused
    return ["-m", "accelerate.commands.launch", *words]


def _changes_program(option: str) -> bool:
    """Also as accelerate understands it when cut short (`--mod`)."""
    name = option.partition("=")[0]
    return "--module".startswith(name) or "--no_python".startswith(name)


def _program(word: str) -> bool:
    return word.endswith(".py") or Path(word).exists()
