"""The password at the door: nothing is reached without it, it is kept as a hash, and guessing is slow."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route

from ui import gate, site
from ui.gate import Attempts, Password
from ui.tree import Tree

RIGHT = {"username": "me", "password": "opensesame"}
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[FastAPI]:
    async def application() -> FastAPI:
        return site.application(["testserver"], Password.of("me", "opensesame"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEDESK_HOME", str(tmp_path_factory.mktemp("workspace")))
        yield asyncio.run(application())


@pytest.fixture(scope="module")
def lived(app) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(lived, monkeypatch) -> TestClient:
    monkeypatch.setattr(gate, "_ATTEMPTS", 10_000)
    lived.cookies.clear()
    return lived


def every_route(app: FastAPI, prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, Tree):
            yield from every_route(asyncio.run(route.app.mounted()))
        elif isinstance(route, Mount):
            yield from every_route(route.app, prefix + route.path)
        elif isinstance(route, Route):
            yield from ((method, prefix + route.path) for method in route.methods)
        else:  # Gradio's own router, which it includes under this prefix
            yield from every_route(route.original_router, f"{prefix}/gradio_api")


def test_every_route_answers_401_without_the_password(app, client):
    asked = {(method, path.replace("{", "").replace("}", "").replace(":path", "")) for method, path in every_route(app)}
    # The login itself, and the icon that its page shows.
    asked = {(method, path) for method, path in asked if not path.endswith(("/login", "/login/", "/favicon.ico"))}
    assert len(asked) > 80
    answers = {each: client.request(*each).status_code for each in asked}
    assert {each: status for each, status in answers.items() if status != 401} == {}


def test_a_page_shows_the_form_in_its_language_and_the_password_opens_it(client):
    page = client.get("/zh/", headers=HTML)
    assert page.status_code == 401 and "密码" in page.text and 'action="/zh/login"' in page.text
    entered = client.post("/zh/login", data=RIGHT | {"next": "/zh/"}, headers=HTML)
    assert entered.status_code == 303 and entered.headers["location"] == "/zh/"
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert client.get("/zh/", headers=HTML).status_code == 200
    assert client.get("/en/config").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/en/../../etc", "javascript:alert(1)"])
def test_a_login_never_leads_elsewhere(client, target):
    entered = client.post("/login", data=RIGHT | {"next": target})
    assert entered.headers["location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("me", "wrong"), ("you", "opensesame"), ("", ""), ("me", "x" * 3000)])
def test_a_wrong_password_is_said(client, name, password):
    said = client.post("/en/login", data={"username": name, "password": password, "next": "/en/"}, headers=HTML)
    assert said.status_code == 401 and "wrong" in said.text
    assert client.get("/en/config").status_code == 401


def test_a_made_up_session_is_none(client):
    client.cookies.set("tunedesk_session", "x" * 43)
    assert client.get("/en/config").status_code == 401


def test_a_form_that_is_too_large_is_not_read(client):
    assert client.post("/login", data={"username": "me", "password": "x" * 5000}).status_code == 413


def test_after_five_wrong_ones_an_address_must_wait(lived):
    lived.cookies.clear()
    address = ("203.0.113.7", 5)
    guesser = TestClient(lived.app, follow_redirects=False, client=address)
    statuses = [guesser.post("/login", data={"username": "me", "password": str(i)}).status_code for i in range(6)]
    assert statuses == [401] * 5 + [429]
    # Even the right one is not looked at now, so that guessing tells nothing.
    refused = guesser.post("/login", data=RIGHT)
    assert refused.status_code == 429 and 0 < int(refused.headers["retry-after"]) <= 300
    assert lived.post("/login", data=RIGHT).status_code == 200


def test_attempts_are_forgotten_after_a_while_and_take_little_memory(monkeypatch):
    monkeypatch.setattr(gate, "_ADDRESSES", 3)
    attempts = Attempts()
    for _ in range(5):
        attempts.failed("a")
    assert attempts.wait("a") > 0
    for other in "bcd":
        attempts.failed(other)
    assert attempts.wait("a") == 0
    monkeypatch.setattr(gate, "_ATTEMPTS_WITHIN", 0.0)
    assert attempts.wait("b") == 0


def test_the_password_itself_is_not_kept(app):
    password = Password.of("me", "opensesame")
    assert password.matches("me", "opensesame")
    assert "opensesame" not in repr(password) and b"opensesame" not in password.digest + password.salt
    assert Password.of("me", "opensesame").digest != password.digest


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver:1234", "null"])
def test_without_a_password_another_site_can_do_nothing(tmp_path, monkeypatch, origin):
    async def application() -> FastAPI:
        return site.application(["testserver"])

    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    with TestClient(asyncio.run(application())) as client:
        refused = client.post("/en/gradio_api/call/start_run", json={"data": []}, headers={"origin": origin})
        assert refused.status_code == 403
        assert client.get("/en/config", headers={"origin": "http://testserver"}).status_code == 200
