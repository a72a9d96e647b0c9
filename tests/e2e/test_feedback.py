"""Feedback by clicking: blind votes and training on them; an AI judge and training on its choices; a reward model that
scores the answers shown and those of reinforcement learning."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, running, until
from tests.engine.training.objectives import pairs, thumbs, write
from tests.tiny import make_data, make_model


@pytest.fixture
def home(tmp_path) -> Path:
    """A workspace with a tiny model, questions, and preference pairs."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    make_model(folder / "models" / "tiny")
    data = make_data(folder / "data" / "foods", train=24, val=12)
    (data / "report.json").write_text(json.dumps({"format": "qa", "train": 24, "val": 12}), encoding="utf-8")
    write(folder / "data" / "pairs", "preference", pairs(16), [])
    write(folder / "data" / "thumbs", "kto", thumbs(16), [])
    return folder


@pytest.fixture
def app(home):
    yield from running(home)


def trained(home: Path, objective: str, data: str) -> str:
    """The id of a short run that has finished."""
    command = [sys.executable, "-m", "engine", "train", "--model", "tiny", "--data", str(home / "data" / data)]
    command += ["--objective", objective, "--set", "max_steps=2", "--set", "batch_size=4", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TUNEDESK_HOME": str(home)}, capture_output=True, check=True
    )
    return Path(json.loads(done.stdout)["run"]).name


def votes(home: Path) -> list[dict]:
    return [json.loads(line) for line in (home / "votes" / "votes.jsonl").read_text(encoding="utf-8").splitlines()]


def finished(home: Path, objective: str) -> bool:
    ended = [
        path.parent for path in home.glob("runs/*/status.json") if json.loads(path.read_bytes())["state"] == "finished"
    ]
    return any(json.loads((run / "config.json").read_bytes())["objective"] == objective for run in ended)


@pytest.mark.timeout(900)
def test_blind_votes_and_a_model_trained_on_them(visit, home):
    run = trained(home, "sft", "foods")
    at = visit("en")
    page = at.page
    at.go("compare")
    page.wait_for_selector("#compare-examples [data-chip]")
    page.click("#votes > button")

    def answered(question: str) -> str:
        page.fill("#votes-question textarea", question)
        page.click("#votes-ask")
        page.wait_for_selector("#votes-left")
        return page.inner_text("#votes-answers")

    blind = answered("感冒能吃苹果吗？")
    assert blind.count("name hidden") == 2 and "Before" not in blind and "After" not in blind
    at.shot("votes-blind")
    page.click("#votes-left")
    page.wait_for_selector("#votes-answers .td-answer.is-chosen")
    revealed = page.inner_text("#votes-answers")
    assert "Before" in revealed and "After" in revealed and "hidden" not in revealed
    page.wait_for_selector("#votes-board tbody tr >> nth=1")
    at.expect("#votes-board tbody tr").to_have_count(2)
    (given,) = votes(home)
    models = {given["vote"][side]["model"] for side in ("left", "right")}
    assert models == {f"base:run:{run}", f"run:{run}"} and given["vote"]["verdict"] == "left"
    at.shot("votes-revealed")

    page.click("#votes-undo")
    page.wait_for_selector("#votes-board table", state="detached")
    assert "undo" in votes(home)[-1]

    answered("发烧能吃西瓜吗？")
    page.fill("#votes-better textarea", "可以少量吃。")
    page.fill("#votes-who input, #votes-who textarea", "=Ming")
    page.click("#votes-both_bad")
    page.wait_for_selector("#votes-board tbody tr >> nth=1")
    with page.expect_download() as saved:
        page.click("#votes-board [data-save]")
    heads, row = csv.reader(saved.value.path().read_text(encoding="utf-8-sig").splitlines())
    told = dict(zip(heads, row, strict=True))
    # What a spreadsheet would run as a formula is text.
    assert told["Voter"] == "'=Ming" and told["Vote"] == "Both are bad" and told["Better answer"] == "可以少量吃。"
    assert sorted(told[f"Model {side}"].rpartition(" · ")[2] for side in "AB") == ["After", "Before"]
    page.click("#votes-train")
    page.wait_for_selector("#train-run .td-pill.is-finished")
    (begun,) = [folder for folder in home.glob("runs/*") if folder.name != run]
    config = json.loads((begun / "config.json").read_bytes())
    assert config["objective"] == "dpo" and Path(config["data"]).name == "votes"
    rows = [json.loads(line) for line in (home / "data" / "votes" / "train.json").read_text("utf-8").splitlines()]
    assert {row["chosen"] for row in rows} == {"可以少量吃。"}


@pytest.mark.timeout(900)
def test_a_judge_by_one_button_and_a_reward_model_that_scores(visit, home):
    trained(home, "reward", "pairs")
    at = visit("zh")
    page = at.page
    page.click("#models .td-card:has-text('tiny')")
    page.wait_for_selector("#steps [data-step=model]:has-text('tiny')")
    at.go("train")

    # The model answers, the reward model judges, the model trains on what it preferred; then the answers are compared.
    page.click("#judge > button")
    page.wait_for_function("document.querySelector('#judge-judge input')?.value.includes('奖励模型')")
    page.fill("#judge-limit input", "4")
    page.click("#judge-start")
    page.wait_for_selector("#judge-outcome [data-step=compare]")
    # It can be pressed once the training that follows has made a model.
    page.wait_for_selector("#judge-outcome [data-step=compare]:enabled")
    until(lambda: finished(home, "dpo"))
    page.click("#judge-judgements > button")
    page.wait_for_selector("#judge-judgements section dd:visible")
    at.expect("#judge-judgements section").to_have_count(4)
    at.shot("judge")
    at.go("data")
    page.click("#datasets .td-card:has-text('评审')")
    page.click("#set-judgements > button")
    page.wait_for_selector("#set-judgements section dd:visible")
    at.shot("judgements")
    at.go("train")
    page.click("#judge-outcome [data-step=compare]")
    page.wait_for_selector("#compare-run")
    page.click("#compare-settings > button")
    page.wait_for_selector("#compare-reward input")
    page.fill("#generation-max_tokens textarea, #generation-max_tokens input", "12")
    page.fill("#compare-question textarea", "失眠能吃牛奶吗？")
    page.click("#compare-ask")
    page.wait_for_selector("#compare-thread [data-again]")
    at.expect("#compare-thread .td-score:has-text('奖励分')").to_have_count(2)
    at.shot("compare-scored")
    (chat,) = home.glob("runs/*/chats/*.json")
    assert all(isinstance(said["reward"], float) for said in json.loads(chat.read_bytes())["turns"][0]["answers"])


@pytest.mark.timeout(900)
def test_thumbs_and_then_answers_that_a_reward_model_rewards(visit, home):
    reward = trained(home, "reward", "pairs")
    at = visit("zh")
    page = at.page
    page.click("#models .td-card:has-text('tiny')")
    page.wait_for_selector("#steps [data-step=model]:has-text('tiny')")

    def chosen(data: str, objective: str, steps: str) -> None:
        at.go("data")
        page.click(f"#datasets .td-card:has-text('{data}')")
        page.wait_for_selector(f"#steps [data-step=data]:has-text('{data}')")
        at.go("train")
        page.click(f"#objectives .td-card:has(input[value={objective}])")
        page.wait_for_selector(f"#objectives .is-selected:has(input[value={objective}])")
        page.fill("#training-max_steps input", steps)
        page.fill("#training-batch_size input", "4")
        page.press("#training-batch_size input", "Tab")

    at.go("train")
    page.click("#objectives [data-more]")
    # With data of another form it says what is lacking, and leads to where the columns are told.
    page.click("#objectives .td-card:has(input[value=pretrain])")
    page.wait_for_selector("#outlook-story:has-text('缺少纯文本')")
    page.click("#outlook-data")
    page.wait_for_selector("#data-notes .is-info:has-text('纯文本')")
    page.wait_for_selector("#role-text:visible")
    at.shot("data-wanted")
    at.go("train")
    page.click("#train-advanced > button")
    chosen("thumbs", "kto", "2")
    page.click("#train-start")
    until(lambda: finished(home, "kto"))

    chosen("pairs", "rloo", "200")
    page.click("#rloo-reward_model input")
    page.click("ul[role=listbox] li:has-text('tiny')")
    page.fill("#rloo-num_generations input", "2")
    page.fill("#rloo-max_completion_length input", "8")
    page.press("#rloo-max_completion_length input", "Tab")
    page.click("#train-start")
    # What it tries is shown while it trains, with the reward first.
    page.wait_for_selector("#train-run .td-pill.is-running")
    page.wait_for_selector("#train-run .td-told li:has-text('奖励')")
    page.wait_for_selector("#train-run [data-metric=reward].is-on")
    page.wait_for_selector("#train-run .td-stat:has-text('平均奖励') b:text-matches('[0-9]')")
    at.shot("rewards")
    page.click("#train-stop")
    page.wait_for_selector("#train-run .td-pill.is-stopped")
    configs = [json.loads(file.read_bytes()) for file in home.glob("runs/*/config.json")]
    (made,) = [each for each in configs if each["objective"] == "rloo"]
    assert made["objective_params"]["reward_model"] == str(home / "runs" / reward)
