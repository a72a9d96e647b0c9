"""A declared parameter model (`engine.fields.Params`) as form fields, and the fields' values back as settings.

The only file that knows which widget suits which type. It validates nothing: the values go to the engine as they are,
and what the engine finds wrong comes back to the fields by name (`problems`).
"""

import types
import typing
from collections.abc import Callable

import gradio as gr
from pydantic.fields import FieldInfo

from engine.errors import InvalidFields
from engine.fields import Params, help_text, label
from engine.words import Words
from ui.text import Text

# Up to this many choices are shown at once; more go into a list that opens.
_RADIO_CHOICES = 3
# The `names` of which several may be chosen; of others one is.
_SEVERAL = "modules"


class Form:
    """The fields of one `Params` model. `basic()` and `advanced()` lay them out where they are called.

    `components` holds what has been laid out so far and `names` its parameters, in the same order: give the first as
    inputs of an event and the values it receives to `settings`.
    """

    def __init__(self, schema: type[Params], t: Text, prefix: str):
        self.schema, self.t, self.prefix = schema, t, prefix
        self.names: list[str] = []
        self.components: list[gr.components.Component] = []

    def component(self, name: str) -> gr.components.Component:
        return self.components[self.names.index(name)]

    def basic(self) -> None:
        self._lay_out(advanced=False)

    def advanced(self) -> None:
        self._lay_out(advanced=True)

    def named(self, kind: str) -> list[gr.components.Component]:
        """The fields whose `names`, of this kind, are only known later: `offer` or `offer_one` gives them."""
        extras = [self.schema.model_fields[name].json_schema_extra for name in self.names]
        return [
            component for component, extra in zip(self.components, extras, strict=True) if extra.get("names") == kind
        ]

    def settings(self, values: typing.Sequence[object]) -> dict[str, object]:
        """`{parameter: value}` for what the fields hold; an empty field means that the engine decides."""
        return {
            name: _plain(value, self.schema.model_fields[name]) for name, value in zip(self.names, values, strict=True)
        }

    def filled(self, params: dict | None) -> list[object]:
        """A value for each component, so that the fields show `params` (as in a run's config); None leaves them alone."""
        if params is None:
            return [gr.skip()] * len(self.names)
        schema = self.schema.model_fields
        values = [params.get(name, schema[name].get_default(call_default_factory=True)) for name in self.names]
        return [
            ticked(component, value) if isinstance(component, gr.CheckboxGroup) else _shown(value)
            for component, value in zip(self.components, values, strict=True)
        ]

    def problems(self, error: InvalidFields | None) -> list[dict]:
        """An update for each component: those that `error` names say what is wrong, the others show their help."""
        wrong = {p["field"]: Words(*p["problem"]).text(self.t.lang) for p in error.details["problems"]} if error else {}
        return [
            gr.update(info=wrong.get(name, self._help(name)), elem_classes=self._classes(name, name in wrong))
            for name in self.names
        ]

    def names_any(self, error: InvalidFields, advanced: bool) -> bool:
        """Whether `error` names one of this form's basic (or advanced) fields."""
        fields = self.schema.model_fields
        named = [p["field"] for p in error.details["problems"] if p["field"] in fields]
        return any(_is_advanced(fields[name]) == advanced for name in named)

    def _lay_out(self, advanced: bool) -> None:
        chosen = [n for n, field in self.schema.model_fields.items() if _is_advanced(field) == advanced]
        if not chosen:
            return
        with gr.Row(elem_classes="td-fields"):
            for name in chosen:
                self.names.append(name)
                self.components.append(self._component(name, self.schema.model_fields[name]))

    def _help(self, name: str) -> str:
        return help_text(self.schema.model_fields[name], self.t.lang)

    def _classes(self, name: str, wrong: bool = False) -> list[str]:
        wide = self.schema.model_fields[name].json_schema_extra.get("names") == _SEVERAL
        return ["td-field", *(["td-names"] * wide), *(["td-wrong"] * wrong)]

    def _component(self, name: str, field: FieldInfo) -> gr.components.Component:
        common = {
            "label": label(field, self.t.lang),
            "info": self._help(name),
            "interactive": True,
            "elem_id": f"{self.prefix}-{name}",
            "elem_classes": self._classes(name),
            "min_width": 180,
        }
        kind, optional = _kind(field)
        default = field.get_default(call_default_factory=True)
        if typing.get_origin(kind) is typing.Literal:
            choices = self._choices(field, kind)
            widget = gr.Radio if len(choices) <= _RADIO_CHOICES else gr.Dropdown
            return widget(choices=choices, value=default, **common)
        if kind is bool:
            return gr.Checkbox(value=default, **common)
        unset = (field.json_schema_extra.get("choices") or {}).get(None)
        placeholder = (unset[self.t.lang] if unset else self.t("form.automatic")) if optional else None
        named = field.json_schema_extra.get("names")
        if named and named != _SEVERAL:
            # Any text may be sent, as to a group of names: the engine judges it.
            return gr.Dropdown(choices=self._choices(field, kind), value=default, allow_custom_value=True, **common)
        if named:
            return self._names(gr.CheckboxGroup(choices=self._choices(field, kind), value=[default], **common))
        # gr.Number shows an empty value as 0, which would be sent as such: only what has a value is one.
        if kind in (int, float) and not optional:
            # The range is the engine's to check: Gradio's own message is in English and names no way out.
            return gr.Number(value=default, step=1 if kind is int else None, **common)
        if typing.get_origin(kind) in (list, tuple):
            return gr.Textbox(value=", ".join(map(str, default or ())), placeholder=placeholder, **common)
        return gr.Textbox(value="" if default is None else str(default), placeholder=placeholder, max_lines=1, **common)

    def _names(self, group: gr.CheckboxGroup) -> gr.CheckboxGroup:
        """Names to tick, beside the shortcuts for several of them that `group` was built with."""
        # Which names there are depends on the model, so the engine judges them: Gradio's own check knows only what the
        # same session was sent, and a page outlives a restart.
        group.preprocess = lambda sent: [str(each) for each in sent] if isinstance(sent, list) else []
        shortcuts = [value for _, value in group.choices]
        group.input(
            lambda chosen: alone(chosen, shortcuts),
            group,
            group,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )
        return group

    def _choices(self, field: FieldInfo, kind: object) -> list[tuple[str, object]]:
        named = (field.json_schema_extra or {}).get("choices", {})
        values = typing.get_args(kind) or named
        return [(named[value][self.t.lang] if value in named else str(value), value) for value in values]


class Forms:
    """One form for each entry of a registry (methods, objectives); that of the chosen entry is shown, at first the first.

    All are laid out once and shown or hidden, so that going back to an entry finds the values given before.
    """

    def __init__(self, specs: typing.Sequence[typing.Any], t: Text):
        self.forms = {spec.key: Form(spec.params, t, spec.key) for spec in specs}
        self.groups: list[gr.Column] = []
        self._keys: list[str] = []

    def basic(self) -> None:
        self._lay_out(Form.basic)

    def advanced(self) -> None:
        self._lay_out(Form.advanced)

    def show(self, chosen: str | None) -> list[dict]:
        """An update for each of `groups`, to show the form of the entry `chosen` and no other."""
        return [gr.update(visible=key == chosen) for key in self._keys]

    def _lay_out(self, part: Callable[[Form], None]) -> None:
        for place, (key, form) in enumerate(self.forms.items()):
            with gr.Column(visible=place == 0) as group:
                part(form)
            self.groups.append(group)
            self._keys.append(key)


def alone(chosen: list[str], shortcuts: typing.Container[str]) -> list[str]:
    """What stays ticked: a shortcut stands alone, and what was ticked last counts."""
    if chosen and chosen[-1] in shortcuts:
        return chosen[-1:]
    return [each for each in chosen if each not in shortcuts]


def ticked(group: gr.CheckboxGroup, value: str) -> list[str]:
    """What is ticked where the parameter is `value`: a shortcut, or names parted by commas."""
    shortcuts = [shortcut for _, shortcut in group.choices]
    return [value] if value in shortcuts else [name.strip() for name in value.split(",")]


def offer(group: gr.CheckboxGroup, chosen: list[str], names: typing.Sequence[str]) -> dict:
    """An update that offers `names` beside the shortcuts of `group`. What is ticked and still there stays so."""
    there = {*names, *(value for _, value in group.choices)}
    kept = [each for each in chosen if each in there] or group.value
    # Nothing is ticked anew without need: the person may have ticked more meanwhile.
    value = {} if kept == chosen else {"value": kept}
    return gr.update(choices=[*group.choices, *((name, name) for name in names)], **value)


def offer_one(field: gr.Dropdown, chosen: str, offered: typing.Sequence[tuple[str, str]]) -> dict:
    """An update that offers `(label, value)` beside the values that `field` was built with. What is chosen and still
    there stays so."""
    choices = [*field.choices, *offered]
    there = chosen in [value for _, value in choices]
    return gr.update(choices=choices, **({} if there else {"value": field.value}))


def _is_advanced(field: FieldInfo) -> bool:
    return field.json_schema_extra["advanced"]


def _kind(field: FieldInfo) -> tuple[object, bool]:
    """The field's type without `None`, and whether `None` is allowed. Of several types the first counts."""
    annotation = field.annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [m for m in typing.get_args(annotation) if m is not type(None)]
        return members[0], len(members) < len(typing.get_args(annotation))
    return annotation, False


def _shown(value: object) -> object:
    """A parameter's value as its widget holds it; the inverse of `_plain`."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else value


def _plain(value: object, field: FieldInfo) -> object:
    """A widget's value as the engine expects it: empty text and no number are None, whole floats are ints, lists are
    given as text parted by commas."""
    kind, _ = _kind(field)
    if typing.get_origin(kind) in (list, tuple) and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, str) and not value.strip():
        return "" if kind is str and field.get_default() == "" else None
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
