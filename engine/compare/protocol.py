"""The OpenAI chat protocol: requests in, completions and errors out. It loads no torch and knows nothing of HTTP."""

import secrets
import time
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from engine.compare.settings import DEFAULT_MAX_TOKENS, GenerationParams
from engine.errors import InputError, NotFound, OutOfMemory, TuneDeskError, from_record
from engine.fields import validated


class Part(BaseModel):
    type: Literal["text"]
    text: str


class Message(BaseModel):
    """`text` is no role of OpenAI's: alone in a conversation it is the beginning of a text, which the model goes on with."""

    role: Literal["system", "developer", "user", "assistant", "text"]
    content: str | list[Part]

    def plain(self) -> dict:
        """As a chat template reads it."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class _Settings(BaseModel):
    """Of a request; what is left out or null takes the default. Fields that this program lacks are ignored, as other
    programs send many."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None

    def params(self) -> GenerationParams:
        """Raises:
        InvalidFields: a value is out of range.
        """
        given = {name: getattr(self, name) for name in GenerationParams.model_fields}
        if isinstance(given["stop"], str):
            given["stop"] = [given["stop"]]
        return validated(GenerationParams, {name: value for name, value in given.items() if value is not None})


class ChatRequest(_Settings):
    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: dict | None = None
    max_completion_tokens: int | None = None
    n: Literal[1] = 1

    def params(self) -> GenerationParams:
        """OpenAI's client draws anew each time unless it gives a seed."""
        seed = secrets.randbelow(2**31) if self.seed is None else self.seed
        longest = self.max_completion_tokens if self.max_tokens is None else self.max_tokens
        return _Settings.params(self.model_copy(update={"seed": seed, "max_tokens": longest}))


class CompareRequest(_Settings):
    """`conversations`: one a model, in the same order."""

    models: list[str] = Field(min_length=1, max_length=4)
    conversations: list[list[Message]]

    @model_validator(mode="after")
    def _paired(self) -> "CompareRequest":
        if len(self.conversations) != len(self.models) or not all(self.conversations):
            raise ValueError("give one conversation, with at least one message, for each model")
        return self


class AnswersRequest(_Settings):
    model: str
    conversations: list[list[Message]] = Field(min_length=1, max_length=256)
    longest: int = Field(DEFAULT_MAX_TOKENS, ge=1)


class LossesRequest(BaseModel):
    """`conversations` end with the answers to be measured."""

    model: str
    conversations: list[list[Message]] = Field(min_length=1, max_length=256)
    max_length: int = Field(ge=2)


class ScoresRequest(BaseModel):
    """`model`: a run that made a reward model; `conversations` end with the answers to be scored."""

    model: str
    conversations: list[list[Message]] = Field(min_length=1, max_length=256)


class Completion:
    """One answer in OpenAI's words, from the events of `Desk.compare`."""

    def __init__(self, asked: ChatRequest, events: AsyncIterator[dict]):
        self._asked = asked
        self._events = events
        self._frame = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": asked.model}

    async def whole(self) -> dict:
        """Raises:
        TuneDeskError: what ended the answer early.
        """
        text, end = "", {}
        async for event in self._events:
            text += event.get("delta", "")
            end = event
        if "error" in end:
            raise from_record(end["error"])
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(end)}
        return {**self._frame, "object": "chat.completion", "choices": [choice], "usage": _usage(end)}

    async def chunks(self) -> AsyncIterator[dict | str]:
        frame = {**self._frame, "object": "chat.completion.chunk"}
        yield {**frame, "choices": [_choice({"role": "assistant", "content": ""})]}
        async for event in self._events:
            if "delta" in event:
                yield {**frame, "choices": [_choice({"content": event["delta"]})]}
            elif "error" in event:
                yield failed(event["error"])
            elif "finish_reason" in event:
                yield {**frame, "choices": [_choice({}, _reason(event))]}
                if (self._asked.stream_options or {}).get("include_usage"):
                    yield {**frame, "choices": [], "usage": _usage(event)}
        yield "[DONE]"


def _choice(delta: dict, reason: str | None = None) -> dict:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _reason(end: dict) -> str:
    return "length" if end["finish_reason"] == "length" else "stop"


def _usage(end: dict) -> dict:
    asked, answered = end["prompt_tokens"], end["tokens"]
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def error(message: str, kind: str, code: str | None = None) -> dict:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def failed(record: dict) -> dict:
    """An error record as OpenAI's error, with the record itself for the project's own client."""
    found = from_record(record)
    kind = "invalid_request_error" if isinstance(found, InputError) else "server_error"
    body = error(str(found), kind, record["error"])
    body["error"]["record"] = record
    return body


def status_of(error: TuneDeskError) -> int:
    """The HTTP status that says what `error` says."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, InputError):
        return 400
    return 503 if isinstance(error, OutOfMemory) else 500


def model(name: str) -> dict:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tunedesk"}


def every_name() -> list[str]:
    """Every model of the library and every run that saved one that answers."""
    from engine.models import library
    from engine.runs import store
    from engine.training import rewards

    bases = [f"base:{found.path}" for found in library.models()]
    return bases + [f"run:{run.id}" for run in store.runs() if run.has_model() and not rewards.is_model(run)]
