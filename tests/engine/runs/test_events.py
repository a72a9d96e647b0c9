import json
import math
import threading

import pytest

from engine.errors import LossNotFinite, from_record
from engine.runs import metrics
from engine.runs.events import Events, Log
from engine.words import Words


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def test_numbers_rise_through_all_writers_and_a_torn_line_is_cut_off(path):
    with Events(path) as file:
        file.write("step", step=1, loss=2.5)
        file.write("step", step=2, loss=2.0)
    with open(path, "ab") as raw:
        raw.write(b'{"seq": 3, "time": 1, "type": "st')
    assert [event["seq"] for event in Log(path).after()] == [1, 2]
    with Events(path) as file:
        assert file.write("done", stopped=False)["seq"] == 3
    lines = path.read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]


def test_a_damaged_line_in_the_middle_is_passed_over(path):
    path.write_bytes(b'{"seq": 1, "type": "step", "step": 1}\n\x00\xff{\n[3]\n{"seq": 2, "type": "step", "step": 2}\n')
    assert [event["seq"] for event in Log(path).after()] == [1, 2]
    with Events(path) as file:
        assert file.write("done")["seq"] == 3


def test_an_end_without_any_event_for_long_still_gives_the_right_number(path):
    with Events(path) as file:
        file.write("step", step=1)
    with open(path, "ab") as raw:
        raw.write(b"x" * 3_000_000)
    with Events(path) as file:
        assert file.write("step", step=2)["seq"] == 2


def test_a_reader_sees_only_what_is_new_and_reads_no_byte_twice(path, monkeypatch):
    log = Log(path)
    assert log.after() == [] and log.last_seq() == 0
    with Events(path) as file:
        for step in range(1, 101):
            file.write("step", step=step, loss=1 / step)
        assert len(log.after()) == 100
        file.write("eval", step=100, eval_loss=0.1)
        assert [event["type"] for event in log.after(100)] == ["eval"]
        assert log.after(101) == []
        assert [event["type"] for event in log.notable()] == ["eval"]
        before = path.read_bytes()
        path.write_bytes(b"#" * len(before))  # the same length: had it been read again, nothing would parse
        with open(path, "ab") as raw:
            raw.write(b'{"seq": 102, "type": "done", "stopped": false}\n')
        assert [event["seq"] for event in log.after(101)] == [102]


def test_a_file_replaced_by_a_shorter_one_is_read_anew(path):
    log = Log(path)
    with Events(path) as file:
        for step in range(10):
            file.write("step", step=step)
    assert log.last_seq() == 10
    path.unlink()
    assert log.after() == []
    with Events(path) as file:
        file.write("step", step=1)
    assert log.last_seq() == 1


def test_numbers_that_are_not_finite_become_null_and_words_survive(path):
    with Events(path) as file:
        file.write("step", step=1, loss=math.nan, grad_norm=math.inf)
        record = LossNotFinite(value="nan", step=1, learning_rate=Words("high", "高")).record()
        file.write("error", **record)
    step, error = Log(path).after()
    assert step["loss"] is None and step["grad_norm"] is None
    assert "high" in from_record(error).text("en") and "高" in from_record(error).text("zh")


def test_a_write_that_fails_leaves_nothing_and_can_be_repeated(path, monkeypatch):
    file = Events(path)
    file.write("step", step=1)
    real = Events._write_all

    def write_a_part(self, line):
        real(self, line[:7])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Events, "_write_all", write_a_part)
    with pytest.raises(OSError):
        file.write("step", step=2)
    monkeypatch.setattr(Events, "_write_all", real)
    assert file.write("step", step=2)["seq"] == 2
    file.close()
    assert [event["step"] for event in Log(path).after()] == [1, 2]


def test_many_threads_write_and_read_at_once(path):
    log = Log(path)
    with Events(path) as file:
        writers = [threading.Thread(target=lambda: [file.write("step", step=1) for _ in range(200)]) for _ in range(4)]
        for thread in writers:
            thread.start()
        seen = []
        while any(thread.is_alive() for thread in writers):
            seen += log.after(seen[-1]["seq"] if seen else 0)
        for thread in writers:
            thread.join()
    seen += log.after(seen[-1]["seq"] if seen else 0)
    assert [event["seq"] for event in seen] == list(range(1, 801))


def test_a_chart_gets_every_point_of_a_short_run_as_it_comes(path):
    log = Log(path)
    with Events(path) as file:
        for step in range(1, 11):
            file.write("step", step=step, loss=1 / step)
        first = log.series()
        assert first["reset"] and first["steps"]["step"] == list(range(1, 11))
        assert first["steps"]["grad_norm"] == [None] * 10
        file.write("step", step=11, loss=0.5)
        file.write("eval", step=11, eval_loss=0.25)
        more = log.series(first["cursor"])
        assert (
            not more["reset"] and more["steps"]["step"] == [11] and more["evals"] == {"step": [11], "eval_loss": [0.25]}
        )
        nothing = log.series(more["cursor"])
        assert not nothing["reset"] and nothing["steps"]["step"] == []
    assert log.series("nonsense")["reset"]


def test_a_long_run_is_thinned_and_shows_its_spikes(path):
    log = Log(path)
    with Events(path) as file:
        for step in range(1, 5001):
            file.write("step", step=step, loss=99.0 if step == 1234 else 1 / step)
    shown = log.series(limit=500)
    assert 250 <= len(shown["steps"]["step"]) <= 500
    assert 99.0 in shown["steps"]["loss"]
    assert shown["steps"]["step"] == sorted(shown["steps"]["step"])


def test_pages_that_follow_end_with_the_same_points_as_a_page_opened_late(path):
    log = Log(path)
    shown = {"step": [], "loss": []}
    cursor = ""
    with Events(path) as file:
        for step in range(1, 2001):
            file.write("step", step=step, loss=(step * 7919) % 101)
            if step % 13 == 0:
                fresh = log.series(cursor, limit=100)
                cursor = fresh["cursor"]
                for name, column in shown.items():
                    if fresh["reset"]:
                        column.clear()
                    column += fresh["steps"][name]
    fresh = log.series(cursor, limit=100)
    for name, column in shown.items():
        column += fresh["steps"][name]
        assert column == log.series(limit=100)["steps"][name]


def test_a_resumed_run_walks_its_stretch_again(path):
    log = Log(path)
    with Events(path) as file:
        for step in range(1, 8):
            file.write("step", step=step, loss=1.0)
        cursor = log.series()["cursor"]
        file.write("resume", step=5, micro_batch_divisor=1)
        file.write("step", step=6, loss=2.0)
    shown = log.series(cursor)
    assert shown["reset"] and shown["steps"]["step"] == [1, 2, 3, 4, 5, 6] and shown["steps"]["loss"][-1] == 2.0


def test_whatever_a_worker_measures_becomes_a_column(path):
    log = Log(path)
    with Events(path) as file:
        file.write("step", step=1, max_steps=9, loss=1.0)
        cursor = log.series()["cursor"]
        file.write("step", step=2, max_steps=9, loss=0.9, reward=0.5, finished=True, sample="text")
        file.write("eval", step=2, eval_loss=1.5, perplexity=4.5, eval_accuracy=0.75)
    shown = log.series(cursor)
    assert shown["reset"], "a page that knows fewer columns starts anew"
    assert shown["steps"]["reward"] == [None, 0.5]
    assert shown["evals"] == {"step": [2], "eval_loss": [1.5], "eval_accuracy": [0.75]}
    assert not {"max_steps", "finished", "sample", "seq"} & shown["steps"].keys()
    assert metrics.ordered([*shown["steps"]])[:2] == ["reward", "loss"]
    assert metrics.ordered(["step", "odd/name"]) == ["odd/name"] and metrics.label("odd/name", "zh") == "odd/name"
