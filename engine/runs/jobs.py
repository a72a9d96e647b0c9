"""One job from outside its process: seen through to its end, stopped, put right, made ready to go on.

    supervise(run)      waits for its turn and for the end

The command line does this while the app's background thread (`background.Jobs`) may run beside it in the same workspace: a
job is claimed by one of them, the device by one at a time, in the order of the queue. What another process left behind (a
worker without a supervisor, a state that is no longer true) is put right by whoever looks first.
"""

import threading
import time
from collections.abc import Callable

from engine.errors import NotFound, Unsupported, from_os_error
from engine.runs import locks, plan, processes, queue, store, turns
from engine.runs.bounds import BOUNDS, Bounds
from engine.runs.kinds import KINDS
from engine.runs.status import ACTIVE, ENDED, QUEUED, Writer
from engine.runs.store import Run
from engine.runs.supervisor import Supervisor
from engine.words import Words

_TICK = 0.5
_CHECKPOINT = Words("checkpoint", "检查点")
_KEPT = Words("Kept ones: {steps}.", "现有的检查点：{steps}。")
_NONE_KEPT = Words(
    "This run kept none; resume it without naming one.", "该任务没有保存检查点；不指定检查点即可重新开始。"
)
_GOING_ON = Words("Run '{name}' is still going on or waiting.", "任务“{name}”仍在进行或排队中。")


def supervise(run: Run, bounds: Bounds = BOUNDS, watch: Callable[[dict], None] | None = None) -> dict:
    """Wait for the turn of `run`, see it through to its end, and return its last state. `watch` gets the state now and
    then. When another process (the app) has taken the run, this one only waits for it."""
    line_up(run)
    while True:
        claim = locks.claim(run.path)
        if claim is not None:
            try:
                return _see_through(run, bounds, watch)
            finally:
                claim.release()
        if watch is not None:
            watch(run.status())
        time.sleep(_TICK)
        if run.status()["state"] in ENDED:
            return run.status()


def _see_through(run: Run, bounds: Bounds, watch: Callable[[dict], None] | None) -> dict:
    """The caller holds the claim."""
    device = None
    if run.status()["state"] == QUEUED:
        wait_with(run)
        while KINDS[run.kind].needs_device and device is None:
            if run.requested():
                return cancel(run)
            settle(except_for=run)
            device = turns.take(run)
            if device is None:
                if watch is not None:
                    watch(run.status())
                time.sleep(_TICK)
        # A worker without supervisor may have ended between the last look and the turn.
        settle(except_for=run)
    elif run.status()["state"] in ENDED:
        return run.status()
    elif KINDS[run.kind].needs_device:
        device = locks.device(wait=5)
    try:
        return _watched(Supervisor(run, bounds, threading.Event()), run, watch)
    finally:
        if device is not None:
            device.release()


def _watched(supervisor: Supervisor, run: Run, watch: Callable[[dict], None] | None) -> dict:
    """The supervisor works in a thread of its own, so that the calling one can be interrupted (Ctrl-C) and report."""
    thread = threading.Thread(target=supervisor.work, name=f"run {run.id}", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK)
        if watch is not None:
            watch(supervisor.status)
    return supervisor.status


def stop(run: Run, now: bool = False, bounds: Bounds = BOUNDS) -> dict:
    """Stop a run from any process and wait until it has ended; the last state. A run that has ended is left alone."""
    if run.status()["state"] not in ENDED:
        run.request("kill" if now else "stop")
    while run.status()["state"] not in ENDED:
        claim = locks.claim(run.path)
        if claim is None:
            time.sleep(_TICK / 2)
            continue
        try:
            if run.status()["state"] == QUEUED:
                cancel(run)
            elif run.status()["state"] in ACTIVE:
                Supervisor(run, bounds, threading.Event()).work()
        finally:
            claim.release()
    return run.status()


def settle(except_for: Run | None = None) -> None:
    """Put right the state of jobs whose supervisor and worker are both gone; living workers are left alone."""
    for run in store.jobs():
        status = run.status()
        if run == except_for or status["state"] not in ACTIVE or processes.alive(status["worker"]):
            continue
        claim = locks.claim(run.path)
        if claim is None:
            continue
        try:
            if run.status()["state"] in ACTIVE:
                at_once = threading.Event()
                at_once.set()
                Supervisor(run, BOUNDS, at_once).work()
        finally:
            claim.release()


def prepare_resume(run: Run, checkpoint: int | None = None, num_train_epochs: float | None = None) -> None:
    """Make an ended run `queued` again, to go on from a checkpoint: the given one (0: from the start), else the latest,
    else from the start. Later checkpoints go: they belong to steps that are taken anew.

    `num_train_epochs` is a new total ("continue for more epochs").

    Raises:
        Unsupported: it has not ended.
        NotFound: there is no such checkpoint.
        DiskFull: there is no room.
    """
    kept = run.checkpoints()
    if checkpoint and checkpoint not in kept:
        hint = _KEPT.filled(steps=", ".join(map(str, kept))) if kept else _NONE_KEPT
        raise NotFound(kind=_CHECKPOINT, name=str(checkpoint), hint=hint)
    settle()
    # Whoever saw the run to its end lets go of it a moment after the state says so.
    claim = locks.claim(run.path, wait=2.0 if run.status()["state"] in ENDED else 0.0)
    try:
        if claim is None or run.status()["state"] not in ENDED:
            raise Unsupported(reason=_GOING_ON.filled(name=run.id))
        start = max(kept, default=0) if checkpoint is None else checkpoint
        begin = plan.read(run.path) | {"checkpoint": start or None}
        if num_train_epochs is not None:
            begin["num_train_epochs"] = num_train_epochs
        (run.path / "stop").unlink(missing_ok=True)
        try:
            plan.write(run.path, begin)
            run.drop_checkpoints(after=start)
        except OSError as error:
            raise from_os_error(error, run.path) from error
        writer = Writer(run.path)
        writer.update(state=QUEUED, ended=None, error=None, result=None, supervisor=None, worker=None)
        writer.settle()
    finally:
        if claim is not None:
            claim.release()


def line_up(run: Run) -> None:
    if KINDS[run.kind].needs_device:
        queue.append(run.id)


def wait_with(run: Run) -> None:
    """Say in the state of a waiting job who waits with it. The caller holds the claim."""
    Writer(run.path).update(supervisor=processes.me())


def cancel(run: Run) -> dict:
    """A waiting job leaves the queue. The caller holds the claim."""
    writer = Writer(run.path)
    writer.update(state="stopped", ended=time.time(), supervisor=None)
    writer.settle()
    queue.remove(run.id)
    return writer.status
