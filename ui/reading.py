"""How the files are read: encoding, delimiter, quotes, header. Each holds what was found, until a person says otherwise."""

import gradio as gr

from engine.data.encodings import OFFERED
from engine.data.tables import Told
from ui.text import Text

_CHOICES = {
    "encoding": OFFERED,
    "delimiter": (",", "\t", ";", "|"),
    "quote": ('"', "'", "none"),
    "header": ("yes", "no"),
}
_NAMED = {
    ",": "comma",
    "\t": "tab",
    ";": "semicolon",
    "|": "bar",
    '"': "double",
    "'": "single",
    "none": "none",
    "yes": "yes",
    "no": "no",
}
# For which files a person can say otherwise, by their formats.
_TEXT = ("csv", "tsv", "text")
_SERVES = {
    "encoding": (*_TEXT, "json"),
    "delimiter": _TEXT,
    "quote": ("csv", "tsv"),
    "header": ("csv", "tsv", "xlsx", "xls"),
}


class Reading:
    """The fields, `components` in the order of `_CHOICES`, in a fold of their own, `fold`."""

    def __init__(self, t: Text):
        self._t = t
        self.fold = gr.Accordion(t("reading.title"), open=False, elem_classes="td-fold", elem_id="data-reading")
        with self.fold:
            gr.HTML(f'<p class="td-sub">{t.html("reading.help")}</p>', apply_default_css=False)
            with gr.Row(elem_classes="td-fields"):
                self.components = [
                    gr.Dropdown(
                        [(t("reading.auto"), ""), *self._choices(name)],
                        value="",
                        label=t(f"reading.{name}"),
                        interactive=True,
                        elem_id=f"data-{name}",
                        min_width=180,
                    )
                    for name in _CHOICES
                ]

    def _choices(self, name: str) -> list[tuple[str, str]]:
        return [(self._label(value), value) for value in _CHOICES[name]]

    def _label(self, value: str) -> str:
        return self._t(f"reading.{_NAMED[value]}") if value in _NAMED else value.upper()

    def shown(self, told: dict, values: list[str]) -> list[dict]:
        """An update for the fold and each field: what can be said of these files, `told` as `tables.look` does, which
        were read as `values` say."""
        found = {
            "encoding": told["encoding"],
            "delimiter": told["delimiter"],
            "quote": told["quote"] or ("none" if told["delimiter"] else None),
            "header": "yes" if told["header"] else "no",
        }
        updates = []
        for name, value in zip(_CHOICES, values, strict=True):
            # What a person said is no longer what was found.
            label = self._t("reading.found", value=self._label(found[name])) if found[name] and not value else ""
            updates.append(
                gr.update(
                    choices=[(label or self._t("reading.auto"), ""), *self._choices(name)],
                    value=value,
                    visible=told["format"] in _SERVES[name],
                )
            )
        served = any(told["format"] in formats for formats in _SERVES.values())
        return [gr.update(visible=served) | ({} if any(values) else {"open": False}), *updates]


def checked(values: list[object]) -> list[str]:
    """What the fields hold, in their order; whatever they do not offer counts as "": as it is found. A fold that was
    never opened sends nothing."""
    return [value if value in offered else "" for value, offered in zip(values, _CHOICES.values(), strict=True)]


def told(values: list[object]) -> Told:
    """What the fields hold, for `tables`."""
    encoding, delimiter, quote, header = checked(values)
    return Told(
        encoding or None,
        delimiter or None,
        header == "yes" if header else None,
        {"": None, "none": ""}.get(quote, quote),
    )
