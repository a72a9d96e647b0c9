"""The chat template in Ollama's terms. The language is Go's; what it makes of these was compared with Go itself by hand."""

import json
import re

import pytest

from engine.compare import modelfile
from engine.data.template import CHATML, ChatTemplate

WITH_A_DEFAULT = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are \"kind\".<|im_end|>\n{% endif %}" + CHATML
)
# As Llama 2 has it: the instructions lie within the first question.
INSIDE = (
    "{% set s = '' %}{% for m in messages %}{% if m.role == 'system' %}{% set s = 1 %}<s>[INST] <<SYS>>{{ m.content }}"
    "<</SYS>>{% elif m.role == 'user' %}{% if loop.index0 == 0 or messages[loop.index0 - 1].role != 'system' %}<s>[INST] "
    "{% endif %}{{ m.content }} [/INST]{% else %} {{ m.content }} </s>{% endif %}{% endfor %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + CHATML
CONVERSATIONS = ("u", "uau", "uauau", "su", "suau")
ROLES = {"s": "system", "u": "user", "a": "assistant"}


def go(said: str, messages: list[dict]) -> str:
    """What Go's template engine makes of the few words of its language that are used."""
    actions = re.findall(r'\{\{-? ((?:"(?:[^"\\]|\\.)*"|[^"])*?) \}\}', said)
    (first, loop, *body), last = actions[:-1], actions[-1]
    assert loop == "range .Messages" and body[-2:] == ["end", "end"]
    following, out = json.loads(first.removeprefix("$next := ")), ""
    for message in messages:
        here = False
        for action in body:
            if asked := re.fullmatch(r'(?:else )?if eq \.Role "(\w+)"', action):
                here = asked[1] == message["role"]
            elif here and action.startswith("$next = "):
                following = json.loads(action.removeprefix("$next = "))
            elif here and action != "end":
                known = {"$next": following, ".Content": message["content"]}
                out += known[action] if action in known else json.loads(action)
    return out + json.loads(last)


def talk(turns: str) -> list[dict]:
    return [{"role": ROLES[turn], "content": f'{turn}{place} "你好" {{{{ }}}}'} for place, turn in enumerate(turns)]


@pytest.mark.parametrize("source", [CHATML, WITH_A_DEFAULT, INSIDE])
def test_it_says_what_the_template_says(source):
    template = ChatTemplate(source, {})
    said = re.search(r'TEMPLATE """(.*?)"""', modelfile.written(template, "model.gguf"), re.DOTALL)[1]
    for turns in CONVERSATIONS:
        assert go(said, talk(turns)) == template.render(talk(turns), add_generation_prompt=True)


def test_a_template_that_takes_no_instructions():
    template = ChatTemplate(NO_SYSTEM, {})
    written = modelfile.written(template, "model.gguf")
    assert '"system"' not in written
    said = re.search(r'TEMPLATE """(.*?)"""', written, re.DOTALL)[1]
    assert go(said, talk("uau")) == template.render(talk("uau"), add_generation_prompt=True)


def test_a_template_that_is_more_than_pieces_is_left_out():
    counting = "{% for m in messages %}<{{ loop.index }}>{{ m.content }}{% endfor %}"
    assert modelfile.written(ChatTemplate(counting, {}), "model.gguf") == "FROM ./model.gguf\n"


def test_where_an_answer_ends():
    assert modelfile.written(ChatTemplate(CHATML, {}), "m.gguf").splitlines()[-1] == 'PARAMETER stop "<|im_end|>"'
