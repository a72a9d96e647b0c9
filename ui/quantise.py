"""A real weight matrix of the chosen model, quantised before the reader's eyes. Part of the Learn step."""

import gradio as gr

from engine import home
from engine.models import formats, quantise
from ui.drawn import drawn
from ui.model_tab import chosen_model
from ui.page import Page, choices
from ui.text import Text

LESSON = "quantisation"
_FORMATS = ("nf4", "fp4", "int8")


def build(page: Page) -> gr.Column:
    t = page.t
    with gr.Column(visible=False) as group:
        matrix = gr.Dropdown([], label=t("quantise.matrix"), elem_id="quantise-matrix", interactive=True)
        with gr.Row(elem_classes="td-fields"):
            form = gr.Radio(
                [(formats.get(key).label, key) for key in _FORMATS],
                value=_FORMATS[0],
                label=t("quantise.format"),
                elem_id="quantise-format",
                interactive=True,
                min_width=260,
            )
            double = gr.Checkbox(
                False,
                label=t("quantise.double"),
                info=t("quantise.double_help"),
                elem_id="quantise-double",
                interactive=True,
                min_width=220,
            )
        picture = drawn("quantise-picture", "quantised")

    def offer(chosen: dict, name: str | None, form: str, double: bool) -> list:
        if chosen["topic"] != LESSON:
            return [gr.skip(), gr.skip()]
        found = quantise.matrices(chosen_model(chosen["model"]).path)
        names = [each.name for each in found]
        # To begin with one from the middle of a layer: embeddings are not what gets quantised.
        name = name if name in names else next((each for each in names if each.endswith("proj.weight")), names[0])
        offered = gr.update(choices=[(_label(each), each.name) for each in found], value=name)
        return [offered, shown(t, chosen, name, form, double)]

    def draw(chosen: dict, name: str | None, form: str, double: bool) -> object:
        return shown(t, chosen, name, form, double) if name else gr.skip()

    page.render("learn", offer, [matrix, picture], [matrix, form, double])
    gr.on(
        [matrix.input, form.input, double.input],
        page.guarded(draw),
        [page.chosen, matrix, form, double],
        picture,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )
    return group


def shown(t: Text, chosen: object, name: str, form: str, double: bool) -> dict:
    """The value for the matrix `name` of the chosen model.

    Raises:
        NotFound: the model has no such matrix. NotAModel: its weights are damaged.
    """
    model = chosen_model(choices(chosen)["model"])
    matrix = quantise.find(model.path, name)
    weights = quantise.read(matrix)
    wanted = formats.get(form if form in _FORMATS else _FORMATS[0])
    done = quantise.quantise(weights, wanted, double)
    found = quantise.measured(matrix, weights, done)
    before = quantise.BITS[matrix.dtype]
    figures = {
        "bits": f"{found['bits']:.4g}",
        "memory": home.size_text(found["bytes"]),
        "error": f"{100 * found['error']:.2g}%",
        "largest": f"{found['largest']:.2g}",
    }
    notes = {
        "bits": t("quantise.bits_note", before=before),
        "memory": t("quantise.memory_note", before=home.size_text(matrix.weights * before / 8)),
        "error": t("quantise.error_note"),
        "largest": t("quantise.largest_note", typical=f"{found['typical']:.2g}"),
    }
    part = t("quantise.part", n=f"{len(weights):,}") if len(weights) < matrix.weights else ""
    return {
        "stats": [{"label": t(f"quantise.{key}"), "value": figures[key], "note": notes[key]} for key in figures],
        "histogram": found["histogram"],
        "levels": found["levels"],
        "words": {
            "before": t("quantise.before", n=f"{len(weights):,}"),
            "after": t("quantise.after", format=wanted.label, n=sum(share > 0 for _, share in found["levels"])),
            "axis": t("quantise.axis"),
            "part": part,
        },
    }


def _label(matrix: quantise.Matrix) -> str:
    rows, columns = matrix.shape
    return f"{matrix.name.removesuffix('.weight')} · {rows:,} × {columns:,}"
