"""Training rows as tokens: the chat template rendered, and a mask that is true on the assistant's answers alone.

Kept on disk by content, so that a second run on the same data starts at once. It knows nothing of batches, and it
loads neither torch nor transformers: it is handed a tokenizer.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np

from engine import home
from engine.data import formats, tokens
from engine.data.arrays import Growing
from engine.data.jsonlines import Rows
from engine.data.tokens import Tokens
from engine.errors import BadMapping, from_os_error
from engine.words import Words

# One encoded row: its token numbers, and for each whether the loss counts it.
Encoded1 = tuple[list[int], list[bool]]

_BATCH = 1000  # rows handed to the tokenizer at once: enough for its threads, small beside the memory of one batch
_VERSION = 3  # part of the cache's key: raise it when the same rows should give other tokens


def chat_template(tokenizer) -> str:
    """The chat template training uses with `tokenizer` (of transformers): its own, or ChatML where it has none."""
    return Tokens.of(tokenizer).template.source


def encode_chat(
    tokenizer, conversations: list[formats.Messages], max_length: int, template: str | None = None
) -> list[Encoded1]:
    """Each conversation as (ids, mask), cut on the right to `max_length` tokens.

    The mask is true on the tokens of every assistant turn, the mark that ends the turn included.
    """
    return encode_messages(Tokens.of(tokenizer, template), conversations, max_length)


def encode_messages(prepared: Tokens, conversations: list[formats.Messages], max_length: int) -> list[Encoded1]:
    """As `encode_chat`, with a tokenizer and template already at hand."""
    return [(ids[:max_length], mask[:max_length]) for ids, mask in _chat(prepared, conversations)]


def encode_text(tokenizer, texts: list[str], max_length: int) -> list[Encoded1]:
    """Each text and the end-of-text token as one document, split into blocks of at most `max_length` tokens.

    Documents are not joined. Every token counts but the first of a block; an end that would stand alone in one is left
    out.
    """
    return [block for blocks in _text(Tokens.of(tokenizer), texts, max_length) for block in blocks]


@dataclass(frozen=True)
class Encoded:
    """The encoded rows of one split, memory-mapped.

    `offsets` has one more entry than there are rows; row i's tokens are `[offsets[i], offsets[i + 1])` of the flat
    arrays. `source[i]` is the row's number in the data file.
    """

    flat_ids: np.ndarray  # int32
    flat_mask: np.ndarray  # uint8
    offsets: np.ndarray  # int64 [rows + 1]
    source: np.ndarray  # int64 [rows]
    answer_lengths: np.ndarray  # int64 [rows], tokens that count
    cut: int  # rows longer than max_length
    skipped: int  # rows left out: no token that counts was left

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def ids(self, i: int) -> np.ndarray:
        return self.flat_ids[self.offsets[i] : self.offsets[i + 1]]

    def mask(self, i: int) -> np.ndarray:
        return self.flat_mask[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)


def encoded(
    data: Path,
    split: str,
    tokenizer,
    model: Path | None,
    format: str,
    max_length: int,
    template: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Encoded:
    """The rows of `data/<split>.json` as tokens, from the cache in the workspace where they were encoded before.

    Args:
        split: "train" or "val".
        model: the folder whose `tokenizer.json` names the tokenizer in the cache; None: the tokenizer is asked.
        progress: called with (rows done, rows in all).

    Raises:
        BadMapping: the chat template refuses a row, with the row's number.
        DiskFull: the cache could not be written.
    """
    file = data / f"{split}.json"
    prepared = Tokens.of(tokenizer, template)
    folder = home.folder("cache") / "encoded" / _key(file, prepared, model, format, max_length)
    if not folder.exists():
        try:
            folder.parent.mkdir(exist_ok=True)
            _write(folder, file, prepared, format, max_length, progress)
        except OSError as error:
            raise from_os_error(error, folder) from error
    return _open(folder)


def samples(
    model: Path, row: formats.Row, format: str, max_length: int | None = None, template: str | None = None
) -> dict[str, dict]:
    """What the model will see of one row, by the name of the answer (see `formats.conversations`) or "text".

    Each is `{"pieces", "tokens", "counted"}`: the pieces `{"text", "counted", "special", "cut"}` joined are the whole
    text; `tokens` is how many tokens it has and `counted` how many of them the loss counts. In a piece, `counted`:
    the loss counts it; `special`: one special token; `cut`: beyond `max_length` tokens. Needs no transformers.

    Raises:
        NotAModel: `model` has no tokenizer.json.
        BadMapping: the chat template refuses the row.
    """
    prepared = tokens.read(model)
    if template:
        prepared = Tokens(prepared.backend, prepared.special, template)
    if format == "text":
        text = row["text"] + prepared.special.get("eos_token", "")
        return {"text": _sample(prepared, text, [(0, len(text))], None)}
    spoken = formats.conversations(row, format).items()
    return {name: _sample(prepared, *_answers(prepared, messages, 1), max_length) for name, messages in spoken}


def _sample(prepared: Tokens, text: str, spans: list[tuple[int, int]], max_length: int | None) -> dict:
    pieces: list[dict] = []
    (encoding,) = prepared.encodings([text])
    mask = _mask(encoding, spans, len(text))
    at = 0
    for place, (number, counted, (_, end)) in enumerate(zip(encoding.ids, mask, encoding.offsets, strict=True)):
        cut = max_length is not None and place >= max_length
        if end <= at:
            continue  # a further token of the same character
        special = number in prepared.special_ids
        last = pieces[-1] if pieces else None
        if last and not special and not last["special"] and (last["counted"], last["cut"]) == (counted, cut):
            last["text"] += text[at:end]
        else:
            pieces.append({"text": text[at:end], "counted": counted, "special": special, "cut": cut})
        at = end
    if at < len(text):
        pieces.append({"text": text[at:], "counted": False, "special": False, "cut": False})
    return {"pieces": pieces, "tokens": len(mask), "counted": sum(mask)}


def text_of(prepared: Tokens, messages: formats.Messages) -> str:
    """The text that is encoded for a conversation.

    Raises:
        BadMapping: the chat template refuses it.
    """
    return _answers(prepared, messages, 1)[0]


def _answers(prepared: Tokens, messages: formats.Messages, row: int) -> tuple[str, list[tuple[int, int]]]:
    try:
        return prepared.template.answers(messages)
    except jinja2.TemplateError as error:
        raise BadMapping(
            reason=Words(
                f"the model's chat template refuses row {row} ({error})",
                f"模型的对话模板不接受第 {row} 行（{error}）",
            )
        ) from error


def _mask(encoding, spans: list[tuple[int, int]], length: int) -> list[bool]:
    """True on the tokens that hold a character of one of `spans`; `length` characters in all."""
    mask = [False] * len(encoding.ids)
    for start, end in spans:
        first = _token_at(encoding, start, length)
        after = _token_at(encoding, end, length)
        mask[first:after] = [True] * (after - first)
    return mask


def _token_at(encoding, at: int, length: int) -> int:
    """The first token that holds character `at` or, where no token holds it, the first one after it."""
    while at < length:
        token = encoding.char_to_token(at)
        if token is not None:
            return token
        at += 1
    return len(encoding.ids)


def _chat(prepared: Tokens, conversations: list[formats.Messages], first_row: int = 1) -> Iterator[Encoded1]:
    found = [_answers(prepared, messages, first_row + i) for i, messages in enumerate(conversations)]
    encodings = prepared.encodings([text for text, _ in found])
    for (text, spans), encoding in zip(found, encodings, strict=True):
        yield encoding.ids, _mask(encoding, spans, len(text))


def _text(prepared: Tokens, texts: list[str], max_length: int) -> Iterator[list[Encoded1]]:
    eos = prepared.special.get("eos_token")
    ending = [prepared.backend.token_to_id(eos)] if eos else []
    for encoding in prepared.encodings(texts):
        ids = encoding.ids + ending
        # The first token of a block has nothing before it to be guessed from; alone it teaches nothing.
        starts = range(0, max(1, len(ids) - 1), max_length)
        blocks = [ids[at : at + max_length] for at in starts]
        yield [(block, [False, *[True] * (len(block) - 1)]) for block in blocks]


def _key(file: Path, prepared: Tokens, model: Path | None, format: str, max_length: int) -> str:
    """A name for everything that decides the tokens."""
    tokenizer_file = model / "tokenizer.json" if model else None
    if tokenizer_file and tokenizer_file.is_file():
        tokenizer = home.sha256(tokenizer_file)
    else:
        tokenizer = hashlib.sha256(prepared.backend.to_str().encode()).hexdigest()
    settings = [_VERSION, home.sha256(file), tokenizer, prepared.template.source, prepared.special, format, max_length]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]


# The arrays of `Encoded`, a file each.
_ARRAYS = dict(flat_ids=np.int32, flat_mask=np.uint8, offsets=np.int64, source=np.int64, answer_lengths=np.int64)


def _write(
    folder: Path,
    file: Path,
    prepared: Tokens,
    format: str,
    max_length: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".encoding."))
    try:
        arrays = {name: Growing(temporary / f"{name}.npy", dtype) for name, dtype in _ARRAYS.items()}
        arrays["offsets"].add([0])
        cut = skipped = 0
        rows = Rows(file)
        for start in range(0, len(rows), _BATCH):
            batch = [rows[i] for i in range(start, min(start + _BATCH, len(rows)))]
            ids, mask, lengths, answers, source = [], [], [], [], []
            for number, blocks in enumerate(_batch(prepared, batch, format, max_length, start), start):
                cut += sum(len(each) > max_length for each, _ in blocks)
                for block, counted in blocks:
                    total = sum(counted[:max_length])
                    if not total:
                        skipped += 1
                        continue
                    ids += block[:max_length]
                    mask += counted[:max_length]
                    lengths.append(min(len(block), max_length))
                    answers.append(total)
                    source.append(number)
            offsets = arrays["flat_ids"].count + np.cumsum(lengths, dtype=np.int64)
            for name, values in zip(_ARRAYS, (ids, mask, offsets, source, answers), strict=True):
                arrays[name].add(values)
            if progress:
                progress(start + len(batch), len(rows))
        for array in arrays.values():
            array.close()
        home.write_json(temporary / "counts.json", {"cut": cut, "skipped": skipped})
        if not folder.exists():  # another process may have been faster
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _batch(
    prepared: Tokens, rows: list[formats.Row], format: str, max_length: int, start: int
) -> Iterator[list[Encoded1]]:
    if format == "text":
        return _text(prepared, [row["text"] for row in rows], max_length)
    conversations = [formats.examples(row, format) for row in rows]
    return ([each] for each in _chat(prepared, conversations, start + 1))


def _open(folder: Path) -> Encoded:
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    return Encoded(**arrays, **home.read_json(folder / "counts.json"))
