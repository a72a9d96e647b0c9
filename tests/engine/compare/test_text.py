"""Streaming: pieces put together are the whole, and no piece is ever taken back."""

import pytest

from engine.compare.text import Text
from engine.data import tokens


@pytest.fixture(scope="module")
def read(base):
    return tokens.read(base)


def streamed(read, text, stops=()):
    stream = Text(read, stops)
    pieces = []
    for token in read.encodings([text])[0].ids:
        pieces.append(stream.push(token))
        if stream.stopped:
            return pieces
    return [*pieces, stream.end()]


@pytest.mark.parametrize("text", ["龘𠮷👍🏽 中a b", "  spaces  kept \n\n", "", "\ufffd real \ufffd"])
def test_pieces_put_together_are_the_whole(read, text):
    assert "".join(streamed(read, text)) == text


def test_a_character_of_several_tokens_comes_whole(read):
    assert len(read.encodings(["龘"])[0].ids) == 3
    assert [piece for piece in streamed(read, "龘龘") if piece] == ["龘", "龘"]


def test_bytes_that_never_become_a_character_come_at_the_end(read):
    stream = Text(read)
    assert stream.push(read.encodings(["龘"])[0].ids[0]) == ""
    assert stream.end() == "\ufffd"


def test_what_may_begin_a_stop_is_held_back(read):
    pieces = streamed(read, "abcXYabXYZrest", ("XYZ",))
    assert "".join(pieces) == "abcXYab"
    assert streamed(read, "abXY", ("XYZ",))[-1] == "XY"


def test_the_earliest_of_several_stops_counts(read):
    assert "".join(streamed(read, "one two three", ("three", "two"))) == "one "
