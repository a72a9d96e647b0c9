"""The train step: what is offered, what is refused and why, and what is said before Start."""

import asyncio
import json

import gradio as gr
import pytest

import ui
from engine import home
from engine.__main__ import main
from engine.compare.chat import Chat
from engine.data import convert
from engine.errors import InvalidFields
from engine.fields import Params, param
from engine.runs import store
from engine.runs.background import Jobs
from engine.runs.status import Writer
from engine.training import adapters, config, counts, marks, methods
from engine.training.method import MethodSpec
from engine.training.methods import METHODS
from engine.words import LANGUAGES, Words
from ui import devices, outlook, ranks, train_cards
from ui.services import Services
from ui.text import Text


class Dial(Params):
    turns: int = param(3, Words("Turns of the dial", "旋钮圈数"), Words("How far.", "转多少。"), ge=1)


NEW = MethodSpec(
    key="dial",
    label=Words("Dial tuning", "旋钮微调"),
    summary=Words("Turns the dials of the model.", "转动模型的旋钮。"),
    params=Dial,
    prepare=adapters.full,
    count=counts.full,
    learning_rate=1e-3,
    diagram="full.svg",
    marks=marks.full,
)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    folder = tmp_path / "data" / "demo"
    convert.convert([home.DEMO_DATA], folder, train=40, val=4)
    return folder


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_new_method_needs_one_entry_and_nothing_else(lang, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    monkeypatch.setattr(methods, "METHODS", (*METHODS, NEW))

    async def page() -> str:
        return json.dumps(ui.build(lang, Services(Jobs(), Chat())).get_config_file(), ensure_ascii=False, default=str)

    drawn = asyncio.run(page())
    assert NEW.label.text(lang) in drawn and NEW.summary.text(lang) in drawn  # the card
    label = Dial.model_fields["turns"].json_schema_extra["label"][lang]
    assert "dial-turns" in drawn and label in drawn  # the form
    monkeypatch.setenv("TUNEDESK_LANG", lang)
    assert main(["methods"]) == 0
    printed = capsys.readouterr().out
    assert NEW.summary.text(lang) in printed and f"turns=3  {label}" in printed


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_method_that_does_not_fit_is_greyed_and_says_why(lang, monkeypatch):
    picky = MethodSpec(
        **{**vars(NEW), "objectives": ("pretrain",), "objectives_reason": Words("reads only", "只能阅读")}
    )
    monkeypatch.setattr(methods, "METHODS", (*METHODS, picky))
    for objective, refused in (("sft", True), ("pretrain", False)):
        card = next(c for c in train_cards.methods(Text(lang), "dial", objective)["cards"] if c["key"] == "dial")
        assert card["disabled"] is refused and card["selected"] is not refused
        assert card["text"] == (picky.objectives_reason if refused else picky.summary).text(lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_will_happen_is_said_for_every_method(lang, data):
    panel = asyncio.run(_panel(lang))
    for spec in METHODS:
        wanted = config.build("demo-model", str(data), method=spec.key)
        facts, story, button, _ = panel.shown(wanted)
        assert [fact["value"] for fact in facts][2] == "6" and all(fact["value"] not in ("", "–") for fact in facts)
        assert spec.label.text(lang) in story and "<li>" in story and "{" not in story
        assert not button["visible"]


def test_rows_that_would_be_cut_are_said_with_a_way_out(data):
    panel = asyncio.run(_panel("en"))
    _, story, button, _ = panel.shown(config.build("demo-model", str(data), settings={"max_length": 20}))
    assert "longer than 20 tokens" in story and button["visible"] and button["value"]


def test_before_there_is_data_and_with_wrong_fields_it_says_so(data):
    panel = asyncio.run(_panel("en"))
    _, said, _, to_data = panel.unknown(None)
    assert "data set" in said and to_data["visible"]
    with pytest.raises(InvalidFields) as caught:
        config.build("demo-model", str(data), settings={"r": 0, "learning_rate": "<b>"})
    _, said, _, to_data = panel.unknown(caught.value)
    assert "Rank" in said and "<b>" not in said and not to_data["visible"]
    assert panel.unknown(caught.value, other_data=True)[3]["visible"]


def test_ranks_are_drawn_and_escaped():
    found = {"m.layers.0.q_proj": 3, "m.layers.0.<i>": 0, "m.layers.1.q_proj": 6}
    drawn = ranks.shown(Text("zh"), found)
    assert '<td style="--share:0.50">3</td>' in drawn and "&lt;i&gt;" in drawn and "<td></td>" in drawn
    assert ranks.shown(Text("zh"), None) == ""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_other_machine_is_told_what_to_start_while_it_is_needed(lang, data):
    settings = {"machines": 3, "address": "node-a"}
    alone, run = (
        store.create(config.build("demo-model", str(data), settings=given).model_dump(mode="json"))
        for given in ({}, settings)
    )
    drawn = devices.joining(Text(lang), run)
    for machine in (1, 2):
        assert f"engine join {run.path} --machine {machine} --home {home.home()}" in drawn
        assert f"machine_rank: {machine}" in drawn
    assert "machine_rank: 0" not in drawn and devices.joining(Text(lang), alone) == ""
    Writer(run.path).update(state="finished")
    assert devices.joining(Text(lang), run) == "" == devices.joining(Text(lang), None)


async def _panel(lang: str) -> outlook.Panel:
    with gr.Blocks():
        return outlook.Panel(Text(lang))
