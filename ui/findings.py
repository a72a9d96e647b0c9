"""What the cleaning would find in a table: a count for every switch, and the rows to look at."""

import gradio as gr
import numpy as np

from engine.data import findings
from engine.data.cleaning import Cleaning
from ui import table
from ui.draft import Asked, Draft
from ui.page import Page
from ui.text import Text


class Findings:
    """The button that looks, the list, and the rows of the finding that was picked; laid out where it is made."""

    def __init__(self, page: Page):
        self._page = page
        with gr.Row(elem_classes="td-actions"):
            self._check = gr.Button(page.t("findings.check"), elem_id="data-check")
        # Its value is what `listed` makes; it fires `pick` with `{"kind"}`.
        self.list = gr.HTML(
            {},
            html_template="${TuneDesk.draw.findings(value)}",
            js_on_load="TuneDesk.findings(element, trigger); // 'pick'",
            elem_id="findings",
            apply_default_css=False,
        )
        self.rows = table.table("found-rows")

    def wire(self, draft: Draft) -> None:
        t, page = self._page.t, self._page

        def check(progress: gr.Progress = gr.Progress(), *values: object) -> list:  # noqa: B008
            given = draft.read(*values)
            found = findings.look(
                given.source,
                given.mapping,
                given.format,
                given.cleaning,
                lambda done, total: progress((done, total), t("findings.checking"), unit="B"),
            )
            return [listed(t, found, given.cleaning), {}]

        def shown(kind: str, value: dict, values: tuple, **wanted: object) -> list:
            given = draft.read(*values)
            found = findings.look(given.source, given.mapping, given.format, given.cleaning)
            rows = {}
            if kind in found:
                rows = table.page(t, given.source, among=found[kind], mapping=given.mapping, **wanted)
            return [value | {"picked": kind}, rows]

        def pick(event: gr.EventData, value: dict, *values: object) -> list:
            return shown(str(event._data.get("kind")), value, values)

        def turn(event: gr.EventData, value: dict, *values: object) -> list:
            return shown(str(value.get("picked")), value, values, **table.wanted(event))

        private = {"api_visibility": "private", "trigger_mode": "always_last"}
        both, asked = [self.list, self.rows], [self.list, *draft.components]
        self._check.click(
            page.guarded(check), draft.components, both, show_progress_on=self.list, api_visibility="private"
        )
        self.list.pick(page.guarded(pick), asked, both, show_progress="hidden", **private)
        self.rows.turn(page.guarded(turn), asked, both, show_progress="hidden", **private)

    def followed(self, given: Asked, value: dict) -> list:
        """The list and the rows after a field has changed: emptied where that changes what would be found."""
        if not value.get("kinds") or not findings.known(given.source, given.mapping, given.format, given.cleaning):
            return [{}, {}]
        found = findings.look(given.source, given.mapping, given.format, given.cleaning)
        return [listed(self._page.t, found, given.cleaning, str(value.get("picked"))), gr.skip()]


def listed(t: Text, found: dict[str, np.ndarray], cleaning: Cleaning, picked: str = "") -> dict:
    """The value of the list for what `findings.look` gave."""
    fates = {
        kind: _fate(kind, cleaning) for kind in findings.KINDS if kind != "near_duplicate" or cleaning.near_duplicate
    }
    return {
        "picked": picked,
        "words": t.group("findings"),
        "kinds": [
            {
                "key": kind,
                "label": t.of(findings.KINDS[kind]),
                "count": f"{len(found.get(kind, ())):,}",
                "none": kind not in found,
                "fate": fate,
                "fate_text": t(f"findings.fate_{fate}") if kind in found else "",
            }
            for kind, fate in fates.items()
        ],
    }


def _fate(kind: str, cleaning: Cleaning) -> str:
    """What happens to such rows: "dropped", "changed" or "kept"."""
    switches = cleaning.model_dump()
    if kind == "unreadable":
        return "dropped"
    if kind == "long":
        return {"drop": "dropped", "cut": "changed", "keep": "kept"}[cleaning.long]
    if kind not in switches or not switches[kind]:
        return "kept"  # personal data too is only told
    return "changed" if kind in ("control", "html", "width") else "dropped"
