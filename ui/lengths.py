"""How long the texts are: histograms of characters and of tokens with the chosen model's tokenizer, and what the maximum
length would cut."""

import gradio as gr

from engine.data import draft, lengths
from engine.errors import NotAModel
from ui.draft import Asked
from ui.drawn import drawn
from ui.model_tab import model_name
from ui.text import Text


def view(elem_id: str) -> gr.HTML:
    """The charts. Its value is what `charts` makes."""
    return drawn(elem_id, "lengths")


def charts(t: Text, given: Asked) -> dict:
    """The value for the rows that the table would become, a sample of them where they are many."""
    rows, format, limit = (
        draft.sampled(given.source, given.mapping, given.format, given.cleaning),
        given.format,
        given.limit,
    )
    drawn, said = [], ""
    try:
        told = lengths.token_lengths(rows, format, given.model.path, limit)
        drawn.append(_chart(t, t("lengths.tokens", model=model_name(t, given.model)), told, limit))
        verdict = "lengths.all_fit" if not told["over"] else "lengths.over_text" if format == "text" else "lengths.over"
        said = t(verdict, share=_share(told["over"]), limit=f"{limit:,}")
    except NotAModel as error:
        said = error.text(t.lang)
    drawn += [
        _chart(t, t("lengths.characters", of=t(f"lengths.of_{part}")), told)
        for part, told in lengths.characters(rows, format).items()
    ]
    return {"charts": drawn, "said": said, "note": t("lengths.note", n=f"{len(rows):,}"), "words": t.group("lengths")}


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def _chart(t: Text, title: str, told: dict, limit: int | None = None) -> dict:
    edges, counts = told["edges"], told["counts"]
    top, most = edges[-1], max(max(counts), 1)
    return {
        "title": title,
        "bars": [
            {
                "left": 100 * a / top,
                "width": 100 * (b - a) / top,
                "height": 100 * count / most,
                "over": limit is not None and a >= limit,
                "tip": t("lengths.bar", first=f"{a:,}", last=f"{b - 1:,}", n=f"{count:,}"),
            }
            for a, b, count in zip(edges, edges[1:], counts, strict=False)
        ],
        "limit": 100 * limit / top if limit is not None and limit < top else None,
        "limit_text": f"{limit:,}" if limit else "",
        "top": f"{top - 1:,}",
        "facts": [
            {"label": t(f"lengths.{key}"), "value": f"{told[key]:,}"} for key in ("mean", "median", "p95", "max")
        ],
    }
