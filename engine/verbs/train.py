"""Verbs on runs: train, list, resume, stop, join. A run started here is an ordinary run: the app lists it and can stop it."""

import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace

from engine import home
from engine.runs import jobs, launch, processes, store
from engine.runs.kinds import KINDS
from engine.runs.status import ENDED
from engine.runs.store import Run
from engine.verbs import judge, text
from engine.verbs.progress import Progress, interrupts_stop
from engine.verbs.settings import pairs
from engine.verbs.verb import Verb, no_arguments
from engine.words import Words, system_language

_RUN = Words("id of a run, or its folder", "任务编号或其文件夹")
# Seconds between two tries to meet the first machine.
_AGAIN = 2.0
_RESULTS = ("steps", "final_loss", "eval_loss", "tokens_per_second", "trainable_parameters")


def train(args: Namespace) -> dict:
    from engine.training import config

    wanted = config.build(
        args.model, args.data, args.objective, args.method, settings=pairs(args.set), launch=args.launch
    )
    return _carried(store.create(wanted.model_dump(mode="json"), name=args.name))


def resume(args: Namespace) -> dict:
    from engine.fields import validated
    from engine.training.config import TrainingParams

    run = store.find(args.run)
    if args.epochs is not None:
        validated(TrainingParams, {"num_train_epochs": args.epochs})
    jobs.prepare_resume(run, args.checkpoint, args.epochs)
    return judge.carried(run) if run.kind == "judge" else _carried(run)


def runs(args: Namespace) -> list[dict]:
    jobs.settle()
    return [_summary(run) for run in store.runs()]


def stop(args: Namespace) -> dict:
    run = store.find(args.run)
    return {"run": str(run.path), "status": jobs.stop(run, now=args.now)["state"]}


def join(args: Namespace) -> dict:
    """This machine's part in a run that was started on another; again after each new start there, till the run has ended."""
    run = store.find(args.run)
    command = launch.command(
        launch.on_machine(run.config.get("launch"), args.machine), ["-m", KINDS[run.kind].module, str(run.path)]
    )
    while run.status()["state"] not in ENDED:
        worker = subprocess.Popen(command, cwd=home.ASSETS.parent, env=processes.environment(), stdout=sys.stderr)
        who = processes.identity(worker.pid)
        while worker.poll() is None:
            time.sleep(_AGAIN)
            if run.status()["state"] in ENDED:
                processes.kill(who)
        time.sleep(_AGAIN)
    return {"run": str(run.path), "status": run.status()["state"]}


def _carried(run: Run) -> dict:
    """Wait for the turn and the end of a run."""
    with interrupts_stop(run):
        status = jobs.supervise(run, watch=Progress(run, system_language()))
    result = status["result"] or {"steps": status["step"]}
    document = {"run": str(run.path), "status": status["state"]} | {name: result.get(name) for name in _RESULTS}
    if status["error"] is not None:
        document["error"] = status["error"]
    return document


def _summary(run: Run) -> dict:
    status, card, config = run.status(), run.card, run.config
    return {
        "run": run.id,
        "path": str(run.path),
        "name": card["name"],
        "tags": card["tags"],
        "status": status["state"],
        **{key: config.get(key) for key in ("model", "data", "objective", "method")},
        **{key: status[key] for key in ("step", "max_steps", "loss", "eval_loss", "best", "created", "seconds")},
        "error": None if status["error"] is None else status["error"]["error"],
    }


def _train_arguments(parser: ArgumentParser, lang: str) -> None:
    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    parser.add_argument(
        "--model",
        metavar="M",
        required=True,
        help=say("a model's name or folder, or a run", "模型名称、文件夹，或某个任务"),
    )
    parser.add_argument(
        "--data", metavar="DIR", required=True, help=say("folder made by convert", "convert 生成的文件夹")
    )
    parser.add_argument("--objective", metavar="O", default="sft", help=say("see 'methods'", "见“methods”"))
    parser.add_argument("--method", metavar="K", default="lora", help=say("see 'methods'", "见“methods”"))
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=say("a parameter, e.g. learning_rate=1e-4; see 'methods'", "参数，例如 learning_rate=1e-4；见“methods”"),
    )
    parser.add_argument("--name", metavar="NAME", help=say("what to call the run", "任务名称"))
    parser.add_argument(
        "--launch",
        metavar="COMMAND",
        help=say('for several devices: "accelerate launch ..."', "多设备训练：“accelerate launch ……”"),
    )


def _resume_arguments(parser: ArgumentParser, lang: str) -> None:
    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument(
        "--checkpoint",
        metavar="N",
        type=int,
        help=say("step of the checkpoint; else the latest", "检查点的步数；默认最新"),
    )
    parser.add_argument("--epochs", metavar="E", type=float, help=say("new total of epochs", "新的总训练轮数"))


def _join_arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument(
        "--machine",
        metavar="N",
        type=int,
        required=True,
        help=Words("which machine this is; the first is 0", "本机的编号；发起训练的机器是 0").text(lang),
    )


def _stop_arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN.text(lang))
    parser.add_argument(
        "--now",
        action="store_true",
        help=Words("do not finish the step, do not save", "不等当前步完成，也不保存").text(lang),
    )


def _show_carried(done: dict, lang: str) -> str:
    return text.facts({name: value for name, value in done.items() if name != "error"})


def _show_runs(found: list[dict], lang: str) -> str:
    heads = {
        "en": ["run", "state", "method", "step", "loss", "best", "time", "name"],
        "zh": ["任务", "状态", "方法", "步数", "损失", "最佳", "用时", "名称"],
    }[lang]
    return text.table(
        heads,
        [
            [
                run["run"],
                run["status"],
                run["method"],
                f"{run['step']}/{run['max_steps'] or '-'}",
                text.number(run["loss"]),
                text.number(run["best"] and run["best"]["eval_loss"]),
                text.duration(run["seconds"]),
                run["name"],
            ]
            for run in found
        ],
    )


TRAIN = Verb(
    "train",
    Words("fine-tune a model on data; waits for its turn and for the end", "用数据微调模型；会等到轮到它并训练结束"),
    _train_arguments,
    train,
    _show_carried,
)
RUNS = Verb("runs", Words("every run and its state", "全部任务及其状态"), no_arguments, runs, _show_runs)
RESUME = Verb(
    "resume",
    Words("go on with a run that ended, from a checkpoint", "从检查点继续一个已结束的任务"),
    _resume_arguments,
    resume,
    _show_carried,
)
JOIN = Verb(
    "join",
    Words("take part in a run on several machines, from one of the others", "在另一台机器上加入多机训练任务"),
    _join_arguments,
    join,
    _show_carried,
)
STOP = Verb(
    "stop",
    Words("let a run finish its step, save and end", "让任务完成当前步、保存并结束"),
    _stop_arguments,
    stop,
    _show_carried,
)
