"""The web application around the two language trees: addresses, headers, static files."""

from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import plotly
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import ui
from engine.compare.chat import Chat
from engine.downloads import queue
from engine.home import ASSETS
from engine.runs import store
from engine.runs.background import Jobs
from engine.runs.kinds import KINDS
from engine.runs.standby import Standby
from engine.runs.store import Run
from ui import downloads, present, sets
from ui.gate import Gate, OwnOrigin, Password
from ui.page import UPLOAD_LIMIT
from ui.services import Services
from ui.text import LANGUAGES
from ui.tree import Tree

# Gradio builds templates and event code in the browser, hence eval and inline; nothing is loaded from elsewhere, so
# an image or form in a data set or an answer cannot tell anybody that it was read.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'self'; object-src 'none'"
)
_PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
_STATIC = {path.name: path for path in ASSETS.iterdir() if path.suffix in (".js", ".css", ".svg")}


def application(hosts: list[str], password: Password | None = None) -> FastAPI:
    """The web application. `hosts`: names under which it may be asked for (a foreign `Host` header is refused);
    `password`: asked for before anything is shown or done."""
    chat = Chat()
    # A training run gets the memory that the generation process holds.
    jobs = Jobs(before=lambda run: chat.close(), standby=Standby(KINDS["train"].module))
    services = Services(jobs, chat)
    trees = [Tree(lang, partial(ui.build, lang, services), UPLOAD_LIMIT.replace(" ", "").lower()) for lang in LANGUAGES]

    @asynccontextmanager
    async def life(app: FastAPI) -> Iterator[None]:
        queue.take_up(jobs)
        jobs.start()
        yield
        for tree in trees:
            await tree.close()
        services.presenter.stop()
        chat.close()
        jobs.shutdown()

    app = _bare(life)
    downloads.add(app)
    app.add_api_route("/data/{name}/{file}", sets.download, include_in_schema=False)
    for tree in trees:
        app.mount(tree.path, tree)
    return _guarded(app, hosts, password)


def presentation(run: Run, services: Services, password: Password, hosts: list[str], alone: bool = False) -> FastAPI:
    """The application that shows an audience one run, and nothing else; see `ui.present`. One that stands `alone` ends the
    generation process when it ends."""

    trees = [Tree(lang, partial(present.build, lang, services, run), uploads=0) for lang in LANGUAGES]

    @asynccontextmanager
    async def life(app: FastAPI) -> Iterator[None]:
        services.warm_up()
        yield
        for tree in trees:
            await tree.close()
        if alone:
            services.chat.close()

    app = _bare(life)
    for tree in trees:
        app.mount(tree.path, tree)
    app.add_middleware(present.Only)
    return _guarded(app, hosts, password)


def presented(run: str, hosts: list[str], password: Password) -> FastAPI:
    """A presentation that stands alone: it answers with a generation process of its own, and runs no jobs."""
    return presentation(store.find(run), Services(Jobs(), Chat()), password, hosts, alone=True)


def _bare(life: Callable) -> FastAPI:
    """An application with its root and its static files."""
    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/", _redirect, include_in_schema=False)
    app.add_api_route("/static/{name}", _static, include_in_schema=False)
    app.add_api_route("/favicon.ico", lambda: FileResponse(ASSETS / "icon.svg", media_type="image/svg+xml"))
    return app


def _guarded(app: FastAPI, hosts: list[str], password: Password | None) -> FastAPI:
    if password:
        app.add_middleware(Gate, password=password)
    else:
        app.add_middleware(OwnOrigin)
    app.add_middleware(_Front)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    return app


def _redirect(request: Request) -> RedirectResponse:
    """To the language that was seen last, else the browser's first that is there."""
    known = request.cookies.get("tunedesk_lang")
    return RedirectResponse(f"/{known if known in LANGUAGES else _preferred(request)}/")


def _preferred(request: Request) -> str:
    wanted = request.headers.get("accept-language", "")
    return next((tag[:2] for tag in wanted.lower().replace(" ", "").split(",") if tag[:2] in LANGUAGES), "en")


def _static(name: str) -> Response:
    path = _PLOTLY if name == _PLOTLY.name else _STATIC.get(name)
    if path is None:
        return Response(status_code=404)
    return FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})


class _Front:
    """Headers for every answer, the cookie that remembers the language, and the public API at the root as well:
    `gradio_client.Client("http://127.0.0.1:7860")` reaches the English tree."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == "/config" or path.startswith("/gradio_api/"):
            scope = {**scope, "path": f"/en{path}", "raw_path": b"/en" + scope["raw_path"]}

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [
                    (b"content-security-policy", _POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
                lang = path.strip("/")
                if lang in LANGUAGES:
                    cookie = f"tunedesk_lang={lang}; Path=/; Max-Age=31536000; SameSite=Lax"
                    extra.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, with_headers)
