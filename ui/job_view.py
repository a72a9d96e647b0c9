"""A job that is not a training run, live: what it does, how far it is, and how it ended. It can be cancelled there."""

import gradio as gr

from engine.errors import NotFound, from_record
from engine.runs import status as states
from engine.runs import store
from ui.page import served
from ui.services import Services
from ui.text import Text


def view(t: Text, services: Services, elem_id: str) -> gr.HTML:
    """The live view. Its value is what `shown` makes; it fires `state` with `{"job", "state"}` when the state changes."""

    def follow(asked: dict) -> dict:
        return news(t, services, asked.get("job"))

    def cancel(asked: dict) -> None:
        """End it at once: what an evaluation has answered is kept, of an export nothing is left."""
        job = _found(asked.get("job"))
        if job is not None:
            services.jobs.stop(job, now=True)

    return gr.HTML(
        {"job": None},
        html_template="${TuneDesk.draw.job(value)}",
        js_on_load="TuneDesk.job(element, props, server, trigger); // 'state'",
        server_functions=[served(follow), served(cancel)],
        elem_id=elem_id,
        elem_classes="td-job-block",
        apply_default_css=False,
    )


def shown(t: Text, services: Services, job: store.Run | None) -> dict:
    """The value of a `view` of a job; None: nothing."""
    return news(t, services, job.id if job else None)


def news(t: Text, services: Services, id: object) -> dict:
    """What a view must show of the job with that id now."""
    job = _found(id)
    if job is None:
        return {"job": None}
    status = job.status()
    state = status["state"]
    if state == states.QUEUED:
        place = services.jobs.position(job) or 1
        said, kind = t("job.queued", ahead=place - 1) if place > 1 else t("job.soon"), ""
    elif state in states.ACTIVE:
        said, kind = t(f"job.{status['phase'] or 'loading'}"), ""
    elif status["error"]:
        said, kind = from_record(status["error"]).text(t.lang), "is-bad"
    elif state in ("stopped", "interrupted"):
        said, kind = t("job.cancelled"), ""
    else:
        said, kind = "", ""
    going = state == states.QUEUED or state in states.ACTIVE
    known = state in states.ACTIVE and status["max_steps"]
    return {
        "job": job.id,
        "state": state,
        "going": going,
        "said": " ".join(filter(None, (said, _spent(t, status)))),
        "kind": kind,
        "percent": round(100 * status["step"] / status["max_steps"], 1) if known else None,
        "cancel": t("job.cancel") if going else "",
    }


def _spent(t: Text, status: dict) -> str:
    """What a judge on the network has taken so far; its result says it once the job is over."""
    tokens = status["prompt_tokens"] + status["completion_tokens"]
    if not tokens or status["result"]:
        return ""
    return t("job.spent", tokens=f"{tokens:,}") + (
        t("job.cost", cost=f"{status['cost']:.4f}") if status["cost"] else ""
    )


def _found(id: object) -> store.Run | None:
    try:
        return store.here(id) if isinstance(id, str) else None
    except NotFound:
        return None
