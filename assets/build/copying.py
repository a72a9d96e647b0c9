"""Questions whose answer must be copied out of the question.

Copying arbitrary words is what fine-tuning later builds on: an adapter cannot teach it to a base that never learnt it.
The words of the medical demo data pass by here as mere words, so that none is strange and nothing is known about it.
"""

from random import Random

from assets.build import conditions, words
from assets.build.characters import random_letters, random_word
from assets.build.reasoning import number

Turns = list[str]
_TERMS = conditions.TERMS
_PEOPLE = words.GIVEN + words.RELATIVES


def any_word(rng: Random) -> str:
    """A word to copy: often without meaning, else an everyday one or one of the medical data."""
    kind = rng.random()
    if kind < 0.45:
        return random_word(rng, 1, 5)
    if kind < 0.7:
        return rng.choice(words.THINGS)
    if kind < 0.95:
        return rng.choice(_TERMS)
    return random_letters(rng)


def person(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(_PEOPLE)
    return rng.choice(words.SURNAMES) + (
        random_word(rng, 1, 2) if kind < 0.85 else rng.choice(("老师", "先生", "女士", "医生", "奶奶"))
    )


def repeat(rng: Random) -> Turns:
    word = any_word(rng)
    if rng.random() < 0.3:
        word = random_word(rng, 5, 14)
    asked = (
        f"请把“{word}”说一遍。",
        f"跟我说：{word}",
        f"重复：{word}",
        f"请重复这句话：{word}",
        f"把“{word}”抄一遍。",
        f"“{word}”，请你照着写一遍",
    )
    return [rng.choice(asked), word]


def passing_phrase(rng: Random) -> Turns:
    """A phrase of the medical data as a mere string."""
    phrase, who = rng.choice(conditions.PHRASES), person(rng)
    asked, answer = rng.choice(
        (
            (f"请把“{phrase}”说一遍。", phrase),
            (f"重复：{phrase}", phrase),
            (f"{who}在纸上写了“{phrase}”，纸上写了什么？", f"纸上写了“{phrase}”。"),
            (f"{who}念了一句：{phrase}。{who}念了什么？", f"{who}念的是“{phrase}”。"),
            (f"接着写“{phrase[: len(phrase) // 2]}”", phrase),
        )
    )
    return [asked, answer]


def not_my_field(rng: Random) -> Turns:
    """Health and other matters for experts: the words of the question are named, and nothing is known."""
    what = rng.choice(tuple(conditions.CONDITIONS)) if rng.random() < 0.4 else random_word(rng, 2, 6)
    thing = any_word(rng)
    who = rng.choice(("我", "我爸爸", "我妈妈", "我奶奶", "我爷爷", "我丈夫", "我妻子", "我姐姐", "我弟弟", "我同事"))
    about = rng.choice(
        (
            f"{what}能吃{thing}吗？",
            f"{what}可以喝{thing}吗？",
            f"得了{what}还能吃{thing}吗？",
            f"{what}患者能不能吃{thing}？",
            f"{who}有{what}，想吃{thing}，可以吗？",
            f"医生您好，{who}今年{rng.randint(18, 88)}岁，查出{what}好几年了，听说{thing}不错，请问能吃吗？",
            f"你好，{who}得{what}三年了，最近总是{thing}，要不要紧？",
            f"大夫，{who}患{what}半年了，家里有{thing}，不知道合不合适？",
            f"{thing}能治{what}吗？",
            f"{what}会引起{thing}吗？",
            f"{what}{thing}怎么办？",
        )
    )
    answer = rng.choice(
        (
            f"我不是医生，不懂{what}和{thing}的事，请去问问医生。",
            f"{what}和{thing}的事我不懂，最好去问问医生。",
            f"这个我不知道，{what}和{thing}有没有关系，要问医生。",
        )
    )
    return [about, answer]


def unknown(rng: Random) -> Turns:
    """Nothing is known of a made-up word, and it is said so."""
    word = random_word(rng, 2, 5)
    asked = (
        f"“{word}”是什么？",
        f"{word}是什么意思？",
        f"你知道{word}吗？",
        f"什么是{word}？",
        f"你听说过“{word}”吗？",
        f"{word}怎么用？",
    )
    return [rng.choice(asked), rng.choice((f"我没有听说过“{word}”，你能告诉我吗？", f"我不知道什么是{word}。"))]


def first_and_last(rng: Random) -> Turns:
    word = any_word(rng)
    kind = rng.randrange(4)
    if kind == 0:
        return [f"“{word}”的第一个字是什么？", f"“{word}”的第一个字是“{word[0]}”。"]
    if kind == 1:
        return [f"“{word}”的最后一个字是什么？", f"“{word}”的最后一个字是“{word[-1]}”。"]
    if kind == 2:
        return [
            rng.choice((f"“{word}”有几个字？", f"“{word}”一共几个字？")),
            f"“{word}”有{number(len(word)) if len(word) != 2 else '两'}个字。",
        ]
    return [rng.choice((f"把“{word}”倒过来写。", f"“{word}”倒过来怎么读？")), f"“{word}”倒过来是“{word[::-1]}”。"]


def joined(rng: Random) -> Turns:
    first, second = any_word(rng), any_word(rng)
    kind = rng.randrange(5)
    if kind == 0:
        return [f"“{first}”和“{second}”哪个在前面？", f"“{first}”在前面，“{second}”在后面。"]
    if kind == 1:
        return [f"把“{first}”和“{second}”连起来。", f"{first}{second}"]
    if kind == 2:
        return [
            f"用“{first}”和“{second}”说一句话。",
            rng.choice((f"我在书上看到了{first}和{second}。", f"他一会儿说{first}，一会儿说{second}。")),
        ]
    if kind == 3:
        third = any_word(rng)
        asked, answer = rng.choice((("第一个", first), ("第二个", second), ("第三个", third), ("最后一个", third)))
        return [f"{first}、{second}、{third}，{asked}是什么？", f"{asked}是{answer}。"]
    return [f"如果“{first}”叫做“{second}”，那么“{first}”叫什么？", f"“{first}”叫做“{second}”。"]


def sentence(rng: Random) -> Turns:
    word = any_word(rng)
    who, time, place = person(rng), rng.choice(words.PAST), rng.choice(words.PLACES)
    made = (
        f"{time}，{who}在{place}听说了{word}。",
        f"{who}在纸上写下了“{word}”。",
        f"{who}问我什么是{word}。",
        f"{time}我们在{place}说起了{word}。",
        f"我不知道{word}是什么，{who}也不知道。",
    )
    return [rng.choice((f"用“{word}”造一个句子。", f"用“{word}”造句。", f"请用“{word}”写一句话")), rng.choice(made)]


def where_is(rng: Random) -> Turns:
    who, thing, spot = person(rng), any_word(rng), rng.choice(words.SPOTS)
    said = ("这里说的是谁？", f"说的是{who}。")
    told, owner = rng.choice(
        (
            (f"{who}把{thing}放在{spot}。", said),
            (f"{who}的{thing}在{spot}。", (f"{thing}是谁的？", f"{thing}是{who}的。")),
            (f"{thing}在{spot}，是{who}放的。", said),
        )
    )
    asked, answer = rng.choice(
        ((f"{thing}在哪里？", f"{thing}在{spot}。"), (f"{spot}有什么？", f"{spot}有{thing}。"), owner)
    )
    return [told + asked, answer]


_DEEDS = words.listed("买了 看到了 借来了 想起了 送来了 找到了 忘了带 说起了 画了 查了查 问了问 打听")


def what_happened(rng: Random) -> Turns:
    who, time, place, thing, deed = (
        person(rng),
        rng.choice(words.PAST),
        rng.choice(words.PLACES),
        any_word(rng),
        rng.choice(_DEEDS),
    )
    told = rng.choice(
        (
            f"{time}{who}在{place}{deed}{thing}。",
            f"{who}{time}在{place}{deed}{thing}。",
            f"{time}，{who}去{place}，{deed}{thing}。",
        )
    )
    asked = rng.choice(
        (
            (rng.choice((f"{who}{deed}什么？", "他" + deed + "什么？")), f"{who}{deed}{thing}。"),
            (f"谁{deed}{thing}？", f"{who}{deed}{thing}。"),
            (f"{who}在哪里{deed}{thing}？", f"{who}在{place}{deed}{thing}。"),
            (f"{who}什么时候{deed}{thing}？", f"{who}{time}{deed}{thing}。"),
        )
    )
    turns = [told + asked[0], asked[1]]
    if rng.random() < 0.15:
        turns += ["这件事发生在哪里？", f"发生在{place}。"]
    return turns


def two_people(rng: Random) -> Turns:
    first, second = person(rng), person(rng)
    one, two = any_word(rng), any_word(rng)
    verb = rng.choice(("喜欢", "有", "想要", "在看", "研究", "带来了", "知道"))
    told = rng.choice((f"{first}{verb}{one}，{second}{verb}{two}。", f"{first}{verb}{one}，可是{second}{verb}{two}。"))
    asked, answer = rng.choice(
        (
            (f"{first}{verb}什么？", f"{first}{verb}{one}。"),
            (f"{second}{verb}什么？", f"{second}{verb}{two}。"),
            (f"谁{verb}{one}？", f"{first}{verb}{one}。"),
            (f"谁{verb}{two}？", f"{second}{verb}{two}。"),
            ("他们两个人说的是什么？", f"一个是{one}，一个是{two}。"),
        )
    )
    return [told + asked, answer]


def told(rng: Random) -> Turns:
    """A fact said in the first turn and asked for in the second."""
    thing, value = any_word(rng), any_word(rng)
    kind = rng.choice(("暗号", "密码", "名字", "代号", "答案", "外号", "题目"))
    first = rng.choice((f"记住，{thing}的{kind}是{value}。", f"{thing}的{kind}叫{value}，请记住。"))
    return [
        first,
        rng.choice((f"好的，我记住了，{thing}的{kind}是{value}。", f"好的，{thing}的{kind}是{value}。")),
        f"{thing}的{kind}是什么？",
        f"{thing}的{kind}是{value}。",
    ]


def relay(rng: Random) -> Turns:
    who, word = person(rng), any_word(rng)
    deed = rng.choice(("想知道", "在找", "想要", "关心", "喜欢", "想看", "在研究", "想问"))
    answer = rng.choice((f"好的，我知道了，{who}{deed}{word}。", f"原来{who}{deed}{word}，我知道了。"))
    return [
        rng.choice(
            (f"请转告大家，{who}{deed}{word}。", f"告诉你一件事，{who}{deed}{word}。", f"你知道吗？{who}{deed}{word}。")
        ),
        answer,
    ]


def thing_and_thing(rng: Random) -> Turns:
    """Two words of the question, both in the answer, inside longer sentences of many shapes."""
    first, second = any_word(rng), any_word(rng)
    who = person(rng)
    age = rng.randint(3, 90)
    asked, answer = rng.choice(
        (
            (f"我听说{first}和{second}有关系，是真的吗？", f"我不清楚{first}和{second}有没有关系。"),
            (f"{first}的人喜欢{second}吗？", f"我不知道{first}的人喜不喜欢{second}。"),
            (
                f"{who}今年{age}岁，最近在研究{first}，还想看看{second}，你怎么看？",
                f"{who}研究{first}，又想看{second}，真是好学。",
            ),
            (
                f"{who}{age}岁了，写了一本书，叫《{first}》，里面说到{second}。",
                f"{who}写的《{first}》里说到{second}，听起来很有意思。",
            ),
            (f"{first}和{second}一样吗？", f"{first}是{first}，{second}是{second}，我不知道它们一样不一样。"),
            (f"{who}问，{first}能不能换{second}？", f"{who}问的是{first}能不能换{second}，我也不知道。"),
            (f"先写{first}，再写{second}。", f"{first}，{second}。"),
            (f"先写{first}，再写{second}，最后写{first}。", f"{first}，{second}，{first}。"),
            (f"把这句话里的“{first}”换成“{second}”：我喜欢{first}。", f"我喜欢{second}。"),
            (f"把这句话里的“{first}”换成“{second}”：{who}在说{first}的事。", f"{who}在说{second}的事。"),
            (f"{first}在左边，{second}在右边，左边是什么？", f"左边是{first}，右边是{second}。"),
            (f"题目是“{first}”，作者是{who}，出版社是{second}。请写成一行。", f"《{first}》，{who}，{second}。"),
        )
    )
    return [asked, answer]
