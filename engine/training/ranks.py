"""The ranks that AdaLoRA left each matrix, as its saved adapter tells them: no torch."""

import re
from pathlib import Path

from engine import home

_LAYER = re.compile(r"\.layers\.(\d+)\.")


def of_run(run: Path) -> dict[str, int] | None:
    """Name of a module -> its final rank, in the order of the model. None where the run has no final AdaLoRA adapter, or
    ended before any rank was shared out."""
    try:
        config = home.read_json(run / "final" / "adapter_config.json")
    except FileNotFoundError:
        return None
    pattern = config.get("rank_pattern")
    if config["peft_type"] != "ADALORA" or not pattern:
        return None
    return {name.removesuffix(".lora_E"): sum(kept) for name, kept in pattern.items()}


def place(name: str) -> tuple[str, str]:
    """A module's layer, counted from 1, and what it is called there: ("3", "q_proj")."""
    found = _LAYER.search(name)
    return str(int(found[1]) + 1) if found else "", name.rpartition(".")[2]
