"""The demo's tokenizer: byte-level BPE in the layout of Qwen2, with one token for every common character.

The merges are written down rather than learnt from counts: the bytes of a character, then common words. So every character
of the alphabet is one token, no token straddles two words, and any other text still goes through as bytes.
"""

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from tokenizers.pre_tokenizers import ByteLevel

from assets.build.characters import ALPHABET
from assets.build.words import listed
from engine.training import scratch

_ENGLISH_MERGES = 500
# Words that answers and questions are full of; none of them is a part of a name that must be copied.
COMMON = listed(
    "什么 怎么 可以 我们 你们 他们 大家 没有 知道 喜欢 今天 明天 昨天 后天 现在 时候 地方 东西 事情 因为 所以 如果 但是 不过 "
    "还是 或者 已经 一起 一个 一样 一下 一点 一般 这个 那个 这里 那里 哪里 哪个 多少 几个 为什么 怎么办 怎么样 请问 谢谢 再见 "
    "不能 不会 不要 不是 不知道 应该 需要 觉得 希望 想要 看到 听说 找到 买了 放在 用来 等于 反义词 近义词 意思 颜色 首都 动物 "
    "星期 早上 上午 中午 下午 晚上 周末 以后 以前 后面 前面 左边 右边 旁边 里面 上面 下面 小时 分钟 朋友 老师 医生 爸爸 妈妈 "
    "爷爷 奶奶 哥哥 姐姐 弟弟 妹妹 丈夫 妻子 同事 同学 学校 公园 图书馆 超市 医院 工作 学习 休息 高兴 开心 难过 问题 回答 帮助 "
    "您好 你好 很高兴 模型 语言 聊天 简单 英文 英语 句子 故事 第一个 最后 一遍 重复 说一遍 记住 名字 特别 非常 真的 已经 马上 "
    "最近 平时 患者 建议 适合 适量 最好 注意 医生您好 影响 加重 引起 容易 有助于 含有 每天 检查 复查 典型 表现 原因 原来"
)


def word_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Merges that build every word from its characters, left to right."""
    pieces = {character: _bytes(character) for character in ALPHABET}
    merges = []
    for word in words:
        left = pieces[word[0]]
        for character in word[1:]:
            merges.append((left, pieces[character]))
            left += pieces[character]
    return list(dict.fromkeys(merges))


def character_merges() -> list[tuple[str, str]]:
    """Merges that build every character of more than one byte."""
    merges = []
    for character in ALPHABET:
        spelled = _bytes(character)
        merges += [(spelled[:at], spelled[at]) for at in range(1, len(spelled))]
    # Shorter left sides first: a character's first two bytes join before the third is added.
    return sorted(dict.fromkeys(merges), key=lambda pair: len(pair[0]))


def english_merges(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Merges learnt from the English words in `texts`."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?[A-Za-z]+"), "removed", invert=True),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(set(ByteLevel.alphabet()))
    learner.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=256 + _ENGLISH_MERGES, initial_alphabet=alphabet, show_progress=False)
    )
    return [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]


def build(texts: Iterable[str]) -> Tokenizer:
    """The tokenizer; `texts` only teach it English words."""
    merges = character_merges() + word_merges(COMMON) + english_merges(texts)
    tokens = [*sorted(ByteLevel.alphabet()), *(left + right for left, right in merges)]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = scratch.byte_level(models.BPE(vocab=vocabulary, merges=list(dict.fromkeys(merges))))
    tokenizer.add_special_tokens(list(scratch.SPECIAL))
    return tokenizer


def _bytes(text: str) -> str:
    """The bytes of `text` in the printable letters that byte-level BPE writes them in."""
    return ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][0]
