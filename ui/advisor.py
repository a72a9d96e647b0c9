"""Which method to take: three questions, and the first rule that the answers fit. Part of the Learn step.

The rules say what the methods' papers and the benchmark of methods say; "nothing to train" is an answer too.
"""

from dataclasses import dataclass

import gradio as gr

from engine.training.methods import get as get_method
from ui.page import Page
from ui.text import Text

# Each question with its answers, the first of which is chosen to begin with.
QUESTIONS = {
    "goal": ("skill", "manner", "facts", "most"),
    "memory": ("enough", "plenty", "tight"),
    "rows": ("some", "few", "many"),
}


@dataclass(frozen=True)
class Rule:
    """`method`: a key of the registry, or None where fine-tuning is the wrong tool. What a rule does not name fits
    every answer; `why` names the sentence that explains it."""

    why: str
    method: str | None
    goal: str | None = None
    memory: str | None = None
    rows: str | None = None


RULES = (
    Rule("facts", None, goal="facts"),
    Rule("tight", "qlora", memory="tight"),
    Rule("few_manner", "ia3", goal="manner", rows="few"),
    Rule("most", "full", goal="most", memory="plenty", rows="many"),
    Rule("most_lora", "dora", goal="most"),
    Rule("few", "lora", rows="few"),
    Rule("usual", "lora"),
)


def advise(answers: dict[str, str]) -> Rule:
    """The first rule that fits `answers` (question -> answer); an unknown answer counts as the first one."""
    known = {
        name: answers.get(name) if answers.get(name) in offered else offered[0] for name, offered in QUESTIONS.items()
    }
    wanted = (vars(rule) for rule in RULES)
    return next(
        rule
        for rule, wants in zip(RULES, wanted, strict=True)
        if all(wants[name] in (None, answer) for name, answer in known.items())
    )


def build(page: Page) -> tuple[gr.Column, gr.HTML]:
    """The questions with the advice below them, and the advice: it fires `go` and `take` as a lesson does."""
    t = page.t
    with gr.Column(visible=False) as group:
        asked = [
            gr.Radio(
                [(t(f"advisor.{name}_{answer}"), answer) for answer in offered],
                value=offered[0],
                label=t(f"advisor.{name}"),
                info=t(f"advisor.{name}_help"),
                elem_id=f"advisor-{name}",
                elem_classes="td-question",
                interactive=True,
            )
            for name, offered in QUESTIONS.items()
        ]
        advice = gr.HTML(
            shown(t, []),
            html_template="${TuneDesk.draw.advice(value)}",
            js_on_load="TuneDesk.topics(element, trigger); // 'go' 'take'",
            elem_id="advisor-advice",
            apply_default_css=False,
        )

    gr.on(
        [each.input for each in asked],
        lambda *answers: shown(t, answers),
        asked,
        advice,
        trigger_mode="always_last",
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return group, advice


def shown(t: Text, answers: list[str]) -> dict:
    """The value for `answers` in the order of the questions."""
    rule = advise(dict(zip(QUESTIONS, answers, strict=False)))
    label = t.of(get_method(rule.method).label) if rule.method else t("advisor.no_method")
    return {
        "label": t("advisor.advice"),
        "title": label,
        "why": t(f"advisor.why_{rule.why}"),
        "method": rule.method,
        "take": t("learn.take", method=label) if rule.method else "",
        "topic": rule.method or "why",
        "learn": t("train.learn"),
    }
