"""Answers are untrusted: Markdown is shown as such, and nothing in them becomes a tag, an address or a request."""

import re

import pytest

from engine.compare.markup import markup

NASTY = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>\n\n<form action=https://elsewhere.example>",
    "![seen](https://elsewhere.example/x.png)",
    "[press](javascript:alert(1)) and [here](https://elsewhere.example)",
    "<https://elsewhere.example>",
    "[a]: https://elsewhere.example 'title'\n\n[a]",
    '```"><script>alert(1)</script>\ncode\n```',
    "`<b>` | <svg onload=alert(1)>",
]
KNOWN = {"p", "ul", "ol", "li", "em", "strong", "code", "pre", "br", "hr", "table", "thead", "tbody", "tr", "th", "td"}
KNOWN |= {"h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "s"}


@pytest.mark.parametrize("text", NASTY)
def test_nothing_from_an_answer_becomes_markup(text):
    tags = re.findall(r"<\s*/?\s*([a-zA-Z0-9]+)([^>]*)>", markup(text))
    assert {name for name, _ in tags} <= KNOWN
    for _, attributes in tags:
        assert not re.search(r"(src|href|on\w+|action)\s*=", attributes.replace("&quot;", ""))


def test_markdown_is_shown():
    html = markup("# 标题\n\n- 一\n- **二**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n第一行\n第二行")
    for part in ("<h1>标题</h1>", "<li>一</li>", "<strong>二</strong>", "<td>1</td>", "第一行<br />"):
        assert part in html
