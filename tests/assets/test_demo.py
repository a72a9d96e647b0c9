"""The shipped demo: its generators, its files, and what its model says."""

import csv
import io
import json

import pytest

from assets.build import __main__ as build
from assets.build import corpus, medical, questions, tokenizer
from assets.build.characters import ALPHABET
from assets.build.corpus import plain
from engine import home
from engine.training import scratch

MODEL = home.DEMO_MODEL
DATA = home.DEMO_DATA.parent


@pytest.fixture(scope="module")
def table() -> list[list[str]]:
    return list(csv.reader(io.StringIO(home.DEMO_DATA.read_bytes().decode("gb18030"), newline="")))


@pytest.fixture(scope="module")
def shipped():
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@pytest.fixture(scope="module")
def answer():
    """Greedy answers of the shipped model."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, local_files_only=True)
    tokens = AutoTokenizer.from_pretrained(MODEL, local_files_only=True)

    def ask(question: str) -> str:
        messages = [{"role": "user", "content": question}]
        inputs = tokens.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        written = model.generate(**inputs, max_new_tokens=80, do_sample=False)
        return tokens.decode(written[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    return ask


def test_table_is_a_spreadsheet_of_unique_complete_rows(table):
    header, rows = table[0], table[1:]
    assert tuple(header) == medical.HEADER
    assert len(rows) >= 1500
    assert all(all(cell.strip() for cell in row) for row in rows)
    assert len({(row[2], row[3]) for row in rows}) == len(rows)


def test_every_row_is_about_another_pair_and_its_answer_names_it(table):
    pairs = [medical.terms(ask) for _, _, ask, _ in table[1:]]
    assert all(len(pair) == 2 for pair in pairs)
    assert len(set(pairs)) == len(pairs)
    assert all(term in row[3] for row, pair in zip(table[1:], pairs, strict=True) for term in pair)


def test_data_is_rebuilt_byte_for_byte(tmp_path):
    build.write_data(tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["everyday.jsonl", "everyday.txt", "medical.csv", "preferences.csv"]
    for name in written:
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_another_seed_gives_other_rows():
    assert medical.rows(1) == medical.rows(1)
    assert medical.rows(1) != medical.rows(2)


def test_corpus_is_deterministic_and_keeps_the_held_out_questions_out():
    documents = list(corpus.documents(3, 3000))
    assert documents == list(corpus.documents(3, 3000))
    held_out = {plain(question) for question, _ in questions.EVERYDAY}
    asked = {plain(turn.split("<|im_end|>")[0]) for text in documents for turn in text.split("<|im_start|>user\n")[1:]}
    assert not held_out & asked


def test_everyday_questions_are_question_and_answer_lines():
    rows = [json.loads(line) for line in (DATA / "everyday.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(questions.EVERYDAY)
    assert all(set(row) == {"question", "answer"} for row in rows)


def test_model_folder_is_small_and_says_what_it_is():
    assert home.size_of(MODEL) <= 16_000_000
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    assert "not medical advice" in card
    assert "不构成医疗建议" in card


def test_tokenizer_has_a_token_for_every_character_of_the_table(shipped, table):
    characters = {character for row in table for cell in row for character in cell}
    assert characters <= set(ALPHABET)
    assert all(len(shipped.encode(character, add_special_tokens=False)) == 1 for character in characters)


def test_tokenizer_is_rebuilt_byte_for_byte(tmp_path):
    scratch.write_tokenizer(tokenizer.build(corpus.documents(build.SEED, build.READ)), tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (MODEL / name).read_bytes(), name


@pytest.mark.parametrize(
    "text",
    ["糖尿病患者能吃西瓜吗？", "Where is the cat? It's 3.5 m away.", "混合 mixed 文本\n第二行", "生僻字：龘靐 😀"],
)
def test_tokenizer_round_trips(shipped, text):
    assert shipped.decode(shipped.encode(text).ids, skip_special_tokens=False) == text


def test_chat_template_adds_no_system_prompt(shipped):
    from transformers import AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(MODEL, local_files_only=True)
    turns = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "您好"}]
    text = tokens.apply_chat_template(turns, tokenize=False)
    assert text == "<|im_start|>user\n你好<|im_end|>\n<|im_start|>assistant\n您好<|im_end|>\n"
    assert tokens.eos_token == scratch.END
    assert tokens.pad_token == scratch.END_OF_TEXT


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("你好", "你好"),
        ("你是谁？", "模型"),
        ("香蕉是什么颜色的？", "黄色"),
        ("“高”的反义词是什么？", "矮"),
        ("法国的首都是哪里？", "巴黎"),
        ("狗怎么叫？", "汪汪"),
        ("谢谢", "不客气"),
        ("Who are you?", "model"),
        ("今天星期一，明天星期几？", "星期二"),
        ("小丽把钥匙放在抽屉里。钥匙在哪里？", "抽屉里"),
        ("猫用英语怎么说？", "cat"),
        ("What color is the sky?", "blue"),
    ],
)
def test_model_answers_everyday_questions(answer, question, expected):
    assert expected in answer(question)


def test_model_is_fluent_about_medicine_and_knows_none(answer):
    said = answer("糖尿病患者能吃西瓜吗？")
    assert "糖尿病" in said
    assert "西瓜" in said
    assert "血糖" not in said
