"""Who may come in: the password at the door, and the origins from which this computer's own pages may be driven.

Both are middleware around the whole application, so that no route can be forgotten. A password is kept as a scrypt hash;
a session is a random cookie, kept as a digest in memory, and ends when TuneDesk does.
"""

import hashlib
import hmac
import math
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.text import LANGUAGES, Text

# gradio_client posts to "login" below the address that it was given.
_LOGINS = ("/login", *(f"/{lang}/login" for lang in LANGUAGES))
# What the login page itself shows.
_OPEN = ("/static/icon.svg", "/favicon.ico")
_COOKIE = "tunedesk_session"
_FORM_LIMIT = 4096
_ATTEMPTS = 5
_ATTEMPTS_WITHIN = 300.0
# Addresses whose attempts are remembered; more must be an attack, and the oldest are forgotten.
_ADDRESSES = 10_000


@dataclass(frozen=True)
class Password:
    """A name with the scrypt hash of its password."""

    name: str
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, name: str, password: str) -> "Password":
        salt = secrets.token_bytes(16)
        return cls(name, salt, _scrypt(password, salt))

    def matches(self, name: str, password: str) -> bool:
        """In the same time whichever of the two is wrong."""
        same = hmac.compare_digest(_scrypt(password, self.salt), self.digest)
        return hmac.compare_digest(name.encode(), self.name.encode()) and same


@dataclass
class Attempts:
    """Failed attempts by address: after `_ATTEMPTS` of them none is looked at for a while."""

    _failed: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, address: str) -> int:
        """Seconds until `address` may try again; 0 when it may now."""
        with self._lock:
            recent = self._recent(address)
            return math.ceil(recent[0] + _ATTEMPTS_WITHIN - time.monotonic()) if len(recent) >= _ATTEMPTS else 0

    def failed(self, address: str) -> None:
        with self._lock:
            recent = self._recent(address)
            self._failed.pop(address, None)
            self._failed[address] = [*recent, time.monotonic()]
            while len(self._failed) > _ADDRESSES:
                self._failed.pop(next(iter(self._failed)))

    def _recent(self, address: str) -> list[float]:
        return [at for at in self._failed.get(address, []) if time.monotonic() - at < _ATTEMPTS_WITHIN]


class Gate:
    """Middleware: without a session everything answers 401, a page with the form to log in."""

    def __init__(self, app: ASGIApp, password: Password):
        self._app, self._password = app, password
        self._attempts = Attempts()
        self._sessions: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # Nothing here speaks WebSocket: an unanswered handshake is refused by the server.
        request = Request(scope, receive)
        path = scope["path"]
        if path in _LOGINS and request.method == "POST":
            await (await self._log_in(request))(scope, receive, send)
        elif path in _OPEN or self._known(request.cookies.get(_COOKIE)):
            await self._app(scope, receive, send)
        else:
            await self._refusal(request)(scope, receive, send)

    async def _log_in(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        if wait := self._attempts.wait(address):
            return self._refused(request, "gate.wait", 429, {"Retry-After": str(wait)}, minutes=math.ceil(wait / 60))
        if int(request.headers.get("content-length") or _FORM_LIMIT + 1) > _FORM_LIMIT:
            return PlainTextResponse("", status_code=413)
        form = await request.form(max_files=0)
        name, password = str(form.get("username", "")), str(form.get("password", ""))
        if not self._password.matches(name, password):
            self._attempts.failed(address)
            return self._refused(request, "gate.wrong", 401)
        # A program gets an answer; a page goes on to where it came from, which is always here.
        target = str(form.get("next", ""))
        answer = RedirectResponse(_here(target), status_code=303) if target else JSONResponse({"success": True})
        token = secrets.token_urlsafe(32)
        self._sessions.add(_digest(token))
        answer.set_cookie(_COOKIE, token, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return answer

    def _known(self, token: str | None) -> bool:
        return token is not None and _digest(token) in self._sessions

    def _refusal(self, request: Request) -> Response:
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return _page(request, "", 401)
        return JSONResponse({"detail": "Not authenticated"}, status_code=401)

    def _refused(
        self, request: Request, key: str, status: int, headers: dict[str, str] | None = None, **values: object
    ) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return _page(request, key, status, headers, **values)
        return JSONResponse({"detail": Text("en")(key, **values)}, status_code=status, headers=headers)


class OwnOrigin:
    """Middleware for a TuneDesk without a password: only its own pages may make it do something. Another site that is
    open in the same browser could otherwise post to this computer's address."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            await PlainTextResponse("Foreign origin", status_code=403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _page(
    request: Request, key: str, status: int, headers: dict[str, str] | None = None, **values: object
) -> HTMLResponse:
    path = request.url.path
    lang = path[1:3] if path[1:3] in LANGUAGES else request.cookies.get("tunedesk_lang")
    t = Text(lang if lang in LANGUAGES else _spoken(request))
    back = _here(request.query_params.get("next") or (path if path not in _LOGINS else f"/{t.lang}/"))
    said = f'<p class="wrong" role="alert">{t.html(key, **values)}</p>' if key else ""
    page = _TEMPLATE.format(
        lang=t.lang,
        title=t.html("app.title"),
        name=t.html("app.name"),
        lead=t.html("gate.lead"),
        user=t.html("gate.user"),
        password=t.html("gate.password"),
        enter=t.html("gate.enter"),
        action=f"/{t.lang}/login",
        back=back,
        said=said,
    )
    return HTMLResponse(page, status_code=status, headers=headers)


def _spoken(request: Request) -> str:
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def _here(target: str) -> str:
    """`target` where it is a path of this application, else its root: a login must not lead to another site."""
    allowed = {"/", *(f"/{lang}/" for lang in LANGUAGES)}
    return target if target in allowed else "/"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


_TEMPLATE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="/static/icon.svg"><style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f1f5f9; color: #0f172a;
  font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }}
form {{ display: grid; gap: 14px; width: min(320px, calc(100vw - 80px)); padding: 32px; border-radius: 20px;
  background: white; box-shadow: 0 10px 40px rgb(15 23 42 / .1); }}
img {{ width: 44px; }} h1 {{ margin: 0; font-size: 22px; }} p {{ margin: 0; color: #475569; }} .wrong {{ color: #b91c1c; }}
label {{ display: grid; gap: 4px; font-size: 14px; font-weight: 600; }}
input {{ font: inherit; padding: 10px 12px; border: 1px solid #cbd5e1; border-radius: 10px; }}
button {{ font: inherit; font-weight: 600; padding: 11px; border: 0; border-radius: 12px; color: white; background: #4f46e5; }}
</style></head><body><form method="post" action="{action}"><img src="/static/icon.svg" alt=""><h1>{name}</h1><p>{lead}</p>
{said}<label>{user}<input name="username" autocomplete="username" required autofocus></label>
<label>{password}<input name="password" type="password" autocomplete="current-password" required></label>
<input type="hidden" name="next" value="{back}"><button>{enter}</button></form></body></html>"""
