"""The verb that downloads a model, or the tables of a data set. An ordinary job: the app shows it and can stop it."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine import home
from engine.models.source import HUBS
from engine.verbs import text
from engine.verbs.verb import Verb
from engine.words import Words, system_language

_LINE = Words(
    "{percent}%  {done} of {total}  {rate}/s  {left} left", "{percent}%  {done} / {total}  {rate}/秒  剩余 {left}"
)
_WAITING = Words("waiting for another download", "正在等待另一个下载完成")


def download(args: Namespace) -> dict:
    from engine.downloads import queue
    from engine.models import source
    from engine.runs import jobs

    wanted = source.read(
        args.id, args.hub, "dataset" if args.dataset else "model", args.endpoint, args.revision, args.use_token or None
    )
    known = queue.here(wanted)
    if known is not None:
        files = sorted(str(path.relative_to(known.path)) for path in known.path.rglob("*") if path.is_file())
        return {"path": str(known.path), "bytes": known.bytes, "files": files, "status": "finished"}
    run = queue.begin(wanted)
    status = jobs.supervise(run, watch=_Progress())
    result = status["result"] or {"path": None, "bytes": queue.progress(run).done, "files": []}
    document = {name: result[name] for name in ("path", "bytes", "files")} | {"status": status["state"]}
    if status["error"] is not None:
        document["error"] = status["error"]
    return document


class _Progress:
    def __init__(self):
        self._said = ""

    def __call__(self, status: dict) -> None:
        line = self._line(status, system_language())
        if line and line != self._said:
            self._said = line
            print(line, file=sys.stderr, flush=True)

    def _line(self, status: dict, lang: str) -> str:
        if status["phase"] == "waiting":
            return _WAITING.text(lang)
        total = status.get("bytes_total")
        if not total:
            return ""
        return _LINE.text(
            lang,
            percent=100 * status["bytes"] // total,
            done=home.size_text(status["bytes"]),
            total=home.size_text(total),
            rate=home.size_text(status["bytes_per_second"]),
            left=text.duration(status.get("eta_s")),
        )


def _arguments(parser: ArgumentParser, lang: str) -> None:
    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    parser.add_argument(
        "id", metavar="ID", help=say("owner/name, or the address of its page", "“所有者/名称”，或它的网页地址")
    )
    parser.add_argument(
        "--hub", choices=[each.key for each in HUBS], default=HUBS[0].key, help=say("where from", "从哪个模型库下载")
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help=say("another address of the hub (a mirror)", "模型库的其他地址（镜像）")
    )
    parser.add_argument("--revision", metavar="R", help=say("branch, tag or commit", "分支、标签或提交号"))
    parser.add_argument(
        "--dataset",
        action="store_true",
        help=say("the tables of a data set, not a model", "下载数据集的表格，而不是模型"),
    )
    parser.add_argument(
        "--use-token",
        action="store_true",
        help=say("send the hub's saved token to this endpoint too", "对该地址也使用已保存的令牌"),
    )


def _show(made: dict, lang: str) -> str:
    return text.facts(
        {
            "path": made["path"] and Path(made["path"]),
            "size": home.size_text(made["bytes"]),
            "files": len(made["files"]),
        }
    )


DOWNLOAD = Verb(
    "download",
    Words(
        "download a model or data set from ModelScope or Hugging Face",
        "从 ModelScope（魔搭）或 Hugging Face 下载模型或数据集",
    ),
    _arguments,
    download,
    _show,
)
