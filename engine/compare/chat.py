"""The client of the generation process: starts it when first asked, starts it again when it died, ends it to give its
memory back. Light: it loads no torch.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx

from engine import home
from engine.compare.conversations import goes_on, message
from engine.errors import ServerDied, WorkError, from_record
from engine.runs import processes, store
from engine.words import Words

_ROOT = Path(__file__).resolve().parents[2]
_SERVER = "engine.compare.server"


class Chat:
    """Questions to models by name (see `engine.compare.names`). Safe to use from several threads.

    `precision`: "auto", "fp32", "bf16" or "fp16".
    """

    def __init__(self, precision: str = "auto"):
        self._precision = precision
        self._starting = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._client: httpx.Client | None = None

    def __enter__(self) -> "Chat":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def compare(self, models: list[str], conversations: list[list[dict]], **settings: object) -> Iterator[dict]:
        """Answers of `models`, each to its conversation (`[{"role", "content"}, ...]`), as they are written; the
        events of `Desk.compare`. `settings`: fields of `GenerationParams`. Closing the iterator stops the answers.

        Raises:
            TooLong, NotFound, InvalidFields, OutOfMemory, ...: as the generation process says.
            ServerDied: it ended in the middle; the next call starts it anew.
        """
        return self._events("/v1/compare", {"models": models, "conversations": conversations, **settings})

    def batch(self, model: str, conversations: list[list[dict]], longest: int, **settings: object) -> Iterator[dict]:
        """The answers of one model to many questions (256 at most), each as it is done; see `Desk.answers`.

        Raises:
            As `compare`.
        """
        body = {"model": model, "conversations": conversations, "longest": longest, **settings}
        return self._events("/v1/answers", body)

    def losses(self, model: str, conversations: list[list[dict]], max_length: int) -> Iterator[dict]:
        """How surprised a model is by finished conversations (256 at most); see `Desk.losses`.

        Raises:
            As `compare`.
        """
        body = {"model": model, "conversations": conversations, "max_length": max_length}
        return self._events("/v1/losses", body)

    def scores(self, model: str, conversations: list[list[dict]]) -> list[float]:
        """What the reward model that the run `model` made gives to finished conversations (256 at most).

        Raises:
            As `compare`.
        """
        (event,) = self._events("/v1/scores", {"model": model, "conversations": conversations})
        return event["scores"]

    def answers(self, models: list[str], conversations: list[list[dict]], **settings: object) -> list[dict]:
        """As `compare`, waited for: for each model `text`, `finish_reason`, `tokens`, `prompt_tokens`, `seconds`."""
        said: list[dict] = [{"text": ""} for _ in models]
        for event in self.compare(models, conversations, **settings):
            answer = said[event["index"]]
            answer["text"] += event.get("delta", "")
            if "finish_reason" in event:
                answer.update({name: value for name, value in event.items() if name != "index"})
        return said

    def ask(self, run: str, question: str, seed: int | None = None) -> dict[str, str]:
        """One question to a run (id or folder) and to the model it started from: `base` and `tuned`. Without a seed
        the likeliest answer of each. A run that learnt from texts goes on with `question`, and so does its base.

        Raises:
            As `compare`.
        """
        conversation = [message(question, goes_on(store.find(run)))]
        settings = {"temperature": 0} if seed is None else {"seed": seed}
        base, tuned = self.answers([f"base:run:{run}", f"run:{run}"], [conversation] * 2, **settings)
        return {"base": base["text"], "tuned": tuned["text"]}

    def stop(self) -> None:
        """End whatever is being answered; each answer keeps what it has and finishes with "cancelled"."""
        if self._alive():
            with self._talking() as client:
                client.post("/v1/stop")

    def start(self) -> None:
        """Start the process ahead of the first question, so that its imports are done by then.

        Raises:
            ServerDied: it does not start.
        """
        with self._starting:
            if not self._alive():
                self._start()

    def close(self) -> None:
        """End the process and so give its memory back. The next question starts it again."""
        with self._starting:
            self._end()

    def _events(self, path: str, body: dict) -> Iterator[dict]:
        with self._talking() as client, client.stream("POST", path, json=body) as response:
            if response.is_error:
                response.read()
                raise _error(response)
            for line in response.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    if "error" in event:
                        raise from_record(event["error"])
                    yield event

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _start(self) -> None:
        self._end()
        command = [sys.executable, "-m", _SERVER, "--child", "--precision", self._precision]
        with open(_log(), "wb") as log:
            # Our end of its standard input closes when this process ends, however it ends; then the child ends too.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
                env=processes.environment(),
            )
        line = self._process.stdout.readline()
        if not line:
            raise self._death()
        told = json.loads(line)
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{told['port']}",
            headers={"Authorization": f"Bearer {told['token']}"},
            timeout=httpx.Timeout(10, read=None),  # an answer takes as long as it takes
            trust_env=False,  # no proxy between two processes of one machine
        )

    def _end(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    @contextlib.contextmanager
    def _talking(self) -> Iterator[httpx.Client]:
        """The process' client; a connection that breaks is `ServerDied`."""
        self.start()
        try:
            yield self._client
        except (httpx.TransportError, httpx.StreamError) as error:
            raise self._death() from error

    def _death(self) -> ServerDied:
        """Why the process ended, as far as can be known."""
        process = self._process
        if process is None:
            return ServerDied(reason=Words("it was closed", "已被关闭"))
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return ServerDied(reason=Words("it does not answer", "没有响应"))
        if code < 0:
            name = processes.signal_name(-code)
            return ServerDied(reason=Words(f"ended by {name}", f"被 {name} 信号结束"))
        last = _log().read_text(errors="replace").strip().splitlines()[-1:]
        return ServerDied(reason=Words(*[f"exit code {code}{': ' + last[0] if last else ''}"] * 2))


def _error(response: httpx.Response) -> Exception:
    told = response.json()["error"]
    if "record" in told:
        return from_record(told["record"])
    return WorkError(reason=f"{response.status_code}: {told['message']}")


def _log() -> Path:
    return home.folder("cache") / "generation.log"
