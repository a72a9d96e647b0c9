"""A model's answer as HTML: headings, lists, tables, code and emphasis are shown as such, all else as the text it is."""

from markdown_it import MarkdownIt

# An answer is untrusted text: no HTML of its own, no image that tells somebody it was read, no link whose words hide
# where it leads.
_RULES = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
_RULES.disable(["html_block", "html_inline", "image", "link", "autolink", "reference"])


def markup(text: str) -> str:
    """`text`, written in Markdown, as HTML in which only elements of Markdown occur."""
    return _RULES.render(text)
