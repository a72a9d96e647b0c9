"""A place where the page draws a value, with nothing to click: `TuneDesk.draw` in assets says how"""

import gradio as gr


def drawn(elem_id: str, drawing: str) -> gr.HTML:
    """An empty place; `drawing`: the name of what draws its values, which are JSON."""
    return gr.HTML(
        {},
        html_template=f"${{TuneDesk.draw.{drawing}(value)}}",
        js_on_load=None,
        elem_id=elem_id,
        apply_default_css=False,
    )
