"""Presentations given from here: an application of its own for an audience, started and stopped by a button."""

from __future__ import annotations

import secrets
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from engine.runs import store
from ui.gate import Password

if TYPE_CHECKING:
    from ui.services import Services

GUEST = "guest"


def new_password() -> str:
    return secrets.token_urlsafe(9)


@dataclass(frozen=True)
class Door:
    """Where a presentation is, what opens it, and whether other computers of the network reach it."""

    run: str
    url: str
    name: str
    password: str
    everywhere: bool


class Presenter:
    """The presentation that this TuneDesk gives, if any: one at a time, in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.door: Door | None = None

    def start(self, services: Services, run: store.Run, everywhere: bool) -> Door:
        """Present `run`, to this computer's browsers or `everywhere` on its network, with a password made for it."""
        from ui.site import presentation

        self.stop()
        with self._lock:
            password = new_password()
            sock = socket.create_server(("0.0.0.0" if everywhere else "127.0.0.1", 0))
            hosts = ["*"] if everywhere else ["127.0.0.1", "localhost"]
            # In a thread without Gradio's context: within an event its components are only updates, and build nothing.
            with ThreadPoolExecutor(1) as aside:
                app = aside.submit(presentation, run, services, Password.of(GUEST, password), hosts).result()
            self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
            self._thread = threading.Thread(
                target=self._server.run, kwargs={"sockets": [sock]}, name="presentation", daemon=True
            )
            self._thread.start()
            host = _own_address() if everywhere else "127.0.0.1"
            self.door = Door(run.id, f"http://{host}:{sock.getsockname()[1]}/", GUEST, password, everywhere)
            return self.door

    def stop(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.should_exit = True
                self._thread.join()
                self._server = self._thread = self.door = None


def _own_address() -> str:
    """This computer's address on its network. Nothing is sent: a datagram socket only picks the way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]
