"""The cards of the train step: what to learn from, how, and how thoroughly. What does not go together says why."""

from engine.training import config
from engine.training import methods as registry
from engine.training import presets as levels
from engine.training.method import MethodSpec
from engine.training.objectives import OBJECTIVES
from engine.training.objectives import get as get_objective
from engine.words import Words
from ui import cards
from ui.text import Text


def presets(t: Text) -> dict:
    offered = [cards.Card(preset.key, t.of(preset.label), t.of(preset.summary)) for preset in levels.PRESETS]
    return cards.choice(t("train.preset"), offered, levels.DEFAULT.key, name="preset")


def objectives(t: Text, selected: str) -> dict:
    offered = [
        cards.Card(spec.key, t.of(spec.label), t("train.needs", summary=t.of(spec.summary), data=t.of(spec.needs)))
        for spec in OBJECTIVES
    ]
    return cards.choice(
        t("train.objective"),
        offered,
        selected,
        name="objective",
        first=2,
        more=t("train.all_objectives", n=len(offered)),
        learn=t("train.learn"),
    )


def methods(t: Text, selected: str | None, objective: str | None) -> dict:
    """The methods; those that do not go with the objective say why, and another is chosen then."""
    goal = get_objective(objective or "")
    refused = {spec.key: config.refusal(spec, goal) for spec in registry.METHODS}
    offered = [_method(t, spec, refused[spec.key]) for spec in registry.METHODS]
    fit = [key for key, reason in refused.items() if reason is None]
    chosen = selected if selected in fit else next(iter(fit), None)
    return cards.choice(
        t("train.method"),
        offered,
        chosen,
        name="method",
        first=4,
        more=t("train.all_methods", n=len(offered)),
        learn=t("train.learn"),
    )


def _method(t: Text, spec: MethodSpec, refused: Words | None) -> cards.Card:
    if refused:
        return cards.Card(spec.key, t.of(spec.label), t.of(refused), t("train.not_for"), disabled=True)
    return cards.Card(spec.key, t.of(spec.label), t.of(spec.summary))
