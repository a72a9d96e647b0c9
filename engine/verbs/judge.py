"""The verb that lets a judge make preferences: judge."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine import home
from engine.runs import jobs
from engine.runs.store import Run
from engine.verbs import text
from engine.verbs.progress import interrupts_stop
from engine.verbs.settings import pairs
from engine.verbs.verb import Verb
from engine.words import Words, system_language

_MODEL = Words("the model that answers: a folder, a name, or a run", "回答问题的模型：文件夹、名称或任务")
_DATA = Words("a data set with questions", "含有问题的数据集")
_JUDGE = Words(
    "a reward model's run, a model, or an address in the OpenAI protocol (key in TUNEDESK_JUDGE_KEY)",
    "奖励模型任务、模型，或 OpenAI 协议的地址（密钥放在环境变量 TUNEDESK_JUDGE_KEY 中）",
)
_OUT = Words("the folder of the data set to make", "要生成的数据集文件夹")
_SET = Words(
    "a setting, for instance limit=50, criteria=..., judge_model=...", "设置，例如 limit=50、criteria=…、judge_model=…"
)
_STARTED = Words(
    "judging {id} (stop it with Ctrl-C; python -m engine resume {id} goes on)",
    "评审 {id}（按 Ctrl-C 停止；用 python -m engine resume {id} 继续）",
)
_PROGRESS = Words("{phase} {done}/{total}", "{phase} {done}/{total}")
_SPENT = Words("  {tokens} tokens, cost {cost}", "  {tokens} 个 token，费用 {cost}")
_KEYS = (
    "pairs",
    "ties",
    "same",
    "position_bias",
    "path",
    "judged",
    "agreement",
    "prompt_tokens",
    "completion_tokens",
    "cost",
)


def judge(args: Namespace) -> dict:
    from engine.compare import judge
    from engine.fields import validated

    params = validated(judge.JudgeParams, pairs(args.set))
    out = home.typed(args.out).absolute()
    home.must_be_free(out)
    return carried(judge.begin(args.model, args.data, args.judge, out, params))


def carried(job: Run) -> dict:
    """Wait for the turn and the end of a judging."""
    lang, told = system_language(), [job.log.last_seq()]
    print(_STARTED.text(lang, id=job.id), file=sys.stderr, flush=True)

    def watch(_: object) -> None:
        for event in job.events(told[0]):
            told[0] = event["seq"]
            if event["type"] == "progress":
                done = _PROGRESS.text(lang, phase=job.status()["phase"], done=event["step"], total=event["max_steps"])
                print(done + _spent(event, lang), file=sys.stderr, flush=True)

    with interrupts_stop(job):
        status = jobs.supervise(job, watch=watch)
    result = status["result"] or {}
    document = {"job": str(job.path), "status": status["state"]} | {name: result.get(name) for name in _KEYS}
    if result.get("note"):
        document["note"] = result["note"]
    if status["error"] is not None:
        document["error"] = status["error"]
    return document


def _spent(event: dict, lang: str) -> str:
    """What a judge on the network has taken so far; nothing for one of this computer."""
    tokens = event.get("prompt_tokens", 0) + event.get("completion_tokens", 0)
    return _SPENT.text(lang, tokens=tokens, cost=event["cost"]) if tokens else ""


def _arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("--model", metavar="M", required=True, help=_MODEL.text(lang))
    parser.add_argument("--data", metavar="DIR", required=True, help=_DATA.text(lang))
    parser.add_argument("--judge", metavar="J", required=True, help=_JUDGE.text(lang))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=_OUT.text(lang))
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help=_SET.text(lang))


def _show(document: dict, lang: str) -> str:
    said = text.facts({name: value for name, value in document.items() if name not in ("note", "error")})
    note = document.get("note")
    return f"{said}\n\n{Words(*note).text(lang)}" if note else said


JUDGE = Verb(
    "judge",
    Words("let a judge compare a model's answers and make preferences", "让评审比较模型的回答，生成偏好数据"),
    _arguments,
    judge,
    _show,
)
