"""Preferences made by a judge: a model answers each question twice, a judge compares the two in both orders, and what it
does not prefer whichever stands first is dropped.

Every answer and every judgement is a line in the job's folder as soon as it is there, so nothing is made or paid for
twice.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import home
from engine.compare import feedback, judgements, judges
from engine.compare.judge import JudgeParams
from engine.compare.judges import FIRST, SECOND, TIE, Judge
from engine.compare.lines import Lines
from engine.data import datasets, formats
from engine.errors import NoRows
from engine.words import Words

_AT_ONCE = 32
# A question is answered so often at most until two answers differ.
_DRAWS = 4
_VOTES_JUDGED = 50
_EMPTY = Words("There is no question in it.", "其中没有任何问题。")
_BY_POSITION = Words(
    "Nothing is left: in {share}% of the pairs the judge chose by position (the same place, whichever answer stood there). "
    "Take another judge, or make the criteria clearer.",
    "没有剩下任何偏好对：在 {share}% 的比较中，评审只看位置（无论放的是哪个回答，都选同一个位置）。请更换评审，或把评审标准写得更清楚。",
)
_ALL_SAME = Words(
    "Nothing is left: to every question both answers were the same, so there was nothing to judge. Raise the temperature (Advanced).",
    "没有剩下任何偏好对：每个问题的两次回答都相同，无从比较。请在高级设置中调高温度。",
)
_ALL_TIES = Words(
    "Nothing is left: the judge saw no difference between the answers, or gave no verdict. Take another judge, clearer "
    "criteria, or a higher temperature.",
    "没有剩下任何偏好对：评审认为回答没有差别，或没有给出结论。请更换评审、写清标准，或调高温度。",
)


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
        """`{"pairs", "ties", "same", "position_bias", "path", "judged", "agreement", "prompt_tokens", "completion_tokens",
        "cost", "stopped", "note"}`: of the `ties`, which are dropped, `same` had two answers that say the same and were not
        judged; `position_bias` is the share of judged pairs where the judge chose the same place in both orders; `agreement`
        the share of the votes that it shares, of those where it has a verdict, None where there is none; `note` says why
        nothing is left.

        Raises:
            NoRows: the data set has no question.
            NetworkFailed: the judge does not answer; what is judged is kept.
        """
        questions = self._questions()
        pairs = self._two_answers(questions)
        if pairs is not None:
            votes = [vote for vote in feedback.votes() if vote.winner][-_VOTES_JUDGED:]
            items = [(str(i), formats.text_of(questions[i]), *pairs[i]) for i in sorted(pairs)]
            items += [(_item(vote), vote.question, vote.winner.answer, vote.loser.answer) for vote in votes]
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
        """Two answers to each question, drawn with different seeds, the second again while it says what the first does;
        None when asked to stop."""
        log = Lines(self._job / "answers.jsonl")
        known = {(row["question"], row["which"]): row["text"] for row in log.rows()}
        for which in range(_DRAWS):
            wanted = [i for i in range(len(questions)) if which < 2 or _same(*_pair(known, i))]
            missing = [i for i in wanted if (i, which) not in known]
            for start in range(0, len(missing), _AT_ONCE):
                self._tell("answering", len(known), max(2 * len(questions), len(known) + len(missing) - start))
                if self._stop():
                    return None
                part = missing[start : start + _AT_ONCE]
                said = self._answers.batch(
                    self._config["asked"],
                    [questions[i] for i in part],
                    self._params.max_tokens,
                    temperature=self._params.temperature,
                    top_p=1.0,
                    seed=self._params.seed + which,
                )
                for event in said:
                    i = part[event["index"]]
                    known[i, which] = event["text"] or ""
                    log.add({"question": i, "which": which, "text": known[i, which]})
        return {i: _pair(known, i) for i in range(len(questions))}

    def _judged(self, items: list[tuple[str, str, str, str]]) -> bool:
        """Every item compared in both orders; whether it came to its end."""
        log = Lines(self._job / judgements.FILE)
        done = {(row["item"], row["order"]) for row in log.rows()}
        total = 2 * len(items)
        for item, question, first, second in items:
            for order in (0, 1):
                if (item, order) in done:
                    continue
                if self._stop():
                    return False
                if _same(first, second):
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

    def _cost(self, log: Lines) -> dict:
        asked, answered = log.sum("prompt_tokens"), log.sum("completion_tokens")
        cost = (asked * self._params.prompt_price + answered * self._params.completion_price) / 1e6
        return {"prompt_tokens": asked, "completion_tokens": answered, "cost": round(cost, 6)}

    def _result(self, questions: list, pairs: dict, votes: list) -> dict:
        log = Lines(self._job / judgements.FILE)
        verdicts = {(row["item"], row["order"]): row["choice"] for row in log.rows()}
        kept, by_place = [], 0
        for i, (first, second) in pairs.items():
            found = judgements.outcome(verdicts[str(i), 0], verdicts[str(i), 1])
            by_place += found == judgements.BY_PLACE
            if found in (FIRST, SECOND):
                chosen, rejected = (first, second) if found == FIRST else (second, first)
                kept.append({"prompt": _prompt(questions[i]), "chosen": chosen, "rejected": rejected})
        judged = sum(not _same(*pair) for pair in pairs.values())
        bias = by_place / max(1, judged)
        of_votes = [judgements.outcome(*(verdicts[_item(vote), order] for order in (0, 1))) for vote in votes]
        shared = [found == FIRST for found in of_votes if found in (FIRST, SECOND)]
        out = Path(self._config["out"])
        note = None
        if kept:
            feedback.write_rows(out, "preference", kept)
        else:
            by_position = _BY_POSITION.filled(share=round(100 * bias))
            note = by_position if by_place else _ALL_TIES if judged else _ALL_SAME
            out.mkdir(parents=True, exist_ok=True)
        home.write_atomically(out / judgements.FILE, (self._job / judgements.FILE).read_bytes())
        return {
            "pairs": len(kept),
            "ties": len(pairs) - len(kept),
            "position_bias": round(bias, 4),
            "path": str(out),
            "same": len(pairs) - judged,
            "judged": judged,
            "agreement": round(sum(shared) / len(shared), 4) if shared else None,
            "note": note,
            **self._cost(log),
        }


def _pair(known: dict[tuple[int, int], str], question: int) -> tuple[str, str]:
    """The first answer to a question, and the first of the others that says something else, if one does."""
    first, *others = [known[question, which] for which in range(_DRAWS) if (question, which) in known]
    return first, next((other for other in others if not _same(first, other)), others[0])


def _same(first: str, second: str) -> bool:
    return first.strip() == second.strip()


def _item(vote: feedback.Vote) -> str:
    return judgements.VOTE + vote.comparison


def _prompt(messages: formats.Messages) -> str | formats.Messages:
    """A single question as text, anything longer as the conversation it is."""
    return messages[0]["content"] if len(messages) == 1 else messages
