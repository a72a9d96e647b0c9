"""A worker that has its imports done, so that many short runs take seconds: `serve` waits for runs at a socket and forks
a process for each, and as a program (in a worker's place) this hands its run over and waits for the end."""

import os
import socket
import sys
from pathlib import Path


def serve(address: str) -> None:
    from engine.training import session, worker  # noqa: F401

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                run = connection.recv(4096).decode()
                if os.fork() == 0:
                    connection.sendall(str(worker.main(Path(run))).encode())
                    os._exit(0)


def hand_over(run: str) -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["TUNEDESK_WARM_WORKER"])
        connection.sendall(run.encode())
        # Nothing comes from a process that died.
        return int(connection.recv(16) or 1)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    sys.exit(hand_over(sys.argv[1]))
