"""What is dropped or changed on the way from a table to training rows: each with a switch, a count and row numbers.

`Cleaning` declares the switches once, for form and command line. It knows nothing of files.
"""

from engine.fields import Params, param
from engine.words import Words


class Cleaning(Params):
    """By default only rows that cannot be used and exact repetitions go, and text is left as it is."""

    empty: bool = param(
        True,
        Words("Drop empty rows", "删除空行"),
        Words("Rows without a question or without an answer.", "没有问题或没有回答的行。"),
    )
    duplicate: bool = param(
        True,
        Words("Drop duplicates", "删除重复"),
        Words("Rows whose question and answer both stand further up already.", "问题和回答都与前面某行完全相同的行。"),
    )


# Reasons why a row is dropped, in the order of their codes.
REASONS = {
    "empty": Words("empty question or answer", "问题或回答为空"),
    "duplicate": Words("the same question and answer stand further up", "问题和回答与前面的行完全相同"),
}
