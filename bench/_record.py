"""Where a benchmark's figures go: `bench/results/NAME.json`, with the machine, the versions and the day."""

import datetime
from pathlib import Path

import psutil

from engine import hardware, home

RESULTS = Path(__file__).parent / "results"


def record(name: str, measured: dict) -> dict:
    """`measured` with the circumstances, written to the results and returned."""
    circumstances = {
        "date": datetime.date.today().isoformat(),
        "machine": hardware.processor_name(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "packages": hardware.packages(),
    }
    home.write_json(RESULTS / f"{name}.json", circumstances | measured)
    return circumstances | measured
