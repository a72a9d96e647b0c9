"""An audience's application: its own password, one page, and 404 for all else; and what is offered there."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import app
from engine import home
from engine.compare.chat import Chat
from engine.runs import store
from engine.runs.background import Jobs
from tests.tiny import make_data
from ui import present, site
from ui.gate import Password
from ui.present import Presentation
from ui.services import Services


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    data = make_data(tmp_path / "data")
    return store.create(
        {"model": str(home.DEMO_MODEL), "data": str(data), "objective": "sft", "method": "lora"},
        name="Our <b>model</b>",
    )


def test_nothing_but_the_page(run, monkeypatch):
    monkeypatch.setattr(Chat, "start", lambda self: None)
    (run.path / "final").mkdir()
    (run.path / "final" / "config.json").write_text("{}")

    async def application() -> FastAPI:
        return site.presentation(run, Services(Jobs(), Chat()), Password.of("guest", "secret"), ["testserver"])

    with TestClient(asyncio.run(application())) as client:
        assert client.get("/en/").status_code == 401
        login = {"username": "guest", "password": "secret"}
        assert client.post("/en/login", data=login, headers={"accept": "application/json"}).status_code == 200
        page = client.get("/en/")
        assert page.status_code == 200 and "<b>model</b>" not in page.text.replace("\\u003c", "<").split("<body")[-1]
        for path in (
            "/en/gradio_api/upload",
            "/en/gradio_api/component_server",
            "/en/gradio_api/info",
            "/en/gradio_api/call/compare",
            "/en/gradio_api/file=/etc/passwd",
            "/gradio_api/info",
            f"/report/{run.id}/en",
            "/export/x",
            "/docs",
        ):
            assert client.get(path).status_code == client.post(path).status_code == 404, path


def test_what_is_offered_is_kept_with_the_run(run):
    assert len(present.read(run).questions) == present.QUESTIONS and not present.read(run).free
    present.write(run, Presentation(["One?"], free=True))
    assert present.read(run) == Presentation(["One?"], free=True)


def test_a_model_that_is_gone_gives_its_column_up(run, monkeypatch, tmp_path):
    present.write(run, Presentation(["One?"], models=[f"run:{run.id}", "run:deleted"]))
    shown = []
    monkeypatch.setattr(present.columns, "columns", lambda t, run, names: shown.append(names) or [])

    async def build() -> None:
        present.build("zh", Services(Jobs(), Chat()), run)

    asyncio.run(build())  # Gradio would make event loops of its own, and leave them open.
    assert shown == [present.columns.usual(run)]


def test_a_run_without_a_model_is_refused_in_one_sentence(run, capsys):
    assert app.presentable("no-such-run", "en") is False
    assert app.presentable(run.id, "zh") is False
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 2 and "no-such-run" in said[0]
