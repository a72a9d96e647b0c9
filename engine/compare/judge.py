"""A judging as a job (RLAIF): what it is asked for, which judge it gets, and the DPO run that follows.

RLAIF: Bai et al. 2022, arXiv:2212.08073.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.compare import feedback, judges
from engine.compare.judges import Judge
from engine.data import datasets
from engine.errors import Unsupported
from engine.fields import Params, param
from engine.models import library
from engine.runs import queue, store
from engine.runs.store import Run
from engine.training import config as configs
from engine.training import rewards
from engine.words import Words

KIND = "judge"
WITH_QUESTIONS = ("qa", "alpaca", "messages", "preference", "kto")
_NO_QUESTIONS = Words(
    "This data set has no questions. Take one of questions and answers, of conversations or of preferences.",
    "该数据集里没有问题。请选择问答、对话或偏好形式的数据集。",
)


class DrawParams(Params):
    """How answers are drawn, and what a judge on the network is called and costs."""

    limit: int = param(
        100,
        Words("Questions", "问题数"),
        Words("Questions taken from the data set, spread over it.", "从数据集中均匀选取的问题数。"),
        ge=1,
        le=100_000,
    )
    temperature: float = param(
        1.0,
        Words("Temperature", "温度"),
        Words("Higher: the two answers differ more.", "越高，两个回答的差别越大。"),
        advanced=True,
        ge=0.1,
        le=5,
    )
    max_tokens: int = param(
        96,
        Words("Longest answer", "最长回答"),
        Words("Tokens after which an answer is cut.", "回答超过这么多 token 就截断。"),
        advanced=True,
        ge=4,
        le=8192,
    )
    judge_model: str = param(
        "",
        Words("Model at the address", "服务中的模型名"),
        Words("Only for a judge on the network.", "仅用于网络上的评审。"),
        advanced=True,
        max_length=200,
    )
    prompt_price: float = param(
        0.0,
        Words("Price of a million tokens asked", "每百万输入 token 的价格"),
        Words("To tell what it has cost so far.", "用于计算已产生的费用。"),
        advanced=True,
        ge=0,
        le=1e6,
    )
    completion_price: float = param(
        0.0,
        Words("Price of a million tokens answered", "每百万输出 token 的价格"),
        Words("To tell what it has cost so far.", "用于计算已产生的费用。"),
        advanced=True,
        ge=0,
        le=1e6,
    )
    seed: int = param(
        42,
        Words("Seed", "随机种子"),
        Words("The same seed, the same answers.", "种子相同，回答就相同。"),
        advanced=True,
        ge=0,
        lt=2**31,
    )


class JudgeParams(DrawParams):
    """The same with the judge's criteria."""

    criteria: str = param(
        "",
        Words("Criteria of the judge", "评审标准"),
        Words("What makes an answer better, in your words.", "用您自己的话说明什么样的回答更好。"),
        max_length=8000,
    )


def begin(
    model: str, data: str, judge: str, out: Path, params: JudgeParams, then: dict | None = None, name: str = ""
) -> Run:
    """A new job; it still must be submitted.

    model: as for training. judge: a reward model's run, another model, or an address (http...) in the OpenAI protocol.
    out: the folder of the data set to be made. then: settings of a DPO run on it (`method`, `settings`), or None.

    Raises:
        NotFound, NotAModel, Exists: as they say. Unsupported: data without questions.
    """
    path = datasets.find(data)
    if datasets.load(path).format not in WITH_QUESTIONS:
        raise Unsupported(reason=_NO_QUESTIONS)
    config = {
        "model": str(library.find(model)),
        "asked": _name(model),
        "data": str(path),
        "judge": judge if _is_address(judge) else _judge_name(judge),
        "out": str(out),
        "params": params.model_dump(),
        "then": then,
    }
    return store.create(config, kind=KIND, name=name)


def follow_up(config: dict) -> Run | None:
    """The DPO run that a finished judging was told to begin, put into the queue; None for none."""
    then = config["then"]
    if then is None:
        return None
    settings = feedback.few(datasets.load(Path(config["out"])).train) | then["settings"]
    wanted = configs.build(config["model"], config["out"], "dpo", then["method"], settings=settings)
    run = store.create(wanted.model_dump(mode="json"), name=then["name"])
    queue.append(run.id)
    return run


def make_judge(config: dict, answers: Any, scorer: Callable[[Path], Any]) -> Judge:
    """The judge that `config` names. `scorer(run folder)` loads a reward model."""
    criteria = config["params"]["criteria"].strip() or judges.CRITERIA.en
    kind, _, name = config["judge"].partition(":")
    if _is_address(config["judge"]):
        return judges.Remote(config["judge"], config["params"]["judge_model"], criteria)
    if kind == "reward":
        return judges.Scores(scorer(Path(name)))
    return judges.Local(answers, config["judge"], criteria)


def _is_address(judge: str) -> bool:
    return judge.startswith(("http://", "https://"))


def _name(ref: str) -> str:
    """A model as `names` call it."""
    path = library.find(ref)
    run = path.parent
    return f"run:{run}" if path.name == "final" and (run / "events.jsonl").is_file() else f"base:{path}"


def _judge_name(ref: str) -> str:
    """A judge of this computer: "reward:RUN_FOLDER" or a model's name."""
    found = next((run for run in rewards.models() if ref in (run.id, str(run.path))), None)
    return f"reward:{found.path}" if found else _name(ref)
