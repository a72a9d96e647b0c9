"""Section of an opened run: what happened to it, in words, and the end of what its process printed; both live."""

import html
import time

import gradio as gr

from engine.errors import NotFound, from_record
from engine.runs import store
from ui.chart import number, short
from ui.page import Page, served
from ui.text import Text
from ui.training_runs import found

_NEWEST = 200
# Characters of a question or an answer that an event shows.
_SAMPLE = 300

_SKELETON = """
<div class="td-log">
  <ol class="td-events" data-part="events"></ol>
  <h4 data-part="heading"></h4>
  <pre data-part="tail" tabindex="0"></pre>
</div>
"""


def build(page: Page) -> None:
    t = page.t

    def follow(asked: dict) -> dict | None:
        """The events after number `seq`, and the log when it has grown beyond `size`; None when nothing is new."""
        try:
            run = store.here(str(asked.get("run")))
        except NotFound:
            return None
        after, size = (each if isinstance(each, int) else 0 for each in (asked.get("seq"), asked.get("size")))
        log = run.path / "worker.log"
        now = log.stat().st_size if log.is_file() else 0
        fresh = run.log.notable(after)
        if not fresh and now == size:
            return None
        return {
            "seq": fresh[-1]["seq"] if fresh else after,
            "size": now,
            "events": [each for each in map(lambda event: told(t, event), fresh[-_NEWEST:]) if each],
            "tail": run.log_tail() if now != size else None,
        }

    view = gr.HTML(
        {"run": None, "words": {}},
        html_template=_SKELETON,
        js_on_load="TuneDesk.log(element, props, server, watch)",
        server_functions=[served(follow)],
        elem_id="run-log",
        apply_default_css=False,
    )
    hint = gr.HTML("", elem_id="run-tensorboard", apply_default_css=False)

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        words = {"tail": t("runs.log_tail"), "silent": t("runs.log_empty")}
        command = f'tensorboard --logdir "{run.path / "tensorboard"}"' if run else ""
        note = f"<p>{t.html('runs.tensorboard')}</p><pre><code>{html.escape(command)}</code></pre>"
        return [{"run": run.id if run else None, "words": words}, note]

    page.render("runs", show, [view, hint])


def told(t: Text, event: dict) -> list[str] | None:
    """`[time, kind, sentence]` for an event that a person wants to know of."""
    kind = event["type"]
    if kind == "warning":
        text = event[t.lang]
    elif kind == "error":
        text = from_record(event).text(t.lang)
    elif kind == "phase" and event["phase"] in ("loading", "training", "saving"):
        text = t(f"phase.{event['phase']}")
        kind = "phase"
    elif kind == "eval":
        text = t("runs.event_eval", step=event["step"], loss=number(event["eval_loss"]))
    elif kind == "sample":
        tried = {name: short(event[name], _SAMPLE) for name in ("question", "answer")}
        text = t("runs.event_sample", step=event["step"], reward=number(event["reward"]), **tried)
    elif kind == "checkpoint":
        text = t("runs.event_checkpoint", step=event["step"])
    elif kind == "resume":
        text = t("runs.event_resume", step=event["step"])
    elif kind == "done":
        text = t("runs.event_stopped" if event.get("stopped") else "runs.event_done")
    else:
        return None
    return [time.strftime("%m-%d %H:%M:%S", time.localtime(event["time"])), kind, text]
