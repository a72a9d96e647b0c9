"""Questions that need a small thought: arithmetic, counting, the calendar, directions, comparing, money."""

from random import Random

from assets.build import words

Turns = list[str]
_DIGITS = "零一二三四五六七八九十"
WEEK = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期天")
MONTHS = ("一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月")
DAYS_OF = dict(zip(MONTHS, (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))
SEASONS = ("春天", "夏天", "秋天", "冬天")


def number(value: int) -> str:
    """A number from 0 to 99 in Chinese: 42 -> 四十二."""
    tens, ones = divmod(value, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def arithmetic(rng: Random) -> Turns:
    kind = rng.random()
    if kind < 0.5:
        first, second = rng.randint(0, 10), rng.randint(0, 10)
        name, sign, result = "加", "+", first + second
    elif kind < 0.8:
        second, result = rng.randint(0, 10), rng.randint(0, 10)
        first, name, sign = second + result, "减", "-"
    else:
        first, second = rng.randint(1, 9), rng.randint(1, 9)
        name, sign, result = "乘", "×", first * second
    if rng.random() < 0.35:
        asked = rng.choice(("{}{}{}等于几？", "{}{}{}等于多少？", "{}{}{}是多少？"))
        return [
            asked.format(number(first), name, number(second)),
            f"{number(first)}{name}{number(second)}等于{number(result)}。",
        ]
    asked = rng.choice(
        (
            f"{first}{name}{second}等于几？",
            f"{first}{name}{second}等于多少？",
            f"{first}{sign}{second}=?",
            f"{first}{sign}{second}等于几？",
        )
    )
    shown = f"{first}{sign}{second}={result}" if sign in asked else f"{first}{name}{second}等于{result}"
    return [asked, shown + "。"]


def story_sum(rng: Random) -> Turns:
    who, thing = rng.choice(words.GIVEN), rng.choice((*words.FRUITS, "气球", "糖", "铅笔", "鸡蛋", "贴纸"))
    have = rng.randint(2, 9)
    if rng.random() < 0.5:
        more = rng.randint(1, 8)
        what = rng.choice(("又买了", "妈妈又给了", "又捡到"))
        return [
            f"{who}有{have}个{thing}，{what}{more}个，现在有几个{thing}？",
            f"{have}+{more}={have + more}，{who}现在有{have + more}个{thing}。",
        ]
    less = rng.randint(1, have)
    what = rng.choice(("吃了", "送给朋友", "弄丢了")) if thing in words.FRUITS else rng.choice(("送给朋友", "弄丢了"))
    return [
        f"{who}有{have}个{thing}，{what}{less}个，还剩几个{thing}？",
        f"{have}-{less}={have - less}，{who}还剩{have - less}个{thing}。",
    ]


def price(rng: Random) -> Turns:
    thing = rng.choice(words.FRUITS + words.VEGETABLES)
    each, count = rng.randint(1, 9), rng.randint(2, 9)
    asked = rng.choice((f"{thing}{each}元一斤，买{count}斤要多少钱？", f"一斤{thing}{each}元，{count}斤多少钱？"))
    return [asked, f"{each}×{count}={each * count}，要{each * count}元。"]


def counting(rng: Random) -> Turns:
    low = rng.choice((1, 1, 1, 2, 3, 5, 6, 10, 11))
    high = low + rng.randint(2, 9)
    kind = rng.random()
    if kind < 0.4:
        listed = "，".join(str(value) for value in range(low, high + 1))
        return [
            rng.choice((f"从{low}数到{high}。", f"请从{low}数到{high}。", f"你会从{low}数到{high}吗？")),
            f"{listed}。",
        ]
    if kind < 0.75:
        listed = "，".join(number(value) for value in range(low, high + 1))
        return [
            rng.choice((f"从{number(low)}数到{number(high)}。", f"请从{number(low)}数到{number(high)}。")),
            f"{listed}。",
        ]
    listed = "，".join(str(value) for value in range(high, low - 1, -1))
    return [f"从{high}倒着数到{low}。", f"{listed}。"]


def neighbour_number(rng: Random) -> Turns:
    value, step = rng.randint(1, 60), rng.choice((1, 1, 1, 2, 3, 10))
    if rng.random() < 0.5:
        return [
            rng.choice((f"比{value}大{step}的数是几？", f"比{value}多{step}是多少？")),
            f"比{value}大{step}的数是{value + step}。",
        ]
    if rng.random() < 0.5:
        return [rng.choice((f"{value}后面的数是几？", f"{value}的后面是多少？")), f"{value}后面的数是{value + 1}。"]
    return [f"比{value + step}小{step}的数是几？", f"比{value + step}小{step}的数是{value}。"]


def compare_numbers(rng: Random) -> Turns:
    first, second = rng.sample(range(1, 100), 2)
    if rng.random() < 0.6:
        return [
            rng.choice((f"{first}和{second}哪个大？", f"{first}和{second}，哪个数更大？")),
            f"{max(first, second)}比{min(first, second)}大。",
        ]
    return [f"{first}和{second}哪个小？", f"{min(first, second)}比{max(first, second)}小。"]


def odd_or_even(rng: Random) -> Turns:
    value = rng.randint(1, 60)
    kind = "双数" if value % 2 == 0 else "单数"
    return [rng.choice((f"{value}是单数还是双数？", f"{value}是双数还是单数？")), f"{value}是{kind}。"]


def clock(rng: Random) -> Turns:
    hour, later = rng.randint(1, 8), rng.randint(1, 4)
    now, hours, then = (hours_text(value) for value in (hour, later, hour + later))
    return [
        rng.choice((f"现在{now}点，{hours}个小时以后是几点？", f"{now}点再过{hours}个小时是几点？")),
        f"是{then}点。",
    ]


def hours_text(value: int) -> str:
    """A number as it stands before 点 and 个: 2 is 两."""
    return "两" if value == 2 else number(value)


def week(rng: Random) -> Turns:
    at = rng.randrange(7)
    day = WEEK[at]
    name, shift = rng.choice((("明天", 1), ("后天", 2), ("昨天", -1), ("前天", -2)))
    if rng.random() < 0.7:
        asked = rng.choice(
            (f"今天{day}，{name}星期几？", f"今天是{day}，{name}是星期几？", f"如果今天是{day}，那{name}呢？")
        )
        return [asked, f"今天是{day}，{name}是{WEEK[(at + shift) % 7]}。"]
    return [rng.choice((f"{day}的后面是星期几？", f"{day}后面一天是星期几？")), f"{day}的后面是{WEEK[(at + 1) % 7]}。"]


def calendar(rng: Random) -> Turns:
    kind = rng.random()
    if kind < 0.3:
        at = rng.randrange(12)
        return [
            rng.choice((f"{MONTHS[at]}的下一个月是几月？", f"{MONTHS[at]}后面是几月？")),
            f"{MONTHS[at]}的下一个月是{MONTHS[(at + 1) % 12]}。",
        ]
    if kind < 0.5:
        month = rng.choice(MONTHS)
        return [rng.choice((f"{month}有多少天？", f"{month}有几天？")), f"{month}有{DAYS_OF[month]}天。"]
    if kind < 0.7:
        at = rng.randrange(4)
        return [
            rng.choice((f"{SEASONS[at]}后面是什么季节？", f"{SEASONS[at]}过去了是什么季节？")),
            f"{SEASONS[at]}后面是{SEASONS[(at + 1) % 4]}。",
        ]
    return list(
        rng.choice(
            (
                ("一年有几个月？", "一年有十二个月。"),
                ("一年有多少个月？", "一年有十二个月。"),
                ("一年有多少天？", "一年有三百六十五天，闰年有三百六十六天。"),
                ("一个星期有几天？", "一个星期有七天。"),
                ("一周有几天？", "一周有七天。"),
                ("一天有几个小时？", "一天有二十四个小时。"),
                ("一天有多少个小时？", "一天有二十四个小时。"),
                ("一个小时有多少分钟？", "一个小时有六十分钟。"),
                ("一分钟有多少秒？", "一分钟有六十秒。"),
                ("一年有四季，是哪四季？", "是春天、夏天、秋天和冬天。"),
                ("一个月有多少天？", "一个月一般有三十天或三十一天，二月只有二十八天。"),
            )
        )
    )


def compass(rng: Random) -> Turns:
    turn = "北东南西"
    at = rng.randrange(4)
    side, shift = rng.choice((("右手", 1), ("背后", 2), ("左手", 3)))
    faced = turn[at]
    asked = rng.choice(
        (
            f"面朝{faced}站着，{side}是哪边？",
            f"我面朝{faced}，{side}边是什么方向？" if side != "背后" else f"我面朝{faced}，背后是什么方向？",
        )
    )
    return [asked, f"面朝{faced}的时候，{side}是{turn[(at + shift) % 4]}边。"]


def route(rng: Random) -> Turns:
    place = rng.choice(words.PLACES)
    first, second = rng.choice(("红绿灯", "路口", "桥边", "超市", "学校门口")), rng.choice(("左", "右"))
    minutes = number(rng.randint(3, 15))
    asked = rng.choice(
        (f"去{place}怎么走？", f"请问{place}怎么走？", f"{place}在哪里？怎么去？", f"到{place}该往哪边走？")
    )
    answer = rng.choice(
        (
            f"去{place}先直走，到{first}向{second}转，再走{minutes}分钟就到了。",
            f"一直往前走，过了{first}向{second}转，就能看到{place}了。",
        )
    )
    return [asked, answer]


def ranking(rng: Random) -> Turns:
    first, second, third = rng.sample(words.GIVEN, 3)
    more, most, least = rng.choice(
        (("高", "最高", "最矮"), ("大", "年龄最大", "年龄最小"), ("快", "最快", "最慢"), ("重", "最重", "最轻"))
    )
    facts = f"{first}比{second}{more}，{second}比{third}{more}。"
    if rng.random() < 0.5:
        return [f"{facts}谁{most}？", f"{first}{most}。"]
    return [f"{facts}谁{least}？", f"{third}{least}。"]


def because(rng: Random) -> Turns:
    """What to take or wear: a property of the situation decides."""
    situations = {
        "下雨": ("雨伞", "会淋湿"),
        "下大雨": ("雨衣和雨伞", "会淋湿"),
        "下雪": ("手套和围巾", "会很冷"),
        "刮大风": ("厚外套", "容易着凉"),
        "出太阳": ("帽子和太阳镜", "太阳会晒人"),
        "降温": ("厚衣服", "会觉得冷"),
        "很热": ("水和帽子", "容易口渴"),
        "有雾": ("手电筒", "路看不清楚"),
    }
    weather, (thing, reason) = rng.choice(list(situations.items()))
    day = rng.choice(("今天", "明天", "周末", "外面", "听说明天"))
    place = rng.choice(words.PLACES)
    asked = rng.choice(
        (
            f"{day}{weather}，出门要带什么？",
            f"{day}{weather}，我该带什么出门？",
            f"{day}{weather}，去{place}要准备什么？",
            f"{weather}天出门要注意什么？"
            if weather in ("下雨", "下大雨", "下雪")
            else f"{day}{weather}，要注意什么？",
        )
    )
    return [
        asked,
        rng.choice((f"{weather}的时候出门要带{thing}，不然{reason}。", f"记得带上{thing}，{weather}的时候{reason}。")),
    ]
