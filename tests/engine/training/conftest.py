import pytest
import torch

from engine.runs import store
from engine.runs.events import Events, log
from engine.training import config as configs
from tests.tiny import make_data, make_model


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Tiny matrices gain nothing from threads, and sums in one order can be compared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data") / "foods")


@pytest.fixture
def train(workspace, model, data):
    """Trains in this process: `train(method, **settings)` returns the run's folder and its events."""
    from engine.training.session import Session

    def run(method: str, **settings: object):
        config = configs.build(str(model), str(data), method=method, settings=settings)
        made = store.create(config.model_dump())
        with Events(made.path / "events.jsonl") as events:
            Session(made.path, config, events).run()
        return made.path, log(made.path / "events.jsonl").after(0)

    return run
