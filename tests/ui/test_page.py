"""What a browser sends is only a hint: choices are made whole, and errors are said in the page's language."""

import asyncio
import errno
from collections import Counter

import gradio as gr
import pytest

import ui
from engine.compare.chat import Chat
from engine.errors import NoRows, NotFound, OutsideFolder
from engine.runs.background import Jobs
from engine.words import Words
from ui import uploads
from ui.page import NOTHING_CHOSEN, choices, guarded
from ui.services import Services
from ui.text import Text


@pytest.mark.parametrize("sent", [None, 7, [], "x", {}, {"step": "nowhere"}, {"step": ["model"]}, {"model": {"a": 1}}])
def test_what_makes_no_sense_is_nothing_chosen(sent):
    assert choices(sent) == NOTHING_CHOSEN


def test_what_is_known_is_kept():
    assert choices({"step": "train", "run": "r1", "other": "x"}) == NOTHING_CHOSEN | {"step": "train", "run": "r1"}


def test_errors_become_messages_in_the_language():
    def fails() -> None:
        raise NoRows(read=3, dropped=3, hint=Words("Look again.", "请再检查。"))

    def fails_later():
        yield 1
        raise NoRows(read=3, dropped=3, hint=Words("Look again.", "请再检查。"))

    with pytest.raises(gr.Error, match="清洗之后"):
        guarded(fails, Text("zh"))()
    stream = guarded(fails_later, Text("en"))()
    assert next(stream) == 1
    with pytest.raises(gr.Error, match="No rows are left"):
        next(stream)


def test_a_full_disk_is_said_in_the_language():
    def fails() -> None:
        raise OSError(errno.ENOSPC, "no room", "/stop")

    with pytest.raises(gr.Error, match="磁盘已满"):
        guarded(fails, Text("zh"))()


def test_a_page_reads_only_the_demo_and_uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    with pytest.raises(OutsideFolder):
        uploads.paths("../../etc/passwd")
    with pytest.raises(NotFound):
        uploads.paths("/etc/passwd")
    (tmp_path / "sent.csv").write_text("a,b\n1,2\n")
    first = uploads.keep(tmp_path / "sent.csv")
    (tmp_path / "sent.csv").write_text("a,b\n3,4\n")
    second = uploads.keep(tmp_path / "sent.csv")
    assert (first.name, second.name) == ("sent.csv", "sent-2.csv")
    assert uploads.paths("sent.csv/sent-2.csv") == [first.resolve(), second.resolve()]


def test_of_the_listeners_to_one_event_one_at_most_starts_them_all_once_more(tmp_path, monkeypatch):
    """Two that did would set each other off without end."""
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))

    async def page() -> dict:
        return ui.build("en", Services(Jobs(), Chat())).get_config_file()

    listeners = [each for each in asyncio.run(page())["dependencies"] if each["trigger_mode"] == "always_last"]
    again = Counter((component, event) for each in listeners for component, event in each["targets"] if component)
    assert len(again) > 100 and {event for event, times in again.items() if times > 1} == set()
