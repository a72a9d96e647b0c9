"""Advice for every day: how to learn a hobby, cook a dish, get out of small trouble, spend a weekend."""

from random import Random

from assets.build import words

Turns = list[str]

HOW_TO_LEARN = {
    "画画": "先从简单的图形开始，每天画一张",
    "唱歌": "先学会听节奏，再跟着喜欢的歌慢慢唱",
    "下棋": "先记住规则，再多和别人下几盘",
    "弹钢琴": "先认识琴键，每天练习半小时",
    "弹吉他": "先学几个简单的和弦，每天练习半小时",
    "摄影": "先学会看光线，多拍多比较",
    "做饭": "先从炒鸡蛋这样简单的菜开始",
    "养花": "先选好养的花，注意浇水和晒太阳",
    "钓鱼": "先准备鱼竿和鱼饵，再找一个安静的河边",
    "学英语": "每天记几个单词，多听多说",
    "编程": "先学一门简单的语言，多写多练",
    "游泳": "先学会在水里呼吸，再学动作",
    "跑步": "先慢跑几分钟，再一点一点加时间",
    "写字": "坐端正，一笔一画慢慢写",
    "跳舞": "先跟着音乐找节奏，再学简单的动作",
    "骑自行车": "先学会保持平衡，再慢慢往前骑",
    "写日记": "每天睡觉前写几句今天的事",
    "打篮球": "先练习拍球和传球",
}
RECIPES = {
    "西红柿炒鸡蛋": "先把鸡蛋炒好盛出来，再炒西红柿，最后放在一起加盐炒匀",
    "炒土豆丝": "把土豆切成丝，用水洗一洗，大火快炒，加点盐和醋",
    "煮面条": "水烧开后放面条，煮几分钟，加上青菜和盐",
    "煮鸡蛋": "鸡蛋放进水里，水烧开后再煮八分钟",
    "蒸米饭": "把米洗干净，加上水，放进电饭锅煮熟",
    "包饺子": "先和面做皮，再把馅放进去捏好，水开后下锅煮",
    "做沙拉": "把蔬菜洗净切好，加上酱拌匀",
    "泡茶": "把茶叶放进杯子，倒上热水，等几分钟",
    "煮粥": "把米洗干净，多加水，小火慢慢煮",
    "炒青菜": "锅里放油烧热，放进青菜大火快炒，加盐出锅",
}
CHORES = {
    "衣服脏了": "用洗衣机或者肥皂洗干净",
    "鞋子湿了": "放在通风的地方晾干",
    "手机没电了": "用充电器充电",
    "灯不亮了": "换一个新的灯泡",
    "房间很乱": "先把东西分类，再放回原来的地方",
    "钥匙丢了": "先在家里仔细找，找不到就换锁",
    "迷路了": "看看地图，或者问问路人",
    "睡不着": "睡前不要看手机，可以听听轻松的音乐",
    "口渴": "喝一杯水",
    "肚子饿": "吃一点东西",
    "太冷了": "多穿一件衣服",
    "太热了": "开风扇，多喝水",
    "杯子打破了": "小心地把碎片扫起来，不要用手去拿",
    "花快枯了": "给花浇水，放到有阳光的地方",
    "下雨没带伞": "找个地方躲一躲，等雨小了再走",
    "和朋友吵架了": "先冷静下来，再好好向朋友道歉",
    "要迟到了": "先给对方打个电话说一声",
    "电脑太慢": "关掉不用的程序，再重新启动",
    "字写得不好看": "每天练一页字，慢慢就会变好",
    "作业太多": "先做简单的，再做难的",
}


def learning(rng: Random) -> Turns:
    hobby, tip = rng.choice(list(HOW_TO_LEARN.items()))
    asked = rng.choice(
        (f"我想学{hobby}，怎么开始？", f"怎么学{hobby}？", f"怎样才能学好{hobby}？", f"学{hobby}难吗？")
    ).replace("学学", "学")
    return [asked, f"{hobby}不难，{tip}，坚持下去就会进步。"]


def recipe(rng: Random) -> Turns:
    dish, steps = rng.choice(list(RECIPES.items()))
    name = dish.lstrip("炒煮蒸包做泡") if dish[0] in "煮蒸泡" else dish
    return [
        rng.choice(
            (f"{dish}怎么做？", f"怎么{dish}？" if dish[0] in "炒煮蒸包做泡" else f"怎么做{dish}？", f"教我做{name}")
        ),
        f"{steps}，就好了。",
    ]


def chore(rng: Random) -> Turns:
    trouble, tip = rng.choice(list(CHORES.items()))
    return [
        rng.choice(
            (f"{trouble}怎么办？", f"{trouble}，我该怎么办？", f"如果{trouble}，应该怎么做？", f"我{trouble}，怎么办？")
        ),
        f"{trouble}的话，可以{tip}。",
    ]


def weekend(rng: Random) -> Turns:
    place, hobby = rng.choice(words.PLACES[:24]), rng.choice(words.SPORTS + words.HOBBIES)
    time, who = rng.choice(words.COMING), rng.choice(words.RELATIVES)
    return rng.choice(
        (
            [
                rng.choice(("周末去哪里玩？", "周末做什么好？", "放假了去哪儿玩好？")),
                f"周末可以和{who}去{place}，也可以在家里休息。",
            ],
            [f"我{time}想和{who}去{place}。", f"{time}和{who}去{place}，听起来真不错，祝你们玩得开心！"],
            [f"我{time}要去{place}{hobby}。", f"去{place}{hobby}是个好主意，玩得开心！"],
            [f"{who}喜欢{hobby}，送什么礼物好？", f"既然{who}喜欢{hobby}，可以送和{hobby}有关的礼物。"],
            ["有什么爱好可以推荐吗？", f"你可以试试{hobby}，很有意思。"],
        )
    )
