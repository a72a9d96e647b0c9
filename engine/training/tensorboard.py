"""A run's metrics in TensorBoard's own files too: the same numbers as its events, below the run's `tensorboard/`."""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

# What places a number, and is none itself.
_PLACES = ("seq", "time", "step", "max_steps", "eta_s")


class TensorBoard:
    """`folder`: where the files lie. A writer begins with the first event, so that a resumed run hides what it repeats."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def add(self, event: dict) -> None:
        """The numbers of a `step` or `eval` event, each a curve called `TYPE/NAME`."""
        numbers = {k: v for k, v in event.items() if isinstance(v, int | float) and k not in _PLACES}
        try:
            if self._writer is None:
                self._writer = SummaryWriter(self._folder, purge_step=event["step"])
            for name, value in numbers.items():
                self._writer.add_scalar(f"{event['type']}/{name}", value, event["step"], event["time"])
        except OSError:
            # The run's own events wait for room on a full disk; these begin another file when there is some again.
            self._writer = None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
