"""The row of steps at the top of every page: where the person is, what each step has, and the way to any of them."""

import gradio as gr

from engine.runs import status as states
from ui import chart
from ui.model_tab import chosen_model, model_name
from ui.page import STEPS, choices, served
from ui.services import Services
from ui.sets import chosen_data
from ui.text import Text
from ui.training_runs import current_run

# Places beside the journey, which have no number.
_MARKS = {"runs": "≡", "learn": "?"}


def steps(t: Text, services: Services) -> gr.HTML:
    """The row. Its value is what `shown` makes; it fires `go` with `{"step": key}`."""

    def pulse(chosen: dict) -> dict:
        """The row as it is now: a run that goes on changes it."""
        return shown(t, chosen)

    return gr.HTML(
        {},
        html_template="${TuneDesk.draw.steps(value)}",
        js_on_load="TuneDesk.steps(element, props, trigger, server); // 'go'",
        server_functions=[served(pulse)],
        elem_id="steps",
        apply_default_css=False,
    )


def shown(t: Text, chosen: object) -> dict:
    """The value for what a page has chosen."""
    chosen = choices(chosen)
    model, data, run = chosen_model(chosen["model"]), chosen_data(chosen["data"]), current_run(chosen["run"])
    ready = run is not None and run.has_model()
    notes = {
        "model": model_name(t, model),
        "data": data.name if data else t("steps.data_none"),
        "train": _training(t, chosen["run"]),
        "compare": t("steps.compare_ready") if ready else t("steps.compare_none"),
        "runs": t("steps.all_runs"),
        "learn": t("steps.all_lessons"),
    }
    done = {"model": True, "data": data is not None, "train": ready, "compare": False, "runs": False, "learn": False}
    return {
        "label": t("steps.label"),
        "chosen": chosen,
        "steps": [
            {
                "key": key,
                "title": t(f"steps.{key}"),
                "mark": _MARKS.get(key) or ("✓" if done[key] and key != chosen["step"] else str(number)),
                "note": notes[key],
                "current": key == chosen["step"],
                "done": done[key],
                "live": key == "train",
            }
            for number, key in enumerate(STEPS, start=1)
        ],
    }


def _training(t: Text, id: str | None) -> str:
    run = current_run(id)
    if run is None:
        return t("steps.train_none")
    status = run.status()
    if status["state"] in states.ACTIVE and status["max_steps"]:
        percent, left = round(100 * status["step"] / status["max_steps"]), status.get("eta_s")
        return t("steps.train_running", percent=percent, left=chart.clock(left)) if left is not None else f"{percent}%"
    return t(f"state.{status['state']}")
