"""The whole application on a server of its own, for tests that speak to it over HTTP."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from engine.compare.chat import Chat
from engine.runs.background import Jobs
from ui import site
from ui.services import Services


@pytest.fixture
def services() -> Services:
    """With a queue that nobody works on."""
    return Services(Jobs(), Chat())


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        thread = threading.Thread(target=self.run)
        thread.start()
        while not self.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"
        self.should_exit = True
        thread.join()


@contextlib.contextmanager
def served(workspace: Path) -> Iterator[str]:
    """The address of the application over `workspace`, which is that of this process too as long as it lasts."""

    async def application() -> object:
        return site.application(["127.0.0.1"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEDESK_HOME", str(workspace))
        config = uvicorn.Config(asyncio.run(application()), port=0, log_level="error", timeout_graceful_shutdown=3)
        with Server(config).running() as url:
            yield url
