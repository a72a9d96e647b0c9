"""What a person reads, in every language of the interface, declared beside the thing that it names.

The engine's own sentences (errors, names of methods, help on parameters, reasons why a row was dropped) are `Words`.
The interface's furniture (buttons, headings) is not here but in `assets/locales`.
"""

import locale
import os
from typing import NamedTuple

LANGUAGES = ("zh", "en")


class Words(NamedTuple):
    """One text in each language; `{name}` marks a value filled in by `text`."""

    en: str
    zh: str

    def text(self, lang: str = "en", **values: object) -> str:
        """The text in `lang` ("zh" or "en") with `values` filled in."""
        template = self.zh if lang == "zh" else self.en
        return template.format(**values) if values else template

    def filled(self, **values: object) -> "Words":
        """The same with `values` filled in, in every language; a value that is itself `Words` in the same language."""

        def filled(lang: str) -> str:
            return self.text(lang, **{k: v.text(lang) if isinstance(v, Words) else v for k, v in values.items()})

        return Words(filled("en"), filled("zh"))


def system_language() -> str:
    """The language for a command line: `TUNEDESK_LANG`, else the system's locale, else English."""
    chosen = os.environ.get("TUNEDESK_LANG") or os.environ.get("LANG") or locale.getlocale()[0] or "en"
    return "zh" if chosen.lower().startswith("zh") else "en"
