"""The rank that each matrix ended with, after AdaLoRA has shared them out: layers down, modules across."""

import html

import gradio as gr

from engine.training import ranks
from ui.text import Text


def view(elem_id: str) -> gr.HTML:
    """Its value is what `shown` makes."""
    return gr.HTML("", elem_id=elem_id, apply_default_css=False)


def shown(t: Text, found: dict[str, int] | None) -> str:
    """The table of `found` (name of a module -> rank), shaded by rank; nothing for None."""
    if not found:
        return ""
    places = {name: ranks.place(name) for name in found}
    columns = list(dict.fromkeys(module for _, module in places.values()))
    rows: dict[str, dict[str, int]] = {}
    for name, (layer, module) in places.items():
        rows.setdefault(layer, {})[module] = found[name]
    highest = max(found.values()) or 1
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr><th>{html.escape(layer)}</th>{''.join(_cell(row.get(column), highest) for column in columns)}</tr>"
        for layer, row in rows.items()
    )
    told = t.html("ranks.lead", total=sum(found.values()), matrices=len(found), highest=highest)
    return (
        f"<h3>{t.html('ranks.title')}</h3><p>{told}</p>"
        f'<div class="td-table-wrap"><table class="td-ranks"><thead><tr><th>{t.html("ranks.layer")}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(rank: int | None, highest: int) -> str:
    if rank is None:
        return "<td></td>"
    return f'<td style="--share:{rank / highest:.2f}">{rank}</td>'
