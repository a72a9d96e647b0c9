"""A section on a run: does it answer better than before? Held-out rows measured on both sides, and what it forgot."""

import time
from pathlib import Path

import gradio as gr

from engine.compare import evaluate, tasks
from engine.data import datasets
from engine.errors import Unsupported
from engine.runs import store
from engine.words import Words
from ui import job_view
from ui.drawn import drawn
from ui.page import Page
from ui.text import Text
from ui.training_runs import found

MEASURES = ("loss", "perplexity", "bleu4", "rouge1", "rouge2", "rougeL", "exact_match", "length")
_EXAMPLES = 10
_FORMATS = ("qa", "alpaca", "messages")
_BAD_COUNT = Words(
    "'{given}' is not a number of rows; give 1 or more, or 0 for all.",
    "“{given}”不是有效的行数，请填 1 以上，或填 0 表示全部。",
)


def build(page: Page) -> None:
    t, services = page.t, page.services
    result = drawn("evaluation", "evaluation")
    progress = job_view.view(t, services, "evaluation-job")
    with gr.Row(elem_classes="td-halves"):
        data = gr.Dropdown(label=t("evaluation.data"), elem_id="evaluation-data", interactive=True)
        count = gr.Number(
            evaluate.ROWS,
            label=t("evaluation.rows"),
            info=t("evaluation.rows_help"),
            step=1,
            elem_id="evaluation-rows",
            elem_classes="td-field",
        )
    with gr.Row(elem_classes="td-actions"):
        start = gr.Button(t("evaluation.start"), variant="primary", elem_id="evaluation-start")

    def show(chosen: dict) -> list:
        run = found(chosen["run"])
        if run is None:
            return [{}, {"job": None}, gr.skip(), gr.skip()]
        others = [each for each in datasets.data_sets() if each.format in _FORMATS and each.path != own(run)]
        listed = [(t("evaluation.own", name=own(run).name), ""), *((each.name, str(each.path)) for each in others)]
        ready = run.has_model()
        return [
            shown(t, run),
            job_view.shown(t, services, tasks.unfinished(run, tasks.EVALUATE)),
            gr.update(choices=listed, value=""),
            gr.update(interactive=ready, value=t("evaluation.again" if evaluate.last(run) else "evaluation.start")),
        ]

    def begin(chosen: dict, other: str, given: object) -> dict:
        if not isinstance(given, int | float) or given < 0 or given != int(given):
            raise Unsupported(reason=_BAD_COUNT.filled(given="" if given is None else given))
        job = tasks.evaluation(store.here(chosen["run"]), Path(other) if other else None, int(given) or None)
        services.jobs.submit(job)
        return job_view.shown(t, services, job)

    def ended(chosen: dict, other: str) -> list:
        """The state of the job has changed: what it found is shown."""
        run = found(chosen["run"])
        if run is None:
            return [gr.skip(), gr.skip()]
        label = t("evaluation.again" if evaluate.last(run) else "evaluation.start")
        return [shown(t, run, other or None), gr.update(value=label)]

    page.render("runs", show, [result, progress, data, start])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    start.click(page.guarded(begin), [page.chosen, data, count], progress, **private)
    progress.state(page.guarded(ended), [page.chosen, data], [result, start], queue=False, **private)
    data.input(page.guarded(ended), [page.chosen, data], [result, start], **private)


def own(run: store.Run) -> Path:
    return Path(run.config["data"])


def shown(t: Text, run: store.Run, data: str | None = None) -> dict:
    """What was measured on the run's own data, or on the data set in the folder `data`."""
    wanted = data or str(own(run))
    result = next((each for each in evaluate.results(run) if each["data"] == wanted), None)
    if result is None:
        return {"empty": t("evaluation.none" if run.has_model() else "evaluation.no_model")}
    return measured(t, result)


def measured(t: Text, result: dict) -> dict:
    """The value that draws a result of `engine.compare.evaluate`."""
    value = {
        "words": {
            name: t(f"evaluation.{name}") for name in ("measure", "before", "after", "change", "answers", "forgot")
        }
        | {"question": t("compare.question"), "reference": t("compare.reference_short")},
        "verdict": result["verdict"],
        "sentence": t.of(Words(*result["sentence"])),
        "rows": rows(t, result),
        "note": t(f"evaluation.units_{result['units']}") + " " + _when(t, result),
        "examples": _examples(result),
    }
    if "general" in result:
        general = result["general"]
        value["general"] = {
            "warning": general["forgot"]["warning"],
            "sentence": t.of(Words(*general["forgot"]["sentence"])),
            "rows": rows(t, general),
        }
    return value


def rows(t: Text, result: dict, sides: tuple[str, str] = ("base", "tuned")) -> list[dict]:
    """One line a measure: both sides, the change with its interval, and where the interval lies beside zero."""
    found = []
    for name in MEASURES:
        values = [result[side][name] for side in sides]
        if None in values:
            continue
        row = {"name": t(f"evaluation.{name}"), "before": _number(values[0]), "after": _number(values[1])}
        change = result["difference"].get(name)
        if change:
            better = (change["value"] > 0) == (name not in ("loss", "perplexity"))
            interval = t("evaluation.interval", low=_signed(change["low"]), high=_signed(change["high"]))
            reach = max(abs(change["low"]), abs(change["high"])) or 1.0
            row |= {
                "change": _signed(change["value"]),
                "interval": interval,
                "kind": ("is-good" if better else "is-bad") if change["real"] else "",
                "from": round(50 + 50 * change["low"] / reach, 1),
                "to": round(50 + 50 * change["high"] / reach, 1),
            }
        found.append(row)
    return found


def _examples(result: dict) -> list[dict]:
    """Ten rows spread evenly over all, so that they are not the best ten."""
    every = result["examples"]
    count = min(_EXAMPLES, len(every))
    return [
        {
            "question": row["question"],
            "reference": row["reference"],
            **{
                side: {"text": row[side]["text"], "score": f"ROUGE-L {row[side]['rougeL']:.0f}"}
                for side in ("base", "tuned")
            },
        }
        for row in (every[i * len(every) // count] for i in range(count))
    ]


def _when(t: Text, result: dict) -> str:
    return t("evaluation.when", time=time.strftime("%Y-%m-%d %H:%M", time.localtime(result["time"])))


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _signed(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:+.3g}" if abs(value) < 1000 else f"{value:+,.0f}"
