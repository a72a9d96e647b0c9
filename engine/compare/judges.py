"""Judges: which of two answers is better, and why. A trained reward model, a local model, or an endpoint in the OpenAI
protocol.

An endpoint's key comes from the environment of this process (`KEY`); it is written nowhere and said to nobody else.
"""

import json
import os
import re
import time
from dataclasses import dataclass
from typing import Protocol

import httpx

from engine.errors import NetworkFailed
from engine.words import Words

KEY = "TUNEDESK_JUDGE_KEY"
FIRST, SECOND, TIE = "first", "second", "tie"

CRITERIA = Words(
    "Prefer the answer that is correct, answers what was asked, is clear and complete, and is kind. Do not prefer an answer "
    "for being longer or for standing first.",
    "请选择更正确、更切题、更清楚完整、更友善的回答。不要因为回答更长或排在前面就偏向它。",
)
_FORMAT = (
    'Compare the two answers to the question by the criteria. Reply with JSON only: {"reason": "one sentence", "verdict": '
    '"A"}, where verdict is "A", "B" or "tie".'
)
_VERDICTS = {"a": FIRST, "b": SECOND, "tie": TIE}
_LONGEST = 300
# What the reason begins with where the judge gave no verdict; what it said instead follows.
NO_VERDICT = "(no verdict) "
# How often an endpoint is tried again, and the longest that is waited for it to be free again, in seconds.
_TRIES = 4
_PATIENCE = 120.0
_REFUSED = Words("it refuses the key ({status}); check it and resume", "它拒绝了密钥（{status}），请检查后继续")
_STATUS = Words("it answered with status {status}; resume later", "它返回了状态 {status}，请稍后继续")
_SILENT = Words("it does not answer; resume later", "没有响应，请稍后继续")
_BAD_BODY = Words("its answer is not in the OpenAI protocol", "它的回复不符合 OpenAI 协议")


@dataclass(frozen=True)
class Verdict:
    """`choice`: FIRST, SECOND or TIE; tokens as an endpoint counted them, for the cost."""

    choice: str
    reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Judge(Protocol):
    def verdict(self, question: str, first: str, second: str) -> Verdict:
        """
        Raises:
            NetworkFailed: an endpoint does not answer, or refuses.
        """
        ...


class Scores:
    """Judges by a reward model: the higher score wins. `scorer` has `scores(conversations)`."""

    def __init__(self, scorer):
        self._scorer = scorer

    def verdict(self, question: str, first: str, second: str) -> Verdict:
        talks = [
            [{"role": "user", "content": question}, {"role": "assistant", "content": each}] for each in (first, second)
        ]
        a, b = self._scorer.scores(talks)
        return Verdict(TIE if a == b else FIRST if a > b else SECOND, f"{a:.3f} : {b:.3f}")


class Local:
    """Judges by a model of this computer. `answers` has `batch` as `Chat` does."""

    def __init__(self, answers, model: str, criteria: str):
        self._answers, self._model, self._criteria = answers, model, criteria

    def verdict(self, question: str, first: str, second: str) -> Verdict:
        messages = prompt(self._criteria, question, first, second)
        (said,) = self._answers.batch(self._model, [messages], _LONGEST, temperature=0)
        return read(said["text"] or "")


class Remote:
    """Judges by an endpoint: `url` is what ends in /v1 as a rule. Waits when it is told to wait, tries again when it is
    broken, and asks once more when the answer is no verdict. `sleep` waits so many seconds."""

    def __init__(self, url: str, model: str, criteria: str, timeout: float = 60, sleep=time.sleep):
        self._criteria, self._model, self._sleep = criteria, model, sleep
        self._host = httpx.URL(url).host
        key = os.environ.get(KEY)
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=10),
        )

    def __enter__(self) -> "Remote":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def verdict(self, question: str, first: str, second: str) -> Verdict:
        asked, answered = 0, 0
        for _ in range(2):
            body = self._post(prompt(self._criteria, question, first, second))
            try:
                text = body["choices"][0]["message"]["content"] or ""
                usage = body.get("usage") or {}
                asked += int(usage.get("prompt_tokens") or 0)
                answered += int(usage.get("completion_tokens") or 0)
            except (KeyError, IndexError, TypeError, AttributeError, ValueError):
                raise NetworkFailed(host=self._host, reason=_BAD_BODY) from None
            found = read(text)
            if not found.reason.startswith(NO_VERDICT):
                break
        return Verdict(found.choice, found.reason, asked, answered)

    def _post(self, messages: list[dict]) -> dict:
        """
        Raises:
            NetworkFailed: with the reason; the key is never a part of it.
        """
        reason = _SILENT
        for attempt in range(_TRIES):
            wait = 2.0**attempt
            try:
                response = self._client.post(
                    "/chat/completions", json={"model": self._model, "messages": messages, "temperature": 0}
                )
            except httpx.TransportError:
                reason = _SILENT
            else:
                if response.is_success:
                    try:
                        return response.json()
                    except ValueError:
                        reason = _BAD_BODY
                elif response.status_code in (401, 403):
                    # The cause is left out: a body or a header may repeat the key.
                    raise NetworkFailed(host=self._host, reason=_REFUSED.filled(status=response.status_code))
                elif response.status_code == 429 or response.status_code >= 500:
                    reason = _STATUS.filled(status=response.status_code)
                    wait = _asked_to_wait(response, wait)
                else:
                    raise NetworkFailed(host=self._host, reason=_STATUS.filled(status=response.status_code))
            if attempt + 1 < _TRIES:
                self._sleep(wait)
        raise NetworkFailed(host=self._host, reason=reason)


def prompt(criteria: str, question: str, first: str, second: str) -> list[dict]:
    """What a model that judges is asked."""
    shown = f"[Question]\n{question}\n\n[Answer A]\n{first}\n\n[Answer B]\n{second}"
    return [{"role": "system", "content": f"{criteria}\n\n{_FORMAT}"}, {"role": "user", "content": shown}]


def read(text: str) -> Verdict:
    """What a model that judges said. What is no verdict counts as a tie, and its words are kept."""
    for piece in re.findall(r"\{[^{}]*\}", text):
        try:
            said = json.loads(piece)
        except ValueError:
            continue
        choice = _VERDICTS.get(str(said.get("verdict", "")).strip().lower())
        if choice:
            return Verdict(choice, str(said.get("reason", ""))[:1000])
    return Verdict(TIE, NO_VERDICT + text[:500])


def _asked_to_wait(response: httpx.Response, otherwise: float) -> float:
    try:
        return min(_PATIENCE, max(0.0, float(response.headers["retry-after"])))
    except (KeyError, ValueError):
        return otherwise
