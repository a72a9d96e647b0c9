"""The text to pre-train on: short conversations in ChatML, mixed from the generators.

A document ends without the last `<|im_end|>`: the trainer ends every document with the tokenizer's end token, which is that.
"""

from collections.abc import Callable, Iterator
from random import Random

from assets.build import advice, copying, english, facts, life, questions, reasoning, smalltalk, stories

Turns = list[str]

# Each kind of conversation and its share. Copying leads: it is what fine-tuning cannot add afterwards.
KINDS: tuple[tuple[Callable[[Random], Turns], float], ...] = (
    (copying.repeat, 3),
    (copying.passing_phrase, 4),
    (copying.not_my_field, 8),
    (copying.unknown, 3),
    (copying.first_and_last, 1.5),
    (copying.joined, 2),
    (copying.sentence, 3),
    (copying.where_is, 3),
    (copying.what_happened, 5),
    (copying.two_people, 4),
    (copying.told, 2),
    (copying.relay, 3),
    (copying.thing_and_thing, 5),
    (facts.color, 4),
    (facts.colored_things, 0.7),
    (facts.sound, 1.6),
    (facts.diet, 1.5),
    (facts.habitat, 2),
    (facts.legs, 1.6),
    (facts.taste, 2),
    (facts.use, 4),
    (facts.job, 2.5),
    (facts.go_to, 3),
    (facts.opposite, 6),
    (facts.synonym, 1.2),
    (facts.measure, 2),
    (facts.capital, 4),
    (facts.festival, 1.2),
    (facts.season, 1),
    (facts.category, 2.5),
    (facts.listing, 2.5),
    (facts.odd_one_out, 1),
    (facts.larger, 2.5),
    (facts.common_sense, 3.5),
    (reasoning.arithmetic, 10),
    (reasoning.story_sum, 3),
    (reasoning.price, 1),
    (reasoning.counting, 2.5),
    (reasoning.neighbour_number, 1),
    (reasoning.compare_numbers, 1.8),
    (reasoning.odd_or_even, 0.8),
    (reasoning.clock, 0.8),
    (reasoning.week, 3),
    (reasoning.calendar, 2),
    (reasoning.compass, 1.5),
    (reasoning.route, 1.5),
    (reasoning.ranking, 1),
    (reasoning.because, 2),
    (smalltalk.hello, 2.5),
    (smalltalk.who, 4),
    (smalltalk.polite, 5),
    (smalltalk.meeting, 2.5),
    (smalltalk.feeling, 2.5),
    (smalltalk.liking, 2),
    (smalltalk.choosing, 1.2),
    (advice.learning, 1.2),
    (advice.recipe, 1),
    (advice.chore, 1.5),
    (smalltalk.message, 1.5),
    (advice.weekend, 1.5),
    (stories.story, 2),
    (stories.diary, 1),
    (stories.describe, 1.2),
    (stories.notice, 1),
    (stories.rewrite, 2),
    (stories.shopping, 1.5),
    (stories.can_it, 1.5),
    (life.family, 1),
    (life.manners, 1.2),
    (life.why, 1.3),
    (life.meaning, 1.3),
    (life.game, 2),
    (life.joke, 0.4),
    (life.naming, 0.5),
    (life.verse, 0.8),
    (life.travel, 1.2),
    (life.schedule, 1.2),
    (english.small_talk, 4),
    (english.word, 8),
    (english.fact, 4),
    (english.sums, 2),
    (english.where, 1.2),
    (english.meeting, 0.8),
    (english.repeat, 0.8),
    (english.liking, 0.6),
    (english.sentence, 1.5),
    (english.story, 0.6),
)
_SYSTEM = (
    "你是一个乐于助人的助手。",
    "你是微调台的演示模型。",
    "请用简短的话回答问题。",
    "你是一个友好的聊天伙伴。",
    "You are a helpful assistant.",
)
# Kinds that a polite beginning suits.
_FACTUAL = (facts.__name__, reasoning.__name__, life.__name__)
_PREFIXES = ("请问，", "请问", "我想知道，", "想问一下，", "你知道吗，", "帮我想想，", "问你个问题，")


def text_of(turns: Turns, system: str | None = None) -> str:
    """The conversation in ChatML without its last end token; `turns` alternate between user and assistant."""
    parts = [f"<|im_start|>system\n{system}"] if system else []
    parts += [f"<|im_start|>{'assistant' if at % 2 else 'user'}\n{said}" for at, said in enumerate(turns)]
    return "<|im_end|>\n".join(parts)


def documents(seed: int, count: int) -> Iterator[str]:
    """`count` conversations; the same seed gives the same ones. No held-out question is among them."""
    rng = Random(seed)
    kinds, weights = zip(*KINDS, strict=True)
    held_out = {plain(question) for question, _ in questions.EVERYDAY}
    made = 0
    while made < count:
        turns = conversation(rng, kinds, weights)
        if held_out.isdisjoint(plain(said) for said in turns[::2]):
            made += 1
            yield text_of(turns, rng.choice(_SYSTEM) if rng.random() < 0.04 else None)


def readings(seed: int, count: int) -> list[str]:
    """Short stories and diary entries without a question: raw text for anyone who wants to try pre-training."""
    rng = Random(seed)
    return [rng.choice((stories.story, stories.diary))(rng)[1] for _ in range(count)]


def conversation(rng: Random, kinds: tuple, weights: tuple) -> Turns:
    turns: Turns = []
    for kind in rng.choices(kinds, weights, k=rng.choices((1, 2, 3), (88, 9, 3))[0]):
        talk = kind(rng)
        talk[0] = varied(rng, talk[0], polite=kind.__module__ in _FACTUAL)
        turns += talk
    return turns


def varied(rng: Random, question: str, polite: bool) -> str:
    """The question as another person would type it: with a polite beginning, or without the mark at its end."""
    if polite and rng.random() < 0.15:
        question = rng.choice(_PREFIXES) + question
    if question[-1] in "？。?！" and rng.random() < 0.12:
        question = question[:-1]
    return question


def plain(text: str) -> str:
    """The text without punctuation and case, to compare questions."""
    return "".join(character for character in text.lower() if character.isalnum())
