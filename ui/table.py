"""A page of a table: rows come from the server fifty at a time, searched and sorted there, and every cell is text
(`assets/data.js` escapes it)."""

import json

import gradio as gr
import numpy as np

from engine.data import lengths, roles
from engine.data.table import Table
from ui.drawn import drawn
from ui.text import Text

PAGE = 50
# A cell longer than this is cut in the preview; nobody reads a novel in a table.
_LONGEST_CELL = 600
_COLUMNS = 50  # shown; a page of 2,000 columns would choke the browser


def table(elem_id: str) -> gr.HTML:
    """The preview. Its value is what `page` makes; it fires `turn` with `{"start", "sort", "descending", "search"}`."""
    return gr.HTML(
        {},
        html_template="${TuneDesk.draw.table(value)}",
        js_on_load="TuneDesk.pager(element, props, trigger); // 'turn'",
        elem_id=elem_id,
        apply_default_css=False,
    )


def wanted(event: gr.EventData) -> dict:
    """What a `turn` asks for, as arguments of `page`."""
    sort = event._data.get("sort")
    return {
        "start": max(0, int(event._data.get("start") or 0)),
        "sort": sort if isinstance(sort, str) else None,
        "descending": event._data.get("descending") is True,
        "search": str(event._data.get("search") or ""),
    }


def search(t: Text, elem_id: str) -> gr.HTML:
    """A field that fires `turn` as a table does, a moment after the last letter. Another value empties it."""
    return gr.HTML(
        "",
        html_template="${TuneDesk.draw.search(value, " + json.dumps(t("table.search")) + ")}",
        js_on_load="TuneDesk.search(element, trigger); // 'turn'",
        elem_id=elem_id,
        apply_default_css=False,
    )


def page(
    t: Text,
    source: Table,
    start: int = 0,
    search: str = "",
    sort: str | None = None,
    descending: bool = False,
    among: np.ndarray | None = None,
    mapping: roles.Mapping | None = None,
) -> dict:
    """The value of a `table` that shows `source` from row `start` (0-based) of those that match.

    Raises:
        BadMapping: there is no column `sort`.
    """
    found = source.page(start, PAGE, search.strip(), sort, descending, among)
    last = start + len(found.rows)
    where = t("table.where", first=f"{start + 1:,}", last=f"{last:,}", total=f"{found.total:,}")
    return {
        "columns": [{"name": name, "role": ""} for name in source.columns[:_COLUMNS]],
        "rows": [
            {"number": f"{number + 1:,}", "cells": [_cell(cell) for cell in row[:_COLUMNS]]}
            for number, row in zip(found.numbers, found.rows, strict=False)
        ],
        "where": where if found.rows else t("table.nothing_found"),
        "start": start,
        "size": PAGE,
        "total": found.total,
        "sort": sort,
        "descending": descending,
        "search": search,
        "more": t("table.more_columns", n=_COLUMNS, total=len(source.columns))
        if len(source.columns) > _COLUMNS
        else "",
        "words": t.group("table"),
    } | ({"columns": marked(t, source.columns, mapping)} if mapping is not None else {})


def marked(t: Text, columns: list[str], mapping: roles.Mapping) -> list[dict]:
    """The columns' names, each with the label of its role."""
    labels = {role.key: t.of(role.label) for role in roles.ROLES}
    used = {name: labels[role] for role, template in mapping.items() for name in roles.columns_in(template, columns)}
    return [{"name": name, "role": used.get(name, "")} for name in columns[:_COLUMNS]]


def glance(elem_id: str) -> gr.HTML:
    """The columns at a glance. Its value is what `statistics` makes."""
    return drawn(elem_id, "columns")


def statistics(t: Text, source: Table) -> dict:
    """The value of a `glance` at the columns of `source`."""
    told = lengths.columns(source)
    return {
        "words": t.group("columns"),
        "note": t("columns.note", n=f"{told['rows']:,}"),
        "columns": [
            {
                "name": each["name"],
                "filled": f"{each['filled']:.0%}" if each["filled"] in (0, 1) else f"{each['filled']:.1%}",
                "distinct": f"{each['distinct']:,}",
                "kind": t("columns.numbers") if each["numbers"] > 0.9 else t("columns.texts"),
                "mean": f"{each['mean']:,}",
                "max": f"{each['max']:,}",
                "example": each["example"][:80],
            }
            for each in told["columns"][:_COLUMNS]
        ],
    }


def _cell(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
