import json

import pytest

from engine import home
from engine.errors import NotAModel, Unsupported
from engine.models import shape, structure
from tests.engine.models.test_library import make

QWEN = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}


@pytest.fixture(autouse=True)
def _workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))


def child(node: dict, *names: str) -> dict:
    for name in names:
        node = next(each for each in node["children"] if each["name"] == name)
    return node


def test_the_tutorials_model_from_its_configuration_alone(tmp_path, monkeypatch):
    folder = make(tmp_path / "qwen", **QWEN)
    found = structure.structure(folder)
    tree = found["tree"]
    assert found["parameters"] == tree["parameters"] == 494_032_768
    assert found["tied"] == [["lm_head.weight", "model.embed_tokens.weight"]]
    assert child(tree, "lm_head")["parameters"] == 0
    layers = child(tree, "model", "layers")["children"]
    assert [(each["name"], each["count"], each["type"]) for each in layers] == [("0-23", 24, "Qwen2DecoderLayer")]
    assert [each["name"] for each in child(layers[0], "self_attn")["children"]] == [
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
    ]
    assert child(layers[0], "mlp", "gate_proj")["weights"] == [
        {"name": "weight", "shape": [4864, 896], "parameters": 4864 * 896}
    ]
    assert sum(each["share"] for each in tree["children"]) == pytest.approx(1)
    monkeypatch.setattr(structure, "_asked", lambda *_: pytest.fail("the kept answer was not used"))
    assert structure.structure(folder) == found


def test_a_configuration_that_builds_nothing_is_told(tmp_path):
    with pytest.raises(NotAModel, match="no model can be built"):
        structure.structure(make(tmp_path / "odd", model_type="no-such-model"))


def test_a_shape_from_headers_is_that_from_the_configuration(tmp_path):
    shapes = {
        "model.embed_tokens.weight": [100, 8],
        "model.layers.0.self_attn.q_proj.weight": [8, 8],
        "model.layers.1.self_attn.q_proj.weight": [8, 8],
        "model.layers.0.mlp.up_proj.weight": [16, 8],
        "model.layers.1.mlp.up_proj.weight": [16, 8],
        "model.layers.0.input_layernorm.weight": [8],
        "model.norm.weight": [8],
    }
    found = shape.of_folder(make(tmp_path / "m", shapes, num_attention_heads=2, intermediate_size=16))
    assert {(m.name, m.outputs, m.inputs, m.count) for m in found.matrices} == {
        ("q_proj", 8, 8, 2),
        ("up_proj", 16, 8, 2),
    }
    assert (found.hidden_size, found.layers, found.vocab_size, found.tied) == (8, 2, 100, True)


@pytest.mark.parametrize("shapes", [{"model.layers.0.mlp.up_proj.weight": [16, 8]}, {"wte.weight": [16, 8]}])
def test_a_configuration_with_names_of_its_own_is_said(tmp_path, shapes):
    folder = make(tmp_path / "m", shapes)
    config = json.loads((folder / "config.json").read_text())
    del config["hidden_size"]
    (folder / "config.json").write_text(json.dumps(config | {"n_embd": 8}))
    with pytest.raises(Unsupported, match=r"config\.json has no"):
        shape.of_folder(folder)


def test_the_demo_models_shape_by_both_ways():
    config = json.loads((home.DEMO_MODEL / "config.json").read_text())
    by_headers, by_config = shape.of_folder(home.DEMO_MODEL), shape.of_config(config)
    assert set(by_headers.matrices) == set(by_config.matrices)
    assert by_headers.parameters == pytest.approx(by_config.parameters, rel=0.001)
