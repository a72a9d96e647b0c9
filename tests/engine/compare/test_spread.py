"""A model whose layers lie on several devices answers as one on a single device does, with every kind of adapter."""

import pytest
from accelerate.hooks import AlignDevicesHook, add_hook_to_module, attach_align_device_hook

from engine import hardware
from engine.compare import loading
from engine.compare.desk import Desk
from engine.compare.settings import GenerationParams
from engine.hardware import Device

from .conftest import ADAPTERS, asked

NAMES = ["base:tiny", *(f"run:{name}" for name in ADAPTERS if name != "qlora")]


def answers() -> dict[str, str]:
    """Of each model, with the base beside it in the same batch where they share one."""
    desk, params, found = Desk("fp32"), GenerationParams(temperature=0, max_tokens=12), {}
    for name in NAMES:
        names = [name, "base:tiny"]
        texts = ["", ""]
        for event in desk.compare(names, [asked("糖尿病患者能吃西瓜吗？"), asked("你好！")], params, lambda: False):
            if "delta" in event:
                texts[event["index"]] += event["delta"]
        found[name] = "|".join(texts)
    return found


def test_layers_on_devices_of_their_own_answer_the_same(workspace, monkeypatch):
    alone = answers()
    plain = loading.load_model

    def dispatched(*given: object) -> object:
        model = plain(*given)
        # What `device_map="auto"` does on GPUs: every module brings what it is given to its own device.
        attach_align_device_hook(model, execution_device="cpu")
        add_hook_to_module(model, AlignDevicesHook("cpu", io_same_device=True), append=True)
        return model

    monkeypatch.setattr(loading, "load_model", dispatched)
    assert answers() == alone and len(set(alone.values())) > len(NAMES) // 2


@pytest.mark.parametrize(("gpus", "free", "spread"), [(2, 1000, True), (2, 10**9, False), (1, 1000, False)])
def test_only_what_one_gpu_cannot_hold_is_spread(workspace, monkeypatch, gpus, free, spread):
    asked_for = []

    class Enough(Exception):
        pass

    def load(*given: object) -> None:
        asked_for.append(given[-1])
        raise Enough

    monkeypatch.setattr(hardware, "best", lambda: Device("cuda:0", "A GPU", 10**9, ("fp32",)))
    monkeypatch.setattr(hardware, "gpus", lambda: gpus)
    monkeypatch.setattr(hardware, "free_memory", lambda device: free)
    monkeypatch.setattr(hardware, "free_together", lambda device: gpus * free)
    monkeypatch.setattr(loading, "load_model", load)
    with pytest.raises(Enough):
        list(Desk("fp32").compare(["base:tiny"], [asked("你好！")], GenerationParams(), lambda: False))
    assert asked_for == [spread]
