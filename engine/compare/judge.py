"""Preferences made by a judge (RLAIF; Bai et al. 2022, arXiv:2212.08073): a model answers each question twice, a judge
compares the two in both orders, and what it does not prefer whichever stands first is dropped.

Every answer and every judgement is a line in the job's folder as soon as it is there, so nothing is made or paid for
twice.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import home
from engine.compare import feedback, judges
from engine.compare.judges import FIRST, SECOND, TIE, Judge
from engine.data import datasets, formats
from engine.errors import NoRows, Unsupported
from engine.fields import Params, param
from engine.models import library
from engine.runs import queue, store
from engine.runs.store import Run
from engine.training import config as configs
from engine.training import rewards
from engine.words import Words

KIND = "judge"
_AT_ONCE = 32
_VOTES_JUDGED = 50
WITH_QUESTIONS = ("qa", "alpaca", "messages", "preference", "kto")
_NO_QUESTIONS = Words(
    "This data set has no questions. Take one of questions and answers, of conversations or of preferences.",
    "该数据集里没有问题。请选择问答、对话或偏好形式的数据集。",
)
_EMPTY = Words("There is no question in it.", "其中没有任何问题。")
_BY_POSITION = Words(
    "Nothing is left: in {share}% of the pairs the judge chose by position (the same place, whichever answer stood there). "
    "Take another judge, or make the criteria clearer.",
    "没有剩下任何偏好对：在 {share}% 的比较中，评审只看位置（无论放的是哪个回答，都选同一个位置）。请更换评审，或把评审标准写得更清楚。",
)
_ALL_TIES = Words(
    "Nothing is left: the judge saw no difference between the answers, or gave no verdict. Take another judge, clearer "
    "criteria, or a higher temperature.",
    "没有剩下任何偏好对：评审认为回答没有差别，或没有给出结论。请更换评审、写清标准，或调高温度。",
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


class Judging:
    """One job. `answers` has `batch` as `Chat` does; `judge` compares; `tell(phase, done, total, **facts)` hears how far it
    is; `stop()` says whether to end now."""

    def __init__(
        self,
        job: Path,
        config: dict,
        answers: Any,
        judge: Judge,
        tell: Callable[..., None],
        stop: Callable[[], bool] = lambda: False,
    ):
        self._job, self._config, self._answers, self._judge = job, config, answers, judge
        self._tell, self._stop = tell, stop
        self._params = JudgeParams(**config["params"])

    def run(self) -> dict:
        """`{"pairs", "ties", "position_bias", "path", "judged", "agreement", "prompt_tokens", "completion_tokens", "cost",
        "stopped", "note"}`: `position_bias` is the share of judged pairs where the judge chose the same place in both
        orders; `agreement` the share of people's votes that it shares, None where there is none; `note` says why nothing
        is left.

        Raises:
            NoRows: the data set has no question.
            NetworkFailed: the judge does not answer; what is judged is kept.
        """
        questions = self._questions()
        pairs = self._two_answers(questions)
        if pairs is not None:
            votes = [vote for vote in feedback.votes() if vote.winner][-_VOTES_JUDGED:]
            items = [(str(i), formats.text_of(questions[i]), *pairs[i]) for i in sorted(pairs)]
            items += [(vote.comparison, vote.question, vote.winner.answer, vote.loser.answer) for vote in votes]
            if self._judged(items):
                return self._result(questions, pairs, votes) | {"stopped": False}
        return {"pairs": 0, "ties": 0, "position_bias": None, "path": None, "stopped": True}

    def _questions(self) -> list[formats.Messages]:
        data = datasets.load(Path(self._config["data"]))
        rows = datasets.rows(data.path / "train.json")
        asked: dict[str, formats.Messages] = {}
        wanted = min(self._params.limit, len(rows))
        for place in range(wanted):
            messages = formats.question(rows[place * len(rows) // wanted], data.format)
            asked.setdefault(formats.text_of(messages), messages)
        if not asked:
            raise NoRows(read=len(rows), dropped=len(rows), hint=_EMPTY)
        return list(asked.values())

    def _two_answers(self, questions: list[formats.Messages]) -> dict[int, tuple[str, str]] | None:
        """Two answers to each question, drawn with different seeds; None when asked to stop."""
        log = Lines(self._job / "answers.jsonl")
        known = {(row["question"], row["which"]): row["text"] for row in log.rows()}
        missing = [(i, which) for which in (0, 1) for i in range(len(questions)) if (i, which) not in known]
        for start in range(0, len(missing), _AT_ONCE):
            self._tell("answering", len(known), 2 * len(questions))
            if self._stop():
                return None
            # One seed a batch: answers of a batch share it.
            which = missing[start][1]
            chosen = [i for i, w in missing[start : start + _AT_ONCE] if w == which]
            rest = [i for i, w in missing[start : start + _AT_ONCE] if w != which]
            for w, part in ((which, chosen), (1 - which, rest)):
                if part:
                    said = self._answers.batch(
                        self._config["asked"],
                        [questions[i] for i in part],
                        self._params.max_tokens,
                        temperature=self._params.temperature,
                        top_p=1.0,
                        seed=self._params.seed + w,
                    )
                    for event in said:
                        i = part[event["index"]]
                        known[i, w] = event["text"] or ""
                        log.add({"question": i, "which": w, "text": known[i, w]})
        return {i: (known[i, 0], known[i, 1]) for i in range(len(questions))}

    def _judged(self, items: list[tuple[str, str, str, str]]) -> bool:
        """Every item compared in both orders; whether it came to its end."""
        log = Lines(self._job / "judgements.jsonl")
        done = {(row["item"], row["order"]) for row in log.rows()}
        total = 2 * len(items)
        for item, question, first, second in items:
            for order in (0, 1):
                if (item, order) in done:
                    continue
                if self._stop():
                    return False
                if first.strip() == second.strip():
                    verdict = judges.Verdict(TIE, "(the same)")
                else:
                    shown = (first, second) if order == 0 else (second, first)
                    verdict = self._judge.verdict(question, *shown)
                done.add((item, order))
                log.add(
                    {"item": item, "order": order, "question": question, "first": first, "second": second}
                    | asdict(verdict)
                )
                self._tell("judging", len(done), total, **self._cost(log))
        return True

    def _cost(self, log: "Lines") -> dict:
        asked, answered = log.sum("prompt_tokens"), log.sum("completion_tokens")
        cost = (asked * self._params.prompt_price + answered * self._params.completion_price) / 1e6
        return {"prompt_tokens": asked, "completion_tokens": answered, "cost": round(cost, 6)}

    def _result(self, questions: list, pairs: dict, votes: list) -> dict:
        log = Lines(self._job / "judgements.jsonl")
        verdicts = {(row["item"], row["order"]): row["choice"] for row in log.rows()}
        kept, by_place = [], 0
        for i, (first, second) in pairs.items():
            straight, turned = verdicts[str(i), 0], verdicts[str(i), 1]
            by_place += straight == turned != TIE
            if (straight, turned) == (FIRST, SECOND):
                kept.append({"prompt": _prompt(questions[i]), "chosen": first, "rejected": second})
            elif (straight, turned) == (SECOND, FIRST):
                kept.append({"prompt": _prompt(questions[i]), "chosen": second, "rejected": first})
        bias = by_place / len(pairs)
        shared = [(verdicts[v.comparison, 0], verdicts[v.comparison, 1]) == (FIRST, SECOND) for v in votes]
        out = Path(self._config["out"])
        note = None
        if kept:
            feedback.write_rows(out, "preference", kept)
        else:
            note = _BY_POSITION.filled(share=round(100 * bias)) if by_place else _ALL_TIES
            out.mkdir(parents=True, exist_ok=True)
        home.write_atomically(out / "judgements.jsonl", (self._job / "judgements.jsonl").read_bytes())
        return {
            "pairs": len(kept),
            "ties": len(pairs) - len(kept),
            "position_bias": round(bias, 4),
            "path": str(out),
            "judged": len(pairs),
            "agreement": round(sum(shared) / len(shared), 4) if shared else None,
            "note": note,
            **self._cost(log),
        }


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


class Lines:
    """A file of JSON lines that grows; a last line cut off by a crash is ignored and overwritten."""

    def __init__(self, path: Path):
        self._path = path
        self._rows = []
        if path.is_file():
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]
            self._rows = [json.loads(line) for line in whole.splitlines()]
            if len(whole) < len(text):
                os.truncate(path, len(whole))

    def rows(self) -> list[dict]:
        return self._rows

    def sum(self, name: str) -> int:
        return sum(row[name] for row in self._rows)

    def add(self, row: dict) -> None:
        with open(self._path, "ab") as file:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._rows.append(row)


def _prompt(messages: formats.Messages) -> str | formats.Messages:
    """A single question as text, anything longer as the conversation it is."""
    return messages[0]["content"] if len(messages) == 1 else messages


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
