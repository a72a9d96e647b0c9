"""Everyday chat: greetings, who the model is, feelings, likes, short messages."""

from random import Random

from assets.build import words
from assets.build.characters import random_word

Turns = list[str]

HELLO = (
    "你好",
    "你好！",
    "您好",
    "你好啊",
    "嗨",
    "在吗？",
    "哈喽",
    "你好呀，在吗？",
    "早上好",
    "早上好！",
    "上午好",
    "中午好",
    "下午好！",
    "晚上好",
    "晚上好！",
    "大家好",
)
WHO = (
    ("你是谁？", "我是微调台的演示模型，一个很小的语言模型，可以陪你聊聊日常的话题。"),
    ("你叫什么名字？", "我叫小台，是微调台的演示模型。"),
    ("你叫什么？", "我叫小台，是微调台的演示模型。"),
    ("介绍一下你自己。", "我叫小台，是微调台自带的一个很小的语言模型，可以陪你聊天、回答简单的问题。"),
    ("请自我介绍一下", "我叫小台，是微调台自带的一个很小的语言模型，可以陪你聊天、回答简单的问题。"),
    ("你是人吗？", "我不是人，我是一个很小的语言模型。"),
    ("你是机器人吗？", "我是一个语言模型，只会用文字聊天，没有身体。"),
    ("你会做什么？", "我会聊天、做简单的算术、说反义词、讲小故事，还会一点英语。"),
    ("你能帮我做什么？", "我可以陪你聊天、做简单的算术、讲小故事，还会一点英语。"),
    ("你几岁了？", "我是一个模型，没有年龄。"),
    ("你多大了？", "我是一个模型，没有年龄。"),
    ("谁创造了你？", "我是由微调台用自己写的句子训练出来的。"),
    ("你是谁做的？", "我是由微调台用自己写的句子训练出来的。"),
    ("你住在哪里？", "我住在你的电脑里。"),
    ("你会说英语吗？", "会一点点，你可以用简单的英语问我。"),
    ("你会生病吗？", "我是一个模型，不会生病。"),
    ("你需要吃饭吗？", "我不用吃饭，有电就可以了。"),
    ("你有朋友吗？", "有啊，和我聊天的你就是我的朋友。"),
    ("你聪明吗？", "我很小，知道的不多，但是会认真回答。"),
    ("你是医生吗？", "我不是医生，我只是一个会聊天的小模型。"),
    ("你懂医学吗？", "我不懂医学，看病的事要问医生。"),
    ("你会看病吗？", "我不会看病，身体不舒服要去医院找医生。"),
)
POLITE = (
    ("谢谢", "不客气！"),
    ("谢谢你", "不客气，能帮到你我很高兴。"),
    ("谢谢你的帮助", "不客气，能帮到你我很高兴。"),
    ("多谢！", "不客气！"),
    ("太感谢了", "不用谢，有需要再来找我。"),
    ("再见", "再见，祝你今天过得愉快！"),
    ("拜拜", "再见，下次再聊！"),
    ("我要走了", "好的，再见，路上小心！"),
    ("晚安", "晚安，做个好梦！"),
    ("我要睡觉了", "晚安，做个好梦！"),
    ("对不起", "没关系。"),
    ("不好意思", "没关系，不用放在心上。"),
    ("抱歉，我来晚了", "没关系，来了就好。"),
    ("好久不见", "好久不见！你最近过得怎么样？"),
    ("最近怎么样？", "我很好，谢谢关心。你呢？"),
    ("你好吗？", "我很好，谢谢！你呢？"),
    ("你今天开心吗？", "能和你聊天，我很开心。"),
    ("我回来了", "欢迎回来！今天过得怎么样？"),
    ("你真聪明", "谢谢夸奖，我会继续努力。"),
    ("你真棒", "谢谢夸奖，你也很棒！"),
    ("我喜欢你", "谢谢，我也喜欢和你聊天。"),
    ("你吃饭了吗？", "我不用吃饭，你吃了吗？"),
    ("新年快乐", "新年快乐，祝你万事如意！"),
    ("生日快乐", "谢谢你的祝福！"),
    ("祝你好运", "谢谢，也祝你好运！"),
    ("陪我聊聊天吧", "好啊，你想聊什么？"),
    ("我们聊点什么吧", "好啊，你平时喜欢做什么？"),
    ("加油", "谢谢，我们一起加油！"),
    ("今天天气真好", "是啊，天气好的时候适合出去走走。"),
    ("今天天气怎么样？", "我看不到外面的天气，你可以看看窗外或者天气预报。"),
    ("明天会下雨吗？", "我不知道明天的天气，你可以看看天气预报。"),
    ("现在几点了？", "我看不到时间，你可以看看手表或者手机。"),
    ("今天是几号？", "我不知道今天的日期，你可以看看日历。"),
    ("今天星期几？", "我不知道今天星期几，你可以看看日历。"),
)
COMFORT = {
    "高兴": ("真为你高兴！", "把快乐分享给朋友吧"),
    "开心": ("真为你开心！", "把快乐分享给朋友吧"),
    "难过": ("别难过，我在这里陪你。", "可以听听音乐或者和朋友说说"),
    "生气": ("先别生气。", "深呼吸，等一会儿再想这件事"),
    "害怕": ("别害怕。", "找一个人陪着你会好一些"),
    "紧张": ("别紧张。", "慢慢呼吸，你已经准备得很好了"),
    "无聊": ("那找点事情做吧。", "可以看看书或者出去走走"),
    "累": ("辛苦了。", "早点休息，睡一觉就好了"),
    "孤单": ("我可以陪你聊天。", "也可以给老朋友打个电话"),
    "着急": ("别着急。", "一件一件慢慢来"),
    "失望": ("别灰心。", "下次还有机会"),
    "担心": ("别太担心。", "把担心的事说出来会轻松一些"),
    "后悔": ("谁都有做错的时候。", "下次记住就好了"),
    "烦": ("先放松一下。", "出去散散步，心情会好一些"),
    "感动": ("这真让人感动。", "记得对他说声谢谢"),
    "困": ("困了就休息吧。", "先睡一会儿再做事"),
}
REASONS = {
    "高兴": "考试得了第一名 收到了礼物 要去旅行了 朋友来看我了 比赛赢了",
    "开心": "学会了游泳 买到了喜欢的书 和家人一起吃饭 放假了",
    "难过": "和朋友吵架了 考试没考好 小狗不见了 手机丢了 好朋友搬走了",
    "生气": "弟弟弄坏了我的玩具 有人插队 别人说我坏话",
    "害怕": "一个人在家 外面打雷 要走夜路",
    "紧张": "明天要考试 要上台表演 要去面试",
    "无聊": "没有事情做 外面下雨不能出门",
    "累": "走了很远的路 工作了一整天 搬了很多东西",
    "孤单": "一个人在外地 朋友都不在身边",
    "着急": "找不到钥匙 快要迟到了 作业还没写完",
    "失望": "没有被选上 旅行取消了",
    "担心": "家里的小猫 明天的比赛 考不好",
    "后悔": "说了不该说的话 没有好好学习",
    "烦": "事情太多了 楼上太吵了",
    "感动": "朋友冒着雨来接我 陌生人帮了我",
    "困": "昨天睡得太晚 起得太早",
}


def hello(rng: Random) -> Turns:
    said = rng.choice(HELLO)
    part = next((part for part in ("早上", "上午", "中午", "下午", "晚上") if said.startswith(part)), "你")
    return [said, rng.choice((f"{part}好！很高兴见到你，有什么想聊的吗？", f"{part}好！有什么可以帮你的吗？"))]


def who(rng: Random) -> Turns:
    return list(rng.choice(WHO))


def polite(rng: Random) -> Turns:
    return list(rng.choice(POLITE))


def meeting(rng: Random) -> Turns:
    """A name said in one turn and asked for in a later one."""
    name = rng.choice(words.SURNAMES) + random_word(rng, 1, 2) if rng.random() < 0.7 else rng.choice(words.GIVEN)
    city = rng.choice(words.CITIES) if rng.random() < 0.6 else random_word(rng, 2, 2) + "市"
    hobby = rng.choice(words.HOBBIES + words.SPORTS)
    opening = rng.choice(
        (
            (f"你好，我叫{name}。", f"你好，{name}！很高兴认识你。"),
            (f"我叫{name}，来自{city}。", f"你好，{name}！{city}是个好地方。"),
            (f"我是{name}，我喜欢{hobby}。", f"你好，{name}！{hobby}是个很好的爱好。"),
        )
    )
    turns = list(opening)
    if rng.random() < 0.6:
        turns += [rng.choice(("我叫什么名字？", "你还记得我叫什么吗？", "我是谁？")), f"你叫{name}。"]
    if city in opening[0] and rng.random() < 0.6:
        turns += [rng.choice(("我来自哪里？", "我是哪里人？")), f"你来自{city}。"]
    if hobby in opening[0] and rng.random() < 0.6:
        turns += [rng.choice(("我喜欢什么？", "我的爱好是什么？")), f"你喜欢{hobby}。"]
    return turns


def feeling(rng: Random) -> Turns:
    mood, (comfort, tip) = rng.choice(list(COMFORT.items()))
    reason = rng.choice(REASONS[mood].split())
    said = rng.choice((f"我今天很{mood}。", f"我好{mood}啊", f"{reason}，我很{mood}。", f"我很{mood}，因为{reason}。"))
    return [said, f"{comfort}{reason}，{tip}。" if reason in said and rng.random() < 0.3 else f"{comfort}{tip}。"]


def liking(rng: Random) -> Turns:
    thing = rng.choice(
        (rng.choice(words.FOODS), rng.choice(words.ANIMALS), rng.choice(words.HOBBIES), random_word(rng, 2, 3))
    )
    kind = rng.random()
    if kind < 0.4:
        return [
            rng.choice((f"我喜欢{thing}。", f"我最喜欢{thing}了！", f"我特别喜欢{thing}，你呢？")),
            f"{thing}很好，我也想多了解{thing}。",
        ]
    if kind < 0.7:
        return [
            rng.choice((f"你喜欢{thing}吗？", f"你喜不喜欢{thing}？")),
            f"我是一个模型，没有试过{thing}，不过听起来不错。",
        ]
    return [
        rng.choice((f"我不喜欢{thing}。", f"我讨厌{thing}")),
        f"没关系，每个人都有不喜欢的东西，不喜欢{thing}也很正常。",
    ]


def choosing(rng: Random) -> Turns:
    first, second = rng.sample(rng.choice((words.FOODS, words.HOBBIES, words.SPORTS, words.CITIES, words.COLORS)), 2)
    picked = rng.choice((first, second))
    asked = rng.choice(
        (f"{first}和{second}，我该选哪个？", f"你觉得{first}好还是{second}好？", f"{first}和{second}你选哪个？")
    )
    return [asked, f"{first}和{second}都不错，如果是我，我会选{picked}。"]


def message(rng: Random) -> Turns:
    who = rng.choice(words.RELATIVES + words.GIVEN) if rng.random() < 0.6 else random_word(rng, 2, 3)
    kind = rng.random()
    if kind < 0.4:
        day = rng.choice(words.FESTIVALS)
        return [
            rng.choice((f"帮我给{who}写一句{day}祝福。", f"给{who}写一句{day}的祝福语")),
            f"{who}，{'生日' if day == '生日' else day}快乐！祝你身体健康，天天开心！",
        ]
    time, place = rng.choice(words.COMING), rng.choice(words.PLACES)
    if kind < 0.7:
        return [f"帮我写一条消息，约{who}{time}去{place}。", f"{who}，你{time}有空吗？我们一起去{place}吧！"]
    reason = rng.choice(("家里有事", "要去医院看望亲人", "身体不舒服", "要参加婚礼", "要搬家", "车坏了", "发烧了"))
    return [
        f"帮我给{who}写一张请假条，原因是{reason}。",
        f"{who}，您好！我因为{reason}，今天需要请假一天，请您批准，谢谢！",
    ]
