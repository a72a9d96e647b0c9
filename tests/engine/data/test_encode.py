"""Tokens and masks: the template's text exactly, the answers' tokens alone, the same in every path."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from engine.data import datasets, encode, formats, lengths, tokens
from engine.data.template import CHATML, ChatTemplate
from engine.errors import BadMapping, NotAModel

TEMPLATES = {
    "chatml": CHATML,
    "qwen": (
        "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
        "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "trimming": (
        "{{ bos_token }}{% for m in messages %}<{{ m['role'] }}>{{ m['content'] | trim }}"
        "{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    ),
    "generation": (
        "{% for m in messages %}{% if m['role'] == 'assistant' %}[A]{% generation %}{{ m['content'] + eos_token }}"
        "{% endgeneration %}{% else %}[U]{{ m['content'] }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}[A]{% endif %}"
    ),
    # Leaves the thinking of earlier turns out, as Qwen3 does.
    "thinking": (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{% if m['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
        "{{ m['content'].split('</think>')[-1] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
}
TALK = [
    {"role": "user", "content": "你好 hello"},
    {"role": "assistant", "content": "您好！😀 有什么可以帮您？"},
    {"role": "user", "content": "  blanks around  "},
    {"role": "assistant", "content": "好的。\n再见"},
]
ONE = [{"role": "user", "content": "感冒了怎么办？"}, {"role": "assistant", "content": "多喝水，\n注意保暖。"}]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a small byte-level tokenizer."""
    folder = tmp_path_factory.mktemp("model")
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([m["content"] for m in TALK + ONE] * 3, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<|endoftext|>", eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = TEMPLATES["qwen"]
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(model):
    return PreTrainedTokenizerFast.from_pretrained(model)


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("talk", [TALK, ONE], ids=["two turns", "one turn"])
def test_text_and_tokens_are_those_of_transformers(name, talk, tokenizer):
    template = TEMPLATES[name]
    ((ids, mask),) = encode.encode_chat(tokenizer, [talk], 4096, template)
    assert ids == tokenizer.apply_chat_template(talk, chat_template=template, return_dict=False)
    assert len(mask) == len(ids)
    prepared = tokens.Tokens.of(tokenizer, template)
    asked = prepared.template.render(talk[:-1], add_generation_prompt=True)
    assert asked == tokenizer.apply_chat_template(
        talk[:-1], chat_template=template, tokenize=False, add_generation_prompt=True
    )


@pytest.mark.parametrize(("name", "end"), [("chatml", "<|im_end|>"), ("qwen", "<|im_end|>"), ("trimming", "<|endoftext|>"), ("generation", "<|endoftext|>")])  # fmt: skip
def test_mask_covers_every_answer_and_its_end(name, end, tokenizer):
    ((ids, mask),) = encode.encode_chat(tokenizer, [TALK], 4096, TEMPLATES[name])
    counted = tokenizer.decode(np.array(ids)[mask].tolist())
    assert counted == f"{TALK[1]['content']}{end}{TALK[3]['content']}{end}"


def test_mask_where_the_template_rewrites(tokenizer):
    talk = [TALK[0], {"role": "assistant", "content": "<think>hm</think>好的"}, *ONE]
    ((ids, mask),) = encode.encode_chat(tokenizer, [talk], 4096, TEMPLATES["thinking"])
    counted = tokenizer.decode(np.array(ids)[mask].tolist())
    # The last turn's empty thought follows the prompt of a generation, so the model has to write it.
    assert counted == f"好的<|im_end|><think>\n\n</think>\n\n{ONE[1]['content']}<|im_end|>"


def test_cut_on_the_right(tokenizer):
    ((whole, mask),) = encode.encode_chat(tokenizer, [ONE], 4096)
    ((ids, cut),) = encode.encode_chat(tokenizer, [ONE], 12)
    assert (ids, cut) == (whole[:12], mask[:12])


def test_template_of_its_own_or_chatml(model, tokenizer, tmp_path):
    assert encode.chat_template(tokenizer) == TEMPLATES["qwen"]
    plain = PreTrainedTokenizerFast.from_pretrained(model)
    plain.chat_template = None
    assert encode.chat_template(plain) == CHATML
    no_marks = Tokenizer(models.WordLevel({"a": 0, "</s>": 1}, unk_token="a"))
    bare = PreTrainedTokenizerFast(tokenizer_object=no_marks, eos_token="</s>")
    assert ChatTemplate(encode.chat_template(bare), bare.special_tokens_map).render(ONE).endswith("注意保暖。</s>\n")


def test_documents(tokenizer):
    blocks = encode.encode_text(tokenizer, ["一二三四五六七八九十" * 3, "短"], 16)
    assert max(len(ids) for ids, _ in blocks) <= 16
    # Nothing stands before the first token of a block to guess it from.
    assert all(mask == [False] + [True] * (len(ids) - 1) for ids, mask in blocks)
    together = [i for ids, _ in blocks for i in ids]
    assert tokenizer.decode(together) == "一二三四五六七八九十" * 3 + "<|endoftext|>短<|endoftext|>"
    # An end that would stand alone in a block teaches nothing.
    whole = tokenizer("一二三四五六七八九十")["input_ids"]
    assert [ids for ids, _ in encode.encode_text(tokenizer, ["一二三四五六七八九十"], len(whole))] == [whole]


ROWS = [{"question": f"问题{i}？", "answer": "答" * (i % 7) + f"{i}"} for i in range(2500)]


@pytest.fixture
def data(tmp_path):
    for split, rows in (("train", ROWS), ("val", ROWS[:3])):
        (tmp_path / f"{split}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_encoded_is_kept_by_content(data, model, tokenizer):
    seen = []
    made = encode.encoded(data, "train", tokenizer, model, "qa", 512, progress=lambda *n: seen.append(n))
    assert len(made) == 2500 and (made.cut, made.skipped) == (0, 0) and seen[-1] == (2500, 2500)
    for i in (0, 999, 1000, 2499):
        ((ids, mask),) = encode.encode_chat(tokenizer, [formats.examples(ROWS[i], "qa")], 512)
        assert made.ids(i).tolist() == ids and made.mask(i).astype(bool).tolist() == mask
        assert made.lengths[i] == len(ids) and made.answer_lengths[i] == sum(mask) and made.source[i] == i
    seen.clear()
    again = encode.encoded(data, "train", tokenizer, model, "qa", 512, progress=lambda *n: seen.append(n))
    assert not seen and np.array_equal(again.flat_ids, made.flat_ids)
    other = encode.encoded(data, "train", tokenizer, model, "qa", 512, template=TEMPLATES["chatml"])
    assert len(other.flat_ids) < len(made.flat_ids)
    (data / "train.json").write_text(json.dumps(ROWS[5]) + "\n")
    assert len(encode.encoded(data, "train", tokenizer, model, "qa", 512)) == 1


def test_rows_without_an_answer_left_are_counted(data, model, tokenizer):
    ((_, mask),) = encode.encode_chat(tokenizer, [formats.examples(ROWS[0], "qa")], 512)
    made = encode.encoded(data, "val", tokenizer, model, "qa", mask.index(True) + 1)
    assert made.cut == 3 and len(made) + made.skipped == 3
    gone = encode.encoded(data, "val", tokenizer, model, "qa", 4)
    assert (len(gone), gone.skipped, gone.cut) == (0, 3, 3)


def test_a_template_that_refuses_names_the_row(tokenizer):
    template = "{% for m in messages %}{% if m['content'] == 'bad' %}{{ raise_exception('not this') }}{% endif %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(BadMapping, match="row 2"):
        encode.encode_chat(tokenizer, [ONE, [{"role": "user", "content": "bad"}, ONE[1]]], 99, template)


@pytest.mark.parametrize("row", [{"question": "你好😀", "answer": "好的。\n👨‍👩‍👧"}, {"question": "a", "answer": " b"}])
def test_the_interface_shows_what_training_sees(row, model, tokenizer):
    """The light path, without transformers, and the training path."""
    told = encode.samples(model, row, "qa")["answer"]
    pieces = told["pieces"]
    messages = formats.examples(row, "qa")
    assert "".join(piece["text"] for piece in pieces) == tokenizer.apply_chat_template(messages, tokenize=False)
    ((ids, mask),) = encode.encode_chat(tokenizer, [messages], 4096)
    light = tokens.read(model)
    (encoding,) = light.encodings([encode.text_of(light, messages)])
    assert encoding.ids == ids and (told["tokens"], told["counted"]) == (len(ids), sum(mask))
    counted = "".join(piece["text"] for piece in pieces if piece["counted"])
    assert counted == tokenizer.decode(np.array(ids)[mask].tolist()) == f"{row['answer']}<|im_end|>"
    assert [p["text"] for p in pieces if p["special"]] == ["<|im_start|>", "<|im_end|>"] * 3


def test_what_is_cut_and_both_answers_of_a_pair_are_shown(model, tokenizer):
    row = {"prompt": "问？", "chosen": "好的回答。", "rejected": "差"}
    told = encode.samples(model, row, "preference", max_length=12)
    assert list(told) == ["chosen", "rejected"]
    pieces = told["chosen"]["pieces"]
    seen = "".join(piece["text"] for piece in pieces if not piece["cut"])
    messages = formats.conversations(row, "preference")["chosen"]
    ((ids, _),) = encode.encode_chat(tokenizer, [messages], 12)
    assert seen == tokenizer.decode(ids) and any(piece["cut"] for piece in pieces)
    counted = "".join(piece["text"] for piece in told["rejected"]["pieces"] if piece["counted"])
    assert counted == "差<|im_end|>"
    assert list(encode.samples(model, {"text": "一段"}, "text")) == ["text"]
    longest = lengths.token_lengths([row], "preference", model)
    assert longest["max"] == told["chosen"]["tokens"]


def test_token_lengths_are_those_of_training(data, model, tokenizer):
    made = encode.encoded(data, "val", tokenizer, model, "qa", 512)
    told = lengths.token_lengths(datasets.rows(data / "val.json"), "qa", model, max_length=int(made.lengths.max()) - 1)
    assert (told["max"], told["rows"]) == (made.lengths.max(), 3)
    assert told["over"] == (made.lengths == made.lengths.max()).mean()


def test_folder_without_a_tokenizer(tmp_path):
    with pytest.raises(NotAModel, match=r"tokenizer\.json"):
        encode.samples(tmp_path, ROWS[0], "qa")


def test_qwen_tokenizer(test_data):
    from transformers import AutoTokenizer

    folder = test_data / "qwen2-tokenizer"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for talk in (ONE, TALK):
        ((ids, _),) = encode.encode_chat(tokenizer, [talk], 4096)
        assert ids == tokenizer.apply_chat_template(talk, return_dict=False)
        assert tokens.read(folder).encodings([tokens.read(folder).template.render(talk)])[0].ids == ids
