"""A hub on loopback that speaks what the clients of ModelScope and Hugging Face ask for, and can go wrong on purpose.

What they ask was taken from their source (modelscope_hub `_legacy_api.py`, `_download.py`; huggingface_hub `hf_api.py`,
`file_download.py`): a listing, then each file by a redirect to a store, with ranges.
"""

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_CHUNK = 16384


@dataclass
class Fault:
    """`kind` happens to requests whose path matches `where`, `times` times. A number is an HTTP status."""

    kind: object
    where: str = ".*"
    times: int = 1000


class Loopback:
    """What answers on loopback as long as its block lasts, by its `handler`, which knows it as `hub`."""

    handler: ClassVar[type[BaseHTTPRequestHandler]]

    def __enter__(self) -> Self:
        handler = type("Handler", (self.handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"


@dataclass
class Hub(Loopback):
    """`repos`: ID -> {path: content}. `sent`: path -> bytes of its content that went out; `asked`: every path asked for."""

    repos: dict[str, dict[str, bytes]]
    faults: list[Fault] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    pace: float = 0.0

    @property
    def total_sent(self) -> int:
        return sum(self.sent.values())

    def fault(self, path: str) -> object:
        for each in self.faults:
            if each.times > 0 and re.search(each.where, path):
                each.times -= 1
                return each.kind
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path, query = unquote(url.path), {name: values[0] for name, values in parse_qs(url.query).items()}
        self.hub.asked.append(path)
        if "FilePath" in query:
            path = f"{path}/{query['FilePath']}"
        kind = self.hub.fault(path)
        if isinstance(kind, int):
            self.answer(kind, {"Message": "on purpose", "error": "on purpose"}, _refusal(kind))
        elif kind == "silent":
            time.sleep(3)
            self.close_connection = True
        elif kind == "loop":
            self.redirect(self.path)
        elif match := re.fullmatch(r"/store/([^/]+/[^/]+)/(.+)", path):
            self.content(match[1], match[2], kind)
        elif match := re.fullmatch(r"/api/v1/(?:model|dataset)s/([^/]+/[^/]+)/repo/(?:files|tree)", path):
            self.known(match[1]) and self.answer(200, {"Code": 200, "Data": {"Files": self.modelscope(match[1], kind)}})
        elif match := re.fullmatch(r"/api/v1/(?:model|dataset)s/([^/]+/[^/]+)/repo/(.+)", path):
            self.known(match[1]) and self.redirect(f"/store/{match[1]}/{quote(match[2])}")
        elif match := re.fullmatch(r"/api/(?:model|dataset)s/([^/]+/[^/]+)(?:/revision/[^/]+)?", path):
            self.known(match[1]) and self.answer(200, {"id": match[1], "sha": COMMIT, "siblings": [], "tags": []})
        elif match := re.fullmatch(rf"/api/(?:model|dataset)s/([^/]+/[^/]+)/tree/{COMMIT}", path):
            self.known(match[1]) and self.answer(200, self.huggingface(match[1], kind))
        elif match := re.fullmatch(rf"(?:/datasets)?/([^/]+/[^/]+)/resolve/{COMMIT}/(.+)", path):
            self.known(match[1]) and self.redirect(f"/store/{match[1]}/{quote(match[2])}")
        else:
            self.answer(404, {"Message": "no such thing", "error": "no such thing"})

    def known(self, repo: str) -> bool:
        if repo not in self.hub.repos:
            self.answer(404, {"Message": "no such repository"}, {"X-Error-Code": "RepoNotFound"})
            return False
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if repo in self.hub.private and bearer not in self.hub.tokens:
            self.answer(403, {"Message": "gated"}, {"X-Error-Code": "GatedRepo"})
            return False
        return True

    def modelscope(self, repo: str, kind: object) -> list[dict]:
        return [
            {"Path": path, "Name": path, "Size": size, "Sha256": sha256, "Type": "blob"}
            for path, size, sha256 in self.announced(repo, kind)
        ]

    def huggingface(self, repo: str, kind: object) -> list[dict]:
        return [
            {
                "type": "file",
                "path": path,
                "size": size,
                "oid": _blob(self.hub.repos[repo].get(path, b"")),
                **({"lfs": {"oid": sha, "size": size, "pointerSize": 130}} if path.endswith(".safetensors") else {}),
            }
            for path, size, sha in self.announced(repo, kind)
        ]

    def announced(self, repo: str, kind: object) -> list[tuple[str, int, str]]:
        files = [(path, len(body), hashlib.sha256(body).hexdigest()) for path, body in self.hub.repos[repo].items()]
        return [*files, *((name, 4, "0" * 64) for name in kind)] if isinstance(kind, list) else files

    def content(self, repo: str, path: str, kind: object) -> None:
        body = self.hub.repos[repo][path]
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range") or "") or [0, 0])[1])
        if start >= len(body) and start:
            self.answer(416, {}, {"Content-Range": f"bytes */{len(body)}"})
            return
        total, part = len(body), body[start:]
        if kind == "hash":
            part = bytes(byte ^ 1 for byte in part)
        elif kind == "longer":
            part, total = part + b"more", total + 4
        elif kind == "shorter":
            part, total = part[:-10], total - 10
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind == "cut":
            part = part[: len(part) // 2]
        if kind == "stall":
            part = part[: len(part) // 2]
        for at in range(0, len(part), _CHUNK):
            piece = part[at : at + _CHUNK]
            try:
                self.wfile.write(piece)
                self.wfile.flush()
            except OSError:
                self.close_connection = True
                return
            self.hub.sent[path] = self.hub.sent.get(path, 0) + len(piece)
            time.sleep(0.3 if kind == "drip" else self.hub.pace)
        if kind == "stall":
            time.sleep(5)
        if kind in ("cut", "stall"):
            self.close_connection = True
            self.connection.close()

    def redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _refusal(status: int) -> dict[str, str]:
    return {
        401: {"X-Error-Code": "GatedRepo"},
        403: {"X-Error-Code": "GatedRepo"},
        404: {"X-Error-Code": "RepoNotFound"},
    }.get(status, {})


def _blob(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


Hub.handler = _Handler
