"""The lessons of the Learn step: `assets/learn/LANG.md`, parted by headings, and the drawings in them.

`# Part` opens a part, `## key: Title` a lesson. `![caption](name)` shows the drawing `assets/learn/name.svg`. A lesson
whose key is a method's says more about that method than its summary.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from engine.home import ASSETS

_SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", _SVG)


@dataclass(frozen=True)
class Lesson:
    key: str
    part: str
    title: str
    text: str


@cache
def lessons(lang: str) -> dict[str, Lesson]:
    """Every lesson in the order of reading, by key."""
    found, part = {}, ""
    written = (ASSETS / "learn" / f"{lang}.md").read_text(encoding="utf-8")
    for chunk in re.split(r"^(?=#{1,2} )", written, flags=re.MULTILINE)[1:]:
        heading, _, text = chunk.partition("\n")
        if heading.startswith("## "):
            key, _, title = heading.removeprefix("## ").partition(": ")
            found[key] = Lesson(key, part, title, text.strip())
        else:
            part = heading.removeprefix("# ")
    return found


@cache
def markup(lesson: Lesson, lang: str) -> str:
    """The lesson's text and drawings as HTML."""
    return _markdown().render(lesson.text, {"lang": lang})


def drawing(path: str, lang: str, title: str) -> str:
    """An SVG of `assets`, to stand in a page: its words in one language, its colours from the page's style sheet.

    A drawing holds its words in both (`<tspan lang="en">`, `<tspan lang="zh">`) and a style for when it is opened alone.
    """
    root = ElementTree.fromstring((ASSETS / path).read_bytes())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}style" or child.get("lang", lang) != lang:
                parent.remove(child)
    picture = ElementTree.tostring(root, encoding="unicode")
    return f'<span class="td-drawing" role="img" aria-label="{html.escape(title)}">{picture}</span>'


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("image", _image)
    markdown.add_render_rule("softbreak", _softbreak)
    return markdown


def _image(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: object, env: dict) -> str:
    caption = tokens[at].content
    picture = drawing(f"learn/{tokens[at].attrGet('src')}.svg", env["lang"], caption)
    return f"{picture}<small>{html.escape(caption)}</small>"


def _softbreak(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: object, env: dict) -> str:
    """The end of a line in the file: a space between words, nothing in Chinese."""
    return "" if env["lang"] == "zh" else "\n"
