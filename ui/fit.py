"""Whether a run will fit this machine, said before it starts: memory, time, and what would help."""

import gradio as gr

from engine import home
from engine.runs import store
from engine.runs.status import ENDED
from engine.training import calibration, objectives
from engine.training.config import RunConfig
from engine.training.estimate import Estimate, estimate
from ui.chart import duration
from ui.drawn import drawn
from ui.text import Text

# The colour of each verdict.
KIND = {"fits": "good", "tight": "warn", "no": "bad"}


def view(elem_id: str) -> gr.HTML:
    """The estimate. Its value is what `shown` makes; an empty one shows nothing."""
    return drawn(elem_id, "fit")


def shown(t: Text, config: RunConfig) -> dict:
    """The value for the run that `config` describes. An empty one as long as this machine was never measured and works on
    a run: measured beside it, the machine would seem slow, and the run would be. Ask again when that has ended.

    Raises:
        NotAModel, NotFound, WorkError: as `estimate` says.
    """
    if calibration.known() is None and any(run.status()["state"] not in ENDED for run in store.runs()):
        return {}
    found = estimate(config)
    return {
        "title": t("fit.title"),
        "verdict": t(f"fit.{found.verdict}"),
        "kind": f"is-{KIND[found.verdict]}",
        "facts": _facts(t, found, timed=not objectives.get(config.objective).tries),
        "parts": [
            {"name": t(f"fit.{name}"), "size": home.size_text(size), "share": round(100 * size / found.memory, 1)}
            for name, size in found.parts.items()
        ],
        "advice_title": t("fit.advice") if found.advice else "",
        "advice": [t.of(words) for words in found.advice],
    }


def _facts(t: Text, found: Estimate, timed: bool) -> list[dict]:
    """`timed`: the time follows from the rows; it does not where the model answers as it learns, for as long as it likes."""
    steps = t("fit.steps", steps=f"{found.steps:,}")

    def fact(name: str, value: str, note: str) -> dict:
        return {"label": t(f"fit.{name}"), "value": value, "note": note}

    return [
        fact("memory", home.size_text(found.memory), t("fit.free", free=home.size_text(found.available))),
        fact("time", f"≈ {duration(t, found.seconds)}", steps)
        if timed
        else fact("time", "–", t("fit.untimed", steps=steps)),
    ]
