"""Methods against each other: the same model and data, one run a method, each evaluated, and one table of what came of it.

A contest is a file that names its runs, in `contests/` of the workspace; all it shows is read from the runs.
"""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine import home
from engine.compare import evaluate, tasks
from engine.errors import NotFound, Unsupported, from_os_error
from engine.runs import store
from engine.runs.status import ENDED
from engine.runs.store import Run
from engine.training import config, methods
from engine.words import LANGUAGES, Words

ROWS = 100  # held-out rows that each run is measured on
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_KIND = Words("comparison of methods", "方法对比")
_TOO_FEW = Words("Choose at least two methods to compare.", "请至少选择两种方法进行对比。")

_AND = Words(", ", "、")
_AHEAD_OF_ALL = Words(
    "{best} answers best, and its lead over {ahead} is real.", "{best} 的回答质量最高，且真实领先于 {ahead}。"
)
_AHEAD_OF_SOME = Words(
    "{best} answers best; its lead over {ahead} is real, that over {level} may be chance.",
    "{best} 的回答质量最高：真实领先于 {ahead}；与 {level} 的差异可能只是偶然波动。",
)
_AHEAD_OF_NONE = Words(
    "{best} has the highest score, but its lead over {level} may be chance.",
    "{best} 的分数最高，但与 {level} 的差异可能只是偶然波动。",
)


@dataclass(frozen=True)
class Contest:
    """`runs`: ids, one a method, in the order in which they were queued."""

    id: str
    created: float
    model: str
    data: str
    runs: list[str]


@dataclass(frozen=True)
class Entry:
    """What came of one method; None for what is not known (yet).

    `seconds`: of training; `memory_gb`: the most that training held; `bytes`: of what was learnt, on the disk; `scores`:
    the tuned side's measures; `verdict`: as in `scores.compare`, against the base.
    """

    run: str
    method: str
    state: str
    progress: float
    seconds: float | None
    memory_gb: float | None
    bytes: int | None
    trainable: int | None
    eval_loss: float | None
    scores: dict | None
    verdict: str | None


def begin(
    model: str,
    data: str,
    chosen: Sequence[str],
    settings: dict[str, object] | None = None,
    objective: str = "sft",
    lang: str = "en",
) -> tuple[Contest, list[Run]]:
    """A new contest between the methods `chosen`, with the same training `settings`; and its jobs in the order in which
    they must be submitted: each method's run (named in `lang`), then its evaluation.

    Raises:
        Unsupported: fewer than two methods, or one that does not serve the objective.
        InvalidFields, NotFound, NotAModel: as `config.build`. DiskFull: there is no room.
    """
    if len(set(chosen)) < 2:
        raise Unsupported(reason=_TOO_FEW)
    wanted = [config.build(model, data, objective, method, settings or {}) for method in dict.fromkeys(chosen)]
    jobs, runs = [], []
    for each in wanted:
        title = f"{Path(each.data).name} · {methods.get(each.method).label.text(lang)}"
        run = store.create(each.model_dump(mode="json"), name=title)
        runs.append(run.id)
        jobs += [run, tasks.evaluation(run, limit=ROWS)]
    now = time.time()
    id = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(2)}"
    contest = Contest(id, now, wanted[0].model, wanted[0].data, runs)
    file = home.folder("contests") / f"{id}.json"
    try:
        home.write_json(file, asdict(contest))
    except OSError as error:
        raise from_os_error(error, file) from error
    return contest, jobs


def contests() -> list[Contest]:
    """Every contest, newest first."""
    files = sorted((f for f in home.folder("contests").glob("*.json") if _ID.fullmatch(f.stem)), reverse=True)
    return [Contest(**home.read_json(file)) for file in files]


def load(id: str) -> Contest:
    """Raises:
    NotFound: there is none of that id.
    """
    file = home.folder("contests") / f"{id}.json"
    if not _ID.fullmatch(id) or not file.is_file():
        raise NotFound(kind=_KIND, name=id, hint=Words("It may have been deleted.", "它可能已被删除。"))
    return Contest(**home.read_json(file))


def entries(contest: Contest) -> list[Entry]:
    """What came of each method so far; runs that were deleted are left out."""
    there = {run.id: run for run in store.runs()}
    return [_entry(there[id]) for id in contest.runs if id in there]


def standing(found: list[Entry]) -> Words | None:
    """Which method answers best, and from which others that lead can be told apart from chance, at 95 %; None before two
    are measured."""
    measured = sorted((e for e in found if e.scores), key=lambda entry: -entry.scores["rougeL"])
    if len(measured) < 2:
        return None
    best, *others = measured
    ahead = {entry.method: _really_ahead(best, entry) for entry in others}
    said = _AHEAD_OF_ALL if all(ahead.values()) else _AHEAD_OF_SOME if any(ahead.values()) else _AHEAD_OF_NONE
    lists = {}
    for lang in LANGUAGES:
        named = {
            real: [methods.get(method).label.text(lang) for method, told in ahead.items() if told is real]
            for real in (True, False)
        }
        lists[lang] = {"ahead": _AND.text(lang).join(named[True]), "level": _AND.text(lang).join(named[False])}
    return Words(
        *(said.text(lang, best=methods.get(best.method).label.text(lang), **lists[lang]) for lang in ("en", "zh"))
    )


def _really_ahead(best: Entry, other: Entry) -> bool:
    try:
        difference = evaluate.between(store.find(best.run), store.find(other.run))["difference"]
    except NotFound:
        return False
    return difference["rougeL"]["low"] > 0


def over(contest: Contest) -> bool:
    """Whether nothing more will come."""
    there = {run.id: run for run in store.runs()}
    for run in (there[id] for id in contest.runs if id in there):
        if any(job.status()["state"] not in ENDED for job in (run, *tasks.of(run, tasks.EVALUATE))):
            return False
    return True


def _entry(run: Run) -> Entry:
    status, result = run.status(), evaluate.last(run)
    final = run.path / "final"
    memory = [value for value in run.series()["steps"]["memory_gb"] if value is not None]
    last = status["max_steps"]
    return Entry(
        run=run.id,
        method=run.config["method"],
        state=status["state"],
        progress=status["step"] / last if last else 0.0,
        seconds=status["seconds"] or None,
        memory_gb=max(memory, default=None),
        bytes=home.size_of(final) if final.is_dir() else None,
        trainable=(status["result"] or {}).get("trainable_parameters"),
        eval_loss=status["eval_loss"],
        scores=result["tuned"] if result else None,
        verdict=result["verdict"] if result else None,
    )
