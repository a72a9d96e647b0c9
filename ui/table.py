"""A page of a table: rows come from the server fifty at a time, and every cell is text (`assets/draw.js` escapes it)."""

import gradio as gr

from engine.data.tables import Table
from ui.text import Text

PAGE = 50
# A cell longer than this is cut in the preview; nobody reads a novel in a table.
_LONGEST_CELL = 600


def table(elem_id: str) -> gr.HTML:
    """The preview. Its value is what `page` makes; it fires `turn` with `{"start": row}`."""
    return gr.HTML(
        {},
        html_template="${TuneDesk.draw.table(value)}",
        js_on_load="TuneDesk.pager(element, trigger); // 'turn'",
        elem_id=elem_id,
        apply_default_css=False,
    )


def page(t: Text, source: Table, start: int = 0, search: str = "") -> dict:
    """The value of a `table` that shows `source` from row `start` (0-based) among those that contain `search`."""
    start = max(0, start)
    rows, total = source.page(start, PAGE, search=search.strip())
    last = start + len(rows)
    return {
        "columns": list(source.columns),
        "rows": [{"number": start + i + 1, "cells": [_cell(cell) for cell in row]} for i, row in enumerate(rows)],
        "where": t("data.where", first=f"{start + 1:,}", last=f"{last:,}", total=f"{total:,}")
        if rows
        else t("data.nothing_found"),
        "previous": max(0, start - PAGE),
        "next": last,
        "has_previous": start > 0,
        "has_next": last < total,
        "words": {"previous": t("data.previous"), "next": t("data.next_page")},
    }


def _cell(text: object) -> str:
    text = str(text)
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
