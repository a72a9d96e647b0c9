"""What the tree of a model marks as training is what really trains."""

import pytest

from engine import home
from engine.models import structure
from engine.training import counts, marks, methods
from tests.engine.training import plain
from tests.engine.training.test_counts import CASES


@pytest.fixture(scope="module")
def tree(model):
    return structure._build(home.read_json(model / "config.json"))["tree"]


def marked(tree: dict, model, method: str, **params: object) -> dict:
    spec = methods.get(method)
    return marks.marked(tree, counts.shape_of(model), spec, spec.params(**params))


def named(node: dict, path: str = "") -> dict[str, dict]:
    """Path -> mark, of every module that is marked."""
    found = {path: node["mark"]} if node["mark"] else {}
    for each in node["children"]:
        for child in structure.parted(each):
            found |= named(child, f"{path}.{child['name']}".lstrip("."))
    return found


@pytest.mark.parametrize("method, params", CASES, ids=plain.names(CASES))
def test_the_marks_add_up_to_what_trains(tree, model, method, params):
    spec = methods.get(method)
    count = spec.count(counts.shape_of(model), spec.params(**params))
    # The network that writes a prefix stands outside the model.
    outside = count.trainable - count.saved if params.get("prefix_projection") else 0
    assert marked(tree, model, method, **params)["trains"] == count.trainable - outside


@pytest.mark.parametrize("method", ["full", "freeze", "lora", "dora", "adalora", "ia3", "ln_tuning"])
def test_the_marked_modules_are_those_that_train(tree, model, method):
    found = marked(tree, model, method)
    made = plain.prepare(model, method, {}, total_steps=20, seed=0)
    training = set()
    for name, parameter in made.named_parameters():
        if parameter.requires_grad:
            inner = name.removeprefix("base_model.model.").split(".lora_")[0].split(".ia3_")[0].split(".ln_tuning")[0]
            training.add(inner.removesuffix(".weight").removesuffix(".bias"))
    assert set(named(found)) == training


def test_layers_of_which_some_train_are_told_apart(tree, model):
    def layers(method: str) -> list[tuple]:
        body = next(child for child in marked(tree, model, method)["children"] if child["name"] == "model")
        inside = next(child for child in body["children"] if child["name"] == "layers")
        return [(each["name"], each["count"], each["trains"] > 0) for each in inside["children"]]

    assert layers("lora") == [("0-2", 3, True)]
    assert layers("freeze") == [("0", 1, False), ("1-2", 2, True)]


def test_what_each_marks_is_said_in_both_languages(tree, model):
    for spec in methods.METHODS:
        kinds = {mark["kind"] for mark in named(marked(tree, model, spec.key)).values()}
        assert len(kinds) == 1 and kinds < set(marks.KINDS)
