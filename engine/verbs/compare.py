"""Verbs that show what a run achieved."""

import contextlib
import json
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from engine.errors import WorkError, from_record
from engine.runs import jobs, store
from engine.verbs import text
from engine.verbs.settings import count, port
from engine.verbs.verb import Verb
from engine.words import LANGUAGES, Words, system_language

_RUN = Words("id of a run, or its folder", "任务编号或其文件夹")
_LIMIT = Words("held-out rows measured (0: all; default {rows})", "评测多少条验证数据（0 表示全部，默认 {rows}）")
_PORT = Words("port on this machine (0: any free one; default 8765)", "本机端口（0 表示任选，默认 8765）")
_FORMAT = Words(
    "the adapter alone, one merged model, or GGUF for Ollama", "仅适配器、合并后的完整模型，或供 Ollama 使用的 GGUF"
)
_OUT = Words("a new folder", "新文件夹")
_FILE = Words("an HTML file; one that is there is replaced", "HTML 文件；已存在则覆盖")
_LANG = Words("language of the report (default: the system's)", "报告的语言（默认为系统语言）")
_DATA = Words("measure on this data set instead of the run's own", "改用这个数据集评测，而不是任务自己的数据")
_AGAINST = Words("another run to compare it with, on the same rows", "在相同的数据上与另一个任务对比")
_ENDED = Words(
    "the evaluation was stopped; started again it goes on where it was", "评测已停止；再次运行会从中断处继续"
)
_PROGRESS = Words("{done}/{total} rows", "{done}/{total} 条")
_SHOWN = ("loss", "perplexity", "bleu4", "rouge1", "rouge2", "rougeL")


def evaluate(args: Namespace) -> dict:
    """An evaluation is a job as training is: it waits for its turn, and the app shows it and can end it."""
    from engine.compare import evaluate, tasks

    run = store.find(args.run)
    other = store.find(args.against) if args.against else None
    limit = evaluate.ROWS if args.limit is None else args.limit or None
    result = _measured(tasks.evaluation(run, args.data, limit), run)
    if other is not None:
        # On the rows of the first: what it answered already is there at once.
        _measured(tasks.evaluation(other, Path(result["data"]), limit), other)
        result["against"] = evaluate.between(run, other, Path(result["data"]))
    return result


def _measured(job: store.Run, run: store.Run) -> dict:
    from engine.compare import evaluate

    with _interrupts_end(job):
        status = jobs.supervise(job, watch=_Counted(system_language()))
    if status["error"]:
        raise from_record(status["error"])
    if status["state"] != "finished":
        raise WorkError(reason=_ENDED)
    return next(found for found in evaluate.results(run) if found["data"] == (job.config["data"] or run.config["data"]))


class _Counted:
    """Called with the state of a job now and then: says how far it is."""

    def __init__(self, lang: str):
        self._lang, self._said = lang, 0

    def __call__(self, status: dict) -> None:
        if status["step"] > self._said:
            self._said = status["step"]
            said = _PROGRESS.text(self._lang, done=status["step"], total=status["max_steps"])
            print(said, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _interrupts_end(job: store.Run) -> Iterator[None]:
    """Ctrl-C ends the job; what it has answered is kept."""
    before = signal.signal(signal.SIGINT, lambda *_: job.request("kill"))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def serve(args: Namespace) -> dict:
    from engine.compare import names, server

    run = store.find(args.run)
    models = {"base": f"base:run:{run.path}", "tuned": f"run:{run.path}"}
    for name in models.values():
        names.resolve(name)  # what cannot be served is said now, not at the first question

    def announce(port: int, token: str) -> None:
        where = {"base_url": f"http://{server.LOOPBACK}:{port}/v1", "api_key": token, "models": list(models)}
        # Before the work ends, unlike any other verb's document: programs need it while this one serves.
        print(json.dumps(where) if args.json else text.facts(where), file=sys.__stdout__, flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        server.serve(args.port, "auto", models, announce)
    return {}


def export(args: Namespace) -> dict:
    from engine.compare.export import export

    run = store.find(args.run)
    return {"path": str(export(run, args.format, args.out, lambda phase: print(phase, file=sys.stderr, flush=True)))}


def report(args: Namespace) -> dict:
    from engine.compare import report

    return {"path": str(report.write(store.find(args.run), args.out, args.lang or system_language()))}


def _report_arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help=_FILE.text(lang))
    parser.add_argument("--lang", choices=LANGUAGES, help=_LANG.text(lang))


def _export_arguments(parser: ArgumentParser, lang: str) -> None:
    from engine.compare.export import FORMATS

    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument("--format", choices=FORMATS, required=True, help=_FORMAT.text(lang))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=_OUT.text(lang))


def _serve_arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument("--port", metavar="P", type=port, default=8765, help=_PORT.text(lang))


def _arguments(parser: ArgumentParser, lang: str) -> None:
    from engine.compare.evaluate import ROWS

    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument("--limit", metavar="N", type=count, help=_LIMIT.text(lang, rows=ROWS))
    parser.add_argument("--data", metavar="DIR", type=Path, help=_DATA.text(lang))
    parser.add_argument("--against", metavar="RUN", help=_AGAINST.text(lang))


def _show(result: dict, lang: str) -> str:
    heads = {"en": ["", "before", "after", "95 % interval"], "zh": ["", "微调前", "微调后", "差异的 95% 区间"]}[lang]
    rows = []
    for name in _SHOWN:
        difference = result["difference"][name]
        interval = f"{difference['low']:+.3g} … {difference['high']:+.3g}"
        rows.append([name, text.number(result["base"][name]), text.number(result["tuned"][name]), interval])
    said = [text.table(heads, rows), "", Words(*result["sentence"]).text(lang)]
    if "general" in result:
        said.append(Words(*result["general"]["forgot"]["sentence"]).text(lang))
    if "against" in result:
        said.append(Words(*result["against"]["sentence"]).text(lang))
    return "\n".join(said)


EXPORT = Verb(
    "export",
    Words("write a model that other programs can load", "导出可供其他程序使用的模型"),
    _export_arguments,
    export,
    lambda done, lang: done["path"],
)
REPORT = Verb(
    "report",
    Words("write a report that anyone can read", "生成一份人人都能看懂的报告"),
    _report_arguments,
    report,
    lambda done, lang: done["path"],
)
SERVE = Verb(
    "serve",
    Words("answer other programs (OpenAI protocol) until Ctrl-C", "以 OpenAI 协议供其他程序调用，按 Ctrl-C 结束"),
    _serve_arguments,
    serve,
    lambda _, lang: "",
)
EVALUATE = Verb("evaluate", Words("measure a run against its base", "评测微调前后的模型"), _arguments, evaluate, _show)
