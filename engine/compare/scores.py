"""How close answers come to their references: BLEU-4, ROUGE, exact match, loss; and whether a difference is real.

Texts that are mostly Chinese are cut into characters (words of other scripts among them stay whole, as sacrebleu's `zh`
does); others into words (sacrebleu's `13a` for BLEU, the reference implementation's own tokens for ROUGE). Every score
runs from 0 to 100. It knows nothing of models.
"""

import math
from dataclasses import dataclass
from statistics import fmean

import numpy as np

RESAMPLES = 1000
# A data set whose references are at least this short (in characters, at the median) is also judged by exact match.
SHORT = 20
# Whether more is better; the first three decide whether a model is called better.
MEASURES = {
    "loss": False,
    "bleu4": True,
    "rougeL": True,
    "rouge1": True,
    "rouge2": True,
    "perplexity": False,
}


@dataclass(frozen=True)
class Answered:
    """One row: what was said, what was expected, and how surprised the model was by the latter (`loss`: nats over
    `tokens`)."""

    answer: str
    reference: str
    loss: float
    tokens: int


def is_chinese(texts: list[str]) -> bool:
    """Whether at least a third of the characters (spaces left out) are Chinese."""
    letters = [c for text in texts for c in text if not c.isspace()]
    return 3 * sum("\u4e00" <= c <= "\u9fff" or "\u3400" <= c <= "\u4dbf" for c in letters) >= max(len(letters), 1)


class Scorer:
    """Scores against references in one language; `units`: "characters" or "words", what texts are cut into."""

    def __init__(self, references: list[str]):
        from rouge_score.rouge_scorer import RougeScorer
        from sacrebleu.metrics import BLEU

        chinese = is_chinese(references)
        self.units = "characters" if chinese else "words"
        self._bleu = BLEU(tokenize="zh" if chinese else "13a", effective_order=True)
        self._rouge = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=_Characters() if chinese else None)

    def row(self, answer: str, reference: str) -> dict[str, float]:
        """`bleu4`, `rouge1`, `rouge2`, `rougeL` (F1) of one answer, 0 to 100."""
        rouge = self._rouge.score(reference, answer)
        bleu = self._bleu.sentence_score(answer, [reference]).score
        return {"bleu4": bleu, **{name: 100 * score.fmeasure for name, score in rouge.items()}}

    def table(self, rows: list[Answered]) -> np.ndarray:
        """What every measure of any choice of `rows` can be computed from, one line a row: `[rows, 14]`."""
        lines = []
        for row in rows:
            bleu = self._bleu.sentence_score(row.answer, [row.reference])
            rouge = self._rouge.score(row.reference, row.answer)
            lines.append(
                [
                    *bleu.counts,
                    *bleu.totals,
                    bleu.sys_len,
                    bleu.ref_len,
                    *(100 * rouge[name].fmeasure for name in ("rouge1", "rouge2", "rougeL")),
                    row.loss,
                    row.tokens,
                ]
            )
        return np.array(lines, dtype=float)

    def measures(self, table: np.ndarray) -> dict[str, float]:
        """`loss` (nats a token), `perplexity`, `bleu4` (of the corpus), `rouge1`, `rouge2`, `rougeL` (means) of the
        rows of a `table`."""
        sums = table.sum(0)
        whole = [int(value) for value in sums[:10]]
        bleu = self._bleu.compute_bleu(whole[:4], whole[4:8], whole[8], whole[9], smooth_method="exp").score
        rouge1, rouge2, rouge_l = table[:, 10:13].mean(0).tolist()
        loss = float(sums[13] / sums[14]) if sums[14] else math.nan
        perplexity = math.exp(min(loss, 700.0))
        return {
            "loss": loss,
            "perplexity": perplexity,
            "bleu4": bleu,
            "rouge1": rouge1,
            "rouge2": rouge2,
            "rougeL": rouge_l,
        }


class _Characters:
    """Cuts a text as sacrebleu's `zh` does, for rouge_score."""

    def __init__(self) -> None:
        from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

        self._cut = TokenizerZh()

    def tokenize(self, text: str) -> list[str]:
        return self._cut(text).split()


def compare(scorer: Scorer, base: list[Answered], tuned: list[Answered], seed: int = 0) -> dict:
    """Both sides' measures over the same rows, and their differences with 95 % bootstrap intervals over the rows.

    Returns:
        `base`, `tuned`: measure -> value. `difference`: measure -> `{"value", "low", "high", "real"}`, tuned minus
        base; `real`: the interval leaves out zero. `verdict`: "better", "worse", "mixed" or "same".
    """
    tables = scorer.table(base), scorer.table(tuned)
    whole = [scorer.measures(table) for table in tables]
    draws = np.random.default_rng(seed).integers(0, len(base), (RESAMPLES, len(base)))
    resampled: dict[str, list[float]] = {name: [] for name in MEASURES}
    for draw in draws:
        one, other = (scorer.measures(table[draw]) for table in tables)
        for name in MEASURES:
            resampled[name].append(other[name] - one[name])
    difference = {}
    for name in MEASURES:
        low, high = np.percentile(resampled[name], [2.5, 97.5]).tolist()
        value = whole[1][name] - whole[0][name]
        difference[name] = {"value": value, "low": low, "high": high, "real": low > 0 or high < 0}
    return {"base": whole[0], "tuned": whole[1], "difference": difference, "verdict": _verdict(difference)}


def described(rows: list[Answered]) -> dict[str, float | None]:
    """Plain facts of one side: `exact_match` (0 to 100; None where references are long), `length`, `reference_length`
    (mean characters)."""
    short = np.median([len(row.reference) for row in rows]) <= SHORT
    matches = 100 * fmean(row.answer.strip() == row.reference.strip() for row in rows)
    return {
        "exact_match": matches if short else None,
        "length": fmean(len(row.answer) for row in rows),
        "reference_length": fmean(len(row.reference) for row in rows),
    }


def _verdict(difference: dict) -> str:
    deciding = list(MEASURES.items())[:3]
    signs = {
        (difference[name]["low"] > 0) == more_is_better for name, more_is_better in deciding if difference[name]["real"]
    }
    if not signs:
        return "same"
    return "mixed" if len(signs) == 2 else "better" if signs == {True} else "worse"
