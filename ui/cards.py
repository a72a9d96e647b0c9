"""Cards to choose one from, and statistics as cards: `gr.HTML` with Handlebars templates, which escape every value."""

from dataclasses import asdict, dataclass

import gradio as gr

_CARDS = """
<div class="td-cards" role="radiogroup" aria-label="{{value.label}}">
  {{#each value.cards}}
  <label class="td-card{{#if this.further}} is-further{{/if}}{{#if this.selected}} is-selected{{/if}}{{#if this.disabled}} is-disabled{{/if}}">
    <input type="radio" name="{{../value.name}}" value="{{this.key}}"
      {{#if this.selected}}checked{{/if}} {{#if this.disabled}}disabled{{/if}}>
    <span class="td-card-title"><span>{{this.title}}</span>
      {{#if this.badge}}<em class="td-badge">{{this.badge}}</em>{{/if}}</span>
    {{#if this.text}}<span class="td-card-text">{{this.text}}</span>{{/if}}
    {{#if this.facts}}<span class="td-facts">
      {{#each this.facts}}<span><small>{{this.label}}</small><b>{{this.value}}</b></span>{{/each}}
    </span>{{/if}}
  </label>
  {{/each}}
</div>
{{#if value.more}}<button type="button" class="td-more" data-more>{{value.more}}</button>{{/if}}
{{#unless value.cards}}<p class="td-empty">{{value.empty}}</p>{{/unless}}
"""

_STATS = """
<div class="td-stats">
  {{#each value}}<div class="td-stat {{this.kind}}"><small>{{this.label}}</small><b>{{this.value}}</b>
    {{#if this.note}}<span>{{this.note}}</span>{{/if}}</div>{{/each}}
</div>
"""


@dataclass(frozen=True)
class Fact:
    """A number and what it counts. `kind`: "", "good", "warn" colour a statistic; `note` is a line below it."""

    label: str
    value: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Card:
    key: str
    title: str
    text: str = ""
    badge: str = ""
    facts: tuple[Fact, ...] = ()
    disabled: bool = False


def cards(elem_id: str, value: dict | None = None, columns: str = "") -> gr.HTML:
    """Cards to choose from. Its value is what `choice` makes; it fires `pick` when another card is chosen.

    `columns`: "", "wide" or "narrow", how broad a card is at least.
    """
    return gr.HTML(
        value or choice("", []),
        html_template=_CARDS,
        js_on_load="TuneDesk.cards(element, props, trigger); // 'pick'",
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
) -> dict:
    """The value of `cards`. `name` groups the radio buttons: one for each set of cards on a page. Only the `first` cards
    (and the selected one) are shown until the button `more` is pressed."""
    return {
        "more": more if len(offered) > first else "",
        "label": label,
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
    return gr.HTML([], html_template=_STATS, js_on_load=None, elem_id=elem_id, visible=visible, apply_default_css=False)


def figures(facts: list[Fact]) -> list[dict]:
    return [asdict(fact) for fact in facts]
