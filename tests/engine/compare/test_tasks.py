"""Evaluations, exports and comparisons of methods as jobs: each done by a worker of its own, found again, and deleted."""

import json

import pytest

from engine.compare import contest, evaluate, export, tasks
from engine.errors import InvalidFields, NotFound, Unsupported
from engine.home import write_json
from engine.runs import jobs, store
from tests.tiny import make_data, make_model


@pytest.fixture(scope="module")
def data(workspace):
    folder = make_data(workspace / "data" / "foods", train=16, val=6)
    write_json(folder / "report.json", {"format": "qa", "train": 16, "val": 6})
    return folder


def test_an_evaluation_is_a_job(workspace, data):
    run = store.find("lora")
    job = tasks.evaluation(run, data, limit=3)
    status = jobs.supervise(job)
    assert status["state"] == "finished" and status["result"]["rows"] == 3
    assert status["step"] == status["max_steps"] > 0
    (result,) = [found for found in evaluate.results(run) if found["data"] == str(data)]
    assert result["verdict"] == status["result"]["verdict"] and len(result["examples"]) == 3
    damaged = tasks.evaluation(run, data)
    (damaged.path / "config.json").write_text("{")
    assert tasks.of(run, tasks.EVALUATE) == [job] and tasks.of(run, tasks.EXPORT) == []
    for each in (job, damaged):
        each.delete()


def test_a_job_that_cannot_work_says_why(workspace, data):
    job = tasks.evaluation(store.find("lora"), data)
    write_json(job.path / "config.json", {**job.config, "run": "gone"})
    status = jobs.supervise(job)
    assert status["state"] == "failed" and status["error"]["error"] == NotFound.__name__
    job.delete()
    with pytest.raises(NotFound):
        tasks.evaluation(store.find("lora"), workspace / "nowhere")


def test_an_export_is_a_job(workspace):
    run = store.find("lora")
    job = tasks.exportation(run, "adapter")
    assert tasks.exported(job) is None
    status = jobs.supervise(job)
    assert status["state"] == "finished"
    folder = tasks.exported(job)
    assert (folder / "adapter_config.json").is_file() and (folder / "README.md").is_file()
    job.delete()
    assert not folder.exists()


def test_what_cannot_be_exported_is_known_beforehand(workspace):
    assert export.refusal(store.find("lora"), "merged") is None
    assert "full" in export.refusal(store.find("full"), "adapter").en
    assert export.refusal(store.find("prefix_tuning"), "merged") is not None
    with pytest.raises(Unsupported):
        export.check(store.find("lora"), "zip")


def test_methods_against_each_other(workspace, data, tmp_path):
    model = make_model(tmp_path / "model")
    settings = {"max_steps": "2", "eval_rows": "2"}
    with pytest.raises(Unsupported):
        contest.begin(str(model), str(data), ["lora", "lora"])
    with pytest.raises(InvalidFields):
        contest.begin(str(model), str(data), ["lora", "ia3"], {"max_steps": "many"})
    made, queued = contest.begin(str(model), str(data), ["lora", "ia3"], settings)
    assert [job.kind for job in queued] == ["train", "evaluate", "train", "evaluate"]
    assert contest.load(made.id) == made and contest.contests()[0] == made
    assert not contest.over(made)
    assert all(jobs.supervise(job)["state"] == "finished" for job in queued)
    assert contest.over(made)
    lora, ia3 = contest.entries(made)
    assert (lora.method, ia3.method) == ("lora", "ia3")
    for entry in (lora, ia3):
        assert entry.seconds > 0 and entry.memory_gb > 0 and entry.bytes > 0 and entry.trainable > 0
        assert 0 <= entry.scores["rougeL"] <= 100 and entry.verdict in ("better", "worse", "mixed", "same")
    assert ia3.trainable < lora.trainable
    assert contest.standing([lora]) is None
    said = contest.standing([lora, ia3])
    assert "LoRA" in said.zh and "IA3" in said.zh
    # The base's answers are shared by both runs: each row was answered once.
    folders = [file.read_text(encoding="utf-8").splitlines() for file in (workspace / "cache/base-answers").iterdir()]
    for lines in folders:
        rows = [json.loads(line)["row"] for line in lines]
        assert len(rows) == len(set(rows))
    for job in reversed(queued):
        job.delete()
    assert contest.entries(made) == []
    with pytest.raises(NotFound):
        contest.load("../config")
