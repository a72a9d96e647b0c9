import pytest

from engine.errors import Unsupported
from engine.models import source


@pytest.mark.parametrize(
    ("text", "id", "hub", "kind", "endpoint"),
    [
        (" Qwen/Qwen2.5-0.5B ", "Qwen/Qwen2.5-0.5B", "modelscope", "model", None),
        ("https://modelscope.cn/models/Qwen/Qwen3-0.6B/summary", "Qwen/Qwen3-0.6B", "modelscope", "model", None),
        ("https://www.modelscope.cn/datasets/a/b?x=1", "a/b", "modelscope", "dataset", None),
        ("https://huggingface.co/Qwen/Qwen3-0.6B/tree/main", "Qwen/Qwen3-0.6B", "huggingface", "model", None),
        ("huggingface.co/datasets/a/b", "a/b", "huggingface", "dataset", None),
        ("https://hf-mirror.com/a/b", "a/b", "huggingface", "model", "https://hf-mirror.com"),
    ],
)
def test_what_people_paste(text, id, hub, kind, endpoint):
    found = source.read(text)
    assert (found.id, found.hub, found.kind, found.endpoint) == (id, hub, kind, endpoint)


@pytest.mark.parametrize("text", ["", "Qwen", "a/b/c", "../b", "a/..", "https://example.com/a/b", "a b/c", "-a/b"])
def test_what_names_nothing_is_refused(text):
    with pytest.raises(Unsupported) as caught:
        source.read(text)
    assert "owner/name" in caught.value.text("en") and "所有者/名称" in caught.value.text("zh")


@pytest.mark.parametrize(
    "more", [{"revision": "../x"}, {"revision": "a b"}, {"endpoint": "ftp://x"}, {"endpoint": "x"}]
)
def test_a_wrong_revision_or_endpoint_is_refused(more):
    with pytest.raises(Unsupported):
        source.read("a/b", **more)


def test_a_saved_token_goes_to_the_hub_itself_only():
    assert source.read("a/b").use_token
    assert not source.read("a/b", endpoint="http://mirror.example").use_token
    assert source.read("a/b", endpoint="http://mirror.example", use_token=True).use_token


def test_a_revision_has_a_folder_of_its_own():
    assert source.read("a/b").folder == "a/b"
    assert source.read("a/b", revision="refs/pr/1").folder == "a/b@refs-pr-1"
