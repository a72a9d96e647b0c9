"""A parameter, declared once: type, range, default, label, help.

Forms, validation, the command line, the JSON schema and the documents all derive from the pydantic models built with
`param`. A validation error becomes one `InvalidFields` that names every field at once, in both languages.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from engine.errors import InvalidFields
from engine.words import Words


class Params(BaseModel):
    """Base of every parameter model: frozen, and a name it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def param(
    default: Any,
    label: Words,
    help: Words,
    *,
    advanced: bool = False,
    choices: dict[str | float | None, Words] | None = None,
    names: str | None = None,
    **constraints: Any,
) -> Any:
    """A field of a `Params` model.

    `choices` names values for people: those of a `Literal`, or one that means something else (0: off); `constraints` are pydantic's (`ge`, `le`, `gt`, ...).
    `names`: the value may also be what is only known later: names parted by commas ("modules": of the model), or one of
    the runs that made a reward model ("reward_models").
    """
    extra = {"label": label._asdict(), "help": help._asdict(), "advanced": advanced}
    if choices:
        extra["choices"] = {value: words._asdict() for value, words in choices.items()}
    if names:
        extra["names"] = names
    return Field(default, title=label.en, description=help.en, json_schema_extra=extra, **constraints)


def label(field: FieldInfo, lang: str) -> str:
    return field.json_schema_extra["label"][lang]


def help_text(field: FieldInfo, lang: str) -> str:
    return field.json_schema_extra["help"][lang]


# pydantic's error types -> what a person reads; `{…}` are pydantic's own context values plus `given`.
_RULES = {
    "greater_than_equal": Words("{given} is too small; give at least {ge}", "{given} 太小，至少为 {ge}"),
    "greater_than": Words("{given} is too small; give more than {gt}", "{given} 太小，必须大于 {gt}"),
    "less_than_equal": Words("{given} is too large; give at most {le}", "{given} 太大，至多为 {le}"),
    "less_than": Words("{given} is too large; give less than {lt}", "{given} 太大，必须小于 {lt}"),
    "literal_error": Words("'{given}' is not one of {expected}", "“{given}”不在可选值 {expected} 之中"),
    "extra_forbidden": Words("there is no such parameter; check the name", "没有这个参数，请检查名称"),
    "missing": Words("a value is needed", "需要填写"),
    "string_too_short": Words("choose at least one", "请至少选择一项"),
    "finite_number": Words("'{given}' is not a finite number", "“{given}”不是有限的数"),
    "int_from_float": Words("{given} is not a whole number", "{given} 不是整数"),
}
_NOT_A_NUMBER = Words("'{given}' is not a number of the right kind", "“{given}”不是合适的数值")
_OTHER = Words("'{given}' cannot be used ({message})", "“{given}”不可用（{message}）")


def invalid(error: ValidationError, schema: type[BaseModel]) -> InvalidFields:
    """The `InvalidFields` that says in both languages what `error` found in values given for `schema`."""
    problems = []
    for found in error.errors():
        name = str(found["loc"][-1]) if found["loc"] else schema.__name__
        field = schema.model_fields.get(str(found["loc"][0])) if found["loc"] else None
        named = Words(**field.json_schema_extra["label"]) if field and field.json_schema_extra else Words(name, name)
        rule = _RULES.get(found["type"], _NOT_A_NUMBER if found["type"].endswith(("_parsing", "_type")) else _OTHER)
        values = {"given": found["input"], "message": found["msg"], **found.get("ctx", {})}
        problem = Words(rule.text("en", **values), rule.text("zh", **values))
        problems.append({"field": name, "label": named, "problem": problem})
    return InvalidFields(problems=problems)


def validated(schema: type[BaseModel], values: dict) -> BaseModel:
    """`values` as an instance of `schema`.

    Raises:
        InvalidFields: every field that is out of range, mistyped or unknown, at once.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise invalid(error, schema) from None
