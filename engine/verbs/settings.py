"""What arguments of several verbs look like: `NAME=VALUE`, a count, a port."""

from engine.errors import Unsupported
from engine.words import Words

_NO_PAIR = Words("'{given}' is not of the form NAME=VALUE", "“{given}”不是“名称=值”的形式")


def pairs(given: list[str]) -> dict[str, str]:
    """`["r=8", "seed=1"]` as a dict; of a name given twice the last counts.

    Raises:
        Unsupported: one of them has no "=" or no name.
    """
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise Unsupported(reason=_NO_PAIR.filled(given=each))
        found[name.strip()] = value
    return found


def count(given: str) -> int:
    """A whole number from 0 on that fits 31 bits (rows, seeds), as the `type` of an argument."""
    number = int(given)
    if not 0 <= number < 2**31:
        raise ValueError(given)
    return number


def port(given: str) -> int:
    """A port of this computer, 0 for any, as the `type` of an argument."""
    number = int(given)
    if not 0 <= number < 2**16:
        raise ValueError(given)
    return number
