"""Downloads as jobs: begun once for each source, gone on with where they stopped, told how far they are."""

from dataclasses import asdict, dataclass
from pathlib import Path

from engine import home
from engine.errors import NotAModel
from engine.models import library
from engine.models.hub import File, present
from engine.models.source import Source
from engine.runs import jobs, processes, store
from engine.runs.background import Jobs
from engine.runs.status import ACTIVE, ENDED
from engine.runs.store import Run

KIND = "download"


@dataclass(frozen=True)
class Progress:
    """`done`: bytes here, of `total`; `files`: (name, bytes here, bytes in all) of each. `total` is None until the hub
    has told what there is."""

    done: int
    total: int | None
    files: tuple[tuple[str, int, int], ...]


def downloads() -> list[Run]:
    """Every download, newest first; one whose config.json is damaged is left out."""
    return [run for run in store.jobs() if run.kind == KIND and run.config]


def source_of(run: Run) -> Source:
    return Source(**run.config["source"])


def place(source: Source) -> Path:
    """The folder of the library that a model goes to."""
    return home.inside(source.folder, home.folder("models"))


def here(source: Source) -> library.Model | None:
    """The model that `source` names, if it is in the library already."""
    try:
        return library.describe(place(source), "library") if source.kind == "model" else None
    except NotAModel:
        return None


def table_name(source: Source, path: str) -> str:
    """What a data set's table is called among the uploads."""
    return f"{source.id.rpartition('/')[2]}-{path.replace('/', '-')}"


def tables(run: Run) -> list[str]:
    """The names, among the uploads, of the tables that a finished download brought."""
    return [table_name(source_of(run), path) for path in run.status()["result"]["files"]]


def begin(source: Source) -> Run:
    """The job that downloads `source`: one that goes on or was broken off, else a new one. It still must be submitted
    when it is `queued`.

    Raises:
        DiskFull: there is no room even for its folder.
    """
    known = next((run for run in downloads() if _same(run, source)), None)
    if known is None:
        return store.create({"source": asdict(source)}, kind=KIND, name=source.folder)
    state = known.status()["state"]
    if state not in ACTIVE:
        # Perhaps from another mirror, or with a token this time.
        home.write_json(known.path / "config.json", {"source": asdict(source)})
    if state in ENDED:
        jobs.prepare_resume(known)
    return known


def take_up(queue: Jobs) -> None:
    """Go on with the downloads whose worker died with the app or the machine."""
    for run in downloads():
        status = run.status()
        if status["state"] in ACTIVE and not processes.alive(status["worker"]):
            jobs.settle()
            if run.status()["state"] == "interrupted":
                queue.resume(run)


def progress(run: Run) -> Progress:
    """How far a download is, by what lies on the disk."""
    plan = run.path / "plan.json"
    if not plan.is_file():
        return Progress(0, None, ())
    files = [File(**each) for each in home.read_json(plan)["files"]]
    finished = run.status()["state"] == "finished"
    each = tuple((f.path, f.size if finished else present(f, run.path / "files"), f.size) for f in files)
    return Progress(sum(done for _, done, _ in each), sum(size for *_, size in each), each)


def _same(run: Run, source: Source) -> bool:
    other = source_of(run)
    alike = (other.id, other.hub, other.kind, other.revision) == (source.id, source.hub, source.kind, source.revision)
    return alike and run.status()["state"] != "finished"
