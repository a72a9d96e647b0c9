"""Scores equal those of the reference implementations, and chance is not taken for progress."""

import math
import random

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from engine.compare.scores import Answered, Scorer, compare, described, is_chinese

CHINESE = [
    ("糖尿病患者能吃西瓜，但要少吃。", "糖尿病患者可以少量吃西瓜。"),
    ("多喝水，多休息，吃 vitamin C。", "注意休息，多喝水，可补充 vitamin C。"),
    ("", "高血压要少吃盐。"),
    ("高血压要少吃盐。", "高血压要少吃盐。"),
]
ENGLISH = [("the cat sat on the mat", "a cat sat on a mat"), ("hello there", "hello, my dear friend")]


class Spaced:
    """Chinese characters parted, Latin words whole: the cut of sacrebleu's zh, written differently."""

    def tokenize(self, text):
        spaced = "".join(f" {c} " if ord(c) > 0x2E7F or c in ",.。，" else c for c in text)
        return spaced.split()


def rows(pairs, loss=1.0):
    return [Answered(answer, reference, loss, 4) for answer, reference in pairs]


@pytest.mark.parametrize(("pairs", "tokenize"), [(CHINESE, "zh"), (ENGLISH, "13a")])
def test_bleu_is_that_of_sacrebleu(pairs, tokenize):
    answers, references = [a for a, _ in pairs], [r for _, r in pairs]
    scorer = Scorer(references)
    found = scorer.measures(scorer.table(rows(pairs)))
    expected = sacrebleu.corpus_bleu(answers, [references], tokenize=tokenize)
    assert found["bleu4"] == pytest.approx(expected.score)
    for answer, reference in pairs:
        alone = sacrebleu.sentence_bleu(answer, [reference], tokenize=tokenize)
        assert scorer.row(answer, reference)["bleu4"] == pytest.approx(alone.score)


@pytest.mark.parametrize(("pairs", "tokenizer"), [(CHINESE, Spaced()), (ENGLISH, None)])
def test_rouge_is_that_of_the_reference_implementation(pairs, tokenizer):
    reference = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=tokenizer)
    scorer = Scorer([r for _, r in pairs])
    found = scorer.measures(scorer.table(rows(pairs)))
    for name in ("rouge1", "rouge2", "rougeL"):
        expected = [100 * reference.score(r, a)[name].fmeasure for a, r in pairs]
        assert found[name] == pytest.approx(sum(expected) / len(expected))
        assert scorer.row(*pairs[0])[name] == pytest.approx(expected[0])


def test_perplexity_is_exp_of_the_loss_over_all_tokens():
    scorer = Scorer(["好"])
    found = scorer.measures(scorer.table([Answered("好", "好", 3.0, 2), Answered("好", "好", 1.0, 6)]))
    assert found["loss"] == pytest.approx(0.5)
    assert found["perplexity"] == pytest.approx(math.exp(0.5))


def many(right):
    """Sixty answers, of which those that `right(i)` says are right; the luck of the losses is the same each time."""
    draw = random.Random(1)
    found = []
    for i in range(60):
        reference = f"第{i}种病应当多喝水多休息"
        answer = reference if right(i) else "我不知道你在说什么呢"
        found.append(Answered(answer, reference, draw.gauss(4 if right(i) else 8, 0.5), 10))
    return found


def test_a_real_difference_is_called_one():
    base, tuned = many(lambda i: i % 10 == 0), many(lambda i: i % 10 != 0)
    scorer = Scorer([row.reference for row in base])
    found = compare(scorer, base, tuned)
    assert found["verdict"] == "better"
    assert 0 < found["difference"]["bleu4"]["low"] < found["difference"]["bleu4"]["value"]
    assert compare(scorer, tuned, base)["verdict"] == "worse"


def test_the_same_answers_and_chance_are_no_difference():
    base = many(lambda i: i % 2)
    scorer = Scorer([row.reference for row in base])
    assert compare(scorer, base, base)["verdict"] == "same"
    assert compare(scorer, base, many(lambda i: i % 2 == 0))["verdict"] == "same"


def test_exact_match_is_said_where_references_are_short():
    assert described(rows(CHINESE))["exact_match"] == 25
    assert described(rows([("x" * 30, "y" * 30)]))["exact_match"] is None


def test_chinese_is_told_from_english():
    assert is_chinese(["感冒吃 vitamin C 好吗"])
    assert not is_chinese(["hello", "你"])
    assert not is_chinese([""])
