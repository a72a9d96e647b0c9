"""A number to type, and how each number format holds it, bit by bit. Part of the Learn step."""

import math
from decimal import Decimal

import gradio as gr

from engine.errors import InvalidFields
from engine.models import formats
from engine.words import Words
from ui.page import Page
from ui.text import Text

_NOT_FINITE = Words(
    "'{given}' is not a number; type one like 0.1 or -3e-5", "“{given}”不是数字；请输入例如 0.1 或 -3e-5"
)


def build(page: Page) -> gr.Column:
    t = page.t
    with gr.Column(visible=False) as group:
        with gr.Row(elem_classes="td-fields"):
            number = gr.Textbox(
                "0.1",
                label=t("numbers.number"),
                info=t("numbers.number_help"),
                elem_id="numbers-number",
                elem_classes="td-field",
                max_lines=1,
                min_width=160,
            )
            scale = gr.Textbox(
                "1",
                label=t("numbers.scale"),
                info=t("numbers.scale_help"),
                elem_id="numbers-scale",
                elem_classes="td-field",
                max_lines=1,
                min_width=160,
            )
        bits = gr.HTML(
            shown(t, "0.1", "1"),
            html_template="${TuneDesk.draw.bits(value)}",
            js_on_load=None,
            elem_id="numbers-bits",
            apply_default_css=False,
        )
    gr.on(
        [number.submit, number.blur, scale.submit, scale.blur],
        page.guarded(lambda given, largest: shown(t, given, largest)),
        [number, scale],
        bits,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )
    return group


def shown(t: Text, number: str, scale: str) -> dict:
    """The value for `number`, the largest weight of whose block is `scale` (or the number, if that is larger).

    Raises:
        InvalidFields: something that is not a finite number.
    """
    given = _number(t, "numbers.number", number)
    largest = max(abs(given), abs(_number(t, "numbers.scale", scale)))
    return {
        "kinds": [{"kind": kind, "label": t(f"numbers.{kind}")} for kind in ("sign", "exponent", "fraction", "level")],
        "words": {"held": t("numbers.held"), "bits": t("numbers.bits")},
        "rows": [_row(t, form, given, largest) for form in formats.FORMATS],
    }


def _row(t: Text, form: formats.Format, number: float, scale: float) -> dict:
    bits, value = formats.held(number, scale, form)
    kinds = [kind for kind, width in form.fields for _ in range(width)]
    off = abs(value - number)
    return {
        "label": form.label,
        "summary": t.of(form.summary),
        "bits": [{"kind": kind, "bit": bit} for kind, bit in zip(kinds, bits, strict=True)],
        "size": form.bits,
        "value": _written(value),
        "off": t("numbers.off", error=f"{Decimal(f'{100 * off / abs(number):.2g}'):f}%") if off else t("numbers.exact"),
    }


def _written(value: float) -> str:
    return ("−∞" if value < 0 else "∞") if math.isinf(value) else f"{value:.9g}"


def _number(t: Text, key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # What fp32 cannot hold is no weight of any model.
    if not abs(number) <= 3.4e38:
        label = t(key)
        problem = _NOT_FINITE.filled(given=text)
        raise InvalidFields(problems=[{"field": key, "label": Words(label, label), "problem": problem}])
    return number
