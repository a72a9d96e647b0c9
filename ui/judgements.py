"""Every judgement with its reason, ten pairs a page: the question, the two answers, what the judge chose in both orders."""

from pathlib import Path

import gradio as gr

from engine.compare import judgements, judges
from engine.compare.judgements import Judgement
from engine.compare.judges import FIRST, SECOND
from ui.text import Text

_PAGE = 10
# Of an answer; nobody reads a novel in a list.
_LONGEST = 2000


class Fold:
    """A fold with the judgements in it. `outputs` take what `shown` makes; `view` fires `turn` as a table does."""

    def __init__(self, t: Text, elem_id: str):
        self._t = t
        with gr.Accordion(
            t("judge.said"), open=False, elem_classes="td-fold", elem_id=elem_id, visible=False
        ) as self._fold:
            gr.HTML(f'<p class="td-sub">{t.html("judge.said_lead")}</p>', apply_default_css=False)
            self.view = gr.HTML(
                {},
                html_template="${TuneDesk.draw.judgements(value)}",
                js_on_load="TuneDesk.pager(element, props, trigger); // 'turn'",
                apply_default_css=False,
            )
        self.outputs = [self._fold, self.view]

    def shown(self, folder: Path | None) -> list:
        """The fold for the judgements in `folder`: hidden where there are none."""
        value = self.turned(folder, 0)
        return [gr.update(visible=bool(value)), value]

    def turned(self, folder: Path | None, start: int) -> dict:
        """The page of judgements that begins at `start`."""
        t = self._t
        rows, total = judgements.page(folder, start, _PAGE) if folder else ([], 0)
        if not rows:
            return {}
        return {
            "rows": [_row(t, row) for row in rows],
            "where": t("judge.said_where", first=f"{start + 1:,}", last=f"{start + len(rows):,}", total=f"{total:,}"),
            "start": start,
            "size": _PAGE,
            "total": total,
            "words": t.group("table"),
        }


def _row(t: Text, row: Judgement) -> dict:
    letters = {FIRST: t("votes.a"), SECOND: t("votes.b")}
    return {
        "question": row.question,
        "verdict": t(f"judge.verdict_{row.outcome}"),
        "kept": row.outcome in letters,
        "vote": t("judge.said_vote") if row.vote else "",
        "answers": [
            {"letter": letter, "text": _cut(text), "chosen": side == row.outcome}
            for (side, letter), text in zip(letters.items(), (row.first, row.second), strict=True)
        ],
        "said": [
            {
                "order": t("judge.said_order", letter=in_front),
                "choice": letters.get(choice, t("judge.said_none")),
                "reason": _reason(t, reason),
            }
            for in_front, (choice, reason) in zip(letters.values(), row.said, strict=False)
        ],
    }


def _reason(t: Text, reason: str) -> str:
    if reason.startswith(judges.NO_VERDICT):
        return t("judge.no_verdict", said=reason.removeprefix(judges.NO_VERDICT))
    return reason or t("judge.no_reason")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
