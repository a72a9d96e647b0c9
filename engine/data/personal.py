"""Patterns of personal data in text: phone numbers, identity numbers, e-mail addresses. It only finds."""

import re

from engine.words import Words

KINDS = {
    "phone": Words("phone number", "手机号码"),
    "identity": Words("identity card number", "身份证号码"),
    "email": Words("e-mail address", "电子邮箱"),
}

_PHONE = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<![\d.])0\d{2,3}-\d{7,8}(?!\d)")
_IDENTITY = re.compile(r"(?<!\d)([1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3})([\dXx])(?!\d)")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def kinds(text: str) -> list[str]:
    """Which kinds of personal data `text` holds; an identity number counts when its check digit is right."""
    found = []
    if _PHONE.search(text):
        found.append("phone")
    if any(_checks(*match) for match in _IDENTITY.findall(text)):
        found.append("identity")
    if "@" in text and _EMAIL.search(text):
        found.append("email")
    return found


def _checks(digits: str, check: str) -> bool:
    """GB 11643-1999: the last place is the weighted sum of the others modulo 11."""
    return "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, digits, strict=True)) % 11] == check.upper()
