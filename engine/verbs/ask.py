"""The verb that puts one question to a model before and after training."""

from argparse import ArgumentParser, Namespace

from engine.errors import Unsupported
from engine.runs import store
from engine.verbs.settings import count
from engine.verbs.verb import Verb
from engine.words import Words

_EMPTY = Words("The question is empty; ask something.", "问题是空的，请输入一个问题。")


def ask(args: Namespace) -> dict:
    from engine.compare.chat import Chat

    if not args.question.strip():
        raise Unsupported(reason=_EMPTY)
    run = store.find(args.run)
    with Chat() as chat:
        return chat.ask(str(run.path), args.question, args.seed)


def _arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("run", metavar="RUN", help=Words("id of a run, or its folder", "任务编号或其文件夹").text(lang))
    parser.add_argument("question", metavar="QUESTION", help=Words("what to ask", "要提的问题").text(lang))
    parser.add_argument(
        "--seed",
        metavar="S",
        type=count,
        help=Words(
            "draw words at random from this seed; else the likeliest", "按此种子随机采样；默认取最可能的词"
        ).text(lang),
    )


def _show(said: dict, lang: str) -> str:
    before, after = {"en": ("Before", "After"), "zh": ("微调前", "微调后")}[lang]
    return f"{before}\n{said['base']}\n\n{after}\n{said['tuned']}"


ASK = Verb(
    "ask", Words("ask a run and its base the same question", "用同一个问题询问微调前后的模型"), _arguments, ask, _show
)
