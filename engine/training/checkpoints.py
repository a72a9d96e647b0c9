"""A run's weights on disk: checkpoints to resume from, the best one, the final model. Nothing here is ever unpickled."""

import math
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from engine import home
from engine.training import distributed, sharding
from engine.training.tuned import Tuned

# What trains, by its own name: an adapter's file keeps only what use needs (a prompt, say, and not the network that
# writes it), which is not enough to go on training.
_TRAINABLE = "trainable.safetensors"
# Before the names of what the method itself remembers, in the same file.
_STATE = "state:"
# Where the model hangs in a `Tuned`.
_MODEL = "model."


def save(tuned: Tuned, folder: Path) -> None:
    """The model as its users load it (an adapter in PEFT's layout, or the whole model), and what resuming needs. All
    processes call this, for those that hold a part of it; the first writes."""
    with sharding.gathered(tuned) as gathered:
        if distributed.is_main():
            _save(tuned, folder, gathered)


def _save(tuned: Tuned, folder: Path, gathered: dict[str, torch.Tensor] | None) -> None:
    save_model(tuned, folder, gathered=gathered)
    if tuned.method.saves == "adapter":
        kept = gathered or {name: p.detach() for name, p in tuned.model.named_parameters() if p.requires_grad}
        kept = {f"{_MODEL}{name}": value for name, value in kept.items()}
        if tuned.method.state:
            kept |= {f"{_STATE}{name}": value for name, value in tuned.method.state.read(tuned.model).items()}
        save_file({name: value.cpu().contiguous() for name, value in kept.items()}, folder / _TRAINABLE)


def save_model(
    tuned: Tuned, folder: Path, dtype: torch.dtype | None = None, gathered: dict[str, torch.Tensor] | None = None
) -> None:
    """What the method trained: an adapter in PEFT's layout, or the whole model, in `dtype` where one is given. `gathered`:
    its weights where the model itself has only a part of them (`sharding.gathered`)."""
    if tuned.method.saves == "model":
        if gathered is None:
            tuned.model.to(dtype).save_pretrained(folder)
        else:
            weights = {name: value.to(dtype) for name, value in gathered.items()}
            tuned.model.save_pretrained(folder, state_dict=weights)
        return
    # Beside it TRL keeps a frozen copy of the start. An adapter on the embeddings is in the file as every other; the embeddings themselves are the base's.
    start = {"path_initial_model_for_weight_conversion": str(tuned.start)} if tuned.start else {}
    tuned.model.save_pretrained(
        folder, state_dict=gathered, selected_adapters=["default"], save_embedding_layers=False, **start
    )


def keep_start(tuned: Tuned, folder: Path) -> None:
    """PiSSA takes what it starts from out of the base's weights. With its start kept in `folder`, what is saved is the
    difference from it: an ordinary LoRA for the untouched base."""
    if tuned.method.saves == "adapter" and _is_pissa(tuned.model.active_peft_config):
        config = tuned.model.active_peft_config
        config.init_lora_weights = True
        tuned.model.save_pretrained(folder, save_embedding_layers=False, is_main_process=distributed.is_main())
        config.init_lora_weights = "pissa"
        tuned.start = folder


def _is_pissa(config: object) -> bool:
    return config.peft_type == "LORA" and config.init_lora_weights == "pissa"


def load(tuned: Tuned, folder: Path) -> None:
    """The weights that `save` wrote, into a model built the same way."""
    if tuned.method.saves == "adapter":
        kept = load_file(folder / _TRAINABLE)
        if tuned.method.state:
            state = {name.removeprefix(_STATE): kept.pop(name) for name in list(kept) if name.startswith(_STATE)}
            tuned.method.state.write(tuned.model, state)
        tuned.load_state_dict(sharding.as_parted(kept, tuned), strict=False)
        return
    weights: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights.update(load_file(file))
    # Tied weights are stored once, so the head's own name may be missing.
    tuned.model.load_state_dict(sharding.as_parted(weights, tuned.model), strict=False)


def steps(folder: Path) -> list[int]:
    """The steps whose checkpoints stand in `folder`, rising."""
    return sorted(int(path.name.partition("-")[2]) for path in folder.glob("checkpoint-*"))


def rotate(folder: Path, keep: int, best: int | None, most: float = math.inf) -> None:
    """Remove all but the last `keep` checkpoints and the best one, and older ones while all take more than `most` bytes;
    the last and the best always stay."""
    found = steps(folder)
    for place, step in enumerate(found[:-1]):
        if step != best and (len(found) - place > keep or home.size_of(folder) > most):
            shutil.rmtree(folder / f"checkpoint-{step}")


def publish(written: Path, target: Path) -> None:
    """Give a complete checkpoint its name; an older one of that name (from before a resume) makes way."""
    shutil.rmtree(target, ignore_errors=True)
    os.replace(written, target)
    written.parent.rmdir()


def copy_model(checkpoint: Path, target: Path) -> None:
    """The model files of a checkpoint, as `target`, without copying bytes where the disk allows."""
    beside = target.with_name(f".{target.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    for file in checkpoint.iterdir():
        if file.suffix in (".safetensors", ".json", ".jinja") and file.name != _TRAINABLE:
            _link(file, beside / file.name)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(beside, target)


def best_again(run: Path, checkpoint: Path | None) -> None:
    """Make `best/` of a run what it was when `checkpoint` was saved (None: nothing yet): later steps are taken anew."""
    best = home.read_json(checkpoint / "trainer_state.json")["best_global_step"] if checkpoint else None
    source = run / "checkpoints" / f"checkpoint-{best}"
    if best and source.is_dir():
        copy_model(source, run / "best")
    else:
        shutil.rmtree(run / "best", ignore_errors=True)


def flush(folder: Path) -> None:
    """Wait until the files in `folder` are on the disk."""
    for file in folder.iterdir():
        with open(file, "rb") as handle:
            os.fsync(handle.fileno())


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without hard links
        shutil.copyfile(source, target)
