"""Models that other programs have downloaded: in the caches of ModelScope and Hugging Face on this machine."""

import os
from pathlib import Path

from engine.errors import NotAModel
from engine.models import library
from engine.models.library import Model

# Below the cache, the folders that hold a model: the layouts of ModelScope's clients, old and new, and of Hugging Face's.
_MODELSCOPE = ("models/*/snapshots/*", "models/*/*", "hub/models/*/*", "hub/*/*")
_HUGGING_FACE = ("models--*/snapshots/*",)


def found() -> list[Model]:
    """Usable models in the caches that the library does not list yet, by name."""
    known = {model.path for model in library.models()}
    models = {}
    for root, patterns in ((_modelscope(), _MODELSCOPE), (_hugging_face(), _HUGGING_FACE)):
        for pattern in patterns:
            for folder in root.glob(pattern):
                try:
                    model = library.describe(folder)
                except (NotAModel, OSError):
                    continue
                if model.path not in known:
                    models[model.path] = model
    return sorted(models.values(), key=lambda model: name(model.path).lower())


def name(path: Path) -> str:
    """What a model in a cache is called, also in the layout of ModelScope's older clients."""
    called = library.name_of(path)
    return called if path.parent.name == "snapshots" else f"{path.parent.name}/{called}"


def _modelscope() -> Path:
    return Path(os.environ.get("MODELSCOPE_CACHE") or Path.home() / ".cache" / "modelscope")


def _hugging_face() -> Path:
    own = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(own) if own else Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface") / "hub"
