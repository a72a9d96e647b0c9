"""How long a supervisor waits for a worker before it steps in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Seconds. `stop`: from a stop request to the kill; `saving`: the same once the worker says that it saves. Silence
    that counts as hung: `quiet` while there is no step time to judge by (loading, compiling, validating), else `patience`
    times the longest silence so far, at least `floor`. `poll`: how often the worker's directory is looked at; `asleep`: a
    look that comes this late means that the machine slept, and the worker with it."""

    stop: float = 60.0
    saving: float = 600.0
    quiet: float = 1800.0
    floor: float = 900.0
    patience: float = 20.0
    poll: float = 0.2
    asleep: float = 30.0


BOUNDS = Bounds()
