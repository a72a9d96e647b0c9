"""Conversion: every row accounted for, the same bytes for the same settings, nothing half-made."""

import csv
import json
from collections import Counter
from contextvars import ContextVar

import pytest

from engine.data import conversations, convert, datasets, formats, json_rows, segment
from engine.data.cleaning import Cleaning
from engine.errors import BadMapping, Exists, NoRows, NotATable, Unsupported


def write(path, rows, header=("question", "answer"), encoding="gb18030"):
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(folder, split):
    return [json.loads(line) for line in (folder / f"{split}.json").read_text(encoding="utf-8").splitlines()]


def some(count):
    return [[f"第{i}个问题是什么？", f"这是第{i}个回答，请注意。"] for i in range(count)]


def balanced(told):
    return told["input_rows"] == told["train"] + told["val"] + told["unused"] + sum(told["dropped"].values())


def test_ninety_to_ten_without_counts(tmp_path):
    told = convert.convert(write(tmp_path / "a.csv", some(50)), tmp_path / "out")
    assert (told["train"], told["val"], told["unused"], told["dropped"]) == (45, 5, 0, {})
    rows = read(tmp_path / "out", "train") + read(tmp_path / "out", "val")
    assert sorted(row["question"] for row in rows) == sorted(q for q, _ in some(50))
    assert set(rows[0]) == {"question", "answer"}


def test_counts_and_what_is_left(tmp_path):
    rows = [*some(30), ["", "x"], ["y", " \n"], some(1)[0], some(2)[1]]
    told = convert.convert(write(tmp_path / "a.csv", rows), tmp_path / "out", train=20, val=5)
    assert (told["train"], told["val"], told["unused"]) == (20, 5, 5)
    assert told["dropped"] == {"empty": 2, "duplicate": 2}
    assert balanced(told)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["rows"]["empty"] == [[31, 32]]
    assert report["rows"]["duplicate"] == [[33, 34]]
    listed = Counter(n for reason in report["rows"].values() for a, b in reason for n in range(a, b + 1))
    assert len(listed) == told["input_rows"] - told["train"] and set(listed.values()) == {1}


def test_the_same_settings_give_the_same_bytes(tmp_path):
    source = write(tmp_path / "a.csv", some(200))
    for name in ("one", "two"):
        convert.convert(source, tmp_path / name, seed=7)
    convert.convert(source, tmp_path / "three", seed=8)
    for name in ("train.json", "val.json", "report.json", "README.md"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one" / "val.json").read_bytes() != (tmp_path / "three" / "val.json").read_bytes()


def test_a_question_is_never_on_both_sides(tmp_path):
    rows = [[f"问题{i % 40}", f"回答{i}"] for i in range(400)]
    for kwargs in ({}, {"train": 200, "val": 100}, {"train": 355, "val": 45}):
        out = tmp_path / f"out{len(kwargs)}{kwargs.get('train')}"
        told = convert.convert(write(tmp_path / "a.csv", rows), out, **kwargs)
        sides = [{row["question"] for row in read(out, split)} for split in ("train", "val")]
        assert not sides[0] & sides[1] and balanced(told)


def test_conversations_are_the_same_question_only_with_all_that_was_asked_before(tmp_path):
    """Each is there twice with other answers, and all end with the same words."""
    talks = [[f"问题{i % 50}", f"回答{i}", "谢谢", f"不客气{i}"] for i in range(100)]
    roles = ("user", "assistant") * 2
    rows = [{"messages": [{"role": r, "content": c} for r, c in zip(roles, talk, strict=True)]} for talk in talks]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    told = convert.convert(tmp_path / "a.jsonl", tmp_path / "out", format="messages")
    sides = [{row["messages"][0]["content"] for row in read(tmp_path / "out", split)} for split in ("train", "val")]
    assert (told["train"], told["val"]) == (90, 10) and not sides[0] & sides[1]


def test_stratified(tmp_path):
    rows = [[f"q{i}", f"a{i}", "rare" if i % 10 == 0 else "common"] for i in range(1000)]
    write(tmp_path / "a.csv", rows, ("question", "answer", "kind"))
    convert.convert(tmp_path / "a.csv", tmp_path / "out", train=500, val=100, stratify="kind")
    for split, rare in (("train", 50), ("val", 10)):
        numbers = [int(row["question"][1:]) for row in read(tmp_path / "out", split)]
        assert abs(sum(n % 10 == 0 for n in numbers) - rare) <= 1


def test_several_processes_give_the_same_as_one(tmp_path, monkeypatch):
    """Quoted line breaks lie on the cuts; the file is cut into pieces far smaller than in earnest."""
    rows = [[f"问题{i}", "第一行，\n" * (i % 97) + f"回答{i % 3500}"] for i in range(4000)]
    source = write(tmp_path / "a.csv", rows)
    one = convert.convert(source, tmp_path / "one")
    monkeypatch.setattr(segment, "_WORTH", 100_000)
    monkeypatch.setattr(segment.os, "cpu_count", lambda: 3)
    seen = []
    place = ContextVar("place", default="elsewhere")
    place.set("here")
    several = convert.convert(source, tmp_path / "several", progress=lambda *told: seen.append((*told, place.get())))
    assert {**one, "out": 0, "files": 0} == {**several, "out": 0, "files": 0}
    for name in ("train.json", "val.json", "report.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "several" / name).read_bytes()
    done, total, _ = seen[-1]
    assert done <= total == source.stat().st_size
    # Told in the caller's context, whichever thread it comes from.
    assert {where for *_, where in seen} == {"here"}


def test_several_files(tmp_path):
    first = write(tmp_path / "a.csv", some(10))
    (tmp_path / "b.jsonl").write_text('{"instruction": "做什么？", "input": "", "output": "这样做。"}\n')
    told = convert.convert([first, tmp_path / "b.jsonl"], tmp_path / "out", train=11)
    assert told["train"] == 11
    assert {"question": "做什么？", "answer": "这样做。"} in read(tmp_path / "out", "train")


def test_template_joins_columns(tmp_path):
    write(tmp_path / "a.csv", [["标题", "正文", "回答"], ["", "正文二", "回答二"]], ("title", "ask", "answer"))
    mapping = {"question": "{title}\\n{ask}", "answer": "answer"}
    convert.convert(tmp_path / "a.csv", tmp_path / "out", mapping=mapping, train=2)
    assert [row["question"] for row in read(tmp_path / "out", "train")] == ["标题\n正文", "正文二"]


def test_roles_that_are_not_given_are_suggested(tmp_path):
    write(tmp_path / "a.csv", [["t", "q", "a"]], ("title", "question", "answer"))
    convert.convert(tmp_path / "a.csv", tmp_path / "out", mapping={"question": "title"}, train=1)
    assert read(tmp_path / "out", "train") == [{"question": "t", "answer": "a"}]
    with pytest.raises(BadMapping, match="chosen"):
        convert.convert(tmp_path / "a.csv", tmp_path / "more", format="preference")


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"question": "question", "answer": "question"}, "question"),
        ({"question": "nothing", "answer": "answer"}, "nothing"),
        ({"question": "question", "teacher": "answer"}, "teacher"),
    ],
)
def test_bad_mapping_names_the_column(mapping, says, tmp_path):
    source = write(tmp_path / "a.csv", some(5))
    with pytest.raises(BadMapping, match=says):
        convert.convert(source, tmp_path / "out", mapping=mapping)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_nothing_half_made(tmp_path):
    source = write(tmp_path / "a.csv", [["", ""], ["q", ""]])
    with pytest.raises(NoRows):
        convert.convert(source, tmp_path / "out")
    with pytest.raises(NoRows):
        convert.convert(write(tmp_path / "a.csv", []), tmp_path / "out")
    with pytest.raises(Unsupported, match="100 rows"):
        convert.convert(write(tmp_path / "b.csv", some(5)), tmp_path / "out", train=90, val=10)
    (tmp_path / "bad.jsonl").write_text('{"question": "q", "answer": "a"}\n{broken\n')
    with pytest.raises(NotATable, match="line 2"):
        convert.convert(tmp_path / "bad.jsonl", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "b.csv", "bad.jsonl"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(Exists):
        convert.convert(tmp_path / "b.csv", tmp_path / "full")


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}, {"a" 3}]', '[{"a": 1},\n {"a": 2}, {"a":\n'])
@pytest.mark.parametrize("chunk", [4, 1000])
def test_where_a_list_is_broken_is_said_as_editors_count(tmp_path, monkeypatch, text, chunk):
    monkeypatch.setattr(json_rows, "_CHUNK", chunk)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(json.JSONDecodeError) as known:
        json.loads(text)
    with pytest.raises(NotATable, match=f"line {known.value.lineno}, column {known.value.colno} "):
        convert.convert(tmp_path / "a.json", tmp_path / "out")


CONVERSATIONS = [
    {"conversations": [{"from": "human", "value": "你好"}, {"from": "gpt", "value": "您好！"}]},
    {
        "conversations": [
            {"from": "system", "value": "你是医生。"},
            {"from": "human", "value": "我头痛"},
            {"from": "gpt", "value": "多久了？"},
            {"from": "human", "value": "三天"},
            {"from": "gpt", "value": "请来医院。"},
        ]
    },
    {"conversations": "nothing"},
]


def test_conversations(tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in CONVERSATIONS))
    told = convert.convert(source, tmp_path / "qa", train=2)
    assert read(tmp_path / "qa", "train") == [
        {"question": "你好", "answer": "您好！"},
        {"question": "我头痛", "answer": "多久了？"},
    ]
    assert told["dropped"] == {"unreadable": 1}
    assert conversations.messages("[" * 100_000) is None  # deeper than a parser goes
    report = json.loads((tmp_path / "qa" / "report.json").read_text())
    assert report["lost"] == {"turns": 1, "system": 1}
    convert.convert(source, tmp_path / "messages", train=2, format="messages")
    whole = read(tmp_path / "messages", "train")[1]["messages"]
    assert [m["role"] for m in whole] == ["system", "user", "assistant", "user", "assistant"]
    assert [m["content"] for m in whole] == ["你是医生。", "我头痛", "多久了？", "三天", "请来医院。"]
    convert.convert(source, tmp_path / "alpaca", train=2, format="alpaca")
    assert read(tmp_path / "alpaca", "train")[1] == {
        "instruction": "三天",
        "input": "",
        "output": "请来医院。",
        "system": "你是医生。",
        "history": [["我头痛", "多久了？"]],
    }


def test_preference_thumbs_text(tmp_path):
    source = write(tmp_path / "p.csv", [["问", "好", "差"]] * 2, ("prompt", "chosen", "rejected"), "utf-8")
    told = convert.convert(source, tmp_path / "p", format="preference", train=1)
    assert told["dropped"] == {"duplicate": 1}
    assert read(tmp_path / "p", "train") == [{"prompt": "问", "chosen": "好", "rejected": "差"}]
    rows = [["问一", "答一", "true"], ["问二", "答二", "0"], ["问三", "答三", "maybe"]]
    source = write(tmp_path / "k.csv", rows, ("prompt", "completion", "label"), "utf-8")
    told = convert.convert(source, tmp_path / "k", format="kto", mapping={"question": "prompt", "answer": "completion", "label": "label"}, train=2)  # fmt: skip
    assert [row["label"] for row in read(tmp_path / "k", "train")] == [True, False]
    assert told["dropped"] == {"unreadable": 1}
    (tmp_path / "t.txt").write_text("第一段。\n\n第二段，\n两行。\n", encoding="utf-8")
    convert.convert(tmp_path / "t.txt", tmp_path / "t", format="text", train=2)
    assert read(tmp_path / "t", "train") == [{"text": "第一段。"}, {"text": "第二段，\n两行。"}]


def test_cleaning_switches(tmp_path):
    rows = [
        ["<b>问题</b>一？", "回答\x07一。"],
        ["ＡＢ１，怎么样？", "很好，" * 100],
        ["一样吗？", "一样吗"],
        ["短？", "嗯"],
        ["我的电话是多少？", "电话13800138000，邮箱a@b.com，证件11010519491231002X。"],
        *[
            [f"糖尿病患者平时在饮食方面应该注意哪些问题呢{mark}", "要控制总热量，少吃甜食，多吃蔬菜，定时定量。"]
            for mark in "？?！"
        ],
    ]
    cleaning = Cleaning(
        html=True, control=True, width=True, long="cut", max_chars=50, short=True, min_chars=2, repeats=True,
        personal=True, near_duplicate=True,
    )  # fmt: skip
    told = convert.convert(
        write(tmp_path / "a.csv", rows, encoding="utf-8"), tmp_path / "out", cleaning=cleaning, share=0.0
    )
    assert told["dropped"] == {"short": 1, "repeats": 1, "near_duplicate": 2}
    assert balanced(told)
    made = read(tmp_path / "out", "train")
    assert made[0] == {"question": "问题一？", "answer": "回答一。"}
    assert made[1]["question"] == "AB1，怎么样？" and len(made[1]["answer"]) == 50
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {kind: each["count"] for kind, each in report["changed"].items()} == {
        "control": 1,
        "html": 1,
        "width": 1,
        "cut": 1,
    }
    assert {kind: each["rows"] for kind, each in report["found"].items()} == {
        k: [[5, 5]] for k in ("phone", "identity", "email")
    }


def test_values_stay_exact(tmp_path):
    rows = [["0", "007"], ["12345678901234567890123", "1.10"], ["=cmd()", "𠮷😀 <script>"], [" 前后 ", "a\r\nb"]]
    convert.convert(write(tmp_path / "a.csv", rows), tmp_path / "out", train=4)
    assert [[row["question"], row["answer"]] for row in read(tmp_path / "out", "train")] == rows


def test_the_real_file(tmp_path, test_data):
    (source,) = (test_data / "chinese-medical-dialogue").glob("*.csv")
    told = convert.convert(source, tmp_path / "out", train=5000, val=2000)
    assert (told["train"], told["val"], told["input_rows"]) == (5000, 2000, 7644)
    assert told["dropped"] == {"duplicate": 396} and balanced(told)
    with open(source, encoding="gb18030", newline="") as file:
        pairs = {(row["ask"], row["answer"]) for row in csv.DictReader(file)}
    made = read(tmp_path / "out", "train") + read(tmp_path / "out", "val")
    assert len(pairs) == 7248 and len(made) == 7000
    assert {(row["question"], row["answer"]) for row in made} <= pairs
    whole = convert.convert(source, tmp_path / "whole")
    assert whole["train"] + whole["val"] == 7248
    made = read(tmp_path / "whole", "train") + read(tmp_path / "whole", "val")
    assert {(row["question"], row["answer"]) for row in made} == pairs
    data = datasets.load(tmp_path / "whole")
    assert (data.format, data.train, data.val) == ("qa", whole["train"], whole["val"])


def test_columns_that_only_some_files_have(tmp_path):
    first = write(tmp_path / "a.csv", [["标题", "正文", "回答"]], ("title", "ask", "answer"))
    second = write(tmp_path / "b.csv", [["问二", "答二"]], ("question", "answer"))
    third = write(tmp_path / "c.csv", [["问三", "答三"]], ("ask", "answer"))
    mapping = {"question": "{title}\\n{ask}", "answer": "answer"}
    convert.convert([first, second, third], tmp_path / "out", mapping=mapping, train=3)
    assert [row["question"] for row in read(tmp_path / "out", "train")] == ["标题\n正文", "问二", "问三"]
    with pytest.raises(BadMapping, match="nowhere"):
        convert.convert([first, second], tmp_path / "more", mapping={"question": "{nowhere}\\n{ask}"})


def test_preference_pairs_and_thumbs_as_conversations(tmp_path):
    pair = {
        "conversations": [{"from": "human", "value": "我头痛"}],
        "chosen": {"from": "gpt", "value": "多久了？"},
        "rejected": {"from": "gpt", "value": "不知道"},
    }
    (tmp_path / "a.json").write_text(json.dumps([pair], ensure_ascii=False), encoding="utf-8")
    spoken = [{"role": "user", "content": "我头痛"}]
    trl = {
        "prompt": spoken,
        "chosen": [{"role": "assistant", "content": "多久了？"}],
        "rejected": [*spoken, {"role": "assistant", "content": "不知道"}],
    }
    (tmp_path / "b.jsonl").write_text(json.dumps(trl) + "\n")
    for name in ("a.json", "b.jsonl"):
        convert.convert(tmp_path / name, tmp_path / f"out-{name}", format="preference", train=1)
        assert read(tmp_path / f"out-{name}", "train") == [
            {"prompt": "我头痛", "chosen": "多久了？", "rejected": "不知道"}
        ]
    thumbs = {"prompt": spoken, "completion": [{"role": "assistant", "content": "多久了？"}], "label": True}
    (tmp_path / "c.jsonl").write_text(json.dumps(thumbs) + "\n")
    convert.convert(tmp_path / "c.jsonl", tmp_path / "thumbs", format="kto", train=1)
    assert read(tmp_path / "thumbs", "train") == [{"prompt": "我头痛", "completion": "多久了？", "label": True}]


@pytest.mark.parametrize(
    ("mapping", "format"),
    [
        ({"question": "a", "answer": "b"}, "qa"),
        ({"question": "a", "answer": "b", "context": "c"}, "qa"),
        ({"question": "a", "answer": "b", "history": "c"}, "alpaca"),
        ({"question": "a", "answer": "b", "label": "c"}, "kto"),
        ({"question": "a", "chosen": "b", "rejected": "c"}, "preference"),
        ({"messages": "a"}, "messages"),
        ({"text": "a"}, "text"),
        ({}, "qa"),
    ],
)
def test_the_form_that_suits(mapping, format):
    assert formats.suggest(mapping) == format
