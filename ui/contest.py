"""Methods against each other: "train these methods on this data" queues one run a method, and ends in one table and chart."""

import time

import gradio as gr

from engine import home
from engine.compare import contest
from engine.compare.contest import Contest, Entry
from engine.errors import NotFound, Unsupported
from engine.training import methods, objectives
from engine.training.config import refusal
from engine.words import Words
from ui import chart
from ui.model_tab import chosen_model, count, model_label
from ui.page import Page, choices, served
from ui.sets import chosen_data
from ui.text import Text

_OBJECTIVE = "sft"
_USUAL = ("lora", "full")
_NO_DATA = Words(
    "There is no data set yet. Create one in the step “Data” first.", "还没有数据集，请先到“数据”步骤生成一个。"
)
# What the chart compares: (entry's number, whether more is better, how it is written).
_BARS = ("quality", "time", "memory", "size")


def build(page: Page) -> None:
    t, services = page.t, page.services

    def follow(asked: dict) -> dict:
        return _shown(t, _found(asked.get("contest")))

    with (
        gr.Column(elem_classes="td-panel"),
        gr.Accordion(t("contest.title"), open=False, elem_classes="td-section", elem_id="contest"),
    ):
        gr.HTML(f'<p class="td-sub">{t.html("contest.lead")}</p>', apply_default_css=False)
        spec = objectives.get(_OBJECTIVE)
        fit = [each for each in methods.METHODS if refusal(each, spec) is None]
        chosen = gr.CheckboxGroup(
            [(t.of(each.label), each.key) for each in fit],
            value=list(_USUAL),
            label=t("contest.methods"),
            elem_id="contest-methods",
            interactive=True,
        )
        with gr.Row(elem_classes="td-fields"):
            epochs = gr.Textbox(
                "",
                label=t("contest.epochs"),
                info=t("contest.epochs_help"),
                placeholder=t("form.automatic"),
                max_lines=1,
                elem_id="contest-epochs",
                elem_classes="td-field",
            )
            steps = gr.Textbox(
                "",
                label=t("contest.steps"),
                info=t("contest.steps_help"),
                placeholder=t("form.automatic"),
                max_lines=1,
                elem_id="contest-steps",
                elem_classes="td-field",
            )
        with gr.Row(elem_classes="td-actions"):
            start = gr.Button(t("contest.start"), variant="primary", elem_id="contest-start")
            kept = gr.Dropdown(label=t("contest.kept"), elem_id="contest-kept", interactive=True, visible=False)
        table = gr.HTML(
            {},
            html_template="${TuneDesk.draw.contest(value)}",
            js_on_load="TuneDesk.contest(element, props, server, trigger); // 'open'",
            server_functions=[served(follow)],
            elem_id="contest-table",
            apply_default_css=False,
        )

    def show(place: dict) -> list:
        newest = next(iter(contest.contests()), None)
        return [_kept(t, newest), _shown(t, newest)]

    def begin(place: dict, wanted: list[str], epoch_count: str, step_count: str) -> list:
        place = choices(place)
        data = chosen_data(place["data"])
        if data is None:
            raise Unsupported(reason=_NO_DATA)
        settings = {"num_train_epochs": (epoch_count or "").strip(), "max_steps": (step_count or "").strip()}
        given = {name: value for name, value in settings.items() if value}
        model = chosen_model(place["model"])
        made, jobs = contest.begin(
            str(model.path), str(data.path), [str(key) for key in wanted], given, _OBJECTIVE, t.lang
        )
        for job in jobs:
            services.jobs.submit(job)
        return [_kept(t, made), _shown(t, made)]

    def open_run(place: dict, event: gr.EventData) -> dict:
        return {**choices(place), "run": str(event._data.get("run")), "step": "runs"}

    page.render("train", show, [kept, table])
    private = {"api_visibility": "private", "show_progress": "hidden"}
    start.click(page.guarded(begin), [page.chosen, chosen, epochs, steps], [kept, table], **private)
    kept.input(lambda id: _shown(t, _found(id)), kept, table, **private)
    table.open(open_run, page.chosen, page.chosen, **private)


def _found(id: object) -> Contest | None:
    try:
        return contest.load(id) if isinstance(id, str) else None
    except NotFound:
        return None


def _kept(t: Text, shown: Contest | None) -> dict:
    """The contests to choose from, `shown` chosen."""
    every = contest.contests()
    listed = [(f"{_when(each)} · {model_label(t, each.model)} · {len(each.runs)}", each.id) for each in every]
    return gr.update(choices=listed, value=shown.id if shown else None, visible=bool(every))


def _when(each: Contest) -> str:
    return time.strftime("%m-%d %H:%M", time.localtime(each.created))


def _shown(t: Text, shown: Contest | None) -> dict:
    """The value of the table: a line and its bars a method, the best of each column marked."""
    if shown is None:
        return {}
    found = contest.entries(shown)
    finished = contest.over(shown)
    standing = contest.standing(found) if finished else None
    numbers = {
        "quality": [entry.scores["rougeL"] if entry.scores else None for entry in found],
        "time": [entry.seconds for entry in found],
        "memory": [entry.memory_gb for entry in found],
        "size": [entry.bytes for entry in found],
    }
    return {
        "contest": shown.id,
        "over": finished,
        "standing": t.of(standing) if standing else "",
        "words": {
            name: t(f"contest.{name}") for name in ("method", "state", "loss", "parameters", "save", "file", *_BARS)
        },
        "note": t("contest.note", rows=contest.ROWS),
        "rows": [_row(t, entry, numbers, place) for place, entry in enumerate(found)],
        "bars": [
            {"title": t(f"contest.{name}"), "hint": t(f"contest.{name}_hint"), "rows": _bars(t, found, name, values)}
            for name, values in numbers.items()
        ],
    }


def _row(t: Text, entry: Entry, numbers: dict, place: int) -> dict:
    best = {name: _best(name, values) == place for name, values in numbers.items()}
    return {
        "run": entry.run,
        "method": t.of(methods.get(entry.method).label),
        "state": entry.state,
        "state_text": t(f"state.{entry.state}"),
        "percent": round(100 * entry.progress),
        "loss": chart.number(entry.scores["loss"] if entry.scores else entry.eval_loss),
        "parameters": count(entry.trainable),
        "best": best,
        **{name: _written(name, values[place]) for name, values in numbers.items()},
        "bleu4": f"{entry.scores['bleu4']:.1f}" if entry.scores else "–",
    }


def _bars(t: Text, found: list[Entry], name: str, values: list) -> list[dict]:
    most = max((value for value in values if value), default=None)
    return [
        {
            "name": t.of(methods.get(entry.method).label),
            "width": round(100 * value / most, 1) if value and most else 0,
            "text": _written(name, value),
            "best": _best(name, values) == place,
        }
        for place, (entry, value) in enumerate(zip(found, values, strict=True))
    ]


def _best(name: str, values: list) -> int | None:
    """The place of the best value: the most quality, the least of all else. None before there are two, and for equals."""
    known = [value for value in values if value is not None]
    best = (max if name == "quality" else min)(known, default=None)
    return values.index(best) if len(known) > 1 and known.count(best) == 1 else None


def _written(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "time":
        return chart.clock(value)
    if name == "memory":
        return f"{value:.2f} GB"
    return home.size_text(value) if name == "size" else f"{value:.1f}"
