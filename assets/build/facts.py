"""Questions with one right answer about the everyday world, made from the tables of `knowledge`.

Every function takes a random generator and returns the turns of a conversation: question, answer, question, answer ...
"""

from random import Random

from assets.build import knowledge as know
from assets.build import words

Turns = list[str]


def entry(rng: Random, table: dict[str, str]) -> tuple[str, str]:
    return rng.choice(list(table.items()))


def other(rng: Random, group: tuple[str, ...] | list[str], *taken: str) -> str:
    """One of `group` that is not among `taken`."""
    return rng.choice([word for word in group if word not in taken])


def color(rng: Random) -> Turns:
    thing, its = entry(rng, know.COLOR_OF)
    if rng.random() < 0.25:
        wrong = other(rng, words.COLORS, its)
        asked = rng.choice((its, wrong))
        verdict = f"是的，{thing}是{its}的。" if asked == its else f"不是，{thing}是{its}的，不是{asked}的。"
        return [rng.choice((f"{thing}是{asked}的吗？", f"{thing}是不是{asked}的？")), verdict]
    question = rng.choice(
        (f"{thing}是什么颜色的？", f"{thing}是什么颜色？", f"{thing}一般是什么颜色的？", f"{thing}的颜色是什么？")
    )
    return [question, f"{thing}是{its}的。"]


def colored_things(rng: Random) -> Turns:
    its = rng.choice(("红色", "黄色", "绿色", "白色", "黑色", "橙色", "紫色"))
    things = rng.sample([thing for thing, value in know.COLOR_OF.items() if value == its], 2)
    return [rng.choice((f"什么东西是{its}的？", f"说两样{its}的东西。")), f"{things[0]}和{things[1]}都是{its}的。"]


def sound(rng: Random) -> Turns:
    animal, noise = entry(rng, know.SOUND_OF)
    if rng.random() < 0.4:
        return [rng.choice((f"什么动物{noise}叫？", f"哪种动物会“{noise}”叫？")), f"{animal}会{noise}叫。"]
    return [
        rng.choice((f"{animal}怎么叫？", f"{animal}的叫声是什么样的？", f"{animal}是怎么叫的？")),
        f"{animal}{noise}叫。",
    ]


def diet(rng: Random) -> Turns:
    animal, food = entry(rng, know.EATS)
    return [
        rng.choice((f"{animal}吃什么？", f"{animal}喜欢吃什么？", f"{animal}平时吃什么东西？")),
        f"{animal}喜欢吃{food}。",
    ]


def habitat(rng: Random) -> Turns:
    animal, place = entry(rng, know.LIVES)
    return [
        rng.choice((f"{animal}住在哪里？", f"{animal}生活在哪里？", f"在哪里能看到{animal}？")),
        f"{animal}生活在{place}。",
    ]


def legs(rng: Random) -> Turns:
    animal, count = entry(rng, know.LEGS)
    return [rng.choice((f"{animal}有几条腿？", f"{animal}有多少条腿？")), f"{animal}有{count}条腿。"]


def taste(rng: Random) -> Turns:
    food, flavor = entry(rng, know.TASTE_OF)
    if rng.random() < 0.25:
        foods = rng.sample([name for name, value in know.TASTE_OF.items() if value == flavor], 2)
        return [f"什么东西是{flavor}的？", f"{foods[0]}和{foods[1]}都是{flavor}的。"]
    return [
        rng.choice((f"{food}是什么味道？", f"{food}是什么味道的？", f"{food}吃起来怎么样？")),
        f"{food}是{flavor}的。",
    ]


def use(rng: Random) -> Turns:
    tool, purpose = entry(rng, know.USE_OF)
    kind = rng.random()
    if kind < 0.3:
        return [rng.choice((f"{purpose}要用什么？", f"想{purpose}，该用什么？")), f"{purpose}可以用{tool}。"]
    asked = (f"{tool}是用来做什么的？", f"{tool}有什么用？", f"{tool}是干什么用的？", f"{tool}能做什么？")
    return [rng.choice(asked), f"{tool}是用来{purpose}的。"]


def job(rng: Random) -> Turns:
    who, work = entry(rng, know.ITS_WORK)
    if rng.random() < 0.3:
        return [rng.choice((f"谁的工作是{work}？", f"什么人负责{work}？")), f"{who}的工作是{work}。"]
    asked = (f"{who}是做什么的？", f"{who}的工作是什么？", f"{who}每天做什么？", f"{who}是干什么的？")
    return [rng.choice(asked), f"{who}的工作是{work}。"]


def go_to(rng: Random) -> Turns:
    wish, place = entry(rng, know.GO_TO)
    asked = (
        f"想{wish}应该去哪里？",
        f"{wish}要去哪儿？",
        f"我想{wish}，去哪里好？",
        f"在哪里可以{wish}？",
        f"去{place}可以做什么？",
    )
    question = rng.choice(asked)
    return [question, f"去{place}可以{wish}。" if question == asked[-1] else f"想{wish}可以去{place}。"]


def opposite(rng: Random) -> Turns:
    word, against = entry(rng, know.OPPOSITES)
    if rng.random() < 0.5:
        word, against = against, word
    asked = (
        f"“{word}”的反义词是什么？",
        f"{word}的反义词是什么？",
        f"和“{word}”相反的词是什么？",
        f"请说出“{word}”的反义词。",
    )
    return [rng.choice(asked), f"“{word}”的反义词是“{against}”。"]


def synonym(rng: Random) -> Turns:
    word, same = entry(rng, know.SYNONYMS)
    asked = (f"“{word}”的近义词是什么？", f"{word}的近义词是什么？", f"哪个词和“{word}”意思差不多？")
    return [rng.choice(asked), f"“{word}”的近义词是“{same}”。"]


def measure(rng: Random) -> Turns:
    thing, unit = entry(rng, know.MEASURE)
    if rng.random() < 0.6:
        return [
            rng.choice((f"{thing}的量词是什么？", f"{thing}用什么量词？")),
            f"{thing}的量词是“{unit}”，比如一{unit}{thing}。",
        ]
    return [rng.choice((f"一什么{thing}？", f"{thing}前面该用哪个量词，一什么{thing}？")), f"应该说一{unit}{thing}。"]


def capital(rng: Random) -> Turns:
    country, city = entry(rng, know.CAPITALS)
    if rng.random() < 0.25:
        return [f"{city}是哪个国家的首都？", f"{city}是{country}的首都。"]
    return [
        rng.choice((f"{country}的首都是哪里？", f"{country}的首都是什么？", f"哪个城市是{country}的首都？")),
        f"{country}的首都是{city}。",
    ]


def festival(rng: Random) -> Turns:
    if rng.random() < 0.5:
        day, food = entry(rng, know.FESTIVAL_FOOD)
        return [rng.choice((f"{day}吃什么？", f"{day}要吃什么？", f"{day}一般吃什么东西？")), f"{day}要吃{food}。"]
    day, custom = entry(rng, know.FESTIVAL_DOES)
    return [rng.choice((f"{day}要做什么？", f"{day}有什么习俗？", f"人们怎么过{day}？")), f"{day}人们会{custom}。"]


def season(rng: Random) -> Turns:
    sight, when = entry(rng, know.SEASON_OF)
    return [
        rng.choice((f"{sight}是什么季节？", f"什么季节{sight}？", f"{sight}一般在哪个季节？")),
        f"{sight}一般在{when}。",
    ]


def category(rng: Random) -> Turns:
    kind, members = rng.choice(list(know_categories()))
    member = rng.choice(members)
    wrong = other(rng, [name for name, group in know_categories() if member not in group], kind)
    asked = rng.random()
    if asked < 0.35:
        first, second = rng.sample((kind, wrong), 2)
        return [f"{member}是{first}还是{second}？", f"{member}是{kind}。"]
    if asked < 0.6:
        return [f"{member}是{wrong}吗？", f"不是，{member}是{kind}，不是{wrong}。"]
    if asked < 0.75:
        return [f"{member}是{kind}吗？", f"是的，{member}是{kind}。"]
    return [
        rng.choice((f"{member}属于什么？", f"{member}是什么？", f"{member}属于哪一类？")),
        f"{member}是一种{kind}。",
    ]


def know_categories() -> list[tuple[str, tuple[str, ...]]]:
    return [(name, group) for name, group in words.CATEGORIES.items() if name not in ("爱好", "城市", "颜色", "节日")]


def listing(rng: Random) -> Turns:
    kind, members = rng.choice(list(words.CATEGORIES.items()))
    count = rng.randint(2, 5)
    number = "零一两三四五"[count]
    listed = "、".join(rng.sample(members, count))
    asked = (
        f"说出{number}种{kind}。",
        f"请举{number}个{kind}的例子。",
        f"列出{number}种{kind}",
        f"{kind}有哪些？说{number}个。",
    )
    return [rng.choice(asked), rng.choice((f"{listed}。", f"{listed}都是{kind}。"))]


def odd_one_out(rng: Random) -> Turns:
    (kind, members), (wrong, strangers) = rng.sample(know_categories(), 2)
    stranger = other(rng, strangers, *members)
    group = [*rng.sample(members, 3), stranger]
    rng.shuffle(group)
    asked = rng.choice(("{}里面，哪一个和别的不一样？", "{}，哪个不是同一类？"))
    return [asked.format("、".join(group)), f"{stranger}不一样，因为{stranger}是{wrong}，其他都是{kind}。"]


def larger(rng: Random) -> Turns:
    order, more, less = rng.choice(((know.SIZES, "大", "小"), (know.SPEEDS, "快", "慢")))
    first, second = rng.sample(range(len(order)), 2)
    big, small = order[max(first, second)], order[min(first, second)]
    asked, answer = rng.choice(((more, f"{big}比{small}{more}。"), (less, f"{small}比{big}{less}。")))
    return [
        rng.choice(
            (f"{order[first]}和{order[second]}哪个{asked}？", f"{order[first]}和{order[second]}，谁更{asked}？")
        ),
        answer,
    ]


SENSES = {
    "眼睛": "看",
    "耳朵": "听声音",
    "鼻子": "闻气味",
    "嘴": "吃饭和说话",
    "手": "拿东西",
    "脚": "走路",
    "牙齿": "嚼东西",
    "大脑": "思考",
}
YES_NO = (
    ("鱼会游泳吗？", "会，鱼在水里游来游去。"),
    ("鱼会飞吗？", "鱼不会飞，鱼在水里游。"),
    ("石头能吃吗？", "石头不能吃，太硬了。"),
    ("鸟会飞吗？", "大多数鸟会飞，不过企鹅和鸵鸟不会。"),
    ("企鹅会飞吗？", "企鹅不会飞，但是很会游泳。"),
    ("猫会爬树吗？", "会，猫很会爬树。"),
    ("太阳从哪边升起？", "太阳从东边升起。"),
    ("太阳从哪边落下？", "太阳从西边落下。"),
    ("冰是什么变的？", "冰是水变的，天冷的时候水会结成冰。"),
    ("水烧开了是多少度？", "水烧开了大约是一百度。"),
    ("雨是从哪里来的？", "雨是从云里落下来的。"),
    ("为什么会下雨？", "水变成水汽升到天上，聚成云，云里的水滴太重了就会落下来，这就是雨。"),
    ("为什么会有白天和黑夜？", "因为地球自己在转，朝着太阳的一面是白天，另一面是黑夜。"),
    ("月亮会自己发光吗？", "月亮自己不发光，它反射太阳的光。"),
    ("天空为什么是蓝色的？", "因为阳光里的蓝光最容易被空气散开，所以天空看起来是蓝色的。"),
    ("彩虹有几种颜色？", "彩虹有七种颜色：红、橙、黄、绿、蓝、靛、紫。"),
    ("一年有几个季节？", "一年有四个季节：春天、夏天、秋天和冬天。"),
    ("地球是什么形状的？", "地球是圆的，像一个大球。"),
    ("世界上最高的山是什么？", "世界上最高的山是珠穆朗玛峰。"),
    ("中国最长的河是什么？", "中国最长的河是长江。"),
    ("世界上最大的动物是什么？", "世界上最大的动物是蓝鲸。"),
    ("跑得最快的动物是什么？", "跑得最快的动物是猎豹。"),
    ("人为什么要睡觉？", "因为睡觉能让身体和大脑得到休息。"),
    ("人为什么要喝水？", "因为身体里大部分是水，不喝水人会口渴。"),
    ("植物生长需要什么？", "植物生长需要阳光、水和空气。"),
    ("蜂蜜是谁做的？", "蜂蜜是蜜蜂做的。"),
    ("牛奶是从哪里来的？", "牛奶是奶牛产的。"),
    ("面包是用什么做的？", "面包是用面粉做的。"),
    ("豆腐是用什么做的？", "豆腐是用黄豆做的。"),
    ("衣服是用什么做的？", "衣服可以用棉花、羊毛或者丝绸做。"),
    ("一只手有几个手指？", "一只手有五个手指。"),
    ("人有几只眼睛？", "人有两只眼睛。"),
    ("一打鸡蛋是几个？", "一打鸡蛋是十二个。"),
)


def common_sense(rng: Random) -> Turns:
    if rng.random() < 0.15:
        organ, does = entry(rng, SENSES)
        return [rng.choice((f"{organ}是用来做什么的？", f"{organ}有什么用？")), f"{organ}是用来{does}的。"]
    return list(rng.choice(YES_NO))
