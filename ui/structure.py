"""What is inside the chosen model: its modules as a foldable tree, with shapes, counts and shares."""

from pathlib import Path

import gradio as gr

from engine.models import structure
from ui.text import Text


def tree(elem_id: str) -> gr.HTML:
    """The tree. Its value is what `shown` makes."""
    return gr.HTML(
        {},
        html_template="${TuneDesk.draw.structure(value)}",
        js_on_load=None,
        elem_id=elem_id,
        apply_default_css=False,
    )


def shown(t: Text, path: Path) -> dict:
    """The value for the model in a folder.

    Raises:
        NotAModel: with the reason.
    """
    found = structure.structure(path)
    return {
        "total": t("structure.total", count=f"{found['parameters']:,}"),
        "tied": [
            t("structure.tied", one=one.split(".")[-2], other=other.split(".")[-2]) for one, other in found["tied"]
        ],
        "root": _node(t, found["tree"], open=True),
    }


def _node(t: Text, node: dict, open: bool = False) -> dict:
    times = f"{node['count']} × " if node["count"] > 1 else ""
    return {
        "name": node["name"],
        "type": f"{times}{node['type']}",
        "detail": node["detail"],
        "count": f"{node['parameters']:,}",
        "share": f"{node['share']:.1%}",
        "bar": round(100 * node["share"], 2),
        "open": open,
        "each": t("structure.each", n=node["count"]) if node["count"] > 1 else "",
        "weights": [
            {"name": each["name"], "shape": " × ".join(map(str, each["shape"])), "count": f"{each['parameters']:,}"}
            for each in node["weights"]
        ],
        # The way down to the layers is open at once.
        "children": [
            _node(t, child, open=open and len(node["children"]) > 1 and not child["name"].isdigit())
            for child in node["children"]
        ],
    }
