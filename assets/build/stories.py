"""Little stories, diaries, notices and descriptions: longer fluent text with words of the question in it."""

from random import Random

from assets.build import words
from assets.build.characters import random_word
from assets.build.copying import any_word, person

Turns = list[str]


def story(rng: Random) -> Turns:
    hero = rng.choice(words.ANIMALS[:40]) if rng.random() < 0.6 else person(rng)
    friend = rng.choice([animal for animal in words.ANIMALS if animal != hero])
    place, thing, food = rng.choice(words.PLACES[14:]), rng.choice(words.OBJECTS), rng.choice(words.FOODS)
    begin = rng.choice(
        (
            f"从前，{place}旁边住着一只{hero}。" if hero in words.ANIMALS else f"从前有个人叫{hero}，住在{place}旁边。",
            f"{rng.choice(words.PAST)}，{hero}在{place}散步。",
        )
    )
    middle = rng.choice(
        (
            f"有一天，{hero}丢了{thing}，急得哭了。{friend}帮着找了很久，终于找到了。",
            f"{hero}有很多{food}，{friend}一点也没有。{hero}就分了一半给{friend}。",
            f"{hero}想学唱歌，{friend}每天都来教，不久就学会了。",
            f"天突然下起大雨，{hero}没有地方躲，{friend}打开门请{hero}进来。",
            f"{hero}和{friend}比赛谁先跑到{place}，最后两个一起到了。",
        )
    )
    end = rng.choice(("从此他们成了好朋友。", "大家都很高兴。", "晚上，他们一起看星星。", f"后来他们一起吃了{food}。"))
    asked = rng.choice(
        (
            f"给我讲一个关于{hero}的故事。",
            f"讲个{hero}的故事吧",
            f"我想听{hero}的故事。",
            f"请编一个{hero}和{friend}的故事。",
        )
    )
    return [asked, begin + middle + end]


def diary(rng: Random) -> Turns:
    time, who, place = rng.choice(words.PAST), rng.choice(words.RELATIVES), rng.choice(words.PLACES)
    deed, food, mood = (
        rng.choice(words.SPORTS + words.HOBBIES),
        rng.choice(words.FOODS),
        rng.choice(("高兴", "开心", "快乐", "有意思")),
    )
    weather = rng.choice(("天气晴朗", "下着小雨", "刮着风", "阳光很好", "有点冷"))
    asked = rng.choice((f"帮我写一段日记，写和{who}去{place}。", f"写几句话，说说和{who}去{place}的事。"))
    return [
        asked,
        f"{time}，{weather}，我和{who}去了{place}。我们在那里{deed}，还吃了{food}。回家的时候我们都觉得很{mood}。",
    ]


def describe(rng: Random) -> Turns:
    thing = (
        rng.choice(words.FRUITS + words.ANIMALS + words.PLANTS + words.OBJECTS)
        if rng.random() < 0.7
        else random_word(rng, 2, 3)
    )
    look, feel = rng.sample(words.ADJECTIVES, 2)
    asked = rng.choice((f"描写一下{thing}。", f"用一句话说说{thing}。", f"夸一夸{thing}"))
    return [asked, rng.choice((f"这{thing}又{look}又{feel}，大家都喜欢。", f"{thing}真{look}，看着就让人觉得{feel}。"))]


def notice(rng: Random) -> Turns:
    what = any_word(rng)
    time, place = rng.choice(words.COMING), rng.choice(words.PLACES)
    asked = rng.choice((f"写一个通知：{time}在{place}讲{what}。", f"帮我写个通知，{time}在{place}有{what}的讲座。"))
    return [asked, f"通知：{time}在{place}有关于{what}的讲座，欢迎大家参加。"]


def rewrite(rng: Random) -> Turns:
    thing, who = any_word(rng), rng.choice(words.RELATIVES)
    return rng.choice(
        (
            [f"把这句话说得更客气：给我{thing}。", f"请问可以给我{thing}吗？谢谢。"],
            [f"把这句话说得更客气：{who}，把{thing}拿来！", f"{who}，麻烦您把{thing}拿来，好吗？"],
            [f"把这句话变成问句：{who}喜欢{thing}。", f"{who}喜欢{thing}吗？"],
            [f"把这句话变成否定句：{who}喜欢{thing}。", f"{who}不喜欢{thing}。"],
            [f"把这句话变成否定句：{who}有{thing}。", f"{who}没有{thing}。"],
            [f"把下面的话变短：{who}今天非常非常想要{thing}。", f"{who}想要{thing}。"],
        )
    )


def shopping(rng: Random) -> Turns:
    first, second, third = rng.sample(words.FOODS, 3)
    who, place = person(rng), rng.choice(("超市", "菜市场", "商场", "面包店"))
    asked, answer = rng.choice(
        (
            (
                f"{who}去{place}买了{first}、{second}和{third}，一共买了几样东西？",
                f"{who}一共买了三样东西：{first}、{second}和{third}。",
            ),
            (f"我要买{first}、{second}和{third}，帮我列个清单。", f"购物清单：1. {first} 2. {second} 3. {third}"),
            (f"家里有{first}和{second}，今天做什么菜？", f"可以做一个{first}，再配上{second}，简单又好吃。"),
            (f"{who}想买{first}，可是只有{second}，怎么办？", f"没有{first}，可以问问{who}，买{second}行不行。"),
        )
    )
    return [asked, answer]


def can_it(rng: Random) -> Turns:
    """A property of the thing and a property of the situation together give the answer."""
    hard_in = {
        "微波炉": (("鸡蛋", "铁盘子", "塑料袋", "勺子", "手机", "电池"), "会有危险"),
        "洗衣机": (("书", "手机", "手表", "钱包", "相机", "电池"), "会弄坏"),
        "水里": (("手机", "电脑", "书", "相机", "报纸", "电池", "手表"), "会弄坏"),
        "太阳下": (("冰淇淋", "巧克力", "雪糕"), "会化掉"),
        "火旁边": (("报纸", "书", "毛巾", "纸", "衣服", "被子"), "会着火"),
        "冰箱里": (("手机", "电脑", "衣服", "书", "被子"), "没有用处"),
    }
    fine_in = {
        "微波炉": ("牛奶", "米饭", "包子", "馒头", "红薯", "玉米"),
        "洗衣机": ("毛衣", "袜子", "裙子", "床单", "毛巾", "外套", "帽子"),
        "水里": ("苹果", "碗", "盘子", "毛巾", "筷子", "杯子"),
        "太阳下": ("被子", "衣服", "毛巾", "床单", "鞋子"),
        "火旁边": ("湿衣服", "茶壶", "手"),
        "冰箱里": ("牛奶", "酸奶", "鸡蛋", "西瓜", "冰淇淋", "牛肉", "鱼", "青菜"),
    }
    spot = rng.choice(list(hard_in))
    inside = "里" if spot in ("微波炉", "洗衣机") else ""
    bad, why = hard_in[spot]
    if rng.random() < 0.5:
        thing = rng.choice(bad)
        answer = f"{thing}不能放在{spot}{inside}，{why}。"
    else:
        thing = rng.choice(fine_in[spot])
        answer = f"可以，{thing}能放在{spot}{inside}。"
    return [
        rng.choice(
            (
                f"{thing}能放在{spot}{inside}吗？",
                f"可以把{thing}放在{spot}{inside}吗？",
                f"{thing}可不可以放在{spot}{inside}？",
            )
        ),
        answer,
    ]
