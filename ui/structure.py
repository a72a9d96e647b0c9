"""What is inside the chosen model: its modules as a foldable tree, with shapes, counts, shares, and what a method trains."""

from pathlib import Path

import gradio as gr

from engine.models import structure
from engine.training import counts, marks, methods
from engine.training.methods import METHODS
from ui.drawn import drawn
from ui.text import Text


def tree(elem_id: str) -> gr.HTML:
    """The tree. Its value is what `shown` makes."""
    return drawn(elem_id, "structure")


def method(t: Text, elem_id: str) -> gr.Dropdown:
    """Whose marks the tree bears. It stands where it is rendered."""
    return gr.Dropdown(
        render=False,
        label=t("structure.method"),
        info=t("structure.method_help"),
        choices=[(t.of(spec.label), spec.key) for spec in METHODS],
        value=METHODS[0].key,
        interactive=True,
        elem_id=elem_id,
        elem_classes="td-field",
    )


def shown(t: Text, path: Path, key: str | None) -> dict:
    """The value for the model in a folder, with what the method called `key` trains; None: of a field not drawn yet.

    Raises:
        NotAModel: with the reason.
        NotFound: there is no such method.
    """
    found, chosen, shape = structure.structure(path), methods.get(key or METHODS[0].key), counts.shape_of(path)
    trains = t("structure.unmarked")
    if shape is not None:
        found["tree"] = marks.marked(found["tree"], shape, chosen, chosen.params())
        number = found["tree"]["trains"]
        share = f"{number / found['parameters']:.2%}"
        trains = t("structure.trains", method=t.of(chosen.label), count=f"{number:,}", share=share)
    return {
        "total": t("structure.total", count=f"{found['parameters']:,}"),
        "trains": trains,
        "tied": [
            t("structure.tied", one=one.split(".")[-2], other=other.split(".")[-2]) for one, other in found["tied"]
        ],
        "root": _node(t, found["tree"], open=True),
    }


def _node(t: Text, node: dict, open: bool = False) -> dict:
    mark = node.get("mark")
    # The way to what trains is open at once; without marks, that to the layers.
    open = mark is None and node["trains"] > 0 if "trains" in node else open
    times = f"{node['count']} × " if node["count"] > 1 else ""
    return {
        "name": node["name"],
        "type": f"{times}{node['type']}",
        "detail": node["detail"],
        "count": f"{node['parameters']:,}",
        "share": f"{node['share']:.1%}",
        "bar": round(100 * node["share"], 2),
        "open": open,
        "mark": t.of(marks.KINDS[mark["kind"]]) if mark else "",
        "trains": f"{node['trains']:,}" if node.get("trains") else "",
        "each": t("structure.each", n=node["count"]) if node["count"] > 1 else "",
        "weights": [
            {"name": each["name"], "shape": " × ".join(map(str, each["shape"])), "count": f"{each['parameters']:,}"}
            for each in node["weights"]
        ],
        "children": [
            _node(t, child, open=open and len(node["children"]) > 1 and not child["name"][0].isdigit())
            for child in node["children"]
        ],
    }
