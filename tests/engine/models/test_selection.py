import pytest

from engine.errors import Unsupported
from engine.models import hub, selection
from engine.models.hub import File, Listing
from engine.models.source import Source

MODEL, DATA = Source("me/model"), Source("me/data", kind="dataset")
USUAL = ("config.json", "tokenizer.json", "model.safetensors")


def needed(*names: str, source: Source = MODEL) -> list[str]:
    files = tuple(File(name, 10) for name in names)
    return [file.path for file in selection.needed(source, Listing("main", files))]


def reason(*names: str, source: Source = MODEL) -> str:
    with pytest.raises(Unsupported) as caught:
        needed(*names, source=source)
    return caught.value.text("en")


def test_only_what_training_needs():
    rest = (
        "pytorch_model.bin",
        "model.onnx",
        "model-q4.gguf",
        "onnx/model.onnx",
        "tf_model.h5",
        "modeling_x.py",
        ".gitattributes",
    )
    assert needed(*rest, *USUAL)[0] == "config.json"
    assert set(needed(*rest, *USUAL)) == set(USUAL)


def test_weights_are_taken_once():
    parts = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json")
    chosen = needed("config.json", "tokenizer.json", *parts, "consolidated.safetensors", "model.fp16.safetensors")
    assert set(chosen) == {"config.json", "tokenizer.json", *parts}
    assert "weights.safetensors" in needed("config.json", "weights.safetensors", "consolidated.safetensors")


def test_what_cannot_be_used_is_refused_with_the_reason():
    assert "pickled" in reason("config.json", "pytorch_model.bin")
    assert "no safetensors weights" in reason("config.json", "tokenizer.json")
    assert "no config.json" in reason("model.safetensors")
    assert "an adapter" in reason("adapter_config.json", "adapter_model.safetensors")
    assert "no tables" in reason("README.md", "photo.png", source=DATA)
    with pytest.raises(Unsupported, match="program code"):
        selection.refuse_code(MODEL, {"model_type": "x", "auto_map": {"AutoModel": "modeling_x.X"}})


def test_a_data_set_is_its_tables():
    names = ("README.md", "dataset_infos.json", "data/train.csv", "val.jsonl", "pictures/1.png")
    assert needed(*names, source=DATA) == ["data/train.csv", "val.jsonl"]


@pytest.mark.parametrize("name", ["../evil.json", "/etc/passwd", "a/../../b", "C:\\x", "a\0b", ""])
def test_unsafe_names_are_refused(name):
    with pytest.raises(Unsupported):
        hub.checked(MODEL, (File("config.json", 1), File(name, 1)))
