"""The generation process: HTTP on loopback, in the OpenAI chat protocol, for the app and for other programs.

    GET  /v1/models              the names that can be asked
    POST /v1/chat/completions    one model, as OpenAI has it, streaming or not
    POST /v1/compare             up to four models at once; server-sent events (see `Desk.compare`)
    POST /v1/answers             many questions to one model, decoded in one batch; events (`Desk.answers`)
    POST /v1/losses              how surprised a model is by given answers; events (`Desk.losses`)
    POST /v1/scores              what a reward model makes of given answers; events (`Desk.scores`)
    POST /v1/stop                whatever is being answered ends now

Every request carries the token that the process prints with its port, as one JSON line, when it starts. One thread
answers all of them, in the order they came. It imports torch: nothing else may import it.
"""

import argparse
import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from engine.compare import protocol
from engine.compare.desk import Desk
from engine.errors import NotFound, TuneDeskError, Unsupported, WorkError, from_record
from engine.words import Words

LOOPBACK = "127.0.0.1"
_log = logging.getLogger(__name__)

Cancelled = Callable[[], bool]


class Line:
    """Work waits here for the one thread that does it; its events come back to the request that brought it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generation")
        self._going: set[threading.Event] = set()

    async def events(self, work: Callable[[Cancelled], Iterator[dict]]) -> AsyncIterator[dict]:
        """The events of `work`; a failure is the last of them, `{"error": record}`. Work nobody listens to ends."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[dict | None] = asyncio.Queue()
        cancelled = threading.Event()

        def tell(event: dict | None) -> None:
            loop.call_soon_threadsafe(arrived.put_nowait, event)

        def run() -> None:
            try:
                for event in work(cancelled.is_set):
                    tell(event)
            except TuneDeskError as error:
                tell({"error": error.record()})
            except Exception as error:  # the border of the process: told to the client, and in full to the log
                _log.exception("unforeseen")
                tell({"error": WorkError(reason=f"{type(error).__name__}: {error}").record()})
            tell(None)

        self._going.add(cancelled)
        try:
            self._thread.submit(run)
            while (event := await arrived.get()) is not None:
                yield event
        finally:
            cancelled.set()
            self._going.discard(cancelled)

    def stop(self) -> None:
        for cancelled in self._going:
            cancelled.set()


def application(desk: Desk, token: str, names: dict[str, str] | None) -> FastAPI:
    """The web application. `names`: the only model names served, and what each stands for; None: any."""
    line = Line()

    def known(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "The token is missing or wrong.")

    def meant(name: str) -> str:
        if names is None:
            return name
        if name not in names:
            hint = Words(f"There are: {', '.join(names)}.", f"可用：{'、'.join(names)}。")
            raise NotFound(kind=Words("model", "模型"), name=name, hint=hint)
        return names[name]

    app = FastAPI(title="TuneDesk", openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(known)])
    # A page of a foreign site whose name was pointed at this machine sends its own name as the host.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])

    @app.exception_handler(TuneDeskError)
    async def told(request: Request, error: TuneDeskError) -> JSONResponse:
        return JSONResponse(protocol.failed(error.record()), protocol.status_of(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse(protocol.error(f"{place}: {first['msg']}", "invalid_request_error"), 400)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        kind = "authentication_error" if error.status_code == 401 else "invalid_request_error"
        return JSONResponse(protocol.error(error.detail, kind), error.status_code)

    @app.get("/v1/models")
    async def models() -> dict:
        listed = list(names) if names is not None else await asyncio.to_thread(protocol.every_name)
        return {"object": "list", "data": [protocol.model(name) for name in listed]}

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(asked: protocol.ChatRequest) -> JSONResponse | StreamingResponse:
        params, name = asked.params(), meant(asked.model)
        conversation = [message.plain() for message in asked.messages]
        events = line.events(lambda cancelled: desk.compare([name], [conversation], params, cancelled))
        first = await anext(events)
        while "phase" in first:
            first = await anext(events)
        if "error" in first:
            raise from_record(first["error"])
        answer = protocol.Completion(asked, _chained(first, events))
        if asked.stream:
            return _stream(answer.chunks())
        return JSONResponse(await answer.whole())

    @app.post("/v1/compare")
    async def compare(asked: protocol.CompareRequest) -> StreamingResponse:
        params, meanings = asked.params(), [meant(name) for name in asked.models]
        conversations = [[message.plain() for message in each] for each in asked.conversations]
        return _stream(line.events(lambda cancelled: desk.compare(meanings, conversations, params, cancelled)))

    @app.post("/v1/answers")
    async def answers(asked: protocol.AnswersRequest) -> StreamingResponse:
        params, name = asked.params(), meant(asked.model)
        conversations = [[message.plain() for message in each] for each in asked.conversations]
        return _stream(
            line.events(lambda cancelled: desk.answers(name, conversations, params, asked.longest, cancelled))
        )

    @app.post("/v1/losses")
    async def losses(asked: protocol.LossesRequest) -> StreamingResponse:
        name, conversations = (
            meant(asked.model),
            [[message.plain() for message in each] for each in asked.conversations],
        )
        return _stream(line.events(lambda cancelled: desk.losses(name, conversations, asked.max_length, cancelled)))

    @app.post("/v1/scores")
    async def scores(asked: protocol.ScoresRequest) -> StreamingResponse:
        name = meant(asked.model)
        conversations = [[message.plain() for message in each] for each in asked.conversations]
        return _stream(line.events(lambda cancelled: desk.scores(name, conversations)))

    @app.post("/v1/stop")
    async def stop() -> dict:
        line.stop()
        return {}

    return app


async def _chained(first: dict, rest: AsyncIterator[dict]) -> AsyncIterator[dict]:
    async with contextlib.aclosing(rest):
        yield first
        async for event in rest:
            yield event


def _stream(events: AsyncIterator[dict | str]) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async with contextlib.aclosing(events):
            async for event in events:
                text = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
                yield f"data: {text}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _leave_with_parent() -> None:
    """End this process when whoever started it ends: its end of our standard input is then closed, however it died."""

    def watch() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="parent").start()


def serve(port: int, precision: str, names: dict[str, str] | None, announce: Callable[[int, str], None]) -> None:
    """Answer until interrupted.

    Args:
        port: 0: any free one.
        names: as for `application`.
        announce: called with the port and the token once connections are taken.

    Raises:
        Unsupported: the port is taken.
    """
    token = secrets.token_urlsafe(24)
    try:
        listener = socket.create_server((LOOPBACK, port))
    except OSError as error:
        reason = Words(
            f"Port {port} cannot be used ({error.strerror}); choose another with --port.",
            f"无法使用端口 {port}（{error.strerror}），请用 --port 另选一个。",
        )
        raise Unsupported(reason=reason) from error
    announce(listener.getsockname()[1], token)
    app = application(Desk(precision), token, names)
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    parser = argparse.ArgumentParser(description="The generation process.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16"), default="auto")
    parser.add_argument("--child", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    if options.child:
        _leave_with_parent()
    serve(options.port, options.precision, None, _print_where)


def _print_where(port: int, token: str) -> None:
    print(json.dumps({"port": port, "token": token}), flush=True)


if __name__ == "__main__":
    main()
