"""What stands under base and tuned is what plain transformers and PEFT answer, however the columns are combined."""

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from engine import hardware
from engine.compare.desk import Desk
from engine.compare.settings import GenerationParams
from engine.data import encode
from engine.errors import NotFound, TooLong
from engine.runs import store

# PEFT says this of its own generate.
pytestmark = pytest.mark.filterwarnings("ignore:Position ids are not supported:UserWarning")

METHODS = [
    "lora",
    "lora_mlp",
    "dora",
    "adalora",
    "ia3",
    "ln_tuning",
    "prompt_tuning",
    "p_tuning",
    "prefix_tuning",
    "full",
]
QUESTION = "感冒了怎么办？"
GREEDY = GenerationParams(temperature=0, max_tokens=24)


def user(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def desk(workspace):
    return Desk("fp32")


def answers(desk, names, conversations, params=GREEDY, cancelled=lambda: False):
    said = [{"text": ""} for _ in names]
    for event in desk.compare(names, conversations, params, cancelled):
        said[event["index"]]["text"] += event.get("delta", "")
        said[event["index"]].update(event)
    return said


def texts(desk, names, conversations, params=GREEDY):
    return [answer["text"] for answer in answers(desk, names, conversations, params)]


def reference(base, method, conversation, quantisation=None, **settings):
    """What transformers' own `generate` answers, with the model alone in the world; a text it goes on with."""
    final = store.find(method).path / "final" if method else base
    model = AutoModelForCausalLM.from_pretrained(
        final if method == "full" else base, dtype=torch.float32, quantization_config=quantisation
    )
    if method and method != "full":
        model = PeftModel.from_pretrained(model, final)
    tokenizer = AutoTokenizer.from_pretrained(base)
    if isinstance(conversation, str):
        inputs = tokenizer(conversation, return_tensors="pt")
    else:
        inputs = tokenizer.apply_chat_template(
            conversation, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
    ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")]
    settings = {"max_new_tokens": 24, "do_sample": False, "eos_token_id": ends, "pad_token_id": ends[0]} | settings
    with torch.no_grad():
        out = model.eval().generate(**inputs, **settings)
    return tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)


def test_a_text_is_gone_on_with(desk, base):
    text = "感冒的人多喝"
    pair = texts(desk, ["base:run:full", "run:full"], [[{"role": "text", "content": text}]] * 2)
    assert pair == [reference(base, None, text), reference(base, "full", text)]
    assert pair[0] != texts(desk, ["base:run:full"], [user(text)])[0]


@pytest.mark.parametrize("method", METHODS)
def test_compared_answers_equal_those_alone(desk, base, method):
    conversation = user(QUESTION)
    pair = texts(desk, [f"base:run:{method}", f"run:{method}"], [conversation] * 2)
    assert pair == [reference(base, None, conversation), reference(base, method, conversation)]
    assert pair[0] != pair[1]


def test_many_models_and_different_questions_in_one_batch(desk, base):
    names = ["run:lora", f"base:{base}", "run:prefix_tuning", "run:prompt_tuning"]
    questions = [
        user(text) for text in ("你好！", "How are you? I am fine.", QUESTION, "糖尿病患者能吃西瓜吗？多休息。")
    ]
    methods = ["lora", None, "prefix_tuning", "prompt_tuning"]
    expected = [reference(base, method, question) for method, question in zip(methods, questions, strict=True)]
    assert texts(desk, names, questions) == expected


def test_two_loras_of_different_targets_share_a_batch(desk, base):
    found = texts(desk, ["run:lora_mlp", "base:tiny", "run:lora"], [user(QUESTION)] * 3)
    assert found == [reference(base, method, user(QUESTION)) for method in ("lora_mlp", None, "lora")]


def test_repetition_penalty_as_in_transformers(desk, base):
    params = GenerationParams(temperature=0, max_tokens=24, repetition_penalty=1.3)
    expected = reference(base, "lora", user(QUESTION), repetition_penalty=1.3)
    assert texts(desk, ["run:lora"], [user(QUESTION)], params) == [expected]


def test_a_quantised_run_shares_its_quantised_base(desk, base):
    pair = texts(desk, ["base:run:qlora", "run:qlora"], [user(QUESTION)] * 2)
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    alone = [reference(base, method, user(QUESTION), quantisation=quantisation) for method in (None, "qlora")]
    assert pair == alone
    assert pair[0] != reference(base, None, user(QUESTION))


def test_every_adapter_leaves_the_weights_of_the_base_alone(desk, base):
    pristine = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).state_dict()
    for method in METHODS[:-1]:
        texts(desk, ["base:tiny", "run:lora", f"run:{method}"], [user("你好！")] * 3)
    held = next(
        b for key, b in desk._shelf._bases.items() if key[0] == str(base) and key[-1] is None
    ).model.state_dict()
    assert held.keys() == pristine.keys()
    assert all(torch.equal(held[name], pristine[name]) for name in pristine)


def test_a_seed_decides_and_neighbours_do_not(desk):
    params = GenerationParams(temperature=1.2, top_p=0.95, max_tokens=24, seed=7)
    alone = texts(desk, ["run:lora"], [user(QUESTION)], params)
    beside = texts(
        desk, ["base:tiny", "run:lora", "run:prefix_tuning"], [user("你好！"), user(QUESTION), user("?")], params
    )
    assert beside[1] == alone[0]
    assert texts(desk, ["run:lora"], [user(QUESTION)], params.model_copy(update={"seed": 8})) != alone


def test_bases_that_do_not_fit_together_answer_one_after_the_other(desk, monkeypatch):
    names, asked = ["base:tiny", "run:full"], [user(QUESTION), user(QUESTION)]

    def order(answering):
        events = answering.compare(names, asked, GREEDY, lambda: False)
        return [event["index"] for event in events if "phase" not in event]

    together = order(desk)
    assert together != sorted(together)
    monkeypatch.setattr(hardware, "free_memory", lambda device: 0)
    crowded = Desk("fp32")
    assert order(crowded) == sorted(together)
    assert texts(crowded, names, asked) == texts(desk, names, asked)


def test_the_next_turn_takes_up_what_was_read(desk, base, monkeypatch):
    from engine.compare import generate

    started = []
    take_up = generate.Batch._take_up
    monkeypatch.setattr(generate.Batch, "_take_up", lambda self, row: started.append(take_up(self, row)) or started[-1])
    for name, method in (("base:tiny", None), ("run:prefix_tuning", "prefix_tuning"), ("run:lora", "lora")):
        first = user("How are you?")
        (said,) = texts(desk, [name], [first])
        second = [*first, {"role": "assistant", "content": said}, *user("你好！")]
        started.clear()
        assert texts(desk, [name], [second]) == [reference(base, method, second)]
        assert started[0] > 20  # the first question, at least, was not read again
        assert texts(desk, [name], [second]) == [reference(base, method, second)]
        assert started[1] == started[0]  # asked again, computed again in the same way


def test_a_stop_text_ends_the_answer_before_it(desk):
    (whole,) = texts(desk, ["base:tiny"], [user(QUESTION)])
    stop = whole[6:8]
    cut = answers(desk, ["base:tiny"], [user(QUESTION)], GREEDY.model_copy(update={"stop": (stop,)}))[0]
    assert cut["text"] == whole[: whole.index(stop)]
    assert cut["finish_reason"] == "stop"


def test_cancelling_keeps_what_was_said(desk):
    count = iter(range(100))
    cut = answers(desk, ["base:tiny", "run:dora"], [user(QUESTION)] * 2, cancelled=lambda: next(count) > 20)
    assert [answer["finish_reason"] for answer in cut] == ["cancelled"] * 2
    assert all(answer["text"] for answer in cut)


def test_a_question_longer_than_the_context_is_refused_with_its_length(desk):
    with pytest.raises(TooLong) as caught:
        texts(desk, ["base:tiny"], [user("你好" * 200)])
    assert caught.value.details["limit"] == 256 - 24
    (cut,) = answers(desk, ["base:tiny"], [user("你好")], GenerationParams(temperature=0))
    assert cut["prompt_tokens"] + cut["tokens"] <= 256


def test_unknown_names(desk):
    for name in ("run:nothing", "tiny", "run:lora@7"):
        with pytest.raises(NotFound):
            texts(desk, [name], [user("?")])


@pytest.mark.parametrize("method", [None, "lora", "dora", "prompt_tuning", "prefix_tuning"])
def test_losses_are_those_of_a_plain_loop(desk, base, method):
    conversations = [
        [*user("你好！"), {"role": "assistant", "content": "你好！多休息。"}],
        [*user(QUESTION), {"role": "assistant", "content": "多喝水，多休息。I am fine."}],
        [*user("a"), {"role": "assistant", "content": "b"}, *user("c"), {"role": "assistant", "content": "d e"}],
    ]
    name = f"run:{method}" if method else "base:tiny"
    found = sorted(desk.losses(name, conversations, 200, lambda: False), key=lambda event: event["index"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if method:
        model = PeftModel.from_pretrained(model, store.find(method).path / "final")
    tokenizer = AutoTokenizer.from_pretrained(base)
    for event, messages in zip(found, conversations, strict=True):
        ((ids, mask),) = encode.encode_chat(tokenizer, [messages], 200)
        labels = torch.tensor([[i if yes else -100 for i, yes in zip(ids, mask, strict=True)]])
        with torch.no_grad():
            loss = model.eval()(input_ids=torch.tensor([ids]), labels=labels).loss
        assert event["tokens"] == sum(mask)
        assert event["loss"] / event["tokens"] == pytest.approx(float(loss), rel=1e-5)


def test_many_questions_in_one_batch_are_answered_as_alone(desk, base):
    questions = [user(text) for text in ("你好！", QUESTION, "龘" * 100, "How are you?")]
    events = list(desk.answers("run:lora", questions, GenerationParams(temperature=0), 24, lambda: False))
    said = {event["index"]: event["text"] for event in events}
    assert said[2] is None  # too long for the context
    assert [said[i] for i in (0, 1, 3)] == [reference(base, "lora", questions[i]) for i in (0, 1, 3)]
