"""The public API over a real server, with gradio_client: upload, convert, train, follow, stop, compare."""

import time
from collections.abc import Iterator

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from engine import home
from engine.runs.status import ENDED

from .conftest import served

# Gradio 6 sets an option that pandas 3.1 has given up, each time it sums up its own statistics.
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")

QUICK = {"max_steps": 3, "eval_rows": 4, "batch_size": 4}


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("workspace")) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "问答.csv"
    lines = [f"能吃第{i}种水果吗？,可以，第{i}种水果每天吃一点就好。" for i in range(40)]
    path.write_text("\n".join(["ask,answer", *lines, lines[0], "没有回答,"]), encoding="gb18030")
    return path


def test_a_file_is_looked_at_and_converted(client, table):
    found = client.predict(handle_file(table), api_name="/inspect_file")
    assert (found["encoding"].lower(), found["rows"], found["columns"]) == ("gb18030", 42, ["ask", "answer"])
    assert found["mapping"] == {"question": "ask", "answer": "answer"}
    made = client.predict(handle_file(table), "fruit", train=30, val=5, api_name="/convert_file")
    assert (made["train"], made["val"], made["unused"]) == (30, 5, 5)
    assert made["dropped"] == {"empty": 1, "duplicate": 1} and made["input_rows"] == 42


@pytest.mark.parametrize("path", ["/etc/passwd", "", "../../app.py"])
def test_only_an_upload_is_read(client, path):
    with pytest.raises(AppError):
        client.predict({"path": path, "meta": {"_type": "x"}}, api_name="/inspect_file")


def test_every_wrong_parameter_is_named(client, table):
    client.predict(handle_file(table), "wrong", api_name="/convert_file")
    with pytest.raises(AppError, match=r"Epochs.*Rank|Rank.*Epochs"):
        client.predict("demo-model", "wrong", settings={"num_train_epochs": -1, "r": 0}, api_name="/start_run")
    for given, said in (({"train": -5}, "Training rows"), ({"seed": -1}, "Seed"), ({"format": "zip"}, "zip")):
        with pytest.raises(AppError, match=said):
            client.predict(handle_file(table), "not made", **given, api_name="/convert_file")
    with pytest.raises(AppError, match="no data set"):
        client.predict("demo-model", "nowhere", api_name="/start_run")


def test_errors_are_said_in_the_language_of_the_tree(url):
    with pytest.raises(AppError, match="找不到"):
        Client(f"{url}/zh", verbose=False).predict("nothing", api_name="/run_status")


@pytest.mark.timeout(900)
def test_a_run_starts_is_followed_and_compared(client, table):
    client.predict(handle_file(table), "followed", train=30, val=6, api_name="/convert_file")
    run = client.predict("demo-model", "followed", settings=QUICK, api_name="/start_run")["run"]
    status = followed(client, run)
    assert (status["state"], status["step"]) == ("finished", 3)
    events = client.predict(run, api_name="/run_events")
    assert [event["step"] for event in events if event["type"] == "step"] == [1, 2, 3]
    middle = events[len(events) // 2]["seq"]
    assert client.predict(run, middle, api_name="/run_events") == [e for e in events if e["seq"] > middle]
    question = {"run": run, "question": "能吃西瓜吗？", "settings": {"max_tokens": 12}}
    answers = client.predict(**question, api_name="/compare")
    assert answers["base"] and answers["tuned"]
    assert client.predict(**question, api_name="/compare") == answers


@pytest.mark.timeout(900)
def test_a_second_run_waits_and_both_can_be_stopped(client, table):
    client.predict(handle_file(table), "stopped", train=30, val=6, api_name="/convert_file")
    slow = {"num_train_epochs": 500, "eval_rows": 4}
    first, second = (client.predict("demo-model", "stopped", settings=slow, api_name="/start_run")["run"] for _ in "ab")
    while client.predict(first, api_name="/run_status")["step"] < 1:
        time.sleep(0.2)
    waiting = client.predict(second, api_name="/run_status")
    assert (waiting["state"], waiting["position"]) == ("queued", 1)
    client.predict(second, api_name="/stop_run")
    client.predict(first, api_name="/stop_run")
    assert followed(client, second)["state"] == "stopped"
    assert followed(client, first)["state"] == "stopped"
    assert (home.home() / "runs" / first / "final").is_dir()


def followed(client: Client, run: str) -> dict:
    while True:
        status = client.predict(run, api_name="/run_status")
        if status["state"] in ENDED:
            return status
        time.sleep(0.3)
