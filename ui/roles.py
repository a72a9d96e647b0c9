"""Which column is what: a field for each role, filled with the suggestion and changed by clicking."""

import gradio as gr

from engine.data import formats, roles
from engine.errors import BadMapping
from engine.words import Words
from ui.text import Text

# Several columns can be joined for these; the others take one.
_JOINED = ("system", "question", "context", "answer", "text")
_FURTHER = ("system", "context", "history")
_ROLES = {role.key: role for role in roles.ROLES}
# What a whole conversation holds already.
_SPOKEN = ("question", "answer", "history")


class Fields:
    """The fields. `main()` and `further()` lay them out where they are called; `components` in the order of `keys`."""

    def __init__(self, t: Text):
        self._t = t
        self.keys: list[str] = []
        self.components: list[gr.Dropdown] = []

    def main(self) -> None:
        self._lay_out([key for key in _ROLES if key not in _FURTHER])

    def further(self) -> None:
        self._lay_out(list(_FURTHER))

    def _lay_out(self, keys: list[str]) -> None:
        with gr.Row(elem_classes=["td-fields", "td-roles"]):
            for key in keys:
                self.keys.append(key)
                self.components.append(
                    gr.Dropdown(
                        label=self._t.of(_ROLES[key].label),
                        multiselect=key in _JOINED,
                        allow_custom_value=key in _JOINED,
                        interactive=True,
                        visible=False,
                        elem_id=f"role-{key}",
                        min_width=180,
                    )
                )

    def component(self, key: str) -> gr.Dropdown:
        return self.components[self.keys.index(key)]

    def mapping(self, values: list[object], format: str) -> roles.Mapping:
        """What the fields hold, as far as a data set of `format` can use it."""
        given = {key: _template(value) for key, value in zip(self.keys, values, strict=True)}
        return {key: given[key] for key in _wanted(format, bool(given["messages"])) if given[key]}

    def complete(self, values: list[object], format: str) -> roles.Mapping:
        """As `mapping`.

        Raises:
            BadMapping: a role is without a column that needs one.
        """
        mapping = self.mapping(values, format)
        missing = [_ROLES[key].label for key in formats.missing(format, mapping)]
        if missing:
            en, zh = ", ".join(each.en for each in missing), "、".join(each.zh for each in missing)
            raise BadMapping(reason=Words(f"choose a column for: {en}", f"请为以下内容选择一列：{zh}"))
        return mapping

    def suggested(self, columns: list[str], mapping: roles.Mapping, format: str) -> list[dict]:
        """An update for each field that offers `columns` and holds `mapping`."""
        none = [(self._t("roles.none"), "")]
        return [
            gr.update(
                choices=columns if key in _JOINED else [*none, *((name, name) for name in columns)],
                value=_parts(mapping.get(key), columns) if key in _JOINED else mapping.get(key) or "",
                visible=key in _shown(format, "messages" in mapping),
            )
            for key in self.keys
        ]

    def shown(self, values: list[object], format: str) -> list[dict]:
        """An update for each field that shows those of `format` and leaves what they hold."""
        conversation = bool(values[self.keys.index("messages")])
        return [gr.update(visible=key in _shown(format, conversation)) for key in self.keys]


def _wanted(format: str, conversation: bool) -> list[str]:
    """The roles that a data set of `format` can use."""
    holds = formats.get(format).holds
    whole = conversation and "answer" in holds and "label" not in holds
    return [key for key in _ROLES if (key in holds and not (whole and key in _SPOKEN)) or (key == "messages" and whole)]


def _shown(format: str, conversation: bool) -> list[str]:
    """As `_wanted`, and the field by which a conversation can be chosen where that is the form of the data set."""
    return [*_wanted(format, conversation), *(["messages"] if format == "messages" else [])]


def _template(value: object) -> str:
    """One column, or the template that joins several; a person's own template stays as it is."""
    if not isinstance(value, list):
        return value if isinstance(value, str) else ""
    parts = [part for part in value if isinstance(part, str) and part]
    if len(parts) == 1:
        return parts[0]
    return "\\n".join(part if "{" in part else f"{{{part}}}" for part in parts)


def _parts(template: str | None, columns: list[str]) -> list[str]:
    """The inverse of `_template`."""
    if not template:
        return []
    names = roles.columns_in(template, columns)
    return names if _template(names) == template else [template]
