"""Is the tuned model better? Held-out rows answered and measured by a run and by the model it started from.

Something else does the answering (the generation process, or a `Desk` in this one); this loads no torch. Every answer is
kept as it comes, in `evaluation/` of the run (a base's in the cache), so that an evaluation broken off goes on where it
was, and one asked again is there at once.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from engine import home
from engine.compare import names
from engine.compare.scores import Answered, Scorer, compare, described
from engine.compare.settings import DEFAULT_MAX_TOKENS
from engine.data import datasets, formats, tokens
from engine.errors import NotFound, Unsupported, from_os_error
from engine.runs.store import Run
from engine.words import Words

ROWS = 200  # measured unless told otherwise
GENERAL = home.ASSETS / "demo-data" / "everyday.jsonl"
RESULT = "result.json"
_GENERAL_ROWS = 40
_AT_ONCE = 64  # rows decoded in one batch
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


class Answering(Protocol):
    """Whoever answers: `Chat`, or the worker that does it in its own process. The events are those of `Desk`."""

    def batch(
        self, model: str, conversations: list[list[dict]], longest: int, **settings: object
    ) -> Iterator[dict]: ...

    def losses(self, model: str, conversations: list[list[dict]], max_length: int) -> Iterator[dict]: ...


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
    sides = [_Side(run, side, chat) for side in _SIDES]
    todo = [(side, rows) for side in sides for rows in (held_out, everyday)]
    total = sum(len(rows) for _, rows in todo)
    done = 0
    for side, rows in todo:
        for count in side.measure(rows):
            progress(done + count, total)
        done += len(rows)
    result = _result(held_out, sides)
    result["sentence"] = _sentence(result)
    if everyday:
        result["general"] = _result(everyday, sides)
        result["general"]["forgot"] = _forgot(result["general"])
    result |= {"data": str(data), "time": time.time()}
    name = RESULT if data == own else f"result-{hashlib.sha256(str(data).encode()).hexdigest()[:8]}.json"
    home.write_json(run.path / "evaluation" / name, result)
    return result


def last(run: Run) -> dict | None:
    """The result of the run's latest evaluation on its own data, or None."""
    file = run.path / "evaluation" / RESULT
    return home.read_json(file) if file.is_file() else None


def results(run: Run) -> list[dict]:
    """The results of a run, one a data set, newest first."""
    found = [home.read_json(file) for file in (run.path / "evaluation").glob("result*.json")]
    return sorted(found, key=lambda result: -result["time"])


class _Side:
    """Base or tuned: what it said, in a file whose name changes with the model."""

    def __init__(self, run: Run, side: str, chat: Answering):
        self._chat = chat
        self._name = f"base:run:{run.path}" if side == "base" else f"run:{run.path}"
        self._max_length = run.config["training"]["max_length"]
        source = names.resolve(self._name)
        self._words = source.words
        template = source.template.read_text(encoding="utf-8") if source.template else ""
        model = [names.stamp(source.weights), source.adapter and names.stamp(source.adapter), source.quantised]
        key = hashlib.sha256(repr([model, template, self._max_length]).encode()).hexdigest()[:12]
        # What the base said is shared by all runs that began with it.
        folder = run.path / "evaluation" if side == "tuned" else home.folder("cache") / "base-answers"
        folder.mkdir(exist_ok=True)
        (run.path / "evaluation").mkdir(exist_ok=True)
        self._file = folder / f"{side}-{key}.jsonl"
        self.said = {line["row"]: line for line in _lines(self._file)}

    def measure(self, conversations: list[list[dict]]) -> Iterator[int]:
        """Answer and measure what is not there yet; how many of `conversations` are done, after each answer."""
        missing = [messages for messages in conversations if _key(messages) not in self.said]
        # Alike lengths end together, so that a batch wastes little.
        missing.sort(key=lambda messages: len(messages[-1]["content"]))
        before = len(conversations) - len(missing)
        yield before
        for start in range(0, len(missing), _AT_ONCE):
            for answered in self._measure(missing[start : start + _AT_ONCE]):
                yield before + start + answered

    def _measure(self, batch: list[list[dict]]) -> Iterator[int]:
        """How many of `batch` are answered, after each; they are kept when the last is."""
        references = [messages[-1]["content"] for messages in batch]
        expected = max(tokens.read(self._words).counts(references))
        # A base that never stops must not cost ten times the answers worth having.
        longest = min(expected * 3 // 2 + 16, DEFAULT_MAX_TOKENS)
        lines = [{"row": _key(messages), "answer": None, "loss": 0.0, "tokens": 0} for messages in batch]
        for event in self._chat.losses(self._name, batch, self._max_length):
            lines[event["index"]] |= {"loss": event["loss"], "tokens": event["tokens"]}
        questions = [messages[:-1] for messages in batch]
        for answered, event in enumerate(self._chat.batch(self._name, questions, longest, temperature=0), start=1):
            lines[event["index"]] |= {"answer": event["text"], "length": event["tokens"]}
            yield answered
        try:
            with open(self._file, "a", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        except OSError as error:
            raise from_os_error(error, self._file) from error
        self.said |= {line["row"]: line for line in lines}


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


def _result(conversations: list[list[dict]], sides: list[_Side]) -> dict:
    lines = [[side.said[_key(messages)] for side in sides] for messages in conversations]
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
            Answered(lines[i][side]["answer"], reference, lines[i][side]["loss"], lines[i][side]["tokens"])
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


def _sentence(result: dict) -> Words:
    changes = Words(
        *(sep.join(_change(result, name, lang) for name in _NAMES) for lang, sep in (("en", "; "), ("zh", "；")))
    )
    verdict = _VERDICTS[result["verdict"]]
    return Words(*(verdict.text(lang, rows=result["rows"], changes=changes.text(lang)) for lang in ("en", "zh")))


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


def _key(messages: list[dict]) -> str:
    return hashlib.sha256(json.dumps(messages, ensure_ascii=False).encode()).hexdigest()[:20]


def _lines(file: Path) -> Iterator[dict]:
    """What is whole in a file that a crash may have cut short. A torn end is cut off, so that the next line is whole."""
    if not file.is_file():
        return
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        home.write_atomically(file, whole)
    for line in whole.splitlines():
        yield json.loads(line)
