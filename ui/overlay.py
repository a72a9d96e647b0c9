"""Several runs laid over each other: their curves in one chart, and a table of the settings in which they differ."""

import gradio as gr

from engine.runs import metrics, store
from engine.training import described
from ui.chart import number
from ui.page import served
from ui.text import Text
from ui.training_runs import found

_MOST = 8
_POINTS = 500

_SKELETON = """
<section class="td-overlay" data-part="overlay" hidden>
  <h3 data-part="title"></h3>
  <nav class="td-metrics" data-part="metrics"></nav>
  <div class="td-plot" data-part="chart"></div>
  <div class="td-table-wrap" data-part="table"></div>
</section>
"""


def overlay(t: Text) -> gr.HTML:
    """The overlay. Its value is what `shown` makes."""

    def curves(asked: dict) -> dict | None:
        """Of each run the points of one metric since its cursor; `asked`: `{"metric", "cursors": {run id: cursor}}`."""
        cursors = asked.get("cursors")
        if not isinstance(cursors, dict):
            return None
        metric = str(asked.get("metric"))
        runs = filter(None, map(found, list(cursors)[:_MOST]))
        fresh = {run.id: points(run, str(cursors[run.id]), metric) for run in runs}
        fresh = {id: points for id, points in fresh.items() if points["reset"] or points["x"]}
        return fresh or None

    return gr.HTML(
        shown(t, []),
        html_template=_SKELETON,
        js_on_load="TuneDesk.overlay(element, props, server, watch)",
        server_functions=[served(curves)],
        elem_id="runs-overlay",
        apply_default_css=False,
    )


def shown(t: Text, ids: object) -> dict:
    """The value of an `overlay` of the runs called `ids`, as a page sent them; with fewer than two it is hidden."""
    runs = list(filter(None, map(found, ids[:_MOST] if isinstance(ids, list) else [])))
    names: list[str] = []
    for run in runs:
        for name in metrics.ordered([*run.series(limit=2)["steps"]]):
            names += [name] if name not in names else []
    names = metrics.ordered([*names, "eval_loss"])
    return {
        "runs": [[run.id, run.card["name"] or run.id] for run in runs],
        "metrics": [[name, metrics.label(name, t.lang)] for name in names],
        "table": _table(t, runs),
        "words": {"title": t("runs.overlay"), "step": t("chart.step")},
    }


def points(run: store.Run, cursor: str, metric: str) -> dict:
    """`{"cursor", "reset", "x", "y"}`: the points of `metric` since `cursor`."""
    news = run.series(cursor, _POINTS)
    part = news["evals"] if metric.startswith("eval_") else news["steps"]
    values = part.get(metric, [])
    return {"cursor": news["cursor"], "reset": news["reset"], "x": part["step"] if values else [], "y": values}


def _table(t: Text, runs: list[store.Run]) -> dict:
    rows = described.differences([run.config for run in runs], t.lang)
    results = [(t("runs.last_loss"), [number(run.status()["loss"]) for run in runs])]
    best = [run.status()["best"] for run in runs]
    results.append((t("runs.best_validation"), [number(each and each["eval_loss"]) for each in best]))
    return {
        "columns": [t("runs.differs"), *(run.card["name"] or run.id for run in runs)],
        "rows": [[label, *values] for label, values in [*results, *rows]],
        "empty": "",
    }
