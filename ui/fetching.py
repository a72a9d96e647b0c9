"""Downloads, live: how far each is and what can be done with it. The page asks once a second; no page owns a download."""

import time

import gradio as gr

from engine import home
from engine.downloads import queue
from engine.errors import NotFound, TuneDeskError, from_record
from engine.models.source import hub
from engine.runs import status as states
from engine.runs import store
from engine.runs.store import Run
from engine.words import Words
from ui import chart
from ui.page import served
from ui.services import Services
from ui.text import Text

_DOWNLOAD = Words("download", "下载")
_GONE = Words("It was taken off the list.", "它已从列表中移除。")

# A download that ended well is shown this long, or till its model is deleted; one that did not stays till it is taken away.
_SHOWN_FOR = 24 * 3600


def view(t: Text, services: Services, elem_id: str, kind: str) -> gr.HTML:
    """The list of downloads of one kind ("model" or "dataset"). Fires `arrived` when one has ended well, and `use` with
    `{"job"}` when the person wants what it brought."""

    def follow(asked: dict) -> list[dict]:
        return [_told(t, run) for run in queue.downloads() if _shown(run, kind)]

    def act(asked: dict) -> str:
        """Do what a button says; the answer is what went wrong, or nothing."""
        try:
            run = found(asked.get("job"))
            what = asked.get("what")
            if what == "cancel":
                services.jobs.stop(run, now=True)
            elif what == "resume":
                services.jobs.resume(run)
            elif what == "remove":
                run.delete()
        except TuneDeskError as error:
            return error.text(t.lang)
        return ""

    return gr.HTML(
        {"words": t.group("fetch")},
        html_template='<div class="td-downloads" aria-live="polite"></div>',
        js_on_load="TuneDesk.downloads(element, props, server, trigger); // 'arrived' 'use'",
        server_functions=[served(follow), served(act)],
        elem_id=elem_id,
        apply_default_css=False,
    )


def found(id: object) -> Run:
    """The download with that id.

    Raises:
        NotFound: there is none.
    """
    run = store.here(id) if isinstance(id, str) else None
    if run is None or run.kind != queue.KIND:
        raise NotFound(kind=_DOWNLOAD, name=str(id), hint=_GONE)
    return run


def _shown(run: Run, kind: str) -> bool:
    source, status = queue.source_of(run), run.status()
    if source.kind != kind or status["state"] != "finished":
        return source.kind == kind
    here = kind == "dataset" or queue.place(source).is_dir()
    return here and time.time() - (status["ended"] or 0) <= _SHOWN_FOR


def _told(t: Text, run: Run) -> dict:
    source, status, progress = queue.source_of(run), run.status(), queue.progress(run)
    state, phase = status["state"], status["phase"]
    going = state == states.QUEUED or state in states.ACTIVE
    message, kind = _message(t, run, status)
    actions = ["cancel"] if going else ["use", "remove"] if state == "finished" else ["resume", "remove"]
    return {
        "job": run.id,
        "name": source.folder,
        "hub": t.of(hub(source.hub).label) if source.endpoint is None else source.host,
        "state": state,
        "pill": t(f"fetch.state_{phase if phase in ('waiting', 'listing', 'saving') and going else state}"),
        "going": going,
        "share": 1 if state == "finished" else progress.done / progress.total if progress.total else 0,
        "line": _line(t, status, progress, going),
        "message": message,
        "kind": kind,
        "files": [
            {"name": name, "line": f"{home.size_text(done)} / {home.size_text(size)}", "share": done / max(1, size)}
            for name, done, size in progress.files
        ],
        "count": t("fetch.file") if len(progress.files) == 1 else t("fetch.files", n=len(progress.files)),
        "actions": [{"what": what, "text": t(f"fetch.{what}")} for what in actions],
    }


def _line(t: Text, status: dict, progress: queue.Progress, going: bool) -> str:
    if progress.total is None:
        return ""
    done, total = home.size_text(progress.done), home.size_text(progress.total)
    if status["state"] == "finished":
        return total
    if not going or not status.get("bytes_per_second"):
        return t("fetch.amount", done=done, total=total)
    rate, left = home.size_text(status["bytes_per_second"]), chart.clock(status.get("eta_s"))
    return t("fetch.rate", done=done, total=total, rate=rate, left=left)


def _message(t: Text, run: Run, status: dict) -> tuple[str, str]:
    """One sentence below, and its kind: what went wrong, or is being tried again."""
    if status["error"]:
        return from_record(status["error"]).text(t.lang), "bad"
    if status["state"] in states.ACTIVE:
        last = run.log.notable()[-1:]
        if last and last[0]["type"] == "warning":
            return last[0][t.lang], "info"
    return (t("fetch.kept"), "info") if status["state"] in ("stopped", "interrupted") else ("", "")
