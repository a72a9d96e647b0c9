"""The medical spreadsheet: department, title, ask, answer.

Every row is about another pair (condition and food, drug or symptom), so that whichever rows are held out, their pairs were
never seen in training. What is asked decides the answer: the class of the food, the condition, the patient. Made-up demo
data, not medical advice.
"""

import csv
import io
from itertools import product
from random import Random
from typing import NamedTuple

from assets.build.conditions import CONDITIONS
from assets.build.medical_words import DRUGS, FOODS, SYMPTOMS, Group

HEADER = ("department", "title", "ask", "answer")
_COUNTS = {"food": 1400, "drug": 550, "symptom": 450}


class Row(NamedTuple):
    department: str
    title: str
    ask: str
    answer: str


class Patient(NamedTuple):
    """Who is ill: how the asker says it, how the doctor answers, and the ages that fit."""

    said: str
    called: str
    ages: tuple[int, int]


_PATIENTS = (
    Patient("我", "您", (20, 60)),
    Patient("我爸爸", "您父亲", (50, 80)),
    Patient("我妈妈", "您母亲", (48, 80)),
    Patient("我爷爷", "您爷爷", (65, 88)),
    Patient("我奶奶", "您奶奶", (65, 88)),
    Patient("我丈夫", "您丈夫", (28, 65)),
    Patient("我妻子", "您妻子", (26, 62)),
    Patient("我姐姐", "您姐姐", (25, 55)),
    Patient("我弟弟", "您弟弟", (18, 50)),
    Patient("我同事", "您同事", (24, 58)),
)
_GREETINGS = (("医生您好，", "您好，"), ("你好，", "你好，"), ("大夫，", "您好，"), ("", ""))
_SINCE = ("得{0}{1}了", "查出{0}{1}了", "有{0}{1}了", "患{0}{1}了")
_SPANS = ("半年", "一年多", "两年", "三年", "五年", "好几年", "十来年", "三个月")
_DRUNK = (
    *FOODS["酒"].members,
    *FOODS["提神"].members,
    "可乐",
    "冰水",
    "冰镇酸梅汤",
    "肉汤",
    "鸡汤",
    "小米粥",
    "牛奶",
    "豆浆",
)
_ACUTE = ("感冒", "腹泻", "荨麻疹", "支气管炎")
_DAYS = ("两天", "三天", "四五天", "一个星期", "十来天")
_ACUTE_STATES = ("这几天有点不舒服", "没有好好注意饮食", "还没去医院看过", "")
_STATES = ("平时按时吃药", "最近复查还可以", "这几天有点不舒服", "一直没有好好注意饮食", "最近病情比较稳定", "")


def rows(seed: int = 42) -> list[Row]:
    """All rows, in random order; the same seed gives the same rows."""
    rng = Random(seed)
    made = []
    for kind, groups, write in (("food", FOODS, food_row), ("drug", DRUGS, drug_row)):
        pairs = [
            (name, key, item) for name, (key, group) in product(CONDITIONS, groups.items()) for item in group.members
        ]
        made += [write(rng, *pair) for pair in rng.sample(pairs, _COUNTS[kind])]
    made += [symptom_row(rng, *pair) for pair in rng.sample(list(product(CONDITIONS, SYMPTOMS)), _COUNTS["symptom"])]
    rng.shuffle(made)
    return made


def encoded(table: list[Row]) -> bytes:
    """The rows as a GB18030 CSV with a header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(table)
    return text.getvalue().encode("gb18030")


def terms(text: str) -> tuple[str, ...]:
    """The condition and the food, drug or symptom that `text` names: a right answer names them too."""
    items = [item for group in (*FOODS.values(), *DRUGS.values()) for item in group.members] + list(SYMPTOMS)
    conditions = sorted((name for name in CONDITIONS if name in text), key=text.index)[:1]
    # 偏头痛 holds 头痛: what the condition's name covers is not looked at again.
    rest = text.replace(conditions[0], " ") if conditions else text
    named = sorted((item for item in items if item in rest), key=lambda item: (-len(item), rest.index(item)))[:1]
    return (*conditions, *named)


def _opening(rng: Random, condition: str) -> tuple[str, str, str, Patient]:
    """How the question begins, how the answer greets, the state told of, and the patient."""
    patient = rng.choice(_PATIENTS)
    hello, hello_back = rng.choice(_GREETINGS)
    age = f"今年{rng.randint(*patient.ages)}岁，" if rng.random() < 0.6 else ""
    since = rng.choice(_SINCE).format(condition, rng.choice(_DAYS if condition in _ACUTE else _SPANS))
    state = rng.choice(_ACUTE_STATES if condition in _ACUTE else _STATES)
    told = f"{hello}{patient.said}{age}{since}，{state}，" if state else f"{hello}{patient.said}{age}{since}，"
    return told, hello_back, state, patient


def food_row(rng: Random, condition: str, key: str, food: str) -> Row:
    group, effect = FOODS[key], CONDITIONS[condition].foods.get(key)
    opening, hello, state, patient = _opening(rng, condition)
    verb = "喝" if food in _DRUNK else "吃"
    wish = rng.choice(
        (
            f"特别想{verb}{food}",
            f"家里买了不少{food}",
            f"朋友送了些{food}",
            f"一直爱{verb}{food}",
            f"听人说{food}不错",
            f"看见{food}就嘴馋",
        )
    )
    question = rng.choice(
        (f"不知道能不能{verb}？", f"请问可以{verb}吗？", f"{verb}了会不会有影响？", f"能{verb}多少？", "需要忌口吗？")
    )
    title = rng.choice(
        (
            f"{condition}能{verb}{food}吗？",
            f"{condition}可以{verb}{food}吗",
            f"{condition}患者能不能{verb}{food}？",
            f"得了{condition}还能{verb}{food}吗？",
        )
    )
    if effect is None and group.usual:
        verdict, reason, advice = f"要少{verb}", group.usual, group.instead
    elif effect is None:
        verdict, reason, advice = f"可以适量{verb}", f"对{condition}没有明显影响", group.instead
    elif effect.startswith("+"):
        verdict, reason, advice = f"适合{verb}", effect[1:], group.instead
    else:
        verdict, reason, advice = f"最好不要{verb}", effect, group.instead
    if "多少" in question:
        advice = f"实在想{verb}就尝一小口" if verdict.startswith("最好不要") else f"每次{verb}一小份就够了"
    answer = f"{hello}{condition}患者{verdict}{food}。{food}{group.trait}，{reason}，{advice}。"
    closing = _closing(rng, state, patient, condition)
    return Row(CONDITIONS[condition].department, title, f"{opening}{wish}，{question}", answer + closing)


def _closing(rng: Random, state: str, patient: Patient, condition: str) -> str:
    """The doctor's last sentence: what was told of the patient decides it."""
    care = CONDITIONS[condition].care
    if state == "这几天有点不舒服":
        return f"{patient.called}这几天不舒服，建议先到{CONDITIONS[condition].department}复查。"
    if state.endswith("没有好好注意饮食"):
        return f"{patient.called}以后要注意饮食，{care}。"
    if state == "平时按时吃药":
        return f"{patient.called}要坚持吃药，{care}。"
    return rng.choice((f"请记得{care}。", f"请记得{care}。", f"另外请记得{care}。"))


def drug_row(rng: Random, condition: str, key: str, drug: str) -> Row:
    group: Group = DRUGS[key]
    effect = CONDITIONS[condition].drugs.get(key)
    opening, hello, state, patient = _opening(rng, condition)
    wish = rng.choice(
        (f"家里有{drug}", f"药店推荐了{drug}", f"听说{drug}效果好", f"别人说可以用{drug}", f"想买点{drug}")
    )
    question = rng.choice(("请问能吃吗？", "不知道合不合适？", "可以吃这个药吗？", "吃了有没有用？", "需要吃吗？"))
    title = rng.choice(
        (
            f"{condition}能吃{drug}吗？",
            f"{drug}能治{condition}吗？",
            f"{condition}可以用{drug}吗",
            f"{condition}吃{drug}有用吗？",
        )
    )
    if effect is None:
        verdict, reason = f"{drug}不是治疗{condition}的药。", f"对{condition}没有作用，没有必要吃"
    elif effect.startswith("+"):
        verdict, reason = f"{condition}患者可以在医生指导下用{drug}。", f"{effect[1:]}，{group.instead}"
    else:
        verdict, reason = f"{condition}患者用{drug}要谨慎。", f"{effect}，不要自己买来吃"
    answer = f"{hello}{verdict}{drug}{group.trait}，{reason}。"
    return Row(
        CONDITIONS[condition].department,
        title,
        f"{opening}{wish}，{question}",
        answer + _closing(rng, state, patient, condition),
    )


def symptom_row(rng: Random, condition: str, symptom: str) -> Row:
    opening, hello, state, patient = _opening(rng, condition)
    department, test = SYMPTOMS[symptom]
    wish = rng.choice(
        (
            f"最近有些{symptom}",
            f"这两天开始{symptom}",
            f"又出现了{symptom}",
            f"感觉{symptom}",
            f"这两天{symptom}比较明显",
        )
    )
    question = rng.choice(
        (f"是{condition}引起的吗？", "这是怎么回事？", "要不要紧？", "该做什么检查？", "应该挂哪个科？")
    )
    title = rng.choice(
        (f"{condition}会引起{symptom}吗？", f"{condition}{symptom}怎么办？", f"{condition}患者{symptom}是怎么回事？")
    )
    if symptom in CONDITIONS[condition].symptoms:
        answer = f"{symptom}是{condition}常见的表现，说明病情可能有变化，建议到{CONDITIONS[condition].department}复诊，{test}。"
    else:
        answer = f"{symptom}不是{condition}的典型表现，可能有别的原因，建议到{department}看看，{test}。"
    return Row(
        CONDITIONS[condition].department,
        title,
        f"{opening}{wish}，{question}",
        hello + answer + _closing(rng, state, patient, condition),
    )
