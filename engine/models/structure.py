"""What is inside a model: its modules as a tree with shapes and counts, built from `config.json` alone, no weights loaded.

`structure(folder)` asks a process of its own, since that takes torch, and keeps the answer. `python -m
engine.models.structure FOLDER` is that process.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from engine import home
from engine.errors import NotAModel
from engine.models import library
from engine.words import Words

_VERSION = 2
_NOT_BUILT = Words(
    "no model can be built from its config.json ({reason})", "无法根据其中的 config.json 构建模型（{reason}）"
)


def structure(path: Path) -> dict:
    """`{"parameters", "tree", "tied"}` of the model in a folder.

    A node of `tree` is `{"name", "type", "detail", "count", "parameters", "share", "weights", "children"}`: `count` alike
    modules in a row are one node, whose `children` are those of each; `parameters` is of all of them, `share` their part
    of the whole; `weights` are `{"name", "shape", "parameters"}` of its own. `tied` lists pairs of names of one tensor,
    which counts where it comes first.

    Raises:
        NotAModel: with the reason.
    """
    config = home.read_json(library.describe(path).path / "config.json")
    config.pop("quantization_config", None)
    text = json.dumps(config, sort_keys=True)
    kept = home.folder("cache") / f"structure-{_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    try:
        return home.read_json(kept)
    except (FileNotFoundError, ValueError):
        found = _asked(path, text)
    home.write_json(kept, found)
    return found


def _asked(path: Path, text: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "engine.models.structure"],
        input=text,
        capture_output=True,
        text=True,
        cwd=home.ASSETS.parent,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["?"])[-1][:300]
        raise NotAModel(path=str(path), reason=_NOT_BUILT.filled(reason=reason))
    return json.loads(done.stdout)


def _build(config: dict) -> dict:
    """The structure of the model that `config` describes."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    kind = AutoConfig.for_model(**config)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(kind)
    model.tie_weights()
    names: dict[int, str] = {}
    tied = []
    for name, tensor in model.named_parameters(remove_duplicate=False):
        if id(tensor) in names:
            tied.append([name, names[id(tensor)]])
        names.setdefault(id(tensor), name)
    total = sum(tensor.numel() for tensor in model.parameters())
    tree = _node("", model, {name for name, _ in tied}, "", total)
    return {"parameters": total, "tree": tree, "tied": tied}


def _node(name: str, module: object, tied: set[str], path: str, total: int) -> dict:
    weights = [
        {"name": own, "shape": list(tensor.shape), "parameters": 0 if f"{path}{own}" in tied else tensor.numel()}
        for own, tensor in module.named_parameters(recurse=False)
    ]
    children = [_node(own, child, tied, f"{path}{own}.", total) for own, child in module.named_children()]
    parameters = sum(part["parameters"] for part in (*weights, *children))
    return {
        "name": name,
        "type": type(module).__name__,
        "detail": module.extra_repr(),
        "count": 1,
        "parameters": parameters,
        "share": parameters / total,
        "weights": weights,
        "children": joined(children),
    }


def joined(children: list[dict]) -> list[dict]:
    """Numbered neighbours that differ in their numbers only become one node with a count."""
    runs: list[list[dict]] = []
    for child in children:
        if runs and child["name"].isdigit() and {**runs[-1][0], "name": ""} == {**child, "name": ""}:
            runs[-1].append(child)
        else:
            runs.append([child])
    return [run[0] if len(run) == 1 else _several(run) for run in runs]


def _several(alike: list[dict]) -> dict:
    first, count = alike[0], len(alike)
    return first | {
        "name": f"{first['name']}-{alike[-1]['name']}",
        "count": count,
        "parameters": first["parameters"] * count,
        "share": first["share"] * count,
    }


def parted(node: dict) -> list[dict]:
    """What `joined` made one node of, as a node each."""
    if node["count"] == 1:
        return [node]
    first, last = map(int, node["name"].split("-"))
    each = {"count": 1, "parameters": node["parameters"] // node["count"], "share": node["share"] / node["count"]}
    return [node | each | {"name": str(number)} for number in range(first, last + 1)]


if __name__ == "__main__":
    print(json.dumps(_build(json.loads(sys.stdin.read()))))
