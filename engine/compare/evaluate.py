"""Is the tuned model better? Held-out rows answered and measured by a run and by the model it started from.

Something else does the answering (the generation process, or a `Desk` in this one); this loads no torch. Every answer is
kept as it comes, in `evaluation/` of the run (a base's in the cache), so that an evaluation broken off goes on where it
was, and one asked again is there at once.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from engine import home
from engine.compare.scores import Answered, Scorer, compare, described
from engine.compare.sides import Answering, Side
from engine.data import datasets, formats
from engine.errors import NotFound, Unsupported
from engine.runs.store import Run
from engine.words import Words

ROWS = 200  # measured unless told otherwise
GENERAL = home.ASSETS / "demo-data" / "everyday.jsonl"
RESULT = "result.json"
_GENERAL_ROWS = 40
_FORMATS = ("qa", "alpaca", "messages")
_SIDES = ("base", "tuned")

_NO_ROWS = Words("held-out rows", "验证数据")
_NO_ROWS_HINT = Words(
    "Convert the data with a share for validation, or give another data set.",
    "请在转换数据时留出一部分用于验证，或另外指定数据集。",
)
_NO_ANSWERS = Words(
    "Data of the form '{format}' has no reference answers to measure against.",
    "“{format}”格式的数据没有参考答案，无法评测。",
)
_VERDICTS = {
    "better": Words(
        "The tuned model is better than the base on these {rows} held-out rows, and the difference is real: {changes}.",
        "在这 {rows} 条验证数据上，微调后的模型优于微调前，且差异真实可信：{changes}。",
    ),
    "worse": Words(
        "The tuned model is worse than the base on these {rows} held-out rows, and the difference is real: {changes}.",
        "在这 {rows} 条验证数据上，微调后的模型不如微调前，且差异真实可信：{changes}。",
    ),
    "mixed": Words(
        "On these {rows} held-out rows the tuned model is better in one way and worse in another: {changes}.",
        "在这 {rows} 条验证数据上，微调后的模型有的指标变好、有的变差：{changes}。",
    ),
    "same": Words(
        "On these {rows} held-out rows no difference between tuned and base can be told from chance: {changes}.",
        "在这 {rows} 条验证数据上，微调前后的差异与偶然波动无法区分：{changes}。",
    ),
}
_RIVALS = {
    "better": Words(
        "“{run}” is better than “{other}” on the {rows} held-out rows that both answered, and the difference is real: "
        "{changes}.",
        "在两者都回答过的 {rows} 条验证数据上，“{run}”优于“{other}”，且差异真实可信：{changes}。",
    ),
    "worse": Words(
        "“{run}” is worse than “{other}” on the {rows} held-out rows that both answered, and the difference is real: "
        "{changes}.",
        "在两者都回答过的 {rows} 条验证数据上，“{run}”不如“{other}”，且差异真实可信：{changes}。",
    ),
    "mixed": Words(
        "On the {rows} held-out rows that both answered “{run}” is better than “{other}” in one way and worse in another: "
        "{changes}.",
        "在两者都回答过的 {rows} 条验证数据上，“{run}”与“{other}”相比，有的指标更好、有的更差：{changes}。",
    ),
    "same": Words(
        "On the {rows} held-out rows that both answered no difference between “{run}” and “{other}” can be told from "
        "chance: {changes}.",
        "在两者都回答过的 {rows} 条验证数据上，“{run}”与“{other}”的差异与偶然波动无法区分：{changes}。",
    ),
}
_NO_BOTH = Words("held-out row answered by both runs", "两个任务都回答过的验证数据")
_NO_BOTH_HINT = Words("Evaluate both on the same data first.", "请先用同一份数据评测这两个任务。")
_CHANGE = Words(
    "{name} {base} to {tuned} (change {value}, 95 % interval {low} to {high})",
    "{name} {base} → {tuned}（变化 {value}，95% 区间 {low} 到 {high}）",
)
_FORGOT = Words(
    "It forgot: on {rows} everyday questions the loss rose from {base} to {tuned}. Mix general conversations into the "
    "training data, train fewer steps or with a smaller learning rate.",
    "出现遗忘：在 {rows} 个日常问题上，损失从 {base} 升到 {tuned}。可以在训练数据中掺入通用对话，或减少步数、调低学习率。",
)
_KEPT = Words(
    "It forgot nothing that {rows} everyday questions could show.",
    "在 {rows} 个日常问题上没有发现遗忘。",
)
_NAMES = {"loss": Words("loss", "损失"), "bleu4": Words("BLEU-4", "BLEU-4"), "rougeL": Words("ROUGE-L", "ROUGE-L")}

Progress = Callable[[int, int], None]


def evaluate(
    run: Run,
    chat: Answering,
    *,
    data: Path | None = None,
    limit: int | None = ROWS,
    general: Path | None = GENERAL,
    progress: Progress = lambda done, total: None,
) -> dict:
    """Measure `run` and its base on the held-out rows of its data set, or of `data` (a data set's folder), and on a
    general set that the training did not aim at (`general`, JSON Lines; None: leave out).

    Args:
        limit: rows measured, spread evenly over all; None: every row.
        progress: called with (answers and losses there, in all).

    Returns:
        `base` and `tuned`, each `loss`, `perplexity`, `bleu4`, `rouge1`, `rouge2`, `rougeL`, `exact_match` (None where
        references are long), `length`, `reference_length`; `difference`, `verdict` as in `scores.compare`; `sentence`
        (Words); `rows`, `left_out` (too long for the context), `units`; `general`: the same again, with `forgot`;
        `examples`: every row with both answers and their scores; `data`; `time` (seconds since 1970). Kept in
        `evaluation/result.json`, or for another data set than the run's own in a file beside it.

    Raises:
        NotFound: there are no held-out rows. Unsupported: rows without reference answers. As `Chat.compare`.
    """
    own = Path(run.config["data"])
    data = data or own
    held_out = _conversations(data / "val.json", datasets.load(data).format, limit)
    everyday = _conversations(general, "qa", _GENERAL_ROWS) if general else []
    sides = [Side(run, side) for side in _SIDES]
    todo = [(side, rows) for side in sides for rows in (held_out, everyday)]
    total = sum(len(rows) for _, rows in todo)
    done = 0
    for side, rows in todo:
        for count in side.measure(rows, chat):
            progress(done + count, total)
        done += len(rows)
    result = _result(held_out, sides)
    result["sentence"] = _sentence(result, _VERDICTS, {})
    if everyday:
        result["general"] = _result(everyday, sides)
        result["general"]["forgot"] = _forgot(result["general"])
    result |= {"data": str(data), "time": time.time()}
    name = RESULT if data == own else f"result-{hashlib.sha256(str(data).encode()).hexdigest()[:8]}.json"
    home.write_json(run.path / "evaluation" / name, result)
    return result


def between(run: Run, other: Run, data: Path | None = None) -> dict:
    """`run` beside `other`, on those held-out rows of its data set (or of `data`) that evaluations of both have answered.
    Nothing is asked.

    Returns:
        `other` and `run`: the measures of each; `difference`, `verdict` (of `run` against `other`), `sentence`, `rows`,
        `left_out`, `units` as in `evaluate`.

    Raises:
        NotFound: no row was answered by both.
    """
    data = data or Path(run.config["data"])
    sides = [Side(other, "tuned"), Side(run, "tuned")]
    held_out = _conversations(data / "val.json", datasets.load(data).format, None)
    both = [messages for messages in held_out if all(side.said(messages) for side in sides)]
    named = {"run": run.card["name"] or run.id, "other": other.card["name"] or other.id}
    if not both:
        raise NotFound(kind=_NO_BOTH, name=" / ".join(named.values()), hint=_NO_BOTH_HINT)
    result = _result(both, sides)
    sentence = _sentence(result, _RIVALS, named)
    return {
        "other": result["base"],
        "run": result["tuned"],
        "sentence": sentence,
        **{name: result[name] for name in ("difference", "verdict", "rows", "left_out", "units")},
    }


def last(run: Run) -> dict | None:
    """The result of the run's latest evaluation on its own data, or None."""
    file = run.path / "evaluation" / RESULT
    return home.read_json(file) if file.is_file() else None


def results(run: Run) -> list[dict]:
    """The results of a run, one a data set, newest first."""
    found = [home.read_json(file) for file in (run.path / "evaluation").glob("result*.json")]
    return sorted(found, key=lambda result: -result["time"])


def _conversations(file: Path, form: str, limit: int | None) -> list[list[dict]]:
    """Rows that end with a reference answer."""
    if form not in _FORMATS:
        raise Unsupported(reason=Words(*(text.format(format=form) for text in _NO_ANSWERS)))
    found = datasets.rows(file) if file.is_file() else []
    count = len(found) if limit is None else min(limit, len(found))
    chosen = [formats.examples(found[i * len(found) // count], form) for i in range(count)]
    kept = [messages for messages in chosen if len(messages) > 1 and messages[-1]["role"] == "assistant"]
    if not kept:
        raise NotFound(kind=_NO_ROWS, name=str(file), hint=_NO_ROWS_HINT)
    return kept


def _result(conversations: list[list[dict]], sides: list[Side]) -> dict:
    lines = [[side.said(messages) for side in sides] for messages in conversations]
    # A row counts where both sides could read it.
    kept = [i for i, pair in enumerate(lines) if all(line["answer"] is not None and line["tokens"] for line in pair)]
    if not kept:
        raise Unsupported(
            reason=Words(
                f"None of the {len(lines)} rows fits the model's context; evaluate on shorter ones.",
                f"{len(lines)} 条数据全部超出了模型的上下文长度，请换用更短的数据评测。",
            )
        )
    references = [conversations[i][-1]["content"] for i in kept]
    answered = [
        [
            # Both losses are spread over the first side's tokens: another tokenizer counts others.
            Answered(lines[i][side]["answer"], reference, lines[i][side]["loss"], lines[i][0]["tokens"])
            for i, reference in zip(kept, references, strict=True)
        ]
        for side in range(2)
    ]
    scorer = Scorer(references)
    result = compare(scorer, *answered)
    for side, rows in zip(_SIDES, answered, strict=True):
        result[side] |= described(rows)
    examples = [
        {
            "question": conversations[i][-2]["content"],
            "reference": base.reference,
            "base": {"text": base.answer, **scorer.row(base.answer, base.reference)},
            "tuned": {"text": tuned.answer, **scorer.row(tuned.answer, tuned.reference)},
        }
        for i, base, tuned in zip(kept, *answered, strict=True)
    ]
    counts = {"rows": len(kept), "left_out": len(lines) - len(kept), "units": scorer.units}
    return {**result, **counts, "examples": examples}


def _sentence(result: dict, verdicts: dict[str, Words], named: dict[str, str]) -> Words:
    changes = Words(
        *(sep.join(_change(result, name, lang) for name in _NAMES) for lang, sep in (("en", "; "), ("zh", "；")))
    )
    said = verdicts[result["verdict"]]
    return Words(*(said.text(lang, rows=result["rows"], changes=changes.text(lang), **named) for lang in ("en", "zh")))


def _change(result: dict, name: str, lang: str) -> str:
    change = {key: f"{result['difference'][name][key]:+.2f}" for key in ("value", "low", "high")}
    sides = {side: f"{result[side][name]:.2f}" for side in _SIDES}
    return _CHANGE.text(lang, name=_NAMES[name].text(lang), **sides, **change)


def _forgot(general: dict) -> dict:
    """`warning`: the loss on the general set rose for real; `sentence`: Words."""
    loss = general["difference"]["loss"]
    warning = loss["real"] and loss["value"] > 0
    sides = {side: f"{general[side]['loss']:.2f}" for side in _SIDES}
    said = _FORGOT if warning else _KEPT
    sentence = Words(*(said.text(lang, rows=general["rows"], **sides) for lang in ("en", "zh")))
    return {"warning": warning, "sentence": sentence}
