"""Evaluation of real runs on real rows: measured, kept, taken up again, and honest about no difference."""

import json

import pytest

from engine.compare import evaluate
from engine.compare.chat import Chat
from engine.errors import NotFound, Unsupported
from engine.home import write_json
from engine.runs import store

PAIRS = [
    ("你好！", "你好！"),
    ("感冒了怎么办？", "多喝水，多休息。"),
    ("How are you?", "I am fine, thank you."),
    ("糖尿病患者能吃西瓜吗？", "多休息。"),
]


class Counting(Chat):
    """Counts the rows that it is asked to answer."""

    rows = 0

    def batch(self, model, conversations, longest, **settings):
        self.rows += len(conversations)
        return super().batch(model, conversations, longest, **settings)


@pytest.fixture(scope="module")
def data(workspace):
    folder = workspace / "data" / "held-out"
    folder.mkdir(parents=True)
    lines = [json.dumps({"question": q, "answer": a}, ensure_ascii=False) for q, a in PAIRS]
    for name in ("train.json", "val.json"):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(folder / "report.json", {"format": "qa", "train": len(PAIRS), "val": len(PAIRS)})
    return folder


@pytest.fixture(scope="module")
def chat(workspace):
    with Counting("fp32") as chat:
        yield chat


def test_both_sides_are_measured_and_kept(chat, data):
    run = store.find("lora")
    seen = []
    result = evaluate.evaluate(run, chat, data=data, general=None, progress=lambda *at: seen.append(at))
    assert seen[0] == (0, 8) and seen[-1] == (8, 8)
    for side in ("base", "tuned"):
        assert {"loss", "perplexity", "bleu4", "rouge1", "rouge2", "rougeL", "length"} <= result[side].keys()
    assert result["rows"] == 4 and result["units"] == "characters"
    assert [example["question"] for example in result["examples"]] == [q for q, _ in PAIRS]
    assert (
        result["examples"][0]["base"]["text"]
        == chat.ask("lora", "你好！")["base"][: len(result["examples"][0]["base"]["text"])]
    )
    assert str(round(result["tuned"]["loss"], 2)) in result["sentence"].zh
    assert evaluate.last(run) is None  # that is kept of the run's own data alone
    kept = next(each for each in evaluate.results(run) if each["data"] == str(data))
    assert kept["tuned"] == result["tuned"]
    chat.rows = 0
    assert evaluate.evaluate(run, chat, data=data, general=None)["tuned"] == result["tuned"]
    assert chat.rows == 0


def test_an_evaluation_broken_off_goes_on_where_it_was(chat, data):
    run = store.find("ia3")
    whole = evaluate.evaluate(run, chat, data=data, general=None)
    (file,) = (run.path / "evaluation").glob("tuned-*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    chat.rows = 0
    again = evaluate.evaluate(run, chat, data=data, general=None)
    assert chat.rows == 1
    assert again["tuned"]["bleu4"] == whole["tuned"]["bleu4"]
    assert again["tuned"]["loss"] == pytest.approx(whole["tuned"]["loss"], rel=1e-5)


def test_a_run_that_learnt_nothing_is_no_different(chat, data, base, workspace):
    run = store.create(
        {
            "kind": "train",
            "model": str(base),
            "data": str(data),
            "objective": "sft",
            "method": "full",
            "method_params": {},
            "training": {"max_length": 200},
        }
    )
    (run.path / "final").symlink_to(base)
    result = evaluate.evaluate(run, chat, general=data / "val.json")
    assert result["verdict"] == "same"
    assert "无法区分" in result["sentence"].zh
    assert result["difference"]["loss"]["value"] == 0
    assert not result["general"]["forgot"]["warning"]


def test_two_runs_are_compared_on_the_rows_that_both_answered(chat, data, base, workspace):
    first, second = store.find("dora"), store.find("lora_mlp")
    with pytest.raises(NotFound, match="Evaluate both"):
        evaluate.between(first, second, data)
    whole = [evaluate.evaluate(run, chat, data=data, general=None) for run in (first, second)]
    chat.rows = 0
    result = evaluate.between(first, second, data)
    assert chat.rows == 0 and result["rows"] == 4
    assert result["run"] == pytest.approx(whole[0]["tuned"]) and result["other"] == pytest.approx(whole[1]["tuned"])
    for name, change in result["difference"].items():
        assert change["value"] == pytest.approx(result["run"][name] - result["other"][name])
        assert change["low"] <= change["value"] <= change["high"]
    assert "dora" in result["sentence"].en and "lora_mlp" in result["sentence"].zh
    back = evaluate.between(second, first, data)
    assert back["difference"]["loss"]["value"] == pytest.approx(-result["difference"]["loss"]["value"])
    assert evaluate.between(first, first, data)["verdict"] == "same"


def test_limits_and_missing_rows(chat, data, tmp_path):
    run = store.find("lora")
    assert evaluate.evaluate(run, chat, data=data, limit=2, general=None)["rows"] == 2
    (tmp_path / "train.json").write_text('{"text": "一"}\n', encoding="utf-8")
    (tmp_path / "val.json").write_text('{"text": "一"}\n', encoding="utf-8")
    write_json(tmp_path / "report.json", {"format": "text", "train": 1, "val": 1})
    with pytest.raises(Unsupported):
        evaluate.evaluate(run, chat, data=tmp_path, general=None)
    write_json(tmp_path / "report.json", {"format": "qa", "train": 1, "val": 0})
    (tmp_path / "train.json").write_text('{"question": "一", "answer": "二"}\n', encoding="utf-8")
    (tmp_path / "val.json").write_text("", encoding="utf-8")
    with pytest.raises(NotFound):
        evaluate.evaluate(run, chat, data=tmp_path, general=None)
