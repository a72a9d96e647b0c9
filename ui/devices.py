"""On which GPUs and machines a run trains: the fields, and what to start on the other machines."""

import html
import shlex
import sys

import gradio as gr

from engine import hardware, home
from engine.runs import launch, status, store
from engine.training.device_params import DeviceParams
from ui.forms import Form
from ui.text import Text


class Fields:
    """`front()` lays out the choice of this machine's GPUs where there are several, `fold()` the rest, folded away."""

    def __init__(self, t: Text):
        self._t, self._gpus = t, hardware.gpus()
        self.form = Form(DeviceParams, t, "devices")

    def front(self) -> None:
        if self._gpus > 1:
            self.form.basic()
            self.form.component("spread").label = self._t("devices.gpus", n=self._gpus)

    def fold(self) -> None:
        t = self._t
        with gr.Accordion(t("devices.several"), open=False, elem_classes="td-fold", elem_id="devices-several"):
            gr.HTML(f"<p>{t.html('devices.several_help')}</p>", apply_default_css=False)
            self.form.advanced()
            if self._gpus < 2:
                self.form.basic()


def joining(t: Text, run: store.Run | None) -> str:
    """What to start on each of the other machines, as HTML; empty for a run that needs none, or none any more."""
    devices = DeviceParams(**(run.config.get("devices", {}) if run else {}))
    # Somebody who gave a launch of their own knows what to start.
    if devices.machines < 2 or devices.launch() != run.config["launch"] or run.status()["state"] in status.ENDED:
        return ""
    parts = []
    for number in range(1, devices.machines):
        words = [sys.executable, "-m", "engine", "join", str(run.path), "--machine", str(number), "--home", home.home()]
        command = f"cd {shlex.quote(str(home.ASSETS.parent))} && {shlex.join(map(str, words))}"
        same = launch.configuration(launch.on_machine(run.config["launch"], number))
        parts.append(
            f"<h4>{t.html('devices.machine', n=number + 1)}</h4><pre><code>{html.escape(command)}</code></pre>"
            f"<details><summary>{t.html('devices.configuration')}</summary>"
            f"<pre><code>{html.escape(same)}</code></pre></details>"
        )
    return f'<div class="td-joining"><h3>{t.html("devices.join")}</h3><p>{t.html("devices.join_help")}</p>{"".join(parts)}</div>'
