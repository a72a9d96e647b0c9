"""On which devices a run trains, declared once: one or all of this machine's GPUs, or those of several machines."""

from typing import Literal

from engine import hardware
from engine.errors import Unsupported
from engine.fields import Params, param
from engine.runs import launch
from engine.words import Words

_ALONE = Words(
    "this machine has no second GPU to share the work with; leave the choice of GPUs at one, or name several machines",
    "本机没有第二块可以分担的显卡；请选择使用一块，或填写多台机器",
)


class DeviceParams(Params):
    """With several machines each has as many GPUs, and this one is the first of them."""

    spread: Literal["one", "copies", "parts"] = param(
        "one",
        Words("GPUs", "显卡"),
        Words(
            "Several share the rows of each batch: faster, with the same losses. Split it for a model that one cannot hold.",
            "多块显卡分担每一批数据：更快，损失不变。单块放不下的模型可以切分到各块。",
        ),
        choices={
            "one": Words("One", "一块"),
            "copies": Words("All, the whole model on each", "全部，每块放完整模型"),
            "parts": Words("All, the model split over them", "全部，模型切分到各块"),
        },
    )
    machines: int = param(
        1,
        Words("Machines", "机器数"),
        Words("How many machines train together, this one included.", "共有几台机器一起训练，包括本机。"),
        advanced=True,
        ge=1,
        le=1024,
    )
    gpus_each: int = param(
        1,
        Words("GPUs on each machine", "每台机器的显卡数"),
        Words("The same number on every machine.", "每台机器相同。"),
        advanced=True,
        ge=1,
        le=64,
    )
    address: str = param(
        "",
        Words("Address of this machine", "本机地址"),
        Words("A name or number under which the others reach it.", "其他机器能够访问到的本机名称或 IP 地址。"),
        advanced=True,
        pattern=r"^[A-Za-z0-9._:-]*$",
    )
    port: int = param(
        29500,
        Words("Port", "端口"),
        Words("Free on this machine, and open to the others.", "在本机空闲，并对其他机器开放。"),
        advanced=True,
        ge=1024,
        le=65535,
    )

    @property
    def processes(self) -> int:
        """How many share the work, over all machines."""
        if self.machines > 1:
            return self.machines * self.gpus_each
        return 1 if self.spread == "one" else hardware.gpus()

    def launch(self) -> str | None:
        """How the worker is started here; None for a single process.

        Raises:
            Unsupported: this machine has no GPUs to share the work among.
        """
        if self.machines > 1:
            return launch.several(self.processes, self.machines, self.address, self.port)
        if self.spread == "one":
            return None
        if hardware.gpus() < 2:
            raise Unsupported(reason=_ALONE)
        return launch.several(self.processes)
