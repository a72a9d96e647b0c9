"""Attempts from the outside, against the whole running application: wrong bodies and hostile values to every event of
every page, and to every public endpoint. Nothing runs, nothing leaks, nothing crashes, nothing is written elsewhere.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.runs import jobs, status, store
from engine.runs.events import Events

from .conftest import served

SECRET = "known only to this file"
SCRIPT = '<script>document.title="ran"</script>'


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a workspace in it, and beside that a file and a run that nobody may read or change."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "workspace").mkdir()
    (folder / "secret.csv").write_text(f"question,answer\n{SECRET},{SECRET}\n", encoding="utf-8")
    run = folder / "run"
    (run / "final").mkdir(parents=True)
    (run / "config.json").write_text(json.dumps({"model": SECRET, "data": SECRET}))
    (run / "card.json").write_text(
        json.dumps({"kind": "train", "name": SECRET, "note": SECRET, "tags": [], "parent": None})
    )
    (run / "status.json").write_text(json.dumps(status.initial("train") | {"state": "finished"}))
    with Events(run / "events.jsonl") as events:
        events.write("error", error="WorkError", details={"reason": SECRET})
    return folder


@pytest.fixture(scope="module")
def client(place) -> Iterator[httpx.Client]:
    with served(place / "workspace") as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client
        # Some of what was sent is a fair request: the button that runs the demo takes no values at all.
        for run in store.jobs():
            jobs.stop(run, now=True)


def answer_of(client: httpx.Client, event: int, data: object, said: object = None) -> str:
    """All that the server sends for one event of the page, until that event is over."""
    body = {"data": data, "fn_index": event, "session_hash": f"s{event}", "event_data": said, "trigger_id": None}
    joined = client.post("/en/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return joined.text
    text = ""
    with client.stream("GET", "/en/gradio_api/queue/data", params={"session_hash": f"s{event}"}) as stream:
        for line in stream.iter_lines():
            text += line + "\n"
            if '"msg":"process_completed"' in line.replace(" ", ""):
                break
    return text


def hostile(place: Path) -> list[object]:
    outside, run = str(place / "secret.csv"), str(place / "run")
    return [
        SCRIPT,
        outside,
        ["../../secret.csv", -1, {"path": run}],
        {"run": run, "step": "runs", "model": outside, "data": "../..", "file": outside, "cards": 3, "selected": run},
        {"path": outside, "meta": {"_type": "gradio.FileData"}, "orig_name": "secret.csv"},
    ]


def everything(place: Path) -> dict[str, bytes]:
    """What lies beside the workspace."""
    return {str(p): p.read_bytes() for p in place.rglob("*") if p.is_file() and "workspace" not in p.parts}


def test_hostile_values_to_every_event_of_the_page(client, place):
    events = client.get("/en/config").json()["dependencies"]
    before = everything(place)
    assert len(events) > 40
    for event in events:
        for value in hostile(place):
            said = value if isinstance(value, dict) else {"row": value, "run": value, "index": value, "step": value}
            text = answer_of(client, event["id"], [value] * len(event["inputs"]), said)
            assert SECRET not in text, (event["api_name"], value)
            assert "Traceback" not in text, (event["api_name"], value)
    assert everything(place) == before
    assert client.get("/en/").status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"[", b"3", b'"x"', b"[]", b'{"data": 3}', b'{"data": [[[[[]]]]], "fn_index": "x"}']
)
@pytest.mark.parametrize(
    "route", ["queue/join", "run/start_run", "call/start_run", "call/convert_file", "component_server"]
)
def test_bodies_of_the_wrong_type_are_refused(client, route, body):
    answer = client.post(f"/en/gradio_api/{route}", content=body, headers={"content-type": "application/json"})
    if answer.status_code == 200:
        answer = client.get(f"/en/gradio_api/{route}/{answer.json()['event_id']}")
        assert "event: error" in answer.text
    assert answer.status_code <= 500
    assert "Traceback" not in answer.text and str(Path(__file__).parents[2]) not in answer.text
    assert client.get("/en/config").status_code == 200


@pytest.mark.parametrize("way", ["file={}", "file=../../{}", "file=%2e%2e%2f{}", "file/{}", "stream/../{}"])
def test_no_file_beside_the_workspace_is_served(client, place, way):
    answer = client.get(f"/en/gradio_api/{way.format(place / 'secret.csv')}")
    assert answer.status_code >= 400 and SECRET not in answer.text


def test_a_server_function_takes_only_what_it_knows(client, place):
    """The functions that scripts in the page may call, with ids that are no ids."""
    config = client.get("/en/config").json()
    callable_ones = [(c["id"], c["props"]["server_fns"]) for c in config["components"] if c["props"].get("server_fns")]
    assert callable_ones
    for component, functions in callable_ones:
        for function in functions:
            for value in [
                "../../secret.csv",
                {"run": str(place / "run")},
                str(place / "secret.csv"),
                SCRIPT,
                3,
                None,
                {},
                [1, 2],
            ]:
                body = {"component_id": component, "fn_name": function, "session_hash": "x", "data": value}
                answer = client.post("/en/gradio_api/component_server", json=body)
                assert SECRET not in answer.text and "Traceback" not in answer.text
        unknown = {"component_id": component, "fn_name": "__init__", "session_hash": "x", "data": []}
        assert client.post("/en/gradio_api/component_server", json=unknown).status_code >= 400


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("start_run", ["../../secret.csv", "../..", "sft", "lora", {}, SCRIPT]),
        ("start_run", [3, None, [], {}, "x", 1]),
        ("run_status", ["../../secret"]),
        ("run_events", ["../..", -1]),
        ("stop_run", ["/"]),
        ("inspect_file", [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]),
        ("convert_file", [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]),
        ("compare", ["../..", SCRIPT]),
    ],
)
def test_the_public_api_with_hostile_values(client, name, data):
    started = client.post(f"/en/gradio_api/call/{name}", json={"data": data})
    text = started.text
    if started.status_code == 200:
        text = client.get(f"/en/gradio_api/call/{name}/{json.loads(text)['event_id']}").text
        assert "event: error" in text
    assert "root:" not in text and "Traceback" not in text and SECRET not in text
