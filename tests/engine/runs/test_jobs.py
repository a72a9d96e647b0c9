"""The queue's thread in the app and on the command line, with real processes: order, restarts, deaths of the app."""

import itertools
import os
import signal
import threading
from pathlib import Path

import pytest

from engine.errors import NotFound, Unsupported
from engine.runs import jobs, kinds, processes, queue, store
from engine.runs.background import Jobs
from engine.runs.status import ACTIVE

from .conftest import state, wait_for


@pytest.fixture
def queueing(workspace, bounds):
    thread = Jobs(bounds)
    thread.start()
    yield thread
    thread.shutdown()


def ended_in_order(runs: list[store.Run]) -> list[str]:
    return [run.id for run in sorted(runs, key=lambda run: run.status()["started"])]


def test_runs_go_one_at_a_time_in_order(queueing):
    runs = [store.create({"steps": 10}) for _ in range(3)]
    for run in runs:
        queueing.submit(run)
    wait_for(lambda: all(state(run) == "finished" for run in runs))
    times = [(run.status()["started"], run.status()["ended"]) for run in runs]
    assert ended_in_order(runs) == [run.id for run in runs]
    assert all(ended <= started for (_, ended), (started, _) in itertools.pairwise(times))


def test_place_reorder_and_cancel(queueing):
    first = store.create({"steps": 10**6})
    queueing.submit(first)
    wait_for(lambda: first.status()["step"] > 0)
    second, third, fourth = (store.create({"steps": 5}) for _ in range(3))
    for run in (second, third, fourth):
        queueing.submit(run)
    wait_for(lambda: queueing.position(fourth) == 3)
    assert queueing.position(first) is None
    queueing.reorder(fourth, 1)
    assert [queueing.position(run) for run in (fourth, second, third)] == [1, 2, 3]
    queueing.cancel(second)
    wait_for(lambda: state(second) == "stopped")
    assert second.status()["attempt"] == 0
    queueing.stop(first)
    wait_for(lambda: state(third) == "finished")
    assert ended_in_order([third, fourth]) == [fourth.id, third.id]
    assert state(first) == "stopped"


def test_the_generation_process_is_told_before_a_run_starts(workspace, bounds):
    told = []
    thread = Jobs(bounds, before=told.append)
    thread.start()
    run = store.create({"steps": 3})
    thread.submit(run)
    wait_for(lambda: state(run) == "finished")
    thread.shutdown()
    assert told == [run]


def test_the_worker_outlives_a_killed_app_and_the_next_one_takes_it_over(app, workspace):
    run = store.create({"steps": 10**6})
    queue.append(run.id)
    first = app()
    wait_for(lambda: run.status()["step"] > 0)
    worker = run.status()["worker"]
    first.kill()
    first.wait()
    assert processes.alive(worker)
    second = app()
    wait_for(lambda: (run.status()["supervisor"] or {}).get("pid") == second.pid)
    assert run.status()["worker"] == worker and run.status()["attempt"] == 1
    sees_to_its_end(run)


def test_the_app_closing_leaves_the_worker_alone(app, workspace):
    run = store.create({"steps": 10**6})
    queue.append(run.id)
    first = app()
    wait_for(lambda: run.status()["step"] > 0)
    first.terminate()
    assert first.wait() == 0
    assert processes.alive(run.status()["worker"])
    app()
    sees_to_its_end(run)


def sees_to_its_end(run: store.Run) -> None:
    """Whoever supervises `run` now."""
    run.request("stop")
    wait_for(lambda: state(run) == "stopped")
    assert run.status()["result"]["stopped"]


def test_app_and_worker_killed_leave_a_run_that_is_interrupted_and_resumes(app, workspace, bounds):
    run = store.create({"steps": 10**6, "save_steps": 5})
    queue.append(run.id)
    process = app()
    wait_for(lambda: run.checkpoints())
    process.kill()
    process.wait()
    os.kill(run.status()["worker"]["pid"], signal.SIGKILL)
    wait_for(lambda: not processes.alive(run.status()["worker"]))
    assert state(run) in ACTIVE
    jobs.settle()
    assert state(run) == "interrupted"
    (run.path / "config.json").write_text('{"steps": 100}')
    jobs.prepare_resume(run)
    assert jobs.supervise(run, bounds)["state"] == "finished"


def test_a_worker_that_ended_while_no_app_ran_is_judged_by_its_last_word(app, workspace):
    run = store.create({"steps": 100, "delay": 0.01})
    queue.append(run.id)
    process = app()
    wait_for(lambda: run.status()["step"] > 0)
    process.kill()
    process.wait()
    wait_for(lambda: any(event["type"] == "done" for event in run.events()))
    wait_for(lambda: not processes.alive(run.status()["worker"]))
    jobs.settle()
    assert state(run) == "finished" and run.status()["result"]["steps"] == 100


def test_an_app_killed_between_starting_a_worker_and_writing_down_which(app, workspace):
    run = store.create({"steps": 10**6})
    queue.append(run.id)
    process = app()
    wait_for(lambda: run.status()["step"] > 0)
    process.kill()
    process.wait()
    status = run.status()
    store.home.write_json(run.path / "status.json", status | {"worker": None, "state": "starting"})
    assert jobs.stop(run)["state"] == "stopped"
    assert not processes.alive(status["worker"])


def test_the_queue_survives_a_restart_of_the_app(app, workspace):
    blocker = store.create({"steps": 10**6})
    waiting = [store.create({"steps": 5}) for _ in range(3)]
    for run in [blocker, waiting[2], waiting[0], waiting[1]]:
        queue.append(run.id)
    process = app()
    wait_for(lambda: blocker.status()["step"] > 0)
    process.kill()
    process.wait()
    app()
    blocker.request("stop")
    wait_for(lambda: all(state(run) == "finished" for run in waiting))
    assert ended_in_order(waiting) == [run.id for run in (waiting[2], waiting[0], waiting[1])]


def test_two_processes_share_one_queue_and_one_device(app, workspace, bounds):
    """The app has a run on the device and one in the queue; a command line comes third, and goes third."""
    runs = [store.create({"steps": 150, "delay": 0.01}), store.create({"steps": 5})]
    for run in runs:
        queue.append(run.id)
    app()
    wait_for(lambda: runs[0].status()["step"] > 0)
    third = store.create({"steps": 5})
    assert jobs.supervise(third, bounds)["state"] == "finished"
    assert ended_in_order([third, *runs]) == [run.id for run in [*runs, third]]
    assert runs[1].status()["ended"] <= third.status()["started"]


def test_a_command_line_waits_for_a_worker_without_supervisor_and_settles_it(app, workspace, bounds):
    orphan = store.create({"steps": 150, "delay": 0.01})
    queue.append(orphan.id)
    process = app()
    wait_for(lambda: orphan.status()["step"] > 0)
    process.kill()
    process.wait()
    run = store.create({"steps": 5})
    assert jobs.supervise(run, bounds)["state"] == "finished"
    assert state(orphan) == "finished"
    assert orphan.events()[-1]["time"] <= run.events()[0]["time"]


def test_a_queued_run_of_an_app_that_is_gone_blocks_nobody(app, workspace, bounds):
    forgotten = store.create({"steps": 5})
    queue.append(forgotten.id)
    run = store.create({"steps": 5})
    assert jobs.supervise(run, bounds)["state"] == "finished"
    assert state(forgotten) == "queued"
    assert jobs.stop(forgotten)["state"] == "stopped"


def test_stopping_a_command_lines_run_from_another_process(app, workspace, bounds):
    blocker = store.create({"steps": 10**6})
    queue.append(blocker.id)
    app()
    wait_for(lambda: blocker.status()["step"] > 0)
    run = store.create({"steps": 5})
    waiter = threading.Thread(target=jobs.supervise, args=(run, bounds))
    waiter.start()
    wait_for(lambda: run.status()["supervisor"] is not None)
    assert jobs.stop(run)["state"] == "stopped"
    waiter.join()
    assert jobs.stop(blocker)["state"] == "stopped"


def test_resuming_needs_an_ended_run_and_a_checkpoint_that_is_there(queueing):
    run = store.create({"steps": 30})
    with pytest.raises(Unsupported, match="still going on"):
        jobs.prepare_resume(run)
    queueing.submit(run)
    wait_for(lambda: state(run) == "finished")
    with pytest.raises(NotFound, match="10, 20, 30"):
        jobs.prepare_resume(run, checkpoint=7)
    queueing.resume(run, checkpoint=20, num_train_epochs=5)
    wait_for(lambda: state(run) == "finished")
    assert run.series()["steps"]["step"] == list(range(1, 31)) and run.checkpoints() == [10, 20, 30]
    assert store.home.read_json(run.path / "resume.json") == {
        "checkpoint": 20,
        "micro_batch_divisor": 1,
        "num_train_epochs": 5,
    }


def test_from_an_earlier_checkpoint_or_the_start_all_later_steps_are_taken_anew(queueing):
    run = store.create({"steps": 40, "evals": {"10": 2.0, "20": 1.0, "30": 1.5}})
    queueing.submit(run)
    wait_for(lambda: state(run) == "finished")
    assert run.status()["best"] == {"step": 40, "eval_loss": 0.5}
    (run.path / "config.json").write_text('{"steps": 25, "trouble": {"step": 21, "kind": "exit"}}')
    queueing.resume(run, checkpoint=20)
    wait_for(lambda: state(run) == "failed")
    # Nothing is said any more of the steps that were given up.
    now = run.status()
    assert (now["loss"], now["eval_loss"], now["best"]) == (0.5, 1.0, {"step": 20, "eval_loss": 1.0})
    (run.path / "config.json").write_text('{"steps": 25}')
    queueing.resume(run, checkpoint=20)
    wait_for(lambda: state(run) == "finished")
    assert run.checkpoints() == [10, 20] and run.status()["best"] == {"step": 25, "eval_loss": 0.5}
    (run.path / "config.json").write_text('{"steps": 10}')
    queueing.resume(run, checkpoint=0)
    wait_for(lambda: state(run) == "finished")
    assert run.checkpoints() == [10] and run.series()["steps"]["step"] == list(range(1, 11))
    (run.path / "status.json").unlink()
    assert run.status()["best"] == {"step": 10, "eval_loss": 0.5}


def test_moving_in_the_queue_is_among_those_that_wait(queueing):
    done = [store.create({"steps": 3}) for _ in range(3)]
    for run in done:
        queueing.submit(run)
    wait_for(lambda: all(state(run) == "finished" for run in done))
    blocker = store.create({"steps": 10**6})
    queueing.submit(blocker)
    wait_for(lambda: blocker.status()["step"] > 0)
    waiting = [store.create({"steps": 3}) for _ in range(3)]
    for run in waiting:
        queueing.submit(run)
    wait_for(lambda: queueing.position(waiting[2]) == 3)
    queueing.reorder(waiting[2], 2)
    assert [queueing.position(run) for run in waiting] == [1, 3, 2]
    assert queue.order() == [waiting[i].id for i in (0, 2, 1)], "who has had a turn is not kept in the queue"
    queueing.stop(blocker, now=True)
    wait_for(lambda: all(state(run) == "finished" for run in waiting))


def test_jobs_that_need_no_device_go_beside_a_run_and_others_wait(queueing, monkeypatch):
    monkeypatch.setitem(kinds.KINDS, "light", kinds.Kind("fake_worker", "light", needs_device=False))
    monkeypatch.setitem(kinds.KINDS, "heavy", kinds.Kind("fake_worker", "heavy", needs_device=True))
    run = store.create({"steps": 10**6})
    queueing.submit(run)
    wait_for(lambda: run.status()["step"] > 0)
    light, heavy = store.create({"steps": 3}, kind="light"), store.create({"steps": 3}, kind="heavy")
    for job in (heavy, light):
        queueing.submit(job)
    wait_for(lambda: state(light) == "finished")
    assert state(heavy) == "queued" and queueing.position(heavy) == 1 and queueing.position(light) is None
    assert store.runs() == [run]
    queueing.stop(run)
    wait_for(lambda: state(heavy) == "finished")
    assert queue.order() == []
    stopped = store.create({"steps": 10**6}, kind="light")
    queueing.submit(stopped)
    wait_for(lambda: stopped.status()["step"] > 0)
    queueing.stop(stopped)
    wait_for(lambda: state(stopped) == "stopped")
    queueing.resume(stopped)
    wait_for(lambda: state(stopped) == "running")
    assert jobs.stop(stopped, now=True)["state"] == "stopped"


def test_a_damaged_config_fails_the_run_and_not_the_queue(queueing):
    broken, good = store.create({"steps": 5}), store.create({"steps": 5})
    (broken.path / "config.json").write_text('{"steps": ')
    for run in (broken, good):
        queueing.submit(run)
    wait_for(lambda: state(good) == "finished")
    assert state(broken) == "failed"


def test_a_run_removed_by_hand_does_not_stop_the_queue(queueing, tmp_path: Path):
    blocker = store.create({"steps": 10**6})
    gone, good = store.create({"steps": 5}), store.create({"steps": 5})
    for run in (blocker, gone, good):
        queueing.submit(run)
    wait_for(lambda: queueing.position(good) == 2)
    gone.path.rename(tmp_path / "elsewhere")
    queueing.stop(blocker)
    wait_for(lambda: state(good) == "finished")


def test_a_clock_set_back_changes_neither_order_nor_end(queueing, monkeypatch):
    runs = [store.create({"steps": 30, "delay": 0.01}) for _ in range(3)]
    for run in runs:
        queueing.submit(run)
    wait_for(lambda: runs[0].status()["step"] > 0)
    monkeypatch.setattr("time.time", lambda: 1000.0)
    runs.append(store.create({"steps": 5}))
    queueing.submit(runs[3])
    wait_for(lambda: all(state(run) == "finished" for run in runs))
    assert all(run.status()["seconds"] > 0 for run in runs)
    first = [run.log.notable()[0]["time"] for run in runs]  # the workers' own clocks were left alone
    assert first == sorted(first)
