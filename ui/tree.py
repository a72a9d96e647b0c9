"""One language of a page as an application of its own, built when it is first asked for: most people only ever see one."""

import asyncio
from collections.abc import Callable

import gradio as gr
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from ui import theme
from ui.text import Text


class Tree:
    """Answers at `/lang`; `build` makes its blocks. `uploads`: the largest file that it takes, in Gradio's notation."""

    def __init__(self, lang: str, build: Callable[[], gr.Blocks], uploads: str | int):
        self.path = f"/{lang}"
        self._lang, self._build, self._uploads = lang, build, uploads
        self._life: asyncio.Task | None = None
        self._over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._life is None:
            self._answering = asyncio.get_running_loop().create_future()
            self._life = asyncio.create_task(self._live())
        answer = await asyncio.shield(self._answering)
        # Within, the page is mounted at its whole path once more: Gradio makes its own addresses from that.
        await answer({**scope, "root_path": scope["root_path"].removesuffix(self.path)}, receive, send)

    async def close(self) -> None:
        """End what runs within."""
        self._over.set()
        if self._life is not None:
            await self._life

    async def _live(self) -> None:
        # One task from the beginning to the end: what is entered within a task must be left within it.
        try:
            app = await self.mounted()
        except Exception as error:
            # Whoever asks is told; the rest of the application ends as ever.
            self._answering.set_exception(error)
            return
        async with app.router.lifespan_context(app):
            self._answering.set_result(app)
            await self._over.wait()

    async def mounted(self) -> FastAPI:
        """What answers, made anew. Gradio wants a running event loop for it."""
        return gr.mount_gradio_app(
            FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
            _quiet(self._build()),
            self.path,
            theme=theme.theme(),
            head=theme.head(Text(self._lang)),
            footer_links=[],
            run_history=False,
            show_error=False,
            max_file_size=self._uploads,
            ssr_mode=False,
        )


def _quiet(blocks: gr.Blocks) -> gr.Blocks:
    """`blocks`, whose hidden progress is told to nobody. Gradio's page tells every change of an event's status to all that
    any event so far has put something into, and looks for each of them among all components: seconds for one click."""
    for event in blocks.fns.values():
        if event.show_progress == "hidden" and event.show_progress_on is None:
            event.show_progress_on = []
    return blocks
