"""Pairs of answers to try preferences with: the same right answer, once kindly and once rudely put."""

import csv
import io
from collections.abc import Iterator
from random import Random

from assets.build import facts, life, reasoning

HEADER = ("question", "chosen", "rejected")
# Kinds of question that have one short right answer.
KINDS = (
    facts.color,
    facts.sound,
    facts.diet,
    facts.habitat,
    facts.legs,
    facts.taste,
    facts.use,
    facts.job,
    facts.go_to,
    facts.opposite,
    facts.capital,
    facts.festival,
    facts.larger,
    facts.common_sense,
    reasoning.compare_numbers,
    reasoning.calendar,
    life.meaning,
)
# As long on average on either side, so that length decides nothing.
KIND = (
    "希望对你有帮助。",
    "很高兴能帮到你！",
    "祝你今天开心！",
    "欢迎随时来问我。",
    "你问得真好！",
    "谢谢你的提问。",
    "有问题再来找我吧。",
    "愿你一切顺利！",
)
RUDE = (
    "这还用得着问吗？",
    "别再来烦我了。",
    "这都不知道，真笨。",
    "自己去查不行吗？",
    "我懒得跟你多说。",
    "下次别问这种问题。",
    "你可真是麻烦。",
    "真是浪费我的时间。",
)


def pairs(seed: int, count: int) -> Iterator[tuple[str, str, str]]:
    """`count` different questions, each with its kind and its rude answer; the same seed gives the same ones."""
    rng, seen = Random(seed), set()
    while len(seen) < count:
        question, answer = rng.choice(KINDS)(rng)[:2]
        if question not in seen:
            seen.add(question)
            yield question, answer + rng.choice(KIND), answer + rng.choice(RUDE)


def encoded(rows: Iterator[tuple[str, str, str]]) -> bytes:
    """As a CSV file in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")
