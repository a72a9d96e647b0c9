"""A model folder's tokenizer without transformers: text to token numbers, special tokens, the chat template.

The interface counts and shows tokens with this in its own process. `Tokens.of` wraps the tokenizer that training
loads, so both go through the same code. It knows nothing of data sets.
"""

import json
from functools import lru_cache
from pathlib import Path

from tokenizers import AddedToken, Tokenizer

from engine.data.template import CHATML, ChatTemplate
from engine.errors import NotAModel
from engine.words import Words

_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class Tokens:
    """`backend` (a `tokenizers.Tokenizer`), `special` (name -> token), `template` (a `ChatTemplate`)."""

    def __init__(self, backend: Tokenizer, special: dict[str, str], template: str | None):
        self.backend = backend
        self.special = special
        self.template = ChatTemplate(template or default_template(backend, special), special)
        self.special_ids = {number for number, token in backend.get_added_tokens_decoder().items() if token.special}

    @classmethod
    def of(cls, tokenizer, template: str | None = None) -> "Tokens":
        """From the tokenizer that transformers loaded; `template` replaces its own.

        Raises:
            NotAModel: it has no fast tokenizer, so answers could not be found among the tokens.
        """
        if not tokenizer.is_fast:
            raise NotAModel(path=tokenizer.name_or_path, reason=NO_TOKENIZER)
        own = tokenizer.get_chat_template() if tokenizer.chat_template else None
        return cls(tokenizer.backend_tokenizer, tokenizer.special_tokens_map, template or own)

    def encodings(self, texts: list[str]) -> list:
        """One `tokenizers.Encoding` a text: no special tokens added, nothing cut, nothing padded."""
        self.backend.no_truncation()
        self.backend.no_padding()
        return self.backend.encode_batch(texts, add_special_tokens=False)

    def counts(self, texts: list[str]) -> list[int]:
        """How many tokens each text has."""
        self.backend.no_truncation()
        self.backend.no_padding()
        return [len(encoding.ids) for encoding in self.backend.encode_batch_fast(texts, add_special_tokens=False)]


NO_TOKENIZER = Words(
    en="it has no fast tokenizer (tokenizer.json); choose a model that has one",
    zh="其中没有快速分词器（tokenizer.json），请选择带有该文件的模型",
)


def default_template(backend: Tokenizer, special: dict[str, str]) -> str:
    """ChatML, for a tokenizer without a template. One that lacks `<|im_end|>` ends turns with its own end-of-text
    token, since generation stops there and several plain tokens would not be seen as a stop."""
    if backend.token_to_id("<|im_end|>") is None and "eos_token" in special:
        return CHATML.replace("<|im_end|>", "{{ eos_token }}")
    return CHATML


def read(folder: Path) -> Tokens:
    """The tokenizer of a model folder; the last few are kept until their files change.

    Raises:
        NotAModel: there is no `tokenizer.json`, or it cannot be read.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise NotAModel(path=str(folder), reason=NO_TOKENIZER)
    return _read(
        folder, tuple(p.stat().st_mtime_ns for p in sorted(folder.glob("*token*")) + sorted(folder.glob("chat*")))
    )


@lru_cache(maxsize=2)
def _read(folder: Path, _changed: tuple[int, ...]) -> Tokens:
    try:
        backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises plain Exception
        raise NotAModel(
            path=str(folder), reason=Words(f"tokenizer.json: {error}", f"tokenizer.json：{error}")
        ) from error
    config = _json(folder / "tokenizer_config.json")
    named = {**_json(folder / "special_tokens_map.json"), **config}
    special = {name: _content(named[name]) for name in _NAMED if named.get(name)}
    extra = named.get("extra_special_tokens") or named.get("additional_special_tokens") or []
    extra = [_content(token) for token in (extra.values() if isinstance(extra, dict) else extra)]
    backend.add_special_tokens([AddedToken(token, special=True) for token in [*special.values(), *extra]])
    return Tokens(backend, special, _template(folder, config))


def _template(folder: Path, config: dict) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    template = _json(folder / "chat_template.json").get("chat_template") or config.get("chat_template")
    if isinstance(template, list):
        return next((each["template"] for each in template if each["name"] == "default"), None)
    return template


def _json(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _content(token: str | dict) -> str:
    return token["content"] if isinstance(token, dict) else token
