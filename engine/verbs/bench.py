"""The verb that runs a benchmark: a module of `bench/` with `main(arguments) -> document`."""

import argparse
import importlib
import json

from engine import home
from engine.errors import NotFound
from engine.verbs.verb import Verb
from engine.words import Words

_KIND = Words("benchmark", "基准测试")
_KNOWN = Words("There are: {names}.", "可选：{names}。")


def bench(args: argparse.Namespace) -> dict:
    names = sorted(path.stem for path in (home.ASSETS.parent / "bench").glob("[a-z]*.py"))
    if args.name not in names:
        raise NotFound(kind=_KIND, name=args.name, hint=_KNOWN.filled(names=", ".join(names)))
    return importlib.import_module(f"bench.{args.name}").main(args.arguments)


def _arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("name", metavar="NAME", help=Words("which one", "名称").text(lang))
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help=Words("handed on to it", "传给该测试的参数").text(lang)
    )


def _show(measured: dict, lang: str) -> str:
    return json.dumps(measured, ensure_ascii=False, indent=2)


BENCH = Verb("bench", Words("run a benchmark", "运行基准测试"), _arguments, bench, _show)
