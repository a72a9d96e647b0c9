"""Training runs as the pages mean them: one is started, found by its id, or the current one."""

from pathlib import Path

from engine.runs import status as states
from engine.runs import store
from engine.training import config, methods
from ui.services import Services
from ui.text import Text


def launch(
    t: Text,
    services: Services,
    model: str,
    data: str,
    objective: str = "sft",
    method: str = "lora",
    settings: dict | None = None,
    name: str = "",
    parent: str | None = None,
) -> store.Run:
    """Validate, make the run's folder and queue it.

    Raises:
        InvalidFields: every parameter that is wrong.
        NotFound, NotAModel, Unsupported: as they say.
    """
    wanted = config.build(model, data, objective, method, settings or {})
    title = f"{Path(wanted.data).name} · {t.of(methods.get(method).label)}"
    run = store.create(wanted.model_dump(mode="json"), name=name.strip() or title, parent=parent)
    services.jobs.submit(run)
    return run


def found(id: str | None) -> store.Run | None:
    """The training run called `id`, if there is one."""
    return next((run for run in store.runs() if run.id == id), None)


def current_run(id: str | None) -> store.Run | None:
    """The run called `id`; without one, the run that goes on now, else the newest."""
    runs = store.runs()
    going = [run for run in runs if run.status()["state"] in states.ACTIVE]
    return next((run for run in runs if run.id == id), None) or next(iter(going or runs), None)
