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


def command(launch: str | None, worker: list[str]) -> list[str]:
    """`worker` (`["-m", module, job]`) as a whole command.

    Raises:
        Unsupported: `launch` is something else than `accelerate launch` and options.
    """
    return [sys.executable, *(_options(launch) if launch else []), *worker]


def _options(launch: str) -> list[str]:
    refused = Unsupported(reason=_LAUNCH.filled(launch=launch))
    try:
        first, second, *words = shlex.split(launch)
    except ValueError:
        raise refused from None
    if (first, second) != ("accelerate", "launch"):
        raise refused
    for option, word in zip(["", *words], words, strict=False):
        # A bare word is an option's value. Anywhere else it would be the program that accelerate starts.
        file = option.endswith(("_file", "_config"))
        allowed = not _changes_program(word) if word.startswith("--") else option.startswith("--")
        if not allowed or (not file and _program(word)):
            raise refused
    return ["-m", "accelerate.commands.launch", *words]


def _changes_program(option: str) -> bool:
    """Also as accelerate understands it when cut short (`--mod`)."""
    name = option.partition("=")[0]
    return "--module".startswith(name) or "--no_python".startswith(name)


def _program(word: str) -> bool:
    return word.endswith(".py") or Path(word).exists()
