"""One job from its start to its end: starts the worker, follows its events, enforces a stop, judges how it ended.

The caller holds the claim on the job, and the device where the job needs one. A supervisor may go (the app is closed)
and another take over: the worker does not notice. What a worker does is not known here; of its events only those matter
that `status.fold` names.
"""

import shutil
import subprocess
import threading
import time
from contextlib import suppress

from engine import errors, home
from engine.errors import DiskFull, OutOfMemory, TuneDeskError, Unsupported, WorkerDied, WorkerHung, WorkError
from engine.runs import launch, plan, processes, standby
from engine.runs.bounds import Bounds
from engine.runs.events import Events
from engine.runs.kinds import KINDS
from engine.runs.standby import Standby
from engine.runs.status import ACTIVE, Writer, end_state
from engine.runs.store import Run
from engine.words import Words

# With less room than this a silent worker is taken to be waiting for room, not hung.
_DISK_FULL_BELOW = 64_000_000
_NOT_A_LINE_FITS = 100_000
_DIVISOR_LIMIT = 64

_NO_RESULT = Words("it ended without a result (exit code {code})", "没有给出结果就退出了（退出码 {code}）")
_SIGNAL = Words("ended by {name}", "被 {name} 信号终止")
_HALVED_FROM_STEP = Words(
    "Out of memory. Going on from step {step} with half as many rows at a time (the batch size stays the same).",
    "内存不足。将从第 {step} 步继续，每次处理的行数减半（批大小不变）。",
)
_HALVED_FROM_START = Words(
    "Out of memory. Starting again with half as many rows at a time (the batch size stays the same).",
    "内存不足。将重新开始，每次处理的行数减半（批大小不变）。",
)
_KILLED = Words(
    "The training process did not obey the stop within {seconds} s and was ended; the last checkpoint stands.",
    "训练进程在 {seconds} 秒内没有响应停止请求，已被强制结束；最后一个检查点仍然有效。",
)
_DAMAGED = Words("The run's config.json is damaged; start a new run.", "该任务的 config.json 已损坏，请新建一个任务。")


class Supervisor:
    """Supervises `run` in the calling thread; `leave` tells it to go while the worker stays; `standby` may have a worker
    waiting."""

    def __init__(self, run: Run, bounds: Bounds, leave: threading.Event, standby: Standby | None = None):
        self._run = run
        self._bounds = bounds
        self._leave = leave
        self._standby = standby
        self._writer = Writer(run.path)
        self._process: subprocess.Popen | None = None
        self._verdict: str | None = None
        self._begin_to_follow()

    @property
    def status(self) -> dict:
        return self._writer.status

    def work(self) -> dict:
        """Start a worker, or take over the one that lives, and follow to the end (or till `leave`); the last state."""
        for torn in self._run.path.glob(".status.json.*"):
            torn.unlink()
        if self.status["state"] in ACTIVE:
            self._take_over()
        else:
            self._launch()
        while self.status["state"] in ACTIVE:
            self._follow()
            if self._leave.is_set() and not self._gone():
                break
            self._conclude()
        self._writer.settle()
        return self.status

    def _take_over(self) -> None:
        worker = self.status["worker"]
        if worker is None:
            # The last supervisor died between starting a worker and writing down which.
            worker = processes.find(self._module())
        self._writer.update(supervisor=processes.me(), worker=worker)

    def _launch(self) -> None:
        self._writer.update(
            state="starting",
            started=self.status["started"] or time.time(),
            ended=None,
            supervisor=processes.me(),
            worker=None,
            attempt=self.status["attempt"] + 1,
            phase=None,
            error=None,
            result=None,
            oom_kills=processes.oom_kills(),
        )
        self._verdict = None
        try:
            if self.status["attempt"] > 1:
                self._say_where_it_resumes()
            waiting = self._waiting_worker()
            self._process = waiting or self._new_worker()
        except OSError as error:
            self._end("failed", errors.from_os_error(error, self._run.path).record())
            return
        except TuneDeskError as error:
            self._end("failed", error.record())
            return
        # Written before it begins: should this process die now, the next one knows whom to look for.
        self._writer.update(worker=processes.identity(self._process.pid))
        if waiting is not None:
            with suppress(OSError):  # it died meanwhile, which is noticed at once
                standby.hand_over(waiting, self._run.path)
        self._writer.reserve()
        self._begin_to_follow()

    def _waiting_worker(self) -> subprocess.Popen | None:
        # A job that needs no device runs beside others, and leaves the worker waiting for them.
        if self._standby is None or not KINDS[self._run.kind].needs_device:
            return None
        return self._standby.take("" if self._launcher() else KINDS[self._run.kind].module)

    def _new_worker(self) -> subprocess.Popen:
        with open(self._run.path / "worker.log", "ab") as output:
            return subprocess.Popen(
                launch.command(self._launcher(), self._module()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home.ASSETS.parent,
                env=processes.environment(),
                start_new_session=True,
            )

    def _launcher(self) -> str | None:
        config = self._run.config
        if not config:
            raise Unsupported(reason=_DAMAGED)
        return config.get("launch")

    def _module(self) -> list[str]:
        return ["-m", KINDS[self._run.kind].module, str(self._run.path)]

    def _say_where_it_resumes(self) -> None:
        begin = plan.read(self._run.path)
        with Events(self._run.path / "events.jsonl") as file:
            file.write("resume", step=begin["checkpoint"] or 0, micro_batch_divisor=begin["micro_batch_divisor"])
        self._take_in()
        self._writer.update(**self._run.log.losses())

    def _begin_to_follow(self) -> None:
        self._heard = time.monotonic()
        self._asked: float | None = None
        self._grace = self._bounds.stop
        self._stepped = False
        self._longest = 0.0
        self._clock = self._looked = time.monotonic()
        self._spent = self.status["seconds"]

    def _follow(self) -> None:
        """Until the worker is gone, or `leave`."""
        while True:
            gone = self._gone()
            self._take_in()
            if gone or self._leave.is_set():
                return
            self._heed_request()
            self._mind_silence()
            self._writer.tick()
            self._leave.wait(self._bounds.poll)

    def _gone(self) -> bool:
        if self._process is not None:
            return self._process.poll() is not None
        return not processes.alive(self.status["worker"])

    def _take_in(self) -> None:
        fresh = self._run.events(self.status["seq"])
        for event in fresh:
            self._writer.take(event)
            if event["type"] == "phase" and event["phase"] == "saving" and self._asked is not None:
                self._grace = self._bounds.saving
        if not fresh:
            return
        now = time.monotonic()
        if self._stepped:
            # Any silence outlived is normal for this run: a step, a validation, a checkpoint.
            self._longest = max(self._longest, now - self._heard)
        self._stepped = self._stepped or any(event["type"] == "step" for event in fresh)
        self._heard = now
        self.status["seconds"] = round(self._spent + now - self._clock, 1)
        if self.status["state"] == "starting" and fresh[-1]["type"] != "resume":
            self._writer.update(state="running")

    def _heed_request(self) -> None:
        wanted = self._run.requested()
        if wanted is None:
            return
        if self._asked is None:
            self._asked = time.monotonic()
            self._writer.update(state="stopping")
        if wanted == "kill":
            self._end_worker("killed")
        elif time.monotonic() - self._asked > self._grace:
            self._end_worker("overdue")

    def _mind_silence(self) -> None:
        now = time.monotonic()
        if now - self._looked > self._bounds.asleep:
            self._heard = now
        self._looked = now
        judged = self._stepped and self.status["phase"] == "training"
        bound = max(self._bounds.floor, self._bounds.patience * self._longest) if judged else self._bounds.quiet
        if now - self._heard <= bound:
            return
        if shutil.disk_usage(self._run.path).free < _DISK_FULL_BELOW:
            self._heard = now
            return
        self._end_worker("hung")

    def _end_worker(self, verdict: str) -> None:
        self._verdict = self._verdict or verdict
        processes.kill(self.status["worker"])

    def _conclude(self) -> None:
        """The worker is gone: the final state, or another worker."""
        home.sweep(self._run.path)
        told = end_state(self.status)
        if told in ("finished", "stopped"):
            self._end(told, None)
        elif self._verdict in ("killed", "overdue"):
            if self._verdict == "overdue":
                self._warn(_KILLED.filled(seconds=round(self._grace)))
            self._end("stopped", None)
        elif self._verdict == "hung":
            self._end("interrupted", WorkerHung(minutes=max(1, round((time.monotonic() - self._heard) / 60))).record())
        elif told == "failed" and self.status["error"]["error"] != WorkError.__name__:
            self._fail(self.status["error"])
        elif self._exit_code() not in (None, 0) and shutil.disk_usage(self._run.path).free < _NOT_A_LINE_FITS:
            # Without room a library fails with an error of its own, or the worker cannot even write down why.
            self._fail(DiskFull(path=str(self._run.path), free=home.free_text(self._run.path)).record())
        elif told == "failed":
            self._fail(self.status["error"])
        elif processes.oom_kills() > self.status["oom_kills"] and self._exit_code() in (None, -9, 137):
            self._fail(OutOfMemory().record())
        elif self._exit_code() is None:
            self._end("interrupted", None)
        else:
            self._fail(WorkerDied(reason=_death(self._exit_code())).record())

    def _exit_code(self) -> int | None:
        """None for a worker that another supervisor started: only its parent learns how a process ended."""
        return None if self._process is None else self._process.returncode

    def _fail(self, error: dict) -> None:
        if error["error"] != OutOfMemory.__name__ or not self._can_halve():
            self._end("failed", error)
        elif self._run.requested():
            self._end("stopped", None)
        else:
            begin = plan.read(self._run.path)
            latest = max(self._run.checkpoints(), default=None)
            begin |= {"checkpoint": latest, "micro_batch_divisor": begin["micro_batch_divisor"] * 2}
            try:
                plan.write(self._run.path, begin)
            except OSError as full:
                self._end("failed", errors.from_os_error(full, self._run.path).record())
                return
            self._warn(_HALVED_FROM_STEP.filled(step=latest) if latest else _HALVED_FROM_START)
            self._launch()

    def _can_halve(self) -> bool:
        """Only what the micro-batch takes can be halved: a worker that had not come so far to report one ran out of
        memory for the model itself."""
        rows = self.status["micro_batch"]
        return rows is not None and rows > 1 and plan.read(self._run.path)["micro_batch_divisor"] < _DIVISOR_LIMIT

    def _warn(self, words: Words) -> None:
        try:
            with Events(self._run.path / "events.jsonl") as file:
                file.write("warning", **words._asdict())
        except OSError:
            return  # A full disk: the state below still says what happened.
        self._take_in()

    def _end(self, state: str, error: dict | None) -> None:
        self._writer.update(state=state, error=error, ended=time.time(), supervisor=None, worker=None, eta_s=None)


def _death(code: int) -> Words:
    return _SIGNAL.filled(name=processes.signal_name(-code)) if code < 0 else _NO_RESULT.filled(code=code)
