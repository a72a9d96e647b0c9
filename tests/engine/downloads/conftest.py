import json
import os
from pathlib import Path

import pytest

from engine.downloads import worker
from engine.runs.events import Events
from tests.engine.models.loopback import Hub
from tests.engine.models.test_library import CONFIG, write_weights


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    """A workspace, and a home folder in which the clients find no token and no cache."""
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    # Read by the clients when they are imported: short waits, and failures are retried by the worker alone.
    for name, value in worker._CLIENTS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 2)
    monkeypatch.setattr("modelscope_hub._legacy_api.DOWNLOAD_TIMEOUT", 2)
    monkeypatch.setattr("modelscope_hub._download.DOWNLOAD_RETRY_TIMES", 0)
    monkeypatch.setattr("modelscope_hub._download.DOWNLOAD_INTEGRITY_RETRY_BACKOFF", 0.01)
    monkeypatch.setattr("modelscope_hub._legacy_api.REPO_TREE_PAGE_MAX_ATTEMPTS", 1)


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> dict[str, bytes]:
    """A tiny model in several files, and what must not be fetched."""
    folder = tmp_path_factory.mktemp("tiny")
    shapes = {"model.embed_tokens.weight": [100, 8], "model.layers.0.mlp.up_proj.weight": [40_000, 8]}
    write_weights(folder / "model.safetensors", shapes)
    return {
        "config.json": json.dumps(CONFIG).encode(),
        "tokenizer.json": b"{}",
        "model.safetensors": (folder / "model.safetensors").read_bytes(),
        "pytorch_model.bin": b"pickled",
        "README.md": b"# tiny",
    }


@pytest.fixture
def hub(files):
    with Hub({"me/tiny": dict(files)}) as hub:
        yield hub


@pytest.fixture(params=["modelscope", "huggingface"])
def which(request) -> str:
    return request.param


@pytest.fixture
def download(hub, which):
    """`download()` does in this process what the worker's does, with little patience; returns the events."""
    from engine.downloads import queue
    from engine.models import source

    def work(id: str = "me/tiny", attempts: int = 3, kind: str = "model", **more: object) -> list[dict]:
        run = queue.begin(source.read(id, which, kind, hub.url, **more))
        with Events(run.path / "events.jsonl") as events:
            patience = worker.Patience(attempts, first=0.01)
            worker.Download(run.path, queue.source_of(run), events, patience).run()
        return run.events()

    return work


def library_of(home: str | None = None) -> list[str]:
    root = Path(home or os.environ["TUNEDESK_HOME"]) / "models"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
