"""The generation process over real HTTP: protocol, token, hosts, death."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from engine.compare.chat import Chat
from engine.errors import InvalidFields, NotFound, ServerDied, TooLong
from engine.runs import store
from tests.engine.compare.conftest import TEMPLATE

GREEDY = {"temperature": 0, "max_tokens": 12}


def user(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(scope="module")
def chat(workspace):
    with Chat("fp32") as chat:
        yield chat


@pytest.fixture
def http(chat):
    """A plain client with the process' address and token."""
    chat.start()
    with httpx.Client(
        base_url=chat._client.base_url, headers=chat._client.headers, trust_env=False, timeout=60
    ) as client:
        yield client


def test_ask_gives_base_and_tuned(chat):
    both = chat.ask("lora", "你好！")
    assert both["base"] != both["tuned"]
    assert both == chat.ask("lora", "你好！")
    assert chat.ask("full", "你好！")["base"] == both["base"]
    assert chat.ask("lora", "你好！", seed=5) == chat.ask("lora", "你好！", seed=5) != both


def test_streamed_and_whole_completions_agree(http):
    body = {"model": "run:lora", "messages": user("How are you?"), **GREEDY}
    whole = http.post("/v1/chat/completions", json=body).json()
    assert whole["object"] == "chat.completion"
    usage = whole["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert whole["choices"][0]["finish_reason"] == "length"
    streamed = http.post("/v1/chat/completions", json={**body, "stream": True}).text
    lines = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == whole["choices"][0]["message"]["content"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_a_text_goes_on_over_the_wire(chat):
    begun, asked = chat.answers(
        ["base:run:full"] * 2, [[{"role": role, "content": "感冒"}] for role in ("text", "user")]
    )
    assert 0 < begun["prompt_tokens"] < asked["prompt_tokens"]


def test_asked_a_run_that_learnt_from_texts_goes_on(chat, workspace):
    run = shutil.copytree(workspace / "runs" / "full", workspace / "runs" / "pretrained")
    config = json.loads((run / "config.json").read_text("utf-8"))
    (run / "config.json").write_text(json.dumps({**config, "objective": "pretrain"}), encoding="utf-8")
    models = ["base:run:pretrained", "run:pretrained"]
    begun = chat.answers(models, [[{"role": "text", "content": "感冒"}]] * 2, temperature=0)
    both = chat.ask("pretrained", "感冒")
    assert [both["base"], both["tuned"]] == [answer["text"] for answer in begun]
    assert both != chat.ask("full", "感冒")
    shutil.rmtree(run)


def test_content_may_come_in_parts(http):
    body = {"model": "base:tiny", **GREEDY}
    parts = [{"role": "user", "content": [{"type": "text", "text": "你"}, {"type": "text", "text": "好"}]}]
    answers = [
        http.post("/v1/chat/completions", json={**body, "messages": messages}).json()["choices"]
        for messages in (parts, user("你好"))
    ]
    assert answers[0] == answers[1]


@pytest.fixture(scope="module")
def scoring(workspace, base):
    """The id of a run that made a reward model, and the model itself."""
    config = {"model": str(base), "objective": "reward", "method": "full", "training": {"max_length": 200}}
    run = store.create(config)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1).eval()
    tokenizer = AutoTokenizer.from_pretrained(base)
    for part in (model, tokenizer):
        part.save_pretrained(run.path / "final")
    (run.path / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    yield run.id, lambda talk: model(**tokenizer.apply_chat_template(talk, return_tensors="pt")).logits.item()
    shutil.rmtree(run.path)


def test_a_reward_model_scores_answers(chat, http, scoring):
    run, plain = scoring
    talks = [[*user("你好！"), {"role": "assistant", "content": said}] for said in ("你好！", "How are you? I am fine")]
    assert chat.scores(run, talks) == pytest.approx([plain(talk) for talk in talks], abs=1e-3)
    assert chat.scores(run, talks[1:]) == pytest.approx([plain(talks[1])], abs=1e-3)
    with pytest.raises(NotFound):
        chat.scores("lora", talks)
    assert f"run:{run}" not in [model["id"] for model in http.get("/v1/models").json()["data"]]


def test_models_are_listed(http):
    names = [model["id"] for model in http.get("/v1/models").json()["data"]]
    assert "run:lora" in names
    assert any(name.startswith("base:") and name.endswith("tiny") for name in names)


def test_a_wrong_token_is_refused(http):
    answer = http.get("/v1/models", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
    assert httpx.get(http.base_url.join("/v1/models"), trust_env=False).status_code == 401


def test_a_foreign_host_is_refused(http):
    assert http.get("/v1/models", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "run:nothing"}, 404, "NotFound"),
        ({"temperature": -1}, 400, "InvalidFields"),
        ({"messages": user("你好" * 300)}, 400, "TooLong"),
        ({"messages": []}, 400, None),
        ({"messages": "hello"}, 400, None),
    ],
)
def test_errors_come_as_openai_writes_them(http, change, status, code):
    body = {"model": "base:tiny", "messages": user("?"), **GREEDY, **change}
    for stream in (False, True):
        answer = http.post("/v1/chat/completions", json={**body, "stream": stream})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["type"]) == (status, code, "invalid_request_error")
        assert error["message"]


def test_errors_reach_the_client_as_they_were(chat):
    with pytest.raises(TooLong) as caught:
        list(chat.compare(["base:tiny"], [user("你好" * 300)], **GREEDY))
    assert caught.value.details["limit"] == 256 - 12
    assert "256" not in caught.value.text("zh") and "请缩短问题" in caught.value.text("zh")
    with pytest.raises(NotFound):
        chat.ask("nothing", "?")
    with pytest.raises(InvalidFields):
        list(chat.compare(["base:tiny"], [user("?")], temperature=99))


def test_stop_ends_an_answer(chat):
    ends = []
    for event in chat.compare(["base:tiny", "run:lora"], [user("你好！")] * 2, temperature=1, max_tokens=200):
        if "delta" in event and not ends:
            chat.stop()
        if "finish_reason" in event:
            ends.append(event["finish_reason"])
    assert ends == ["cancelled", "cancelled"]


def test_an_answer_nobody_listens_to_ends(chat):
    events = chat.compare(["base:tiny"], [user("你好！")], temperature=1, max_tokens=230)
    next(event for event in events if "delta" in event)
    events.close()
    assert chat.answers(["base:tiny"], [user("你好！")], **GREEDY)[0]["finish_reason"] == "length"


def test_after_its_death_the_next_question_is_answered(chat):
    before = chat.ask("lora", "你好！")
    process = chat._process
    process.send_signal(signal.SIGSTOP)  # so that the answer cannot be there before its end
    death = threading.Timer(0.5, process.kill)
    chat._client.event_hooks["request"].append(lambda _: death.start())
    with pytest.raises(ServerDied) as caught:
        list(chat.compare(["base:tiny"], [user("你好！")], **GREEDY))
    death.join()
    assert "SIGKILL" in str(caught.value)
    assert chat.ask("lora", "你好！") == before


def test_closing_gives_the_process_back_and_asking_starts_it_again(chat):
    chat.start()
    process = chat._process
    chat.close()
    assert process.poll() is not None
    assert chat.ask("lora", "你好！")["base"]


def test_it_ends_when_whoever_started_it_is_killed(workspace):
    program = (
        "from engine.compare.chat import Chat\nimport time\n"
        "chat = Chat()\nchat.start()\nprint(chat._process.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(600):
        if not _lives(pid):
            return
        time.sleep(0.1)
    pytest.fail("the generation process outlived its parent")


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_client_loads_no_torch():
    program = (
        "import sys, engine.compare.chat; print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_serve_offers_base_and_tuned_and_nothing_else(workspace):
    command = [sys.executable, "-m", "engine", "serve", "lora", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        where = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {where['api_key']}"}
        with httpx.Client(headers=headers, trust_env=False, timeout=60) as http:
            listed = http.get(f"{where['base_url']}/models").json()["data"]
            assert [model["id"] for model in listed] == ["base", "tuned"]
            said = []
            for model in ("base", "tuned"):
                body = {"model": model, "messages": user("你好！"), **GREEDY}
                answer = http.post(f"{where['base_url']}/chat/completions", json=body).json()
                said.append(answer["choices"][0]["message"]["content"])
            assert said[0] != said[1]
            body = {"model": "run:dora", "messages": user("你好！")}
            assert http.post(f"{where['base_url']}/chat/completions", json=body).status_code == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
