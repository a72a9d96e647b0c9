"""How long texts are: characters and tokens of rows, the columns of a table at a glance. For charts and the data card.

Large files are measured by a sample spread evenly over them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.data import encode, formats, roles, tokens
from engine.data.table import Table

_SAMPLE = 2000  # rows


def sampled(rows: Sequence[formats.Row], most: int = _SAMPLE) -> list[formats.Row]:
    """At most `most` rows, evenly spread."""
    places = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)) if len(rows) else []
    return [rows[i] for i in places]


def texts(row: formats.Row, format: str) -> dict[str, str]:
    """The texts of a row that have a length worth a chart: by name, in order."""
    if format in ("qa", "alpaca", "messages"):
        spoken = formats.examples(row, format)
        asked = "\n".join(m["content"] for m in spoken if m["role"] != "assistant")
        return {"question": asked, "answer": "\n".join(m["content"] for m in spoken if m["role"] == "assistant")}
    return {key: row[key] for key in formats.get(format).keys if isinstance(row[key], str)}


def characters(rows: Sequence[formats.Row], format: str) -> dict[str, dict]:
    """For each text of the rows a `histogram` of its characters."""
    each = [texts(row, format) for row in sampled(rows)]
    names = each[0] if each else ()
    return {name: histogram([len(row[name]) for row in each]) for name in names}


def token_lengths(rows: Sequence[formats.Row], format: str, model: Path, max_length: int | None = None) -> dict:
    """A `histogram` of the tokens of whole rows, the chat template included, with where `max_length` cuts.

    Raises:
        NotAModel: `model` has no tokenizer.json.
    """
    prepared = tokens.read(model)
    if format == "text":
        whole = [row["text"] for row in sampled(rows)]
    else:
        spoken = (formats.conversations(row, format).values() for row in sampled(rows))
        # Of a pair the longer answer decides what is cut.
        whole = [max((encode.text_of(prepared, each) for each in both), key=len) for both in spoken]
    return histogram(prepared.counts(whole), max_length)


def histogram(values: Sequence[int], limit: int | None = None, bins: int = 40) -> dict:
    """`edges` (bins + 1), `counts` (bins), `mean`, `median`, `p95`, `max`, `rows`; with `limit`, `over`: the share of
    rows longer than that."""
    lengths = np.asarray(values, np.int64)
    if not len(lengths):
        return {"edges": [0, 1], "counts": [0], "mean": 0.0, "median": 0, "p95": 0, "max": 0, "rows": 0, "over": 0.0}
    top = int(lengths.max()) + 1
    edges = np.unique(np.linspace(0, top, min(bins, top) + 1).astype(int))
    counts, _ = np.histogram(lengths, edges)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "mean": round(float(lengths.mean()), 1),
        "median": int(np.median(lengths)),
        "p95": int(np.percentile(lengths, 95)),
        "max": int(lengths.max()),
        "rows": len(lengths),
        "over": float((lengths > limit).mean()) if limit else 0.0,
    }


def columns(table: Table, most: int = 20_000) -> dict:
    """Each column of the table at a glance, from its first rows.

    `{"rows": rows looked at, "columns": [{"name", "filled", "distinct", "numbers", "mean", "max", "example"}]}`;
    `filled` and `numbers` are shares, `mean` and `max` lengths in characters.
    """
    rows = table.head(most)
    told = []
    for name, cells in zip(table.columns, zip(*rows, strict=True) if rows else [()] * len(table.columns), strict=True):
        filled = [cell for cell in cells if cell.strip()]
        told.append(
            {
                "name": name,
                "filled": len(filled) / len(cells) if cells else 0.0,
                "distinct": len(set(filled)),
                "numbers": sum(map(roles.is_number, filled)) / len(filled) if filled else 0.0,
                "mean": round(sum(map(len, filled)) / len(filled), 1) if filled else 0.0,
                "max": max(map(len, filled), default=0),
                "example": filled[0] if filled else "",
            }
        )
    return {"rows": len(rows), "columns": told}
