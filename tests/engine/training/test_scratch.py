"""A model from nothing: what transformers would begin with, and pre-training makes its loss fall."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.errors import Exists, NoRows, Unsupported
from engine.home import DEMO_MODEL
from engine.training import scratch
from engine.training.scratch import ScratchParams
from tests.engine.training import plain
from tests.engine.training.objectives import of, trained, write

TEXTS = [{"text": f"第{i}天，小明在公园里看见了{i}只鸟，它们唱歌。"} for i in range(60)]
TINY = ScratchParams(size="tiny", vocab_size=400)


@pytest.fixture
def texts(workspace):
    return write(workspace / "data" / "texts", "text", TEXTS[:50], TEXTS[50:])


def test_it_loads_as_transformers_own_and_reads_any_text(texts):
    made = scratch.create("new", TINY, text="texts")
    model, told = AutoModelForCausalLM.from_pretrained(made, output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"] and not told["mismatched_keys"]
    tokenizer = AutoTokenizer.from_pretrained(made)
    assert 259 < len(tokenizer) == model.config.vocab_size <= 400
    assert tokenizer.decode(tokenizer("龘 any text 🙂")["input_ids"]) == "龘 any text 🙂"
    weights = model.model.layers[0].mlp.up_proj.weight.detach().numpy()
    assert np.std(weights) == pytest.approx(scratch.DEVIATION, rel=0.02)
    assert float(model.model.layers[1].self_attn.q_proj.bias.detach().abs().sum()) == 0


def test_pre_training_it_lowers_the_loss(texts):
    made = scratch.create("new", TINY, text="texts")
    settings = {"max_steps": 20, "batch_size": 8, "learning_rate": 3e-3, "precision": "fp32", "warmup_steps": 0}
    _, events = trained(made, texts, "pretrain", "full", **settings)
    losses = [event["loss"] for event in of("step", events)]
    # Nothing is known at first: every token is as likely as any other.
    model, tokenizer = AutoModelForCausalLM.from_pretrained(made), AutoTokenizer.from_pretrained(made)
    assert losses[0] == pytest.approx(np.log(model.config.vocab_size), abs=0.2)
    assert losses[-1] < losses[0] - 1
    # As by the loop of any tutorial, a padded row a text: nothing is seen of other texts in a pack.
    theirs, _ = plain.loop(made, texts, "full", params={}, steps=20, batch_size=8, learning_rate=3e-3, read=plain.texts)
    assert losses == pytest.approx(theirs, abs=1e-5)
    # The mean over the guessed tokens, as transformers has it.
    total = guessed = 0
    for row in TEXTS[50:]:
        ids = tokenizer(row["text"] + tokenizer.eos_token, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            total += model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
        guessed += ids.shape[1] - 1
    assert of("eval", events)[0]["eval_loss"] == pytest.approx(total / guessed, rel=1e-5)


def test_a_tokenizer_can_be_taken(workspace):
    made = scratch.create("like-demo", TINY, like="demo-model")
    assert (made / "tokenizer.json").read_bytes() == (DEMO_MODEL / "tokenizer.json").read_bytes()
    assert AutoModelForCausalLM.from_pretrained(made).config.eos_token_id is not None


def test_what_cannot_be_made_is_refused_and_leaves_nothing(texts, workspace):
    scratch.create("new", TINY, text="texts")
    with pytest.raises(Exists):
        scratch.create("new", TINY, text="texts")
    with pytest.raises(Unsupported):
        scratch.create("../new", TINY, text="texts")
    empty = write(workspace / "data" / "empty", "text", [{"text": " "}], [])
    with pytest.raises(NoRows):
        scratch.create("nothing", TINY, text=empty.name)
    assert [each.name for each in (workspace / "models").iterdir()] == ["new"]
