import json
import struct
from pathlib import Path

import pytest

from engine import home
from engine.errors import NotAModel, NotFound
from engine.models import library

CONFIG = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "vocab_size": 100,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
}
SHAPES = {"model.embed_tokens.weight": [100, 8], "model.norm.weight": [8]}


@pytest.fixture(autouse=True)
def _workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))


def write_weights(path: Path, shapes: dict[str, list[int]]) -> None:
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * end)


def make(folder: Path, shapes: dict[str, list[int]] = SHAPES, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "tokenizer.json").write_text("{}")
    write_weights(folder / "model.safetensors", shapes)
    return folder


def reason(path: Path) -> str:
    with pytest.raises(NotAModel) as caught:
        library.describe(path)
    assert caught.value.text("zh") != caught.value.text("en")
    return caught.value.text("en")


def test_a_folder_is_described_from_its_headers(tmp_path):
    model = library.describe(make(tmp_path / "small"))
    assert (model.name, model.source, model.demo) == ("small", "folder", False)
    assert (model.architecture, model.parameters) == ("Qwen2ForCausalLM", 808)
    assert (model.hidden_size, model.layers, model.vocab_size, model.context_length) == (8, 2, 100, 64)
    assert model.bytes == home.size_of(model.path)


def test_tied_weights_count_once_and_untied_twice(tmp_path):
    shapes = SHAPES | {"lm_head.weight": [100, 8]}
    assert library.describe(make(tmp_path / "tied", shapes)).parameters == 808
    assert library.describe(make(tmp_path / "untied", shapes, tie_word_embeddings=False)).parameters == 1608


def test_weights_in_several_files_are_those_that_the_index_names(tmp_path):
    folder = make(tmp_path / "parts")
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    write_weights(folder / "model-2.safetensors", {"extra": [10]})
    write_weights(folder / "stray.safetensors", {"stray": [1000]})
    names = {"model.embed_tokens.weight": "model-1.safetensors", "extra": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert library.describe(folder).parameters == 818
    (folder / "model-2.safetensors").unlink()
    assert "model-2.safetensors is missing" in reason(folder)


def test_what_cannot_be_used_is_refused_with_its_reason(tmp_path):
    assert "not a folder" in reason(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "no config.json" in reason(tmp_path / "empty")
    (tmp_path / "empty" / "config.json").write_text("{")
    assert "damaged" in reason(tmp_path / "empty")
    (tmp_path / "empty" / "config.json").write_text("[]")
    assert "model_type" in reason(tmp_path / "empty")
    assert "own program code" in reason(make(tmp_path / "remote", auto_map={"AutoModel": "modeling.X"}))
    pickled = make(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "pickled" in reason(pickled)
    (pickled / "pytorch_model.bin").unlink()
    assert "no safetensors" in reason(pickled)
    mute = make(tmp_path / "mute")
    (mute / "tokenizer.json").unlink()
    assert "no tokenizer" in reason(mute)


@pytest.mark.parametrize(
    "content", [b"", b"\1", b"\xff" * 8, b"\x05" + b"\0" * 7 + b"hello", b"\x02" + b"\0" * 7 + b"[]"]
)
def test_damaged_weights_are_refused(tmp_path, content):
    folder = make(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(content)
    assert "damaged or cut short" in reason(folder)


@pytest.mark.parametrize("content", ["{", "[]", '{"other": 1}', '{"weight_map": []}'])
def test_a_damaged_index_is_refused_and_hides_no_other_model(content):
    folder = make(home.folder("models") / "broken")
    (folder / "model.safetensors.index.json").write_text(content)
    assert "model.safetensors.index.json is damaged" in reason(folder)
    assert [model.name for model in library.models()] == ["demo-model"]


def test_weights_cut_short_are_refused(tmp_path):
    folder = make(tmp_path / "short")
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1])
    assert "damaged or cut short" in reason(folder)


def test_models_are_found_by_name_folder_and_run(tmp_path):
    here = make(home.folder("models") / "here")
    deep = make(home.folder("models") / "Qwen" / "deep")
    elsewhere = make(tmp_path / "elsewhere")
    assert library.add_folder(elsewhere).name == "elsewhere"
    library.add_folder(elsewhere)
    (home.folder("models") / "broken").mkdir()
    (home.folder("models") / "broken" / "config.json").write_text("{")
    listed = {model.name: model.source for model in library.models() if not model.demo}
    assert listed == {"deep": "library", "elsewhere": "folder", "here": "library"}
    for ref, path in [("here", here), ("deep", deep), ("Qwen/deep", deep), ("elsewhere", elsewhere), (here, here)]:
        assert library.find(ref) == path.resolve()
    library.forget("elsewhere")
    assert elsewhere.is_dir() and "elsewhere" not in [model.name for model in library.models()]
    with pytest.raises(NotFound):
        library.forget("elsewhere")
    with pytest.raises(NotFound):
        library.find("elsewhere")


def test_a_run_stands_for_its_final_model(tmp_path):
    run = home.folder("runs") / "20260101-000000-abcd"
    run.mkdir()
    (run / "events.jsonl").touch()
    with pytest.raises(NotFound, match="no final model yet"):
        library.find(run.name)
    (run / "final").mkdir()  # as somebody left it who made room
    with pytest.raises(NotFound, match="no final model yet"):
        library.find(run.name)
    (run / "final").rmdir()
    final = make(run / "final")
    assert library.find(run.name) == library.find(run) == final
    (final / "config.json").rename(final / "adapter_config.json")
    assert library.find(run.name) == final


def test_the_demo_model_comes_first(tmp_path):
    if not (home.DEMO_MODEL / "config.json").is_file():
        pytest.skip("the demo model has not been built")
    make(home.folder("models") / "a-model")
    first = library.models()[0]
    assert first.demo and first.name == library.DEMO
    assert library.find(library.DEMO) == home.DEMO_MODEL


def test_packed_weights_are_not_counted(tmp_path):
    assert library.describe(make(tmp_path / "packed", quantization_config={"bits": 4})).parameters is None
