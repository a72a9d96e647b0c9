"""Conversations are kept with their run, grow, fork, and are found again; differences lose no character."""

import pytest

from engine.compare import conversations
from engine.compare.conversations import Conversation, Turn
from engine.compare.differences import differences
from engine.errors import NotFound
from engine.runs import store

MODELS = ["base:run:lora", "run:lora"]


def turn(question: str) -> Turn:
    return Turn(question, [{"text": f"old {question}"}, {"text": f"new {question}"}], {"seed": 42}, None)


def test_each_column_reads_its_own_answers():
    conversation = Conversation(MODELS, "Be brief.").with_turn(turn("one"))
    assert conversation.messages(1, "two") == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "new one"},
        {"role": "user", "content": "two"},
    ]
    assert conversation.messages(0, "two")[2]["content"] == "old one"
    assert Conversation(MODELS).messages(0, "hello") == [{"role": "user", "content": "hello"}]


def test_a_text_stands_alone():
    turn = Turn("Once", [{"text": "upon a time"}], {})
    assert Conversation(["a"], turns=[turn], goes_on=True).messages(0, "Then") == [{"role": "text", "content": "Then"}]


def test_a_fork_leaves_what_was_said(workspace):
    run = store.find("lora_mlp")
    kept = conversations.keep(run, Conversation(MODELS).with_turn(turn("one")).with_turn(turn("two")))
    assert conversations.load(run, kept.id) == kept
    forked = conversations.keep(run, kept.fork(1).with_turn(turn("other")))
    assert forked.id != kept.id
    assert [each.question for each in conversations.load(run, kept.id).turns] == ["one", "two"]
    assert {each.id for each in conversations.listed(run)} == {kept.id, forked.id}


@pytest.mark.parametrize("id", ["20260101-000000-abcd", "../config", "", "20260101-000000-abcd/../x"])
def test_only_an_id_finds_one(workspace, id):
    with pytest.raises(NotFound):
        conversations.load(store.find("lora"), id)


def test_pieces_make_up_the_text_again():
    texts = ["糖尿病患者可以吃西瓜。\n\nYes, 2 pieces", "糖尿病患者不能吃西瓜。\n\nNo, 2 pieces!", "", "<b>x</b>"]
    cut = differences(texts)
    assert ["".join(piece for piece, _ in each) for each in cut] == texts
    assert ("可以", True) in cut[0] and ("不能", True) in cut[1] and ("糖尿病患者", False) in cut[1]
    assert [text for text, differs in cut[1] if differs] == ["不能", "No", "!"]


def test_equal_answers_and_lone_ones_do_not_differ():
    assert differences(["一样", "一样"]) == [[("一样", False)], [("一样", False)]]
    assert differences(["alone"]) == [[("alone", False)]]
