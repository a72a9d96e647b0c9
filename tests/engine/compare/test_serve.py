"""`python -m engine serve RUN` as other programs use it: the official OpenAI client, streaming and not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import openai
import pytest

ROOT = Path(__file__).resolve().parents[3]
GREEDY = {"temperature": 0, "max_tokens": 12}


@pytest.fixture(scope="module")
def served(workspace):
    env = {**os.environ, "TUNEDESK_HOME": str(workspace)}
    command = [sys.executable, "-m", "engine", "serve", "lora", "--port", "0", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    yield json.loads(process.stdout.readline())
    process.terminate()
    process.communicate()


@pytest.fixture
def client(served):
    with httpx.Client(trust_env=False, timeout=60) as http:
        yield openai.OpenAI(base_url=served["base_url"], api_key=served["api_key"], http_client=http, max_retries=0)


def user(text):
    return [{"role": "user", "content": text}]


def test_base_and_tuned_are_two_models(client, served):
    assert [model.id for model in client.models.list()] == served["models"] == ["base", "tuned"]
    said = [client.chat.completions.create(model=name, messages=user("你好！"), **GREEDY) for name in ("base", "tuned")]
    texts = [each.choices[0].message.content for each in said]
    assert texts[0] and texts[1] and texts[0] != texts[1]
    assert said[0].usage.completion_tokens <= 12 and said[0].choices[0].finish_reason in ("stop", "length")


def test_a_stream_says_the_same(client):
    whole = client.chat.completions.create(model="tuned", messages=user("How are you?"), **GREEDY)
    asked = {"model": "tuned", "messages": user("How are you?"), "stream": True, **GREEDY}
    chunks = list(client.chat.completions.create(**asked, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_errors_are_the_clients_own(client, served):
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="run:lora", messages=user("x"))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="tuned", messages=user("字" * 4000))
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()
