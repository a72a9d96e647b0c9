"""The progress of a run on standard error: a line now and then, warnings as they come; and Ctrl-C, which stops it."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.runs.store import Run
from engine.verbs import text
from engine.words import Words

_EVERY = 5.0
_QUEUED = Words("waiting for its turn", "排队等待中")
_STEP = Words(
    "step {step}/{max_steps}  loss {loss}  {speed} tokens/s  {left} left",
    "第 {step}/{max_steps} 步  损失 {loss}  {speed} token/秒  剩余 {left}",
)
_STARTED = Words("run {id} (stop it with Ctrl-C)", "任务 {id}（按 Ctrl-C 停止）")


class Progress:
    """Called with the state of `run` now and then (`jobs.supervise`)."""

    def __init__(self, run: Run, lang: str):
        self._run, self._lang = run, lang
        self._seen = run.log.last_seq()
        self._said = ""
        self._when = -_EVERY
        self._say(_STARTED.text(lang, id=run.id))

    def __call__(self, status: dict) -> None:
        for event in self._run.log.notable(self._seen):
            self._seen = event["seq"]
            if event["type"] == "warning":
                self._say(event[self._lang])
        line = self._line(status)
        stepping = status["phase"] == "training"
        if line != self._said and (not stepping or time.monotonic() - self._when >= _EVERY):
            self._when = time.monotonic()
            self._said = line
            self._say(line)

    def _line(self, status: dict) -> str:
        if status["state"] == "queued":
            return _QUEUED.text(self._lang)
        if status["phase"] != "training" or not status["step"]:
            return status["phase"] or status["state"]
        return _STEP.text(
            self._lang,
            step=status["step"],
            max_steps=status["max_steps"],
            loss=text.number(status["loss"]),
            speed=text.number(status.get("tokens_per_second")),
            left=text.duration(status.get("eta_s")),
        )

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


@contextmanager
def interrupts_stop(run: Run) -> Iterator[None]:
    """Ctrl-C (or a polite kill) finishes the step and saves; the second one ends the run at once."""
    asked = []

    def ask(*_: object) -> None:
        run.request("kill" if asked else "stop")
        asked.append(True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
