"""Evaluations, exports and uploads as jobs: begun for a run, and found again."""

from dataclasses import asdict
from pathlib import Path

from engine.compare import evaluate
from engine.data import datasets
from engine.errors import NotFound
from engine.home import inside
from engine.models.source import Source
from engine.runs import store
from engine.runs.store import Run
from engine.words import Words

EVALUATE, EXPORT, UPLOAD = "evaluate", "export", "upload"
_EXPORT = Words("export", "导出")
_HINT = Words("Export the model first.", "请先导出模型。")


def evaluation(run: Run, data: Path | None = None, limit: int | None = evaluate.ROWS) -> Run:
    """A new job that evaluates `run`; it still must be submitted. `data`: another data set than its own; `limit`: rows,
    None for all.

    Raises:
        NotFound: there is no such data set. DiskFull: no room even for the job.
    """
    config = {"run": str(run.path), "data": str(datasets.find(data)) if data else None, "limit": limit}
    return store.create(config, kind=EVALUATE, name=run.card["name"])


def exportation(run: Run, form: str) -> Run:
    """A new job that exports `run` as `form` (see `export.FORMATS`) into its own directory; it still must be submitted.

    Raises:
        DiskFull: there is no room even for the job.
    """
    return store.create({"run": str(run.path), "format": form}, kind=EXPORT, name=run.card["name"])


def sending(export: Run, to: Source, private: bool = True) -> Run:
    """A new job that uploads what the job `export` made; it still must be submitted. The hub's client finds its token by
    itself (`models.hub_token.save`): none is written here.

    Raises:
        NotFound: the export is not there. DiskFull: there is no room even for the job.
    """
    made(export)
    config = {"run": export.config["run"], "export": export.id, "to": asdict(to), "private": private}
    return store.create(config, kind=UPLOAD, name=to.id)


def made(export: Run) -> Path:
    """The folder that the job `export` made.

    Raises:
        NotFound: it made none, or none yet.
    """
    folder = exported(export)
    if folder is None:
        raise NotFound(kind=_EXPORT, name=export.id, hint=_HINT)
    return folder


def exported(job: Run) -> Path | None:
    """The folder that an export job made; None until it is whole."""
    result = job.status()["result"]
    folder = inside(result["path"], job.path) if result and "path" in result else None
    return folder if folder and folder.is_dir() else None


def of(run: Run, kind: str) -> list[Run]:
    """The jobs of a kind that were begun for `run`, newest first."""
    return [job for job in store.jobs() if job.kind == kind and job.config.get("run") == str(run.path)]


def unfinished(run: Run, kind: str) -> Run | None:
    """The newest of these, if it goes on or failed; one that finished has left its result."""
    newest = next(iter(of(run, kind)), None)
    return newest if newest and newest.status()["state"] != "finished" else None
