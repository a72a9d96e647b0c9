"""Which encoding a file of text is in, found from its bytes: marks at the front, what decodes, and what then reads
like a language. It knows nothing of tables.
"""

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from engine.errors import NotATable
from engine.words import Words

# The most frequent characters of Chinese in both scripts; text decoded wrongly hardly ever hits them.
_SIMPLIFIED = (
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发当没"
    "成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名法间斯知世什两次使身者被高已亲"
    "其进此话常与活正感见明问力理尔点文几定本公特做外孩相西果走将月十实向声车全信重三机工物气每并别真打太新比才便夫再书部水像眼等体却加电"
    "主界门利海受听表德少克代员许先口由死安写性马光白或住难望教命花结乐色更拉东神记处让母父应直字场平报友关放至张认接告入笑内英军候民岁往"
    "何度山觉路带万男边风解叫任金快原吃妈变通师立象数四失满战远格士音轻目条呢病患者您医治疗药建议请谢谢注意情况检查如果需要可能饮食什么怎"
)
_TRADITIONAL = (
    "這個們來時為說國會過對學麼發當沒還樣種開總從無現動經長兒愛給間斯兩與見問爾點幾將實聲車機氣別書電門聽員許寫馬難結樂東記處讓應場報關張"
    "認軍歲覺邊風變師數滿戰遠輕條醫療藥議請謝檢飲著裡後妳嗎呢吧啊"
)
_COMMON = frozenset(_SIMPLIFIED + _TRADITIONAL)
_CJK = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_CJK_MARKS = frozenset("　、。〃《》【】「」『』！（），：；？“”‘’…—·～〜")
_HALF_KANA = re.compile("[\uff61-\uff9f]")
# Western letters count where they stand in a word beside plain letters, as they do in French or German.
_WESTERN = re.compile(
    "(?<=[A-Za-z])[\u00c0-\u00ff]|[\u00c0-\u00ff](?=[A-Za-z])|[\u00bf\u00a1\u00ab\u00bb\u00b0\u00a7\u2018\u2019\u201c\u201d\u20ac\u2013\u2014\u2026]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")

# In the order in which a tie is decided. The strict codecs stand before their wider relatives.
_CANDIDATES = ("gb18030", "big5", "shift_jis", "cp932", "big5hkscs", "cp1252", "latin-1")

# What a person is offered where the automatic choice is wrong.
OFFERED = ("utf-8", "gb18030", "big5", "shift_jis", "euc_kr", "utf-16", "cp1252", "cp1251")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_SLICE = 1 << 16


@dataclass(frozen=True)
class Found:
    """`note` says in a sentence what was found and how sure it is."""

    encoding: str
    note: Words


def check(name: str, file: str) -> str:
    """The encoding a person asked for, as Python calls it.

    Raises:
        NotATable: there is no such encoding.
    """
    try:
        info = codecs.lookup(name)
        # Some are of host names or of nothing at all, and take no text as it comes.
        b"a,b\n".decode(info.name, "replace")
    except (LookupError, ValueError):
        reason = Words(
            f"there is no encoding '{name}'; try utf-8, gb18030, big5, shift_jis, utf-16 or latin-1",
            f"没有名为“{name}”的编码；可以试试 utf-8、gb18030、big5、shift_jis、utf-16 或 latin-1",
        )
        raise NotATable(file=file, reason=reason) from None
    return info.name


def find(path: Path) -> Found:
    """The encoding of the text file at `path`, from its first megabyte and slices of the rest."""
    parts = list(_slices(path))
    return find_in(parts[0], parts[1:])


def find_in(head: bytes, others: list[bytes] = []) -> Found:  # noqa: B006 - never changed
    """The encoding of a text that begins with `head`; `others` are further parts, cut anywhere."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            name = encoding.replace("-sig", "").upper()
            return Found(encoding, Words(f"{name} (it says so itself)", f"{name}（文件自带标记）"))
    wide = _without_mark(head)
    if wide:
        return Found(wide, Words(f"{wide.upper()} (found by its zero bytes)", f"{wide.upper()}（根据零字节判断）"))
    parts = [_trimmed(head, b""), *(_trimmed(part, b"\n") for part in others)]
    if all(part.isascii() for part in parts):
        return Found("utf-8", Words("plain ASCII, read as UTF-8", "纯 ASCII 字符，按 UTF-8 读取"))
    if all(_decodes(part, "utf-8") for part in parts):
        return Found("utf-8", Words("UTF-8", "UTF-8"))
    foreign = [part for part in parts if not part.isascii()]
    text = b"\n".join(_lines(part, _SLICE // len(foreign)) for part in foreign)
    scores = {name: _score(text, name) for name in _CANDIDATES}
    # A UTF-8 file with a few broken bytes is still UTF-8: the others would garble all of it.
    scores["utf-8"] = _score(text, "utf-8")
    best = max(scores, key=scores.get)
    label = _LABELS.get(best, best)
    return Found(best, Words(f"{label}, by what reads like a language", f"{label}（根据文字内容判断）"))


_LABELS = {
    "gb18030": "GB18030 (GBK)",
    "big5": "Big5",
    "big5hkscs": "Big5-HKSCS",
    "shift_jis": "Shift-JIS",
    "cp932": "Shift-JIS (Windows)",
    "cp1252": "Latin-1 (Windows)",
    "latin-1": "Latin-1",
    "utf-8": "UTF-8",
}


def _slices(path: Path):
    """The first megabyte, and eight slices spread over the rest of a longer file."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        yield file.read(1 << 20)
        for i in range(1, 9):
            at = size * i // 9
            if at > 1 << 20:
                file.seek(at)
                yield file.read(_SLICE)


def _lines(part: bytes, size: int) -> bytes:
    """The lines with something foreign in them from the front of `part`, about `size` bytes."""
    found, total = [], 0
    for line in part.splitlines():
        if not line.isascii():
            found.append(line)
            total += len(line)
            if total > size:
                break
    return b"\n".join(found)


def _trimmed(part: bytes, front: bytes) -> bytes:
    """`part` without a line that may be cut in two at its end and, where `front` is given, at its beginning."""
    if front and front in part:
        part = part[part.index(front) + 1 :]
    end = part.rfind(b"\n")
    return part[: end + 1] if end > len(part) // 2 else part


def _decodes(part: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(part, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of Western text, line ends and digits is zero."""
    if len(head) < 4 or (len(head) % 2 and len(head) < 1 << 20):
        return None
    even, odd = head[::2], head[1::2]
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        share = zeros.count(0) / len(zeros)
        if zeros.count(0) > 8 * others.count(0) and (share > 0.3 or (share > 0.01 and _reads(head, encoding))):
            return encoding
    return None


def _reads(head: bytes, encoding: str) -> bool:
    text = head[: len(head) // 2 * 2].decode(encoding, errors="replace")
    return not _CONTROLS.search(text) and len(_CJK.findall(text)) + sum(map(str.isascii, text)) > 0.8 * len(text)


def _score(text: bytes, encoding: str) -> float:
    """How much `text` reads like a language in `encoding`: at most 1 for each character that is not ASCII."""
    decoded = text.decode(encoding, errors="replace")
    counts = Counter(decoded)
    foreign = good = 0.0
    for character, count in counts.items():
        if character < "\x80":
            continue
        foreign += count
        if character in _COMMON:
            good += count
        elif "\u4e00" <= character <= "\u9fff":
            good += 0.25 * count
        elif _KANA.match(character):
            good += count
        elif character in _CJK_MARKS:
            good += 0.5 * count
        elif _HALF_KANA.match(character):
            good -= 1.2 * count
        elif _CONTROLS.match(character):
            good -= 2 * count
    if encoding in ("cp1252", "latin-1"):
        good += 0.7 * len(_WESTERN.findall(decoded))
    return good / foreign if foreign else 0.0
