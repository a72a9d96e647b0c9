import pytest

from engine import home
from engine.errors import OutsideFolder
from engine.models import caches, catalogue, library, source
from tests.engine.models.test_library import make


@pytest.fixture(autouse=True)
def _workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    for name in ("MODELSCOPE_CACHE", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("offer", catalogue.OFFERS, ids=lambda offer: offer.name)
def test_every_offer_is_whole(offer):
    assert set(offer.ids) == {hub.key for hub in source.HUBS}
    assert all(source.read(id, key).id == id for key, id in offer.ids.items())
    # Two bytes a parameter; a tied head may lie in the file once more.
    size = offer.shape.parameters * 2
    assert size <= offer.bytes <= size + 2 * offer.shape.embedding + 20_000_000


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("Qwen2.5-0.5B", 494_032_768), ("Qwen3-0.6B", 596_049_920), ("SmolLM2-135M-Instruct", 134_515_008)],
)
def test_sizes_by_configuration_are_those_published(name, parameters):
    offer = next(each for each in catalogue.OFFERS if each.name == name)
    assert offer.shape.parameters == pytest.approx(parameters, rel=1e-3)


def test_the_first_offer_is_the_tutorials():
    assert catalogue.OFFERS[0].ids["modelscope"] == "Qwen/Qwen2.5-0.5B"


def test_models_in_the_hubs_caches_are_found(tmp_path):
    cache = tmp_path / "person" / ".cache"
    make(cache / "modelscope" / "models" / "a--new" / "snapshots" / "master")
    make(cache / "modelscope" / "hub" / "models" / "a" / "old___5")
    make(cache / "huggingface" / "hub" / "models--b--c" / "snapshots" / "0123")
    (cache / "huggingface" / "hub" / "models--b--empty" / "snapshots" / "0123").mkdir(parents=True)
    assert [caches.name(model.path) for model in caches.found()] == ["a/new", "a/old.5", "b/c"]
    added = library.add_folder(caches.found()[0].path)
    assert added.name == "a/new" and library.find("a/new") == added.path
    assert len(caches.found()) == 2
    library.forget("a/new")
    assert len(caches.found()) == 3


def test_only_the_librarys_own_models_are_deleted(tmp_path):
    mine = make(home.folder("models") / "me" / "tiny")
    size = home.size_of(mine)
    assert library.delete(mine) == size and not mine.exists()
    elsewhere = make(tmp_path / "elsewhere")
    for path in (elsewhere, home.DEMO_MODEL, home.folder("models"), home.folder("models") / ".." / "data"):
        with pytest.raises(OutsideFolder):
            library.delete(path)
    assert elsewhere.is_dir() and home.DEMO_MODEL.is_dir()
