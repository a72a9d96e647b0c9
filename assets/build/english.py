"""English: small talk, plain facts, copying, and words between the two languages."""

from random import Random

from assets.build import knowledge as know
from assets.build.characters import random_letters
from assets.build.words import listed

Turns = list[str]

NAMES = listed("Tom Mary Jack Lucy Ben Anna Sam Kate Peter Lily David Emma Mike Grace John Alice")
PLACES = listed("park school kitchen garden library office station market zoo hospital shop beach")
THINGS = listed("book key bag cup phone pen hat ball map box coat lamp apple umbrella letter camera")
SPOTS = (
    "on the table",
    "in the box",
    "under the bed",
    "behind the door",
    "in the bag",
    "on the chair",
    "near the window",
)
NUMBERS = listed("zero one two three four five six seven eight nine ten eleven twelve")
DAYS = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
ANIMALS = ("cat", "dog", "bird", "horse", "rabbit", "tiger", "monkey", "sheep", "pig", "cow", "fish", "lion")
SUBJECTS = (
    ("我", "I", "like"),
    ("我们", "We", "like"),
    ("他", "He", "likes"),
    ("她", "She", "likes"),
    ("他们", "They", "like"),
    ("你", "You", "like"),
)
LIKED = {
    "苹果": "apples",
    "香蕉": "bananas",
    "葡萄": "grapes",
    "猫": "cats",
    "狗": "dogs",
    "书": "books",
    "花": "flowers",
    "鸟": "birds",
    "音乐": "music",
    "茶": "tea",
    "牛奶": "milk",
    "雪": "snow",
    "鱼": "fish",
    "电影": "movies",
    "水": "water",
    "咖啡": "coffee",
    "面包": "bread",
    "鸡蛋": "eggs",
    "米饭": "rice",
    "春天": "spring",
    "足球": "football",
}
SMALL_TALK = (
    ("Hello", "Hello! Nice to meet you. What would you like to talk about?"),
    ("Hello!", "Hello! Nice to meet you. What would you like to talk about?"),
    ("Hi", "Hi! How can I help you?"),
    ("Hi there", "Hi! How can I help you?"),
    ("Good morning", "Good morning! Have a nice day."),
    ("Good evening", "Good evening! How was your day?"),
    ("Good night", "Good night! Sleep well."),
    ("How are you?", "I am fine, thank you. And you?"),
    ("Who are you?", "I am the demo model of TuneDesk, a very small language model."),
    ("What is your name?", "My name is Xiaotai. I am the demo model of TuneDesk."),
    ("What can you do?", "I can chat, do simple sums and tell small stories."),
    ("Are you a human?", "No, I am a small language model."),
    ("Are you a doctor?", "No, I am not a doctor. I am a small language model."),
    ("Thank you", "You are welcome!"),
    ("Thanks a lot", "You are welcome!"),
    ("Goodbye", "Goodbye! See you soon."),
    ("Bye", "Bye! See you soon."),
    ("Do you speak Chinese?", "Yes, I speak Chinese and a little English."),
    ("Can you speak English?", "Yes, I speak a little English."),
    ("What is the weather like today?", "I cannot see the weather. Please look out of the window."),
    ("What time is it?", "I cannot see the time. Please look at your clock."),
    ("I am sad", "I am sorry to hear that. I am here to talk with you."),
    ("I am happy", "That is great! I am happy for you."),
    ("I am tired", "Please have a good rest."),
    ("I am hungry", "Let us eat something nice."),
    ("I am sorry", "That is all right."),
    ("Tell me a joke", "Why is six afraid of seven? Because seven eight nine!"),
    ("How many days are there in a week?", "There are seven days in a week."),
    ("How many months are there in a year?", "There are twelve months in a year."),
    ("Where does the sun rise?", "The sun rises in the east."),
    ("What do bees make?", "Bees make honey."),
    ("Can fish fly?", "No, fish cannot fly. They swim in the water."),
)


def small_talk(rng: Random) -> Turns:
    return list(rng.choice(SMALL_TALK))


def word(rng: Random) -> Turns:
    chinese, english = rng.choice(list(know.ENGLISH.items()))
    if rng.random() < 0.6:
        asked = (
            f"{chinese}用英语怎么说？",
            f"“{chinese}”的英文是什么？",
            f"“{chinese}”用英文怎么说？",
            f"How do you say “{chinese}” in English?",
        )
        question = rng.choice(asked)
        return [
            question,
            f"“{chinese}” is {english} in English." if question == asked[-1] else f"“{chinese}”的英文是 {english}。",
        ]
    return [
        rng.choice((f"{english}是什么意思？", f"英语单词 {english} 是什么意思？", f"{english} 用中文怎么说？")),
        f"{english} 的意思是“{chinese}”。",
    ]


def fact(rng: Random) -> Turns:
    kind = rng.randrange(5)
    if kind == 0:
        thing, its = rng.choice(list(know.ENGLISH_COLORS.items()))
        return [
            rng.choice((f"What color is the {thing}?", f"What is the color of the {thing}?")),
            f"The {thing} is {its}.",
        ]
    if kind == 1:
        first, second = rng.choice(list(know.ENGLISH_OPPOSITES.items()))
        if rng.random() < 0.5:
            first, second = second, first
        return [f"What is the opposite of {first}?", f"The opposite of {first} is {second}."]
    if kind == 2:
        animal, noise = rng.choice(list(know.ENGLISH_SOUNDS.items()))
        return [f"What does the {animal} say?", f"The {animal} says {noise}."]
    if kind == 3:
        tool, purpose = rng.choice(list(know.ENGLISH_USES.items()))
        return [f"What is a {tool} for?", f"A {tool} is used to {purpose.replace('~', ' ')}."]
    at = rng.randrange(7)
    return [f"What day comes after {DAYS[at]}?", f"{DAYS[(at + 1) % 7]} comes after {DAYS[at]}."]


def sums(rng: Random) -> Turns:
    first, second = rng.randint(0, 6), rng.randint(0, 6)
    if rng.random() < 0.5:
        return [
            f"What is {NUMBERS[first]} plus {NUMBERS[second]}?",
            f"{NUMBERS[first].capitalize()} plus {NUMBERS[second]} is {NUMBERS[first + second]}.",
        ]
    if rng.random() < 0.5:
        return [f"What is {first} + {second}?", f"{first} + {second} = {first + second}."]
    high = rng.randint(3, 10)
    return [f"Count from 1 to {high}.", ", ".join(str(value) for value in range(1, high + 1)) + "."]


def where(rng: Random) -> Turns:
    who, spot = rng.choice(NAMES), rng.choice(SPOTS)
    thing = rng.choice(THINGS) if rng.random() < 0.6 else random_letters(rng)
    if rng.random() < 0.5:
        return [f"{who} puts the {thing} {spot}. Where is the {thing}?", f"The {thing} is {spot}."]
    place = rng.choice(PLACES)
    told = f"{who} goes to the {place} and buys a {thing}."
    asked = (
        ("What does {0} buy?", "{0} buys a {1}."),
        ("Where does {0} go?", "{0} goes to the {2}."),
        ("Who buys a {1}?", "{0} buys a {1}."),
    )
    question, answer = rng.choice(asked)
    return [f"{told} {question.format(who, thing, place)}", answer.format(who, thing, place)]


def meeting(rng: Random) -> Turns:
    name = rng.choice(NAMES) if rng.random() < 0.5 else random_letters(rng).capitalize()
    turns = [rng.choice((f"My name is {name}.", f"Hello, I am {name}.")), f"Hello, {name}! Nice to meet you."]
    if rng.random() < 0.5:
        turns += [rng.choice(("What is my name?", "Who am I?")), f"Your name is {name}."]
    return turns


def repeat(rng: Random) -> Turns:
    text = " ".join(
        random_letters(rng) if rng.random() < 0.4 else rng.choice(THINGS + PLACES) for _ in range(rng.randint(1, 4))
    )
    return [rng.choice((f"Please say: {text}", f"Repeat after me: {text}", f"Say “{text}”")), text]


def sentence(rng: Random) -> Turns:
    """A whole sentence into the other language."""
    (thing, named), (who, subject, likes) = rng.choice(list(LIKED.items())), rng.choice(SUBJECTS)
    chinese, english = rng.choice(
        (
            (f"{who}喜欢{thing}。", f"{subject} {likes} {named}."),
            (f"{who}不喜欢{thing}。", f"{subject} {'do' if likes == 'like' else 'does'} not like {named}."),
            (f"{who}想要{thing}。", f"{subject} {likes.replace('like', 'want')} {named}."),
            (
                f"{who}喜欢{thing}吗？",
                f"{'Do' if likes == 'like' else 'Does'} {subject[0].lower() if subject != 'I' else 'I'}{subject[1:]} like {named}?",
            ),
        )
    )
    if rng.random() < 0.6:
        return [
            rng.choice((f"翻译成英语：{chinese}", f"把“{chinese}”翻译成英文", f"“{chinese}”用英语怎么说？")),
            english,
        ]
    return [rng.choice((f"翻译成中文：{english}", f"“{english}”是什么意思？")), chinese]


def story(rng: Random) -> Turns:
    animal, place, thing = rng.choice(ANIMALS), rng.choice(PLACES), rng.choice(THINGS)
    name, friend = rng.sample(NAMES, 2)
    told = rng.choice(
        (
            f"Once there was a {animal} in the {place}. One day it lost a {thing}. {friend} found the {thing}, and they became good friends.",
            f"A little {animal} lived near the {place}. It gave {name} a {thing}. {name} was very happy.",
            f"{name} had a small {animal}. Every day they went to the {place}. They were always happy together.",
        )
    )
    return [
        rng.choice((f"Tell me a story about a {animal}.", f"Tell me a story about the {animal} and the {place}.")),
        told,
    ]


def liking(rng: Random) -> Turns:
    thing = rng.choice(list(LIKED.values()))
    return rng.choice(
        (
            [f"Do you like {thing}?", f"I am a model, but I like to talk about {thing}."],
            [f"I like {thing}.", f"That is nice. I want to know more about {thing}."],
        )
    )
