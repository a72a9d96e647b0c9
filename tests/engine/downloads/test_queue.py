"""Downloads as jobs: real workers, killed and gone on with."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from engine import home
from engine.downloads import queue
from engine.models import source
from engine.runs import jobs, store
from engine.runs.background import Jobs
from tests.engine.downloads.conftest import library_of


@pytest.fixture
def service():
    service = Jobs()
    service.start()
    yield service
    service.shutdown()
    for run in queue.downloads():
        jobs.stop(run, now=True)


def begin(hub, id="me/tiny"):
    return queue.begin(source.read(id, "modelscope", "model", hub.url))


def until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def sent(hub) -> int:
    return hub.sent.get("model.safetensors", 0)


def test_cancelled_at_once_and_gone_on_with(hub, files, service):
    hub.pace = 0.02
    run = begin(hub)
    service.submit(run)
    until(lambda: sent(hub) > 100_000)
    service.stop(run, now=True)
    until(lambda: run.status()["state"] == "stopped")
    assert library_of() == []
    before, hub.pace = queue.progress(run).done, 0
    assert 0 < before < len(files["model.safetensors"])
    assert begin(hub) == run  # asked for again, it is the same job
    service.submit(run)
    until(lambda: run.status()["state"] == "finished")
    assert queue.here(queue.source_of(run)).parameters > 0
    # What was on its way when the worker was killed comes again: a few pieces, never the file.
    assert sent(hub) - len(files["model.safetensors"]) < 400_000


def test_a_killed_worker_and_app_go_on_at_the_next_start(hub, files):
    hub.pace = 0.02
    run = begin(hub)
    app = subprocess.Popen(
        [sys.executable, "-m", "engine", "download", "me/tiny", "--endpoint", hub.url], cwd=home.ASSETS.parent
    )
    until(lambda: sent(hub) > 100_000)
    app.kill()
    app.wait()
    worker = psutil.Process(run.status()["worker"]["pid"])
    worker.kill()
    worker.wait(30)
    hub.pace = 0
    service = Jobs()
    queue.take_up(service)
    service.start()
    try:
        until(lambda: run.status()["state"] == "finished")
    finally:
        service.shutdown()
    assert library_of() != []
    assert sent(hub) - len(files["model.safetensors"]) < 400_000


def test_several_go_one_after_the_other(hub, files, service):
    hub.repos["me/second"] = dict(files)
    hub.pace = 0.5
    first = begin(hub)
    service.submit(first)
    until(lambda: sent(hub) > 0)
    second = begin(hub, "me/second")
    service.submit(second)
    until(lambda: second.status()["phase"] == "waiting")
    hub.pace = 0
    until(lambda: second.status()["state"] == "finished")
    done = next(event["time"] for event in first.events() if event["type"] == "done")
    assert done <= next(event["time"] for event in second.events() if event.get("phase") == "listing")


def test_what_failed_says_so_and_can_be_removed(hub, service):
    run = begin(hub, "me/none")
    service.submit(run)
    until(lambda: run.status()["state"] == "failed")
    assert run.status()["error"]["error"] == "NotFound"
    run.delete()
    assert queue.downloads() == [] and store.runs() == []


def test_a_damaged_job_hides_no_other(hub):
    damaged, run = begin(hub, "me/other"), begin(hub)
    (damaged.path / "config.json").write_text("{")
    assert queue.downloads() == [run] and begin(hub) == run


def test_the_command_prints_one_document(hub, files):
    command = [sys.executable, "-m", "engine", "download", "me/tiny", "--endpoint", hub.url, "--json"]
    for _ in range(2):  # the second finds it there and asks nobody
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=home.ASSETS.parent, env=os.environ, check=True
        )
        document = json.loads(done.stdout)
        assert document["path"].endswith("models/me/tiny") and document["bytes"] > len(files["model.safetensors"])
        assert "model.safetensors" in document["files"]
    assert sent(hub) == len(files["model.safetensors"])
    missing = subprocess.run(
        [*command[:4], "me/none", *command[5:]], capture_output=True, text=True, cwd=home.ASSETS.parent, check=False
    )
    assert missing.returncode == 2 and "me/none" in missing.stderr and "Traceback" not in missing.stderr
