"""The models side by side: which can be chosen for a column, and what each is called."""

import time
from dataclasses import dataclass
from pathlib import Path

from engine.compare import names
from engine.compare.conversations import MOST_COLUMNS
from engine.errors import Unsupported
from engine.models import library
from engine.runs import store
from engine.training import methods
from engine.words import Words
from ui.model_tab import model_label, model_name
from ui.text import Text

_TOO_FEW = Words("Choose at least two models to put side by side.", "请至少选择两个要并排对比的模型。")


@dataclass(frozen=True)
class Column:
    """`name` as in `engine.compare.names`; `kind`: "base" or "tuned", which colours it."""

    name: str
    title: str
    note: str
    kind: str


def comparable() -> list[store.Run]:
    """The runs that have saved a model that answers, newest first."""
    return [
        run
        for run in store.runs()
        # A damaged config.json names none.
        if run.has_model() and run.config.get("objective", "reward") != "reward"
    ]


def called(t: Text, run: store.Run) -> str:
    """The name that a run was given, or else its method: an id says nothing to a person."""
    return run.card["name"] or t.of(methods.get(run.config["method"]).label)


def run_name(t: Text, run: store.Run) -> str:
    return f"{called(t, run)} · {model_label(t, run.config['model'])} · {_when(run)}"


def known_as(t: Text, run: store.Run) -> str:
    """The name that a run was given, or else what tells it from others."""
    return run.card["name"] or run_name(t, run)


def usual(run: store.Run | None) -> list[str | None]:
    """What stands in the columns unless somebody chooses: before and after."""
    chosen = [f"base:run:{run.id}", f"run:{run.id}"] if run else []
    return [*chosen, *[None] * (MOST_COLUMNS - len(chosen))]


def offered(t: Text, run: store.Run | None) -> list[tuple[str, str]]:
    """`(label, name)` of every model that can be asked: those of `run` first, then other runs, then the library."""
    found = []
    for each in sorted(comparable(), key=lambda each: each != run):
        # What it is comes first: a narrow box shows no more than the beginning.
        own = f" · {run_name(t, each)}"
        found.append((t("compare.tuned") + own, f"run:{each.id}"))
        if each == run:
            found.insert(0, (t("compare.base") + own, f"base:run:{each.id}"))
        found += [(t("compare.at_step", step=step) + own, f"run:{each.id}@{step}") for step in each.checkpoints()]
    models = [model for model in library.models() if model.source != "run"]
    return found + [(f"{t('compare.library')} · {model_name(t, model)}", f"base:{model.path}") for model in models]


def columns(t: Text, run: store.Run, chosen: list[str | None]) -> list[Column]:
    """The columns for the names that a page sent; empty ones are left out.

    Raises:
        Unsupported: fewer than two. NotFound, NotAModel: a model that is gone.
    """
    wanted = [name for name in chosen[:MOST_COLUMNS] if name]
    if len(wanted) < 2:
        raise Unsupported(reason=_TOO_FEW)
    for name in wanted:
        names.resolve(name)
    return [named(t, run, name) for name in wanted]


def named(t: Text, run: store.Run, name: str) -> Column:
    """What a model is called beside those of `run`."""
    if name == f"base:run:{run.id}":
        return Column(name, t("compare.base"), t("compare.base_note"), "base")
    if name == f"run:{run.id}":
        return Column(name, t("compare.tuned"), t("compare.tuned_note"), "tuned")
    kind, _, ref = name.partition(":")
    if kind == "base" and not ref.startswith("run:"):
        return Column(name, model_label(t, ref), t("compare.base_note"), "base")
    id, _, step = ref.removeprefix("run:").partition("@")
    if id == run.id:
        return Column(name, t("compare.at_step", step=step), t("compare.tuned_note"), "tuned")
    other = next((each for each in store.runs() if each.id == id), None)
    title = called(t, other) if other else Path(id).name
    if kind == "base":
        return Column(name, title, t("compare.base_note"), "base")
    return Column(name, title, t("compare.at_step", step=step) if step else _when(other) if other else "", "tuned")


def _when(run: store.Run) -> str:
    return time.strftime("%m-%d %H:%M", time.localtime(run.status()["created"]))
