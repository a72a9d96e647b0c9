"""A run, live: state, statistics, progress and the chart of its losses.

The page asks once a second what is new since its cursor (`follow`); no connection stays open and none owns the run.
Each metric that the run reports gets a chart (`engine.runs.metrics`). The drawing is in `assets/chart.js`.
"""

import gradio as gr

from engine.errors import NotFound, from_record
from engine.runs import metrics, store
from engine.runs import status as states
from engine.runs.reading import reading
from engine.training.objectives import OBJECTIVES
from ui.page import mark, served
from ui.services import Services
from ui.text import Text

# Answers tried and warnings that the view shows, and characters of each text.
_TRIED, _WARNINGS = 3, 3
_LONGEST = 300
# Objectives that earn rewards: of them the reward is told, also before the first is earned.
_REWARDED = [spec.key for spec in OBJECTIVES if metrics.aim(spec.metrics) == "reward"]

_SKELETON = """
<section class="td-run">
  <header><h3 data-part="title"></h3><span class="td-pill" data-part="state"></span></header>
  <div class="td-progress" data-part="progress" hidden><i data-part="bar"></i></div>
  <p class="td-message" data-part="message" role="status" hidden></p>
  <div class="td-stats" data-part="stats"></div>
  <nav class="td-metrics" data-part="metrics" hidden></nav>
  <p class="td-empty" data-part="empty"></p>
  <div class="td-plot" data-part="chart" hidden></div>
  <p class="td-reading" data-part="reading" hidden></p>
  <div class="td-told" data-part="told"></div>
</section>
"""


def run_view(t: Text, services: Services, elem_id: str) -> gr.HTML:
    """The live view. Its value is what `shown` makes; it fires `state` when the run's state changes."""

    def follow(asked: dict) -> dict | None:
        return unknown(t, services, asked)

    return gr.HTML(
        shown(t, None),
        html_template=_SKELETON,
        js_on_load="TuneDesk.run(element, props, server, trigger, watch); // 'state'",
        server_functions=[served(follow)],
        elem_id=elem_id,
        apply_default_css=False,
    )


def shown(t: Text, run: str | None) -> dict:
    """The value of a `run_view` that shows the run with that id."""
    return {"run": run, "words": t.group("chart")}


def unknown(t: Text, services: Services, asked: dict) -> dict | None:
    """The `news` that a page lacks which has those with the mark `asked["mark"]`; None when it has all of them. Texts of
    warnings and answers are long: they come again only when they changed."""
    answer = news(t, services, asked.get("run"), str(asked.get("cursor", "")))
    known, told = str(asked.get("mark", "")), mark(answer["told"])
    marked = told + mark(answer)
    if known == marked:
        return None
    if known.startswith(told):
        del answer["told"]
    return answer | {"mark": marked}


def news(t: Text, services: Services, id: str | None, cursor: str) -> dict:
    """What a view must show of a run: everything that is small, and the points since `cursor`."""
    try:
        run = store.here(id) if id else None
    except NotFound:
        run = None
    if run is None:
        return {
            "state": None,
            "title": t("chart.no_run"),
            "state_text": "",
            "busy": False,
            "progress": 0,
            "message": "",
            "message_kind": "",
            "empty": t("chart.empty_start"),
            "reading": "",
            "told": {},
            "stats": [],
            "metrics": [],
            "news": {"cursor": "", "reset": True, "steps": {"step": []}, "evals": {"step": []}},
        }
    status = run.status()
    message, kind = _message(t, services, run, status)
    busy = status["state"] in states.ACTIVE
    points = run.series(cursor)
    return {
        "state": status["state"],
        "title": run.card["name"] or run.id,
        "state_text": t(f"state.{status['state']}"),
        "busy": busy,
        "progress": _progress(status) if busy else 1,
        "message": message,
        "message_kind": kind,
        "empty": t("chart.empty_waiting" if busy or status["state"] == states.QUEUED else "chart.empty_ended"),
        "reading": t.of(reading(run)) if status["step"] else "",
        "told": _told(t, run),
        "stats": _stats(t, run, status),
        "metrics": [[name, metrics.label(name, t.lang)] for name in metrics.ordered([*points["steps"]])],
        "news": points,
    }


def runs_ahead(services: Services, run: store.Run) -> int:
    """How many runs go or wait before `run`."""
    going = sum(each.status()["state"] in states.ACTIVE for each in store.runs() if each != run)
    return going + (services.jobs.position(run) or 1) - 1


def waiting(t: Text, services: Services, run: store.Run) -> str:
    """Where a run stands in the queue."""
    ahead = runs_ahead(services, run)
    return t("run.queued_behind", ahead=ahead) if ahead else t("run.queued")


def duration(t: Text, seconds: float | None) -> str:
    """Seconds as a person says them: "45 s", "2 min 10 s", "3 h 5 min"."""
    if seconds is None:
        return "–"
    seconds = round(seconds)
    if seconds < 60:
        return t("time.seconds", s=seconds)
    if seconds < 3600:
        return t("time.minutes", m=seconds // 60, s=seconds % 60)
    return t("time.hours", h=seconds // 3600, m=seconds % 3600 // 60)


def clock(seconds: float | None) -> str:
    """Seconds as a clock shows them: "0:45", "4:33", "1:02:03"."""
    if seconds is None:
        return "–"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def number(value: float | None) -> str:
    """A loss or rate with the digits that matter."""
    if value is None:
        return "–"
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 else f"{value:.3g}"


def _progress(status: dict) -> float:
    return min(1.0, status["step"] / status["max_steps"]) if status["max_steps"] else 0.0


def _stats(t: Text, run: store.Run, status: dict) -> list[dict]:
    running = status["state"] in states.ACTIVE
    best, speed, last = status["best"], status.get("tokens_per_second"), status["max_steps"]
    if running:
        time_fact = (
            t("chart.time_left"),
            clock(status.get("eta_s")),
            t(f"phase.{status['phase']}") if status["phase"] else "",
        )
    else:
        time_fact = (t("chart.time_taken"), clock(status["seconds"] or None), "")
    aims = (
        (t("chart.loss"), number(status["loss"]), ""),
        (
            t("chart.validation_short"),
            number(status["eval_loss"]),
            t("chart.best", loss=number(best["eval_loss"])) if best else "",
        ),
    )
    if run.config.get("objective") in _REWARDED:
        aims = ((t("chart.reward"), number(status["reward"]), ""), (t("chart.kl"), number(status["kl"]), ""))
    facts = [
        (t("chart.step"), f"{status['step']:,}" if last else "–", t("chart.of", last=f"{last:,}") if last else ""),
        *aims,
        (t("chart.speed"), f"{speed:,.0f}" if speed else "–", t("chart.speed_unit") if speed else ""),
        time_fact,
    ]
    return [{"label": label, "value": value, "note": note} for label, value, note in facts]


def _told(t: Text, run: store.Run) -> dict:
    """What the run warned of, and the newest answers that it tried and how they were rewarded."""
    events = run.log.notable()
    tried = [event for event in events if event["type"] == "sample"][-_TRIED:]
    return {
        "warnings": list(dict.fromkeys(event[t.lang] for event in events if event["type"] == "warning"))[-_WARNINGS:],
        "title": t("chart.tried") if tried else "",
        "tried": [
            {
                "question": short(event["question"], _LONGEST),
                "answer": short(event["answer"], _LONGEST),
                "note": t("chart.rewarded", step=event["step"], reward=number(event["reward"])),
            }
            for event in reversed(tried)
        ],
    }


def _message(t: Text, services: Services, run: store.Run, status: dict) -> tuple[str, str]:
    """One sentence on where the run is, and its kind: "info", "good" or "bad"."""
    state = status["state"]
    if status["error"]:
        return from_record(status["error"]).text(t.lang), "bad"
    if state == states.QUEUED:
        return waiting(t, services, run), "info"
    if state == "interrupted":
        return t("run.interrupted"), "bad"
    if state == "stopped":
        return (t("run.stopped", step=status["step"]) if status["step"] else t("run.cancelled")), "info"
    if state == "finished":
        return t("run.finished", time=duration(t, status["seconds"])), "good"
    if state == "stopping":
        return t("run.stopping"), "info"
    if status["phase"] == "waiting":
        return t("run.no_room"), "bad"
    if state == "starting" or not status["step"]:
        known = status["phase"] in ("loading", "tokenising", "measuring")
        return t(f"run.phase_{status['phase']}") if known else t("run.starting"), "info"
    return "", ""
