"""Uploads by the hubs' real clients, to a hub on loopback: whole, private, and never into what is public."""

import socket

import pytest

from engine.compare import tasks
from engine.compare.upload import upload
from engine.errors import NetworkFailed, NotFound, Unsupported
from engine.models.source import Source
from engine.runs import jobs, store
from tests.engine.compare.receiving import Receiver

# The client's own use of its HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")
HUBS = ("modelscope", "huggingface")
TOKEN = "may-write-123"
PAGES = {"modelscope": "models/", "huggingface": ""}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "model"
    (place / "deep").mkdir(parents=True)
    (place / "model.safetensors").write_bytes(bytes(range(256)) * 4000)
    (place / "README.md").write_text("# 说明\n", encoding="utf-8")
    (place / "deep" / "config.json").write_text("{}", encoding="utf-8")
    return place


@pytest.fixture(autouse=True)
def clients(tmp_path, monkeypatch):
    """As the worker has them, with a token of their own and nobody's home."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", TOKEN)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))


@pytest.mark.parametrize("hub", HUBS)
def test_every_file_arrives_in_a_private_repository(hub, folder):
    told = []
    with Receiver(TOKEN) as receiver:
        to = Source("me/tuned", hub, endpoint=receiver.url)
        address = upload(folder, to, private=True, progress=lambda *at: told.append(at))
        repo = receiver.repos["me/tuned"]
        assert repo["private"] is True and address.startswith(receiver.url)
        expected = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        assert {name: body for name, body in repo["files"].items() if name != ".gitattributes"} == expected
        assert told[-1][0] == told[-1][1] == sum(map(len, expected.values()))
        upload(folder, to, private=True)  # a newer version goes to the same place
        upload(folder, Source("me/open", hub, endpoint=receiver.url), private=False)
        assert receiver.repos["me/open"]["private"] is False


@pytest.mark.parametrize("hub", HUBS)
def test_an_upload_is_a_job(hub, workspace):
    export = tasks.exportation(store.find("lora"), "adapter")
    with Receiver(TOKEN, repos={"me/open": {"private": False, "files": {}}}) as receiver:
        with pytest.raises(NotFound):
            tasks.sending(export, Source("me/tuned", hub, endpoint=receiver.url))
        jobs.supervise(export)
        job = tasks.sending(export, Source("me/tuned", hub, endpoint=receiver.url))
        assert TOKEN not in (job.path / "config.json").read_text(encoding="utf-8")
        status = jobs.supervise(job)
        assert status["state"] == "finished" and status["step"] == status["max_steps"] > 0
        repo = receiver.repos["me/tuned"]
        assert repo["private"] is True and status["result"]["address"] == f"{receiver.url}/{PAGES[hub]}me/tuned"
        made = tasks.made(export)
        expected = {str(p.relative_to(made)): p.read_bytes() for p in made.rglob("*") if p.is_file()}
        assert {name: body for name, body in repo["files"].items() if name != ".gitattributes"} == expected
        refused = tasks.sending(export, Source("me/open", hub, endpoint=receiver.url))
        status = jobs.supervise(refused)
        assert (status["state"], status["error"]["error"]) == ("failed", "Unsupported")
        assert receiver.repos["me/open"]["files"] == {}
        assert tasks.of(store.find("lora"), tasks.UPLOAD) == [refused, job]
    for each in (export, job, refused):
        each.delete()


@pytest.mark.parametrize("hub", HUBS)
def test_what_is_private_never_lands_in_public(hub, folder):
    with Receiver(TOKEN, repos={"me/tuned": {"private": False, "files": {}}}) as receiver:
        with pytest.raises(Unsupported, match="public"):
            upload(folder, Source("me/tuned", hub, endpoint=receiver.url), private=True)
        assert receiver.repos["me/tuned"]["files"] == {} and receiver.store == {}


@pytest.mark.parametrize("hub", HUBS)
def test_a_token_that_may_not_write_and_a_hub_that_is_away(hub, folder):
    with Receiver("another") as receiver, pytest.raises(Unsupported, match="token"):
        upload(folder, Source("me/tuned", hub, endpoint=receiver.url), private=True)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(NetworkFailed):
            upload(folder, Source("me/tuned", hub, endpoint=away), private=True)
