"""A declared parameter model becomes fields, and the fields' values settings again."""

import asyncio
from typing import Literal

import gradio as gr
import pytest

from engine.errors import InvalidFields
from engine.fields import Params, param, validated
from engine.training.config import TrainingParams
from engine.training.methods import METHODS
from engine.words import LANGUAGES, Words
from ui.forms import Form, Forms, alone, offer, offer_one
from ui.text import Text


class Sample(Params):
    rate: float | None = param(None, Words("Rate", "速率"), Words("How fast.", "多快。"), gt=0)
    steps: int = param(3, Words("Steps", "步数"), Words("How many.", "多少。"), ge=1)
    curve: Literal["up", "down"] = param(
        "up",
        Words("Curve", "曲线"),
        Words("Which way.", "哪个方向。"),
        advanced=True,
        choices={"up": Words("Up", "上升"), "down": Words("Down", "下降")},
    )
    names: tuple[str, ...] = param((), Words("Names", "名字"), Words("Several.", "若干。"), advanced=True)
    on: bool = param(False, Words("On", "开启"), Words("Or off.", "或关闭。"))


def laid_out(schema: type[Params], lang: str = "en") -> Form:
    # Within an event loop: without one, Gradio makes its own for each Blocks and never closes it.
    return asyncio.run(_laid_out(Form(schema, Text(lang), "sample")))


async def _laid_out(form: Form) -> Form:
    with gr.Blocks():
        form.basic()
        form.advanced()
    return form


def test_fields_suit_their_types_and_speak_the_language():
    form = laid_out(Sample, "zh")
    by_name = dict(zip(form.names, form.components, strict=True))
    kinds = {name: type(component) for name, component in by_name.items()}
    assert kinds == {"rate": gr.Textbox, "steps": gr.Number, "on": gr.Checkbox, "curve": gr.Radio, "names": gr.Textbox}
    assert by_name["curve"].choices == [("上升", "up"), ("下降", "down")]
    assert (by_name["steps"].label, by_name["steps"].info) == ("步数", "多少。")
    assert all(component.interactive for component in form.components)


def test_what_the_fields_hold_is_what_the_engine_takes():
    form = laid_out(Sample)
    given = {"rate": "", "steps": 4.0, "on": True, "curve": "down", "names": "a, b,"}
    settings = form.settings([given[name] for name in form.names])
    assert settings == {"rate": None, "steps": 4, "on": True, "curve": "down", "names": ["a", "b"]}
    assert validated(Sample, settings).names == ("a", "b")
    assert (
        validated(Sample, form.settings(["2e-4" if name == "rate" else given[name] for name in form.names])).rate
        == 2e-4
    )


def test_untouched_fields_are_the_defaults():
    for schema in (Sample, TrainingParams, *(spec.params for spec in METHODS)):
        form = laid_out(schema)
        assert validated(schema, form.settings([component.value for component in form.components])) == schema()


def test_fields_filled_from_a_run_give_its_settings_back():
    given = Sample(rate=0.5, steps=3, on=True, names=["a", "b"])
    form = laid_out(Sample)
    assert validated(Sample, form.settings(form.filled(given.model_dump(mode="json")))) == given
    assert form.settings(form.filled({"rate": 0.25})) == form.settings(form.filled({})) | {"rate": 0.25}
    assert form.filled(None) == [gr.skip()] * len(form.names)
    for schema in (TrainingParams, *(spec.params for spec in METHODS)):
        form = laid_out(schema)
        assert validated(schema, form.settings(form.filled(schema().model_dump(mode="json")))) == schema()


def test_every_error_is_said_at_its_field():
    form = laid_out(Sample)
    values = {"rate": "-1", "steps": 0.0, "on": True, "curve": "up", "names": ""}
    with pytest.raises(InvalidFields) as raised:
        validated(Sample, form.settings([values[name] for name in form.names]))
    said = dict(zip(form.names, form.problems(raised.value), strict=True))
    assert "td-wrong" in said["rate"]["elem_classes"] and "more than 0" in said["rate"]["info"]
    assert "td-wrong" in said["steps"]["elem_classes"] and "at least 1" in said["steps"]["info"]
    assert said["curve"]["info"] == "Which way."
    assert form.names_any(raised.value, advanced=False) and not form.names_any(raised.value, advanced=True)


class Named(Params):
    target: str = param(
        "all",
        Words("Target", "目标"),
        Words("Which.", "哪些。"),
        choices={"all": Words("All", "全部"), "q,v": Words("Two", "两个")},
        names="modules",
        min_length=1,
    )


def test_names_are_ticked_and_shortcuts_stand_alone():
    form = laid_out(Named, "zh")
    (group,) = form.named("modules")
    assert group.choices == [("全部", "all"), ("两个", "q,v")] and group.value == ["all"]
    assert alone(["all", "q"], ["all", "q,v"]) == ["q"]
    assert alone(["q", "v", "all"], ["all", "q,v"]) == ["all"]
    assert alone([], ["all"]) == []
    update = offer(group, ["q", "gone"], ["q", "k"])
    assert update["choices"] == [("全部", "all"), ("两个", "q,v"), ("q", "q"), ("k", "k")] and update["value"] == ["q"]
    assert offer(group, ["gone"], ["q"])["value"] == ["all"]
    assert "value" not in offer(group, ["q"], ["q", "k"])
    assert form.filled({"target": "q, k"}) == [["q", "k"]] and form.filled({"target": "q,v"}) == [["q,v"]]
    assert form.settings([["q", "k"]]) == {"target": "q,k"}
    assert group.preprocess(["new"]) == ["new"] and group.preprocess("x") == []
    with pytest.raises(InvalidFields, match="at least one"):
        validated(Named, form.settings([[]]))


class Scored(Params):
    by: str = param(
        "auto",
        Words("Reward model", "奖励模型"),
        Words("Which.", "哪个。"),
        choices={"auto": Words("The newest", "最新的")},
        names="reward_models",
    )


def test_one_of_what_is_known_later_is_chosen():
    form = laid_out(Scored, "en")
    (field,) = form.named("reward_models")
    assert form.named("modules") == [] and field.choices == [("The newest", "auto")] and field.value == "auto"
    assert offer_one(field, "/r/1", [("One", "/r/1")])["choices"] == [("The newest", "auto"), ("One", "/r/1")]
    assert "value" not in offer_one(field, "/r/1", [("One", "/r/1")])
    assert offer_one(field, "/r/gone", [("One", "/r/1")])["value"] == "auto"
    assert field.preprocess("/r/2") == "/r/2"
    assert form.settings(["/r/1"]) == {"by": "/r/1"} and form.filled({"by": "/r/1"}) == ["/r/1"]


def test_of_the_forms_of_a_registry_only_the_chosen_one_is_shown():
    async def made() -> Forms:
        forms = Forms(METHODS, Text("en"))
        with gr.Blocks():
            forms.basic()
            forms.advanced()
        return forms

    forms = asyncio.run(made())
    shown = forms.show("qlora")
    assert len(shown) == len(forms.groups) == 2 * len(METHODS)
    assert [update["visible"] for update in shown] == [spec.key == "qlora" for spec in METHODS] * 2
    assert [group.visible for group in forms.groups] == [spec is METHODS[0] for spec in METHODS] * 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_method_has_a_form(lang):
    for spec in METHODS:
        form = laid_out(spec.params, lang)
        assert set(form.names) == set(spec.params.model_fields)
