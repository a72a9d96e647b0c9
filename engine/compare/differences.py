"""Where answers differ: each is cut into pieces that another answer also has, and pieces that it has not."""

import re
from difflib import SequenceMatcher

# A Chinese character, a word, a run of spaces, or one other character.
_PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|\w+?(?=[\u3400-\u4dbf\u4e00-\u9fff]|\b)|\s+|.", re.DOTALL)
# Longer texts are not compared: the time grows with the square of the length.
_LONGEST = 6000


def differences(texts: list[str]) -> list[list[tuple[str, bool]]]:
    """Each text as `[(piece, differs)]`: the first beside the second, every other beside the first. The pieces of a text
    make it up again. Texts too long to compare, and a single one, do not differ."""
    if len(texts) < 2 or max(map(len, texts)) > _LONGEST:
        return [[(text, False)] for text in texts]
    cut = [_PIECE.findall(text) for text in texts]
    return [_beside(own, cut[1] if i == 0 else cut[0]) for i, own in enumerate(cut)]


def _beside(own: list[str], other: list[str]) -> list[tuple[str, bool]]:
    found = []
    for kind, start, end, _, _ in SequenceMatcher(None, own, other, autojunk=False).get_opcodes():
        if start < end:
            found.append(("".join(own[start:end]), kind != "equal"))
    return found
