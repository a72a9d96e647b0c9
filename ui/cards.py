"""Cards to choose one from, and statistics as cards: drawn by `assets/draw.js`, which escapes every value."""

from dataclasses import asdict, dataclass

import gradio as gr


@dataclass(frozen=True)
class Fact:
    """A number and what it counts. `kind`: "", "good", "warn" colour a statistic; `note` is a line below it."""

    label: str
    value: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Card:
    """`kind`: "", "good", "warn", "bad" colour the badge."""

    key: str
    title: str
    text: str = ""
    badge: str = ""
    kind: str = ""
    facts: tuple[Fact, ...] = ()
    disabled: bool = False


def cards(elem_id: str, value: dict | None = None, columns: str = "") -> gr.HTML:
    """Cards to choose from. Its value is what `choice` makes; it fires `pick` when another card is chosen, and `learn`
    with `{"topic": key}` when a card's explanation is wanted.

    `columns`: "", "wide" or "narrow", how broad a card is at least.
    """
    return gr.HTML(
        value or choice("", []),
        html_template="${TuneDesk.draw.cards(value)}",
        js_on_load="TuneDesk.cards(element, props, trigger); // 'pick' 'learn'",
        elem_id=elem_id,
        elem_classes=["td-cards-block", columns],
        apply_default_css=False,
    )


def choice(
    label: str,
    offered: list[Card],
    selected: str | None = None,
    *,
    name: str = "",
    empty: str = "",
    first: int = 1000,
    more: str = "",
    learn: str = "",
) -> dict:
    """The value of `cards`. `name` groups the radio buttons: one for each set of cards on a page. Only the `first` cards
    (and the selected one) are shown until the button `more` is pressed. `learn` is the label of each card's way to its explanation."""
    return {
        "more": more if len(offered) > first else "",
        "label": label,
        "learn": learn,
        "name": name,
        "selected": selected,
        "empty": empty,
        "cards": [
            {**asdict(card), "selected": card.key == selected, "further": place >= first and card.key != selected}
            for place, card in enumerate(offered)
        ],
    }


def selected(value: dict) -> str | None:
    """The key of the card chosen in `value`, as a page sent it."""
    return value.get("selected") if isinstance(value, dict) else None


def stats(elem_id: str, visible: bool = True) -> gr.HTML:
    """Statistics side by side. Its value is what `figures` makes."""
    return gr.HTML(
        [],
        html_template="${TuneDesk.draw.stats(value)}",
        js_on_load=None,
        elem_id=elem_id,
        visible=visible,
        apply_default_css=False,
    )


def figures(facts: list[Fact]) -> list[dict]:
    return [asdict(fact) for fact in facts]
