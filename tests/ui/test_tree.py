"""A language is built when it is first asked for, once, and lives until the application ends."""

import asyncio
from contextlib import asynccontextmanager

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ui.tree import Tree


def application(built: list[str]) -> FastAPI:
    def build(lang: str) -> gr.Blocks:
        built.append(lang)
        with gr.Blocks(title=f"in {lang}", analytics_enabled=False) as blocks:
            gr.Markdown(lang)
        return blocks

    trees = [Tree(lang, lambda lang=lang: build(lang), uploads=0) for lang in ("zh", "en")]

    @asynccontextmanager
    async def life(app: FastAPI):
        yield
        for tree in trees:
            await tree.close()

    app = FastAPI(lifespan=life)
    for tree in trees:
        app.mount(tree.path, tree)
    return app


def test_only_what_is_asked_for_is_built():
    built = []
    with TestClient(application(built)) as client:
        assert built == []
        assert "in en" in client.get("/en/").text
        assert client.get("/en/config").json()["title"] == "in en"
        assert built == ["en"]


def test_a_page_that_cannot_be_built_lets_the_rest_end():
    ended = []

    def build() -> gr.Blocks:
        raise ValueError("no page")

    tree = Tree("en", build, uploads=0)

    @asynccontextmanager
    async def life(app: FastAPI):
        yield
        await tree.close()
        ended.append(True)

    app = FastAPI(lifespan=life)
    app.mount(tree.path, tree)
    with TestClient(app) as client, pytest.raises(ValueError, match="no page"):
        client.get("/en/")
    assert ended == [True]


def test_many_who_ask_at_once_are_answered_by_one():
    built = []

    async def ask() -> list[int]:
        app = application(built)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client,
        ):
            answers = await asyncio.gather(*(client.get("/zh/config") for _ in range(5)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200] * 5
    assert built == ["zh"]


def test_progress_that_is_hidden_is_told_to_nobody():
    def build() -> gr.Blocks:
        with gr.Blocks(analytics_enabled=False) as blocks:
            line = gr.Textbox()
            line.change(str, line, line, show_progress="hidden")
            line.submit(str, line, line)
            line.blur(str, line, line, show_progress="hidden", show_progress_on=line)
        return blocks

    async def told() -> list:
        mounted = await Tree("en", build, uploads=0).mounted()
        (page,) = (route.app for route in mounted.routes if hasattr(route, "app"))
        return [each["show_progress_on"] for each in page.get_blocks().config["dependencies"]]

    hidden, shown, where = asyncio.run(told())
    assert (hidden, shown, len(where)) == ([], None, 1)
