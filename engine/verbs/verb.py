"""What a verb of the command line is."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.words import Words


@dataclass(frozen=True)
class Verb:
    """`arguments(parser, lang)` declares what it takes; `work(args)` does it and returns the JSON document;
    `show(document, lang)` is the same for people.

    A document with an `error` key (a record, see `engine.errors`) is one of work that failed half-way.
    """

    name: str
    help: Words
    arguments: Callable[[ArgumentParser, str], None]
    work: Callable[[Namespace], Any]
    show: Callable[[Any, str], str]


def no_arguments(parser: ArgumentParser, lang: str) -> None:
    """For verbs that take none."""
