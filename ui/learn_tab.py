"""Learn: what fine-tuning is and how each method works, lesson by lesson, with things to try."""

import html

import gradio as gr

from engine import home
from engine.training.method import MethodSpec
from engine.training.methods import METHODS
from engine.training.objectives import OBJECTIVES
from ui import advisor, numbers, quantise
from ui.lessons import drawing, lessons, markup
from ui.page import Page, choices
from ui.text import Text

# Lessons that show what the registries list; a method's key or an objective's leads to them.
_METHODS, _OBJECTIVES = "methods", "routes"
_FORGETTING = home.ASSETS.parent / "bench" / "results" / "forgetting.json"


def build(page: Page) -> None:
    t = page.t
    with gr.Row(elem_classes=["td-columns", "td-learn"]):
        with gr.Column(elem_classes="td-panel", min_width=200, scale=2):
            contents = gr.HTML(
                {},
                html_template="${TuneDesk.draw.topics(value)}",
                js_on_load="TuneDesk.topics(element, trigger); // 'go'",
                elem_id="learn-contents",
                apply_default_css=False,
            )
        with gr.Column(elem_classes="td-panel", min_width=320, scale=7):
            text = gr.HTML(
                "",
                js_on_load="TuneDesk.topics(element, trigger); // 'go' 'take'",
                elem_id="learn-lesson",
                apply_default_css=False,
            )
            questions, advice = advisor.build(page)
            tries = {"choose": questions, "numbers": numbers.build(page), quantise.LESSON: quantise.build(page)}
            onward = gr.HTML(
                "",
                js_on_load="TuneDesk.topics(element, trigger); // 'go'",
                elem_id="learn-onward",
                apply_default_css=False,
            )

    def show(chosen: dict) -> list:
        key, about = place(t, chosen["topic"])
        shown = [gr.update(visible=key == each) for each in tries]
        return [_contents(t, key), _lesson(t, key, about), *shown, _onward(t, key)]

    def go(chosen: dict, event: gr.EventData) -> dict:
        return choices({**chosen, "topic": event._data.get("topic")})

    def take(chosen: dict, event: gr.EventData) -> dict:
        return choices({**chosen, "step": "train", "method": event._data.get("method")})

    page.render("learn", show, [contents, text, *tries.values(), onward])
    private = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    for part in (contents, text, advice, onward):
        part.go(go, page.chosen, page.chosen, **private)
    for part in (text, advice):
        part.take(take, page.chosen, page.chosen, **private)


def place(t: Text, topic: str | None) -> tuple[str, str | None]:
    """The lesson on `topic`, and the method or objective of the registries that it is about, if it is about one.
    Without a topic, the first lesson."""
    for lesson, registry in ((_METHODS, METHODS), (_OBJECTIVES, OBJECTIVES)):
        if topic in [spec.key for spec in registry]:
            return lesson, topic
    read = _read(t)
    return (topic if topic in read else read[0]), None


def _read(t: Text) -> list[str]:
    """The lessons that are read one after another: all but those on a single method."""
    methods = [spec.key for spec in METHODS]
    return [key for key in lessons(t.lang) if key not in methods]


def _contents(t: Text, current: str) -> dict:
    """The list of lessons, in parts."""
    parts: dict[str, list[dict]] = {}
    for key in _read(t):
        lesson = lessons(t.lang)[key]
        parts.setdefault(lesson.part, []).append({"key": key, "title": lesson.title, "current": key == current})
    return {"label": t("learn.topics"), "parts": [{"title": title, "lessons": each} for title, each in parts.items()]}


def _lesson(t: Text, key: str, about: str | None) -> str:
    lesson = lessons(t.lang)[key]
    more = {
        _METHODS: lambda: _methods(t, about),
        _OBJECTIVES: lambda: _objectives(t, about),
        "forgetting": lambda: _forgetting(t),
    }
    extra = more[key]() if key in more else ""
    return (
        f'<article class="td-lesson"><header><small>{html.escape(lesson.part)}</small>'
        f"<h2>{html.escape(lesson.title)}</h2></header>{markup(lesson, t.lang)}{extra}</article>"
    )


def _onward(t: Text, key: str) -> str:
    """The way to the lesson before and the one after."""
    read = _read(t)
    at = read.index(key)
    buttons = []
    for word, other in (("before", at - 1), ("after", at + 1)):
        if 0 <= other < len(read):
            title = t.html(f"learn.{word}", title=lessons(t.lang)[read[other]].title)
            buttons.append(f'<button type="button" class="is-{word}" data-topic="{read[other]}">{title}</button>')
    return f'<nav class="td-onward">{"".join(buttons)}</nav>'


def _objectives(t: Text, about: str | None) -> str:
    """Every objective that can be trained for here, the one that was asked about marked."""
    marked = ' class="is-current"'
    each = [
        f"<div{marked * (spec.key == about)}><dt>{html.escape(t.of(spec.label))}</dt><dd>{html.escape(t.of(spec.summary))} "
        f"<em>{t.html('learn.needs', what=t.of(spec.needs))}</em></dd></div>"
        for spec in OBJECTIVES
    ]
    return f'<dl class="td-terms">{"".join(each)}</dl>'


def _methods(t: Text, about: str | None) -> str:
    """Every method to choose from, and one of them in full: summary, drawing, how it works, facts."""
    method = next((spec for spec in METHODS if spec.key == about), METHODS[0])
    chips = "".join(
        f'<button type="button" data-topic="{spec.key}" class="{"is-on" if spec is method else ""}" '
        f'aria-pressed="{str(spec is method).lower()}">{html.escape(t.of(spec.label))}</button>'
        for spec in METHODS
    )
    label = t.of(method.label)
    has_drawing = (home.ASSETS / "methods" / method.diagram).is_file()
    picture = drawing(f"methods/{method.diagram}", t.lang, label) if has_drawing else ""
    legend = (
        f'<p class="td-legend"><span><i class="is-frozen"></i>{t.html("learn.frozen")}</span>'
        f'<span><i class="is-trained"></i>{t.html("learn.trained")}</span></p>'
    )
    detail = lessons(t.lang).get(method.key)
    facts = {
        "base": t(f"learn.base_{_base(method)}"),
        "saves": t(f"learn.saves_{method.saves}"),
        "rate": f"{method.learning_rate:g}",
    }
    rate_note = f"<span>{t.html('learn.rate_note')}</span>"
    figures = "".join(
        f'<div class="td-stat"><small>{t.html(f"learn.{name}")}</small><b>{html.escape(value)}</b>'
        f"{rate_note if name == 'rate' else ''}</div>"
        for name, value in facts.items()
    )
    return (
        f'<div class="td-methods-row">{chips}</div><section class="td-method"><h3>{html.escape(label)}</h3>'
        f"<p>{html.escape(t.of(method.summary))}</p>{picture and picture + legend}"
        f'{markup(detail, t.lang) if detail else ""}<div class="td-stats">{figures}</div>'
        f'<button type="button" class="td-take" data-take="{method.key}">{t.html("learn.take", method=label)}</button>'
        "</section>"
    )


def _base(method: MethodSpec) -> str:
    if method.saves == "model":
        return "trained"
    return "4bit" if method.paged_optimizer else "frozen"


def _forgetting(t: Text) -> str:
    """What the demo really forgot: the recorded figures of the benchmark, and answers before and after."""
    measured = home.read_json(_FORGETTING)
    most = max(max(row["base"], row["tuned"]) for row in measured["rows"])
    bars = "".join(_bars(t, row, most) for row in measured["rows"])
    counted = {row["name"]: row["rows"] for row in measured["rows"]}
    answers = "".join(
        "<tr>"
        + "".join(f'<td lang="zh">{html.escape(each[part])}</td>' for part in ("question", "base", "tuned"))
        + "</tr>"
        for each in measured["answers"]
    )
    heads = "".join(f"<th>{t.html(f'learn.{name}')}</th>" for name in ("asked", "said_before", "said_after"))
    return (
        f'<div class="td-bars">{bars}<small>{t.html("learn.lower", **counted)} {t.html("learn.measured")}</small></div>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{answers}</tbody></table>"
    )


def _bars(t: Text, row: dict, most: float) -> str:
    """The loss on one kind of question, before and after."""
    bars = "".join(
        f'<p class="td-bar is-{side}"><span>{t.html(f"learn.loss_{word}")}</span>'
        f'<i style="width: {70 * row[side] / most:.1f}%"></i><b>{row[side]:.2f}</b></p>'
        for side, word in (("base", "before"), ("tuned", "after"))
    )
    title = t.html(f"learn.{row['name']}")
    return f"<h4>{title}</h4>{bars}"
