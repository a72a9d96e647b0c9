"""The web application around the pages: languages, hosts, headers, static files, the public API's names."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ui import site


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEDESK_HOME", str(tmp_path_factory.mktemp("workspace")))
        # Within an event loop: without one, Gradio makes its own for each Blocks and never closes it.
        with TestClient(asyncio.run(application()), follow_redirects=False) as client:
            yield client


async def application() -> FastAPI:
    return site.application(["testserver"])


@pytest.mark.parametrize(
    ("accepted", "lang"), [("zh-CN,zh;q=0.9", "zh"), ("fr, en;q=0.5", "en"), ("de", "en"), ("", "en"), ("en,zh", "en")]
)
def test_the_root_leads_to_the_browsers_language(client, accepted, lang):
    client.cookies.clear()
    assert client.get("/", headers={"accept-language": accepted}).headers["location"] == f"/{lang}/"


def test_the_language_seen_last_is_remembered(client):
    client.cookies.clear()
    client.get("/zh/")
    assert client.get("/", headers={"accept-language": "en"}).headers["location"] == "/zh/"
    client.cookies.clear()


def test_a_foreign_host_is_refused(client):
    assert client.get("/en/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/en/", "/zh/", "/static/plotly.min.js", "/static/tunedesk.css"])
def test_every_answer_forbids_what_comes_from_elsewhere(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["nothing.js", "..%2f..%2fapp.py", "demo-data", "tunedesk.py"])
def test_only_the_applications_own_files_are_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("tree", ["/zh", "/en", ""])
def test_the_public_api_is_what_the_contract_says(client, tree):
    described = client.get(f"{tree}/gradio_api/info").json()["named_endpoints"]
    names = "/start_run /run_status /run_events /stop_run /inspect_file /convert_file /compare"
    assert sorted(described) == sorted(names.split())


def test_nothing_is_kept_of_what_was_typed(client):
    config = client.get("/en/config").json()
    assert config["analytics_enabled"] is False
    assert not config.get("run_history")


def test_no_page_holds_a_connection_open(client):
    """gr.State, unload and stream events do; browsers allow six a host."""
    config = client.get("/en/config").json()
    assert config["connect_heartbeat"] is False
    assert "state" not in {component["type"] for component in config["components"]}
