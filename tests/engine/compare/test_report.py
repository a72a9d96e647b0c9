"""The report says what happened, needs nothing from outside, and trusts no text."""

import re

import pytest

from engine.compare import report
from engine.compare.curves import svg
from engine.home import write_json
from engine.runs import store
from engine.runs.events import Events

MEASURES = ("loss", "perplexity", "bleu4", "rouge1", "rouge2", "rougeL")


@pytest.fixture
def run(workspace, base, tmp_path):
    config = store.find("lora").config
    data = tmp_path / "clinic"
    data.mkdir()
    write_json(data / "report.json", {"input_rows": 12, "train": 8, "val": 2, "unused": 1, "dropped": {}})
    card = "# 数据卡 Data card\n\n- 读入行数: 12 <script>\n\n---\n\n- Rows read: 12 <script>\n"
    (data / "README.md").write_text(card, encoding="utf-8")
    run = store.create({**config, "data": str(data), "objective_params": {}}, name="<b>我的模型</b>")
    with Events(run.path / "events.jsonl") as events:
        for step in range(1, 6):
            events.write("step", step=step, loss=5.0 / step)
        events.write("eval", step=5, eval_loss=1.5)
    return run


def evaluated(run):
    side = dict.fromkeys(MEASURES, 1.5)
    example = {
        "question": "<script>alert(1)</script>",
        "reference": "参考",
        "base": {"text": "旧回答"},
        "tuned": {"text": "新回答"},
    }
    result = {
        "base": side,
        "tuned": side,
        "difference": {name: {"value": 0.1, "low": -0.1, "high": 0.3, "real": False} for name in MEASURES},
        "sentence": ["It is the same.", "没有差别。"],
        "units": "characters",
        "verdict": "same",
        "rows": 12,
        "time": 1790000000.0,
        "examples": [example] * 12,
    }
    write_json(run.path / "evaluation" / "result.json", result)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_is_whole_and_needs_no_network(run, tmp_path, lang):
    (run.path / "evaluation").mkdir()
    evaluated(run)
    html = report.write(run, tmp_path / "new" / "report.html", lang).read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|https?://|@import|url\(", html)
    assert "<script>" not in html and "<b>我的模型" not in html
    assert html.count('class="card"') == 10
    assert html.count("<polyline") == 2
    assert ("没有差别。" if lang == "zh" else "It is the same.") in html
    assert ("读入行数: 12" if lang == "zh" else "Rows read: 12") in html
    assert ("Rows read" if lang == "zh" else "读入行数") not in html
    assert str(run.path.parent) not in html and run.config["data"] not in html
    assert "旧回答" in html and "新回答" in html and "clinic" in html
    assert "{" not in html.partition("</style>")[2]


def test_a_run_not_yet_evaluated_says_so(run):
    assert "尚未评测" in report.page(run, "zh")


def test_curves_leave_out_what_is_not_a_number():
    drawn = svg([("loss", [1, 2, 3], [2.0, float("nan"), 1.0])])
    assert len(re.search(r'points="([^"]*)"', drawn)[1].split()) == 2
    assert svg([("loss", [], [])]) == ""
    assert "<polyline" in svg([("loss", [0], [0.0])])
