"""The public API (`gradio_client`): `/start_run /run_status /run_events /stop_run /inspect_file /convert_file /compare`.

Everything else that Gradio calls is private. Each function validates what it is given: hiding a route protects nothing.
"""

from pathlib import Path

import gradio as gr

from engine.compare.settings import GenerationParams
from engine.data import convert as converting
from engine.data import datasets, tables
from engine.data.cleaning import Cleaning
from engine.data.splitting import Split
from engine.fields import validated
from engine.runs import store
from ui.draft import checked_format
from ui.page import GENERATION, guarded
from ui.services import Services
from ui.text import Text
from ui.training_runs import launch
from ui.uploads import received


def publish(t: Text, services: Services) -> None:
    """Add the public functions to the Blocks that are being built."""

    def start_run(
        model: str,
        data: str,
        objective: str = "sft",
        method: str = "lora",
        settings: dict = {},  # noqa: B006
        name: str = "",
    ) -> dict:
        """Start a training run: `{"run": id, "position": place in the queue or None}`. `settings`: parameter -> value."""
        run = launch(t, services, model, data, objective, method, dict(settings), name)
        return {"run": run.id, "position": services.jobs.position(run)}

    def run_status(run: str) -> dict:
        """The state of a run, and its place in the queue."""
        found = store.here(run)
        return {"run": found.id, **found.status(), "position": services.jobs.position(found)}

    def run_events(run: str, after: int = 0) -> list:
        """The events of a run with a number above `after`, without the `path` of a checkpoint: a Gradio client takes
        whatever has a path for a file, and tries to download it."""
        found = store.here(run).events(int(after))
        return [{key: value for key, value in event.items() if key != "path"} for event in found]

    def stop_run(run: str) -> dict:
        """Ask a run to finish its step, save and stop."""
        found = store.here(run)
        services.jobs.stop(found)
        return {"run": found.id, "state": found.status()["state"]}

    def inspect_file(file: dict, encoding: str = "") -> dict:
        """What is in an uploaded table: format, encoding, delimiter, rows, columns, mapping, problems."""
        return tables.inspect(_uploaded(file), tables.Told(encoding or None))

    def convert_file(
        file: dict,
        name: str,
        mapping: dict = {},  # noqa: B006
        train: int | None = None,
        val: int | None = None,
        seed: int = 42,
        format: str = "qa",
        encoding: str = "",
        cleaning: dict = {},  # noqa: B006
    ) -> dict:
        """Make the data set `name` of an uploaded table: train, val, unused, dropped, files, input_rows."""
        parts = validated(Split, {"train": train, "val": val, "seed": seed})
        return converting.convert(
            [_uploaded(file)],
            datasets.place(name),
            mapping=dict(mapping) or None,
            format=checked_format(format),
            told=tables.Told(encoding or None),
            cleaning=validated(Cleaning, dict(cleaning)),
            **parts.model_dump(),
        )

    def compare(run: str, question: str, settings: dict = {}) -> dict:  # noqa: B006
        """The answers of the model before and after a run: `{"base", "tuned"}`. `settings`: as in generation."""
        params = validated(GenerationParams, {"temperature": 0, **settings})
        id = store.here(run).id
        messages = [{"role": "user", "content": question}]
        names = [f"base:run:{id}", f"run:{id}"]
        base, tuned = services.chat.answers(names, [messages] * 2, **params.model_dump())
        return {"base": base["text"], "tuned": tuned["text"]}

    for function in (start_run, run_status, run_events, stop_run, inspect_file, convert_file):
        gr.api(guarded(function, t), api_name=function.__name__, concurrency_limit=8)
    gr.api(guarded(compare, t), api_name="compare", concurrency_id=GENERATION, concurrency_limit=4)


def _uploaded(file: object) -> Path:
    """The file that a client sent with `gradio_client.handle_file`."""
    return received(file.get("path") if isinstance(file, dict) else file)
