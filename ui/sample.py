"""The live sample: what the model will see of one row, the tokens that count for the loss coloured apart from those
that are masked, special tokens visible."""

from pathlib import Path

import gradio as gr

from engine.data import draft, encode
from engine.data.cleaning import REASONS
from engine.data.formats import Row
from engine.errors import NotAModel, TuneDeskError
from ui.draft import Asked
from ui.text import Text


def sample(elem_id: str) -> gr.HTML:
    """The view. Its value is what `of_table` makes; it fires `turn` with `{"row"}`."""
    return gr.HTML(
        {},
        html_template="${TuneDesk.draw.sample(value)}",
        js_on_load="TuneDesk.rows(element, trigger); // 'turn'",
        elem_id=elem_id,
        apply_default_css=False,
    )


def of_table(t: Text, given: Asked, row: int = 0) -> dict:
    """Row `row` (from 0) of the table as it would become. What stands in the way is said in its place."""
    total = given.source.count()[0]
    row = min(max(0, row), max(0, total - 1))
    cells = given.source.page(row, 1).rows
    if not cells:
        return {}
    made = draft.rows(given.source.columns, cells, given.mapping, given.format, given.cleaning)[0]
    shown = {"problem": t("sample.dropped", reason=t.of(REASONS[made]))} if isinstance(made, str) else {}
    return {
        "row": row,
        "last": row + 1 >= total,
        "where": t("sample.where", row=f"{row + 1:,}"),
        "words": t.group("sample"),
        "model": str(given.model.path),
        **(shown or _parts(t, made, given.format, given.model.path, given.limit)),
    }


def _parts(t: Text, made: Row, format: str, model: Path, limit: int) -> dict:
    try:
        seen = encode.samples(model, made, format, limit)
    except NotAModel as error:
        return problem(t, error)
    return {
        "parts": [
            {
                "title": t(f"sample.name_{name}") if len(seen) > 1 else "",
                "pieces": each["pieces"],
                "note": t("sample.note", tokens=f"{each['tokens']:,}", counted=f"{each['counted']:,}"),
                "cut": t("sample.cut", limit=f"{limit:,}") if any(piece["cut"] for piece in each["pieces"]) else "",
            }
            for name, each in seen.items()
        ]
    }


def problem(t: Text, error: TuneDeskError) -> dict:
    """The value that says `error` where the sample would stand."""
    return {"problem": error.text(t.lang), "words": t.group("sample")}
