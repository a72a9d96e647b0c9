"""The words of the interface: one JSON a language in `assets/locales`. What the engine says is in the engine (`Words`)."""

import html
import json
from functools import cache

from engine.home import ASSETS
from engine.words import LANGUAGES, Words

__all__ = ["LANGUAGES", "Text"]


class Text:
    """`t("train.start")` is that text in one language; `t("train.queued", place=2)` fills in its `{place}`.

    Raises:
        KeyError: a key that the locale lacks, or a value that the text wants and was not given.
    """

    def __init__(self, lang: str):
        self.lang = lang
        self._texts = texts(lang)

    def __call__(self, key: str, **values: object) -> str:
        template = self._texts[key]
        return template.format(**values) if values else template

    def of(self, words: Words, **values: object) -> str:
        """The engine's `words` in this language."""
        return words.text(self.lang, **values)

    def html(self, key: str, **values: object) -> str:
        """As `t(key, ...)`, escaped for use within HTML."""
        return html.escape(self(key, **values))

    def group(self, prefix: str) -> dict[str, str]:
        """The texts below `prefix`, keyed by the rest of their key; for scripts in the page."""
        return {
            key.removeprefix(f"{prefix}."): text for key, text in self._texts.items() if key.startswith(f"{prefix}.")
        }


@cache
def texts(lang: str) -> dict[str, str]:
    """Every text of `lang`, keyed "group.name"."""
    groups = json.loads((ASSETS / "locales" / f"{lang}.json").read_text(encoding="utf-8"))
    return {f"{group}.{name}": text for group, names in groups.items() for name, text in names.items()}
