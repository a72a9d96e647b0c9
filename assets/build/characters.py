"""Which characters the demo model knows, and random strings of them.

A fine-tuned adapter cannot teach a character whose embedding was never trained, so the corpus must use every one.
"""

import random

# Level 1 of GB 2312: the 3,755 characters of everyday Chinese, in the rows B0 to D7.
HANZI = "".join(
    bytes((high, low)).decode("gb2312")
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if (high, low) < (0xD7, 0xFA)
)
# Rarer characters that the words of this package need.
RARE = "嘌呤芹荠菠苋茼蒿柚橙荔枝芒椰榴莲猕猴蛤蜊鱿腐豉炖煲螃虾蟹鲈鳕鲫鳝黏噻嗪蒽唑酮酞嘧啶腺痤疮癣痔癫痫哮喘咳嗽咽喉脓疹瘙痒痉挛抽搐痹踝腭眩晕呕哕嗝饪侃蝴蝶蜻蜓蜘蛛蚂蚁鹦鹉袋鼠狮猩缬酰骼肟枇蛎孢莓荨杷胍酯喱贲胱蜇脲溴淇鸵咩哞喵咕呱叽嘎嗡啾吱"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
PUNCTUATION = "，。？！、：；“”‘’（）《》【】…—～·℃％+-×÷=<>/.,?!:;'\"()[]{}#%&*@_|$^`~\\ \n"
ALPHABET = "".join(dict.fromkeys(HANZI + RARE + LETTERS + DIGITS + PUNCTUATION))

_HANZI_AND_RARE = "".join(dict.fromkeys(HANZI + RARE))
# Now and then a character outside the alphabet, so that the single bytes are trained too.
_OUTSIDE = 0.01


def random_word(rng: random.Random, low: int = 1, high: int = 4) -> str:
    """A word that means nothing, of `low` to `high` characters: it can only be copied, not remembered."""
    return "".join(
        chr(rng.randint(0x4E00, 0x9FA5)) if rng.random() < _OUTSIDE else rng.choice(_HANZI_AND_RARE)
        for _ in range(rng.randint(low, high))
    )


def random_letters(rng: random.Random, low: int = 3, high: int = 7) -> str:
    """A word of Latin letters that means nothing."""
    return "".join(rng.choice(LETTERS[26:]) for _ in range(rng.randint(low, high)))
