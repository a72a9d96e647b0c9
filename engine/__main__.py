"""The same work without a browser: `python -m engine VERB ...`.

Prints readable text, or with `--json` exactly one JSON document on standard output; everything else goes to standard
error. Ends with 0 (done), 1 (the work failed) or 2 (bad input), with one line in the reader's language.
"""

import argparse
import contextlib
import json
import os
import re
import sys
from typing import Any, NoReturn

from engine import home
from engine.errors import TuneDeskError, Unsupported, from_os_error, from_record
from engine.verbs import VERBS
from engine.words import Words, system_language

_ABOUT = Words("Fine-tune language models.", "微调语言模型。")
_HOME = Words("the workspace (TUNEDESK_HOME, else ./workspace)", "工作区（默认 TUNEDESK_HOME 或 ./workspace）")
_JSON = Words("print one JSON document", "输出一个 JSON 文档")
_BROKEN_OFF = Words("Broken off.", "已中断。")
_HELP = Words("{problem}. See 'python -m engine {verb}--help'.", "{problem}。用法见“python -m engine {verb}--help”。")
# What argparse says, for Chinese readers; the rest they get as it is.
_ARGPARSE = (
    (r"the following arguments are required: (.*)", r"缺少参数：\1"),
    (r"unrecognized arguments: (.*)", r"无法识别的参数：\1"),
    (r"argument (.*): invalid choice: (.*) \(choose from (.*)\)", r"参数 \1 没有 \2 这个选项（可选：\3）"),
    (r"argument (.*): expected one argument", r"参数 \1 需要一个值"),
    (r"argument (.*): invalid (?:int|float|count|port) value: (.*)", r"参数 \1 的值 \2 不是合适的数"),
)


class _Parser(argparse.ArgumentParser):
    """One line for a wrong command line, in the reader's language."""

    def error(self, message: str) -> NoReturn:
        lang = system_language()
        if lang == "zh":
            for pattern, chinese in _ARGPARSE:
                message = re.sub(f"^{pattern}$", chinese, message)
        verb = self.prog.removeprefix("python -m engine").strip()
        problem = _HELP.filled(problem=message, verb=f"{verb} " if verb else "")
        self.exit(_fail(Unsupported(reason=problem), "--json" in sys.argv))


def main(arguments: list[str] | None = None) -> int:
    lang = system_language()
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8" if "--json" in arguments else None, errors="replace")
    args = _parser(lang, arguments).parse_args(arguments)
    try:
        home.enter(args.home)
        # What a library prints must not come between a reader and the document.
        with contextlib.redirect_stdout(sys.stderr):
            document = args.verb.work(args)
    except TuneDeskError as error:
        return _fail(error, args.json)
    except OSError as error:
        return _fail(from_os_error(error, error.filename or home.home()), args.json)
    except KeyboardInterrupt:
        print(_BROKEN_OFF.text(lang), file=sys.stderr)
        return 1
    error = from_record(document["error"]) if isinstance(document, dict) and "error" in document else None
    if error is not None:
        document |= _told(error)
    _print(json.dumps(document, ensure_ascii=False, indent=1) if args.json else args.verb.show(document, lang))
    return 0 if error is None else _fail(error, as_json=False)


def _parser(lang: str, arguments: list[str]) -> argparse.ArgumentParser:
    everywhere = argparse.ArgumentParser(add_help=False)
    for parser, defaults in (
        (everywhere, {"default": argparse.SUPPRESS}),
        (root := _Parser(prog="python -m engine"), {}),
    ):
        parser.add_argument("--home", metavar="DIR", help=_HOME.text(lang), **defaults)
        parser.add_argument("--json", action="store_true", help=_JSON.text(lang), **defaults)
    root.description = _ABOUT.text(lang)
    verbs = root.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    for verb in VERBS:
        parser = verbs.add_parser(verb.name, help=verb.help.text(lang), parents=[everywhere])
        parser.description = verb.help.text(lang)
        if verb.name in arguments:
            # Some arguments name what a wing offers: only the wing that is asked for gets imported.
            verb.arguments(parser, lang)
        parser.set_defaults(verb=verb)
    return root


def _fail(error: TuneDeskError, as_json: bool) -> int:
    if as_json:
        _print(json.dumps(_told(error), ensure_ascii=False))
    print(_line(error), file=sys.stderr)
    return error.exit_code


def _told(error: TuneDeskError) -> dict[str, Any]:
    return {"error": type(error).__name__, "message": _line(error)}


def _line(error: TuneDeskError) -> str:
    return " ".join(error.text(system_language()).split())


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The reader (`head`) has enough; Python must not try to flush again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
