"""Judges: both orders decide, nothing judged is lost or paid for twice, and an endpoint's faults are borne."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.__main__ import main
from engine.compare import feedback, judge, judgements, judges
from engine.compare.judge import JudgeParams
from engine.compare.judges import FIRST, SECOND, TIE, Remote, Verdict
from engine.compare.judging import Judging
from engine.errors import NetworkFailed, Unsupported
from engine.training import config as configs
from tests.tiny import make_data, make_model

KEY = "sk-never-written-anywhere"
HANGS_UP, SAYS_NOTHING = -1, -2


@pytest.fixture(autouse=True)
def _workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))


class Answers:
    """Answers long with the one seed and short with the other."""

    def __init__(self):
        self.asked = 0

    def batch(self, model, conversations, longest, *, seed, **settings):
        for index, talk in enumerate(conversations):
            self.asked += 1
            yield {"index": index, "text": f"{talk[-1]['content']}{'!' * (1 + 3 * (seed % 2))}"}


class Alike(Answers):
    """Answers to every second question otherwise with the seed `other` than with the rest, and to no question without."""

    def __init__(self, other=None):
        super().__init__()
        self.other, self.seeds = other, []

    def batch(self, model, conversations, longest, *, seed, **settings):
        self.seeds.append(seed)
        for event in super().batch(model, conversations, longest, seed=0, **settings):
            odd = seed == self.other and event["index"] % 2 == 0
            yield event | {"text": "otherwise" if odd else event["text"]}


class Prefers:
    """A judge that is a function of the two answers."""

    def __init__(self, choose, fails_at=None):
        self.choose, self.fails_at, self.calls = choose, fails_at, 0

    def verdict(self, question, first, second):
        self.calls += 1
        if self.calls == self.fails_at:
            raise NetworkFailed(host="judge", reason="gone")
        return Verdict(self.choose(first, second), "because", 10, 2)


def longer(first, second):
    return FIRST if len(first) > len(second) else SECOND


def judging(tmp_path, chosen, answers=None, tell=lambda *_, **__: None, **params):
    data = make_data(tmp_path / "data" / "foods", train=8, val=0)
    job = tmp_path / "job"
    job.mkdir(exist_ok=True)
    config = {
        "model": "m",
        "asked": "base:m",
        "data": str(data),
        "judge": "x",
        "out": str(tmp_path / "data" / "judged"),
        "params": JudgeParams(**params).model_dump(),
        "then": None,
    }
    return Judging(job, config, answers or Answers(), chosen, tell)


def test_what_is_preferred_in_both_orders_becomes_a_pair(tmp_path):
    result = judging(tmp_path, Prefers(longer), prompt_price=1.0, completion_price=2.0).run()
    assert (result["pairs"], result["ties"], result["position_bias"]) == (8, 0, 0)
    assert result["prompt_tokens"] == 160 and result["cost"] == pytest.approx((160 + 2 * 32) / 1e6)
    rows = [json.loads(line) for line in (tmp_path / "data" / "judged" / "train.json").read_text().splitlines()]
    assert all(len(row["chosen"]) > len(row["rejected"]) for row in rows)
    said, total = judgements.page(tmp_path / "data" / "judged", 6, 10)
    assert total == 8 and [each.question for each in said] == [row["prompt"] for row in rows[6:]]
    for each, row in zip(said, rows[6:], strict=True):
        kept = (each.first, each.second) if each.outcome == FIRST else (each.second, each.first)
        assert kept == (row["chosen"], row["rejected"])
        assert each.said == ((each.outcome, "because"),) * 2


def test_a_judge_that_always_says_the_first_leaves_nothing_and_it_is_said(tmp_path):
    result = judging(tmp_path, Prefers(lambda first, second: FIRST)).run()
    assert (result["pairs"], result["ties"], result["position_bias"]) == (0, 8, 1)
    assert "by position" in result["note"].en and "100%" in result["note"].zh
    assert not (tmp_path / "data" / "judged" / "train.json").exists()
    said, total = judgements.page(tmp_path / "data" / "judged", 0, 100)
    assert {each.outcome for each in said} == {judgements.BY_PLACE} and total == 8
    # In either order it takes the one in front.
    assert {tuple(choice for choice, _ in each.said) for each in said} == {(FIRST, SECOND)}


def test_a_question_answered_the_same_twice_is_answered_again(tmp_path):
    answers, judge = Alike(other=44), Prefers(lambda first, second: FIRST)
    result = judging(tmp_path, judge, answers).run()
    # Eight questions twice, all of them a third time, and those still the same a fourth.
    assert answers.seeds == [42, 43, 44, 45] and answers.asked == 8 + 8 + 8 + 4
    assert (result["pairs"], result["ties"], result["same"], result["judged"]) == (0, 8, 4, 4) and judge.calls == 8
    # Of the pairs that were judged, not of all.
    assert result["position_bias"] == 1 and "100%" in result["note"].en
    judging(tmp_path, judge, answers).run()
    assert answers.asked == 28 and judge.calls == 8


def test_answers_that_never_differ_leave_nothing_and_it_is_said(tmp_path):
    judge = Prefers(longer)
    result = judging(tmp_path, judge, Alike()).run()
    assert (result["pairs"], result["same"], result["position_bias"], judge.calls) == (0, 8, 0, 0)
    assert "temperature" in result["note"].en and "nothing to judge" in result["note"].en


def test_ties_are_dropped(tmp_path):
    result = judging(tmp_path, Prefers(lambda first, second: TIE)).run()
    assert (result["pairs"], result["position_bias"]) == (0, 0)
    assert "no difference" in result["note"].en


def test_what_is_broken_off_goes_on_without_asking_twice(tmp_path):
    answers, broken = Answers(), Prefers(longer, fails_at=6)
    with pytest.raises(NetworkFailed):
        judging(tmp_path, broken, answers).run()
    assert judgements.page(tmp_path / "job", 0, 100)[1] == 2  # and one in one order
    # As a crash leaves it: the last line cut short.
    with open(tmp_path / "job" / "judgements.jsonl", "ab") as file:
        file.write(b'{"item": "2", "or')
    again = Prefers(longer)
    result = judging(tmp_path, again, answers).run()
    assert answers.asked == 16 and broken.calls - 1 + again.calls == 16
    assert result["pairs"] == 8


def test_agreement_with_votes(tmp_path):
    for verdict in ("left", "left", "both_good"):
        made = feedback.begin("?", ("base:a", "run:b"), {})
        feedback.complete(made.id, "long answer", "short")
        feedback.vote(made.id, verdict)
    made = feedback.begin("?", ("base:a", "run:b"), {})
    feedback.complete(made.id, "short", "a longer one")
    feedback.vote(made.id, "left")
    assert judging(tmp_path, Prefers(longer)).run()["agreement"] == pytest.approx(2 / 3, abs=1e-3)
    said, _ = judgements.page(tmp_path / "job", 0, 100)
    assert [each.outcome for each in said if each.vote] == [FIRST, FIRST, SECOND]


def test_no_agreement_is_told_where_the_judge_has_no_verdict(tmp_path):
    made = feedback.begin("?", ("base:a", "run:b"), {})
    feedback.complete(made.id, "long answer", "short")
    feedback.vote(made.id, "left")
    assert judging(tmp_path, Prefers(lambda first, second: TIE)).run()["agreement"] is None


def test_texts_are_no_questions(tmp_path):
    folder = tmp_path / "data" / "texts"
    folder.mkdir(parents=True)
    (folder / "train.json").write_text('{"text": "x"}\n')
    with pytest.raises(Unsupported):
        judge.begin("demo-model", "texts", "demo-model", tmp_path / "data" / "out", JudgeParams())


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ('{"reason": "clear", "verdict": "A"}', FIRST),
        ('Sure!\n```json\n{"verdict": "b", "reason": ""}\n```', SECOND),
        ('{"verdict": "tie"}', TIE),
        ("A is better", TIE),
        ('{"verdict": 7}', TIE),
        ("", TIE),
    ],
)
def test_what_a_judge_says_is_read(said, choice):
    assert judges.read(said).choice == choice


@pytest.fixture
def endpoint(monkeypatch):
    """A server on loopback that speaks the OpenAI chat protocol: `(url, script, asked)`; each request takes the next
    `(status, headers, body)` of the script, the last one again and again. With HANGS_UP or SAYS_NOTHING for a status it
    does that."""
    script, asked, over = [], [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.headers["authorization"], body))
            status, headers, said = script.pop(0) if len(script) > 1 else script[0]
            if status == SAYS_NOTHING:
                over.wait()
            if status in (HANGS_UP, SAYS_NOTHING):
                return
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(judges.KEY, KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}/v1", script, asked
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def says(text, usage=True):
    counted = {"usage": {"prompt_tokens": 7, "completion_tokens": 3}} if usage else {}
    return 200, {}, {"choices": [{"message": {"role": "assistant", "content": text}}], **counted}


GOOD = says('{"reason": "it is right", "verdict": "A"}')


@pytest.mark.parametrize(
    ("faults", "waits"),
    [
        ([(429, {"retry-after": "7"}, {})], [7.0]),
        ([(500, {}, {}), (503, {}, {})], [1.0, 2.0]),
        ([(HANGS_UP, {}, b"")], [1.0]),
        ([(200, {}, b"{not json")], [1.0]),
    ],
)
def test_an_endpoint_that_recovers_is_asked_again(endpoint, faults, waits):
    url, script, asked = endpoint
    script += [*faults, GOOD]
    slept = []
    with Remote(url, "m", "be fair", sleep=slept.append) as remote:
        assert remote.verdict("?", "a", "b") == Verdict(FIRST, "it is right", 7, 3)
    assert slept == waits
    assert {key for key, _ in asked} == {f"Bearer {KEY}"}
    assert "be fair" in asked[0][1]["messages"][0]["content"]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_endpoint_that_fails_ends_it_without_telling_the_key(endpoint, status):
    url, script, _ = endpoint
    script.append((status, {}, {"error": f"bad key {KEY}"}))
    with Remote(url, "m", "", sleep=lambda _: None) as remote, pytest.raises(NetworkFailed) as caught:
        remote.verdict("?", "a", "b")
    assert KEY not in repr(caught.value.record()) + str(caught.value)
    assert str(status) in str(caught.value)


def test_an_answer_without_a_verdict_is_asked_for_once_more_and_then_a_tie(endpoint):
    url, script, asked = endpoint
    script.append(says("I like both."))
    with Remote(url, "m", "") as remote:
        found = remote.verdict("?", "a", "b")
    assert found.choice == TIE and "I like both." in found.reason
    assert len(asked) == 2 and found.prompt_tokens == 14


def test_silence_is_borne_and_then_told(endpoint):
    with Remote("http://127.0.0.1:9/v1", "m", "", sleep=lambda _: None) as remote, pytest.raises(NetworkFailed):
        remote.verdict("?", "a", "b")


def test_an_endpoint_that_takes_too_long_is_asked_again(endpoint):
    url, script, asked = endpoint
    script += [(SAYS_NOTHING, {}, b""), GOOD]
    slept = []
    with Remote(url, "m", "", timeout=1.0, sleep=slept.append) as remote:
        assert remote.verdict("?", "a", "b").choice == FIRST
    assert slept == [1.0] and len(asked) == 2


def test_what_a_judge_on_the_network_has_taken_is_told_on_the_way(tmp_path, endpoint):
    url, script, _ = endpoint
    script.append(GOOD)
    told = []

    def tell(phase, done, total, **facts):
        told.append((done, facts))

    with Remote(url, "m", "") as remote:
        judging(tmp_path, remote, tell=tell, prompt_price=1.0, completion_price=2.0).run()
    assert (3, {"prompt_tokens": 21, "completion_tokens": 9, "cost": 39e-6}) in told


def test_the_key_is_nowhere_on_disk(endpoint, tmp_path):
    url, script, _ = endpoint
    script.append(GOOD)
    with Remote(url, "m", "") as remote:
        judging(tmp_path, remote).run()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_a_job_that_breaks_off_goes_on_where_it_was_and_the_key_is_nowhere_on_disk(endpoint, tmp_path, capsys):
    url, script, asked = endpoint
    make_model(tmp_path / "models" / "tiny")
    make_data(tmp_path / "data" / "foods", train=2, val=0)
    script += [GOOD, (401, {}, {"error": f"bad key {KEY}"}), GOOD]
    out = tmp_path / "data" / "judged"
    parts = ["judge", "--model", "tiny", "--data", "foods", "--judge", url, "--out", str(out), "--json"]
    assert main([*parts, "--set", "max_tokens=8", "--set", "prompt_price=1"]) == 1
    broken = json.loads(capsys.readouterr().out)
    assert (broken["status"], broken["error"]) == ("failed", "NetworkFailed")
    assert main(["resume", broken["job"], "--json"]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert (result["judged"], result["position_bias"], result["prompt_tokens"]) == (2, 1.0, 28)
    assert len(asked) == 5 and "cost 2.8e-05" in printed.err
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "worker.log" for file in files)
    assert all(KEY.encode() not in file.read_bytes() for file in files)


def test_the_run_that_follows_is_queued(tmp_path):
    data = make_data(tmp_path / "data" / "foods", train=4, val=0)
    (tmp_path / "data" / "judged").mkdir()
    rows = '{"prompt": "?", "chosen": "a", "rejected": "b"}\n'
    (tmp_path / "data" / "judged" / "train.json").write_text(rows)
    then = {"method": "lora", "settings": {"num_train_epochs": 1}, "name": "chain"}
    job = judge.begin("demo-model", str(data), "demo-model", tmp_path / "data" / "judged", JudgeParams(), then)
    run = judge.follow_up(job.config)
    assert configs.load(run.config).objective == "dpo" and run.card["name"] == "chain"
    assert run.status()["state"] == "queued"
    assert run.config["training"]["num_train_epochs"] == 1


def test_few_rows_are_gone_through_often_enough_to_learn():
    for rows in (1, 4, 30, 100, 1000):
        settings = feedback.few(rows)
        assert settings["num_train_epochs"] * -(-rows // settings["batch_size"]) >= 20
