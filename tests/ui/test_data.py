"""The rooms of the data step: pages of a table, roles as fields, the sample, lengths, findings, data sets."""

import asyncio
import json

import gradio as gr
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from engine import home
from engine.compare import feedback
from engine.data import convert, datasets, tables
from engine.data import findings as looking
from engine.data.cleaning import Cleaning
from engine.errors import BadMapping, NotATable, NotFound, Unsupported
from engine.models import library
from engine.runs import store
from ui import findings, judgements, lengths, sample, sets, table, uploads
from ui.draft import Asked, checked_format
from ui.roles import Fields
from ui.text import LANGUAGES, Text

MAPPING = {"question": "ask", "answer": "answer"}


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def source(tmp_path):
    rows = "".join(f"标题{i},问题{i}？,<b>回答{i}</b>\n" for i in range(120))
    (tmp_path / "a.csv").write_text(f"title,ask,answer\n{rows},,没有问题\n", encoding="utf-8")
    return tables.open_table(tmp_path / "a.csv")


def asked(source, **changed) -> Asked:
    given = {"format": "qa", "mapping": MAPPING, "cleaning": Cleaning(), "limit": 512}
    return Asked(source=source, model=library.describe(home.DEMO_MODEL), **(given | changed))


def test_a_page_tells_numbers_roles_and_order(source):
    t = Text("en")
    shown = table.page(t, source, 50, mapping=MAPPING)
    assert [row["number"] for row in shown["rows"]][::49] == ["51", "100"]
    assert [column["role"] for column in shown["columns"]] == ["", "Question", "Answer"]
    assert (shown["total"], shown["where"]) == (121, "Rows 51–100 of 121")
    found = table.page(t, source, search="问题7", sort="ask", descending=True)
    assert [row["cells"][1] for row in found["rows"]][:2] == ["问题7？", "问题79？"]
    assert table.page(t, source, search="nowhere at all")["where"] == "No rows match"
    with pytest.raises(BadMapping):
        table.page(t, source, sort="nothing")


def test_a_wide_table_shows_its_first_columns(tmp_path):
    (tmp_path / "wide.csv").write_text(",".join(f"c{i}" for i in range(60)) + "\n" + ",".join(["x"] * 60) + "\n")
    shown = table.page(Text("en"), tables.open_table(tmp_path / "wide.csv"))
    assert len(shown["columns"]) == len(shown["rows"][0]["cells"]) == 50 and "60" in shown["more"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_columns_at_a_glance(source, lang):
    told = table.statistics(Text(lang), source)["columns"]
    assert [(each["name"], each["filled"], each["distinct"]) for each in told] == [
        ("title", "99.2%", "120"),
        ("ask", "99.2%", "120"),
        ("answer", "100%", "121"),
    ]


def held(fields: Fields, **values) -> list:
    return [values.get(key) for key in fields.keys]


@pytest.fixture
def fields():
    async def built() -> Fields:
        with gr.Blocks():
            made = Fields(Text("en"))
            made.main()
            made.further()
        return made

    # Within an event loop: without one, Gradio makes its own for each Blocks and never closes it.
    return asyncio.run(built())


def test_columns_are_joined_in_their_order_or_by_a_pattern(fields):
    def question(*chosen: str) -> str:
        return fields.mapping(held(fields, question=list(chosen), answer=["answer"]), "qa")["question"]

    assert question("ask") == "ask"
    assert question("title", "ask") == "{title}\\n{ask}"
    assert question("{title}: {ask}") == "{title}: {ask}"
    assert question("title", "{ask}!") == "{title}\\n{ask}!"


def test_fields_hold_what_was_suggested(fields):
    columns = ["title", "ask", "answer", "talk"]
    for mapping in (
        {"question": "{title}\\n{ask}", "answer": "answer"},
        {"question": "{title}: {ask}", "answer": "answer"},
    ):
        updates = fields.suggested(columns, mapping, "qa")
        assert fields.complete([update["value"] for update in updates], "qa") == mapping
    visible = [key for key, update in zip(fields.keys, updates, strict=True) if update["visible"]]
    assert visible == ["question", "answer", "context"]
    updates = fields.suggested(columns, {"messages": "talk"}, "messages")
    assert fields.complete([update["value"] for update in updates], "messages") == {"messages": "talk"}


def test_what_is_missing_is_named(fields):
    with pytest.raises(BadMapping, match="Better answer, Worse answer"):
        fields.complete(held(fields, question=["ask"], answer=["answer"]), "preference")
    # What a form cannot use is left out, so that a column may be given to another role there.
    values = held(fields, question=["ask"], answer=["answer"], chosen=["answer"], rejected=["title"])
    with_columns = {**dict(zip(fields.keys, values, strict=True)), "chosen": "answer", "rejected": "title"}
    assert fields.complete(list(with_columns.values()), "preference") == {
        "question": "ask",
        "chosen": "answer",
        "rejected": "title",
    }
    for wrong in (None, "csv", ["qa"]):
        with pytest.raises(NotFound):
            checked_format(wrong)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sample_colours_what_counts(source, lang):
    t = Text(lang)
    shown = sample.of_table(t, asked(source), 3)
    (part,) = shown["parts"]
    assert "".join(p["text"] for p in part["pieces"] if p["counted"] and not p["special"]) == "<b>回答3</b>"
    assert any(piece["special"] for piece in part["pieces"]) and not part["cut"]
    assert sample.of_table(t, asked(source, cleaning=Cleaning(html=True)), 3)["parts"][0]["pieces"][-1] != part
    assert "parts" not in sample.of_table(t, asked(source), 120) and "problem" in sample.of_table(t, asked(source), 120)
    assert sample.of_table(t, asked(source), 10**9)["row"] == 120
    assert sample.of_table(t, asked(source, limit=5), 3)["parts"][0]["cut"]


def test_lengths_say_what_is_cut(source):
    t = Text("en")
    shown = lengths.charts(t, asked(source))
    assert [chart["title"] for chart in shown["charts"]] == [
        "Tokens of whole rows (Demo model)",
        "Characters: question",
        "Characters: answer",
    ]
    assert shown["said"].startswith("Every row that was measured fits")
    shown = lengths.charts(t, asked(source, limit=8))
    assert shown["said"].startswith("100.0% of the rows") and shown["charts"][0]["limit"] > 0


def test_findings_say_what_becomes_of_the_rows(source):
    found = looking.look(source, MAPPING, "qa", Cleaning())
    shown = {each["key"]: each for each in findings.listed(Text("en"), found, Cleaning(html=True))["kinds"]}
    assert (shown["html"]["count"], shown["html"]["fate_text"]) == ("120", "changed")
    assert (shown["empty"]["count"], shown["empty"]["fate_text"]) == ("1", "dropped")
    assert shown["duplicate"]["none"] and shown["duplicate"]["fate_text"] == ""
    assert "near_duplicate" not in shown


def test_uploads_are_kept_all_or_none(tmp_path, monkeypatch):
    folder = tmp_path / "sent"
    folder.mkdir()
    monkeypatch.setattr(uploads, "get_upload_folder", lambda: str(folder))
    (folder / "a.csv").write_text("question,answer\nq,a\n")
    (folder / "b").write_text("question,answer\nq2,a2\n")
    key = uploads.take([str(folder / "a.csv"), str(folder / "b")])
    assert key == "a.csv/b" and uploads.table(key).page().total == 2
    (folder / "c.csv").write_text("question,answer\nq,a\n")
    (folder / "d.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    with pytest.raises(NotATable):
        uploads.take([str(folder / "c.csv"), str(folder / "d.csv")])
    assert sorted(path.name for path in home.folder("uploads").iterdir()) == ["a.csv", "b"]
    for nothing in (None, [], "x", [7]):
        with pytest.raises(NotFound):
            uploads.take(nothing)
    offered = uploads.offered(Text("en"), key)
    assert offered["cards"][1]["title"] == "2 files together" and offered["cards"][1]["selected"]
    assert {card["title"] for card in offered["cards"][2:]} == {"a.csv", "b"}


@pytest.fixture
def made(source):
    convert.convert(source.path, datasets.place("健康 1"), cleaning=Cleaning(html=True))
    return datasets.load(datasets.place("健康 1"))


def test_a_data_set_is_downloaded_and_never_shown(made, tmp_path):
    app = FastAPI()
    app.add_api_route("/data/{name}/{file}", sets.download)
    with TestClient(app) as client:
        answer = client.get("/data/健康 1/train.json")
        assert answer.content == (made.path / "train.json").read_bytes()
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"
        for wrong in ("/data/健康 1/.train.json", "/data/nothing/train.json", "/data/..%2f..%2fa/train.json"):
            assert client.get(wrong).status_code == 404


def test_what_became_of_the_rows_is_told(made):
    t = Text("en")
    report = json.loads((made.path / "report.json").read_bytes())
    groups = sets._told(t, report)["groups"]
    assert [(group["title"], group["lines"][0]["rows"]) for group in groups] == [
        ("Why rows were dropped", "(rows 121)"),
        ("Rows that were changed", "(rows 1–120)"),
    ]
    card = sets._card(t, report)
    assert {"label": "Rows read", "value": "121"} in card["facts"] and card["sources"][0]["name"] == "a.csv"
    assert [each["name"] for each in sets._downloads(t, made)["files"]] == [*sets.FILES[:-1]]  # nobody judged
    assert sets._told(t, None) == {} and sets._downloads(t, None)["files"] == []
    assert datasets.account(made.path) == report


def test_a_set_made_from_votes_has_no_card():
    folder = feedback.write_rows(
        datasets.place("votes"), "preference", [{"prompt": "?", "chosen": "a", "rejected": "b"}]
    )
    assert datasets.report(folder) and datasets.account(folder) is None


def test_a_data_set_in_use_stays(made):
    assert sets._free(made) == made
    store.create({"model": "m", "data": str(made.path), "objective": "sft", "method": "lora"}, name="mine")
    with pytest.raises(Unsupported, match="mine"):
        sets._free(made)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_a_judge_chose_and_why(tmp_path, lang):
    """Each pair with its answers, verdict and reasons, page by page; nothing where nobody judged."""

    async def made() -> judgements.Fold:
        with gr.Blocks():
            return judgements.Fold(Text(lang), "x")

    fold = asyncio.run(made())
    assert fold.shown(tmp_path)[0]["visible"] is False and fold.turned(None, 0) == {}
    lines = [
        {"item": str(i), "order": order, "question": f"Q{i}", "first": "a", "second": "b" if i else "a"}
        | {"choice": choice, "reason": reason}
        for i in range(12)
        for order, choice, reason in ((0, "first", "<i>kind</i>"), (1, "second", "(no verdict) hm"))
    ]
    (tmp_path / "judgements.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    update, value = fold.shown(tmp_path)
    assert update["visible"] and (len(value["rows"]), value["total"]) == (10, 12)
    assert not value["rows"][0]["kept"] and value["rows"][0]["said"] == []
    second = value["rows"][1]
    assert second["kept"] and [each["chosen"] for each in second["answers"]] == [True, False]
    assert [each["choice"] for each in second["said"]] == ["A", "A"]
    assert second["said"][0]["reason"] == "<i>kind</i>" and "(no verdict)" not in second["said"][1]["reason"]
    assert [row["question"] for row in fold.turned(tmp_path, 10)["rows"]] == ["Q10", "Q11"]
    assert fold.turned(tmp_path, 500) == {}
