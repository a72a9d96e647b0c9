"""Plain text: blocks of question and answer, or documents for pre-training."""

from collections.abc import Iterator
from pathlib import Path

from engine.data.spool import Found
from engine.words import Words

_BLANK_LINES = 2  # between two blocks of question and answer


def looks_like_blocks(text: str) -> bool:
    """Whether `text`, from the front of a file, is blocks of at least two lines, parted by two blank lines or more."""
    blocks = list(_blocks(text.splitlines()))
    return len(blocks) > 1 and sum(len(block) > 1 for block in blocks) > 0.8 * len(blocks)


def read_blocks(path: Path, found: Found) -> Iterator[list[str]]:
    """Question and answer of each block: the answer is its last line, the question all lines before it."""
    found.columns = ["question", "answer"]
    found.layout = "blocks"
    with open(path, encoding=found.encoding, errors="replace") as lines:
        for block in _blocks(line.rstrip("\n") for line in lines):
            yield ["\n".join(block[:-1]), block[-1]] if len(block) > 1 else [block[0], ""]


def _blocks(lines: Iterator[str] | list[str]) -> Iterator[list[str]]:
    """Lines between two or more blank ones; single blank lines inside a block are left out."""
    block: list[str] = []
    blank = 0
    for line in lines:
        if not line.strip("\ufeff \t\r\u3000"):
            blank += 1
            continue
        if blank >= _BLANK_LINES and block:
            yield block
            block = []
        blank = 0
        block.append(line.lstrip("\ufeff"))
    if block:
        yield block


def read_documents(path: Path, found: Found) -> Iterator[list[str]]:
    """Documents: parted by blank lines or, where there are none, one a line."""
    found.columns = ["text"]
    found.layout = "documents"
    with open(path, encoding=found.encoding, errors="replace") as lines:
        parted = any(not line.strip() for line in lines)
        lines.seek(0)
        document: list[str] = []
        for line in lines:
            text = line.rstrip("\n").lstrip("\ufeff")
            if text.strip():
                document.append(text)
            if document and (not parted or not text.strip()):
                yield ["\n".join(document)]
                document = []
        if document:
            yield ["\n".join(document)]
    found.notes.append(
        Words("Plain text, a document at each blank line.", "纯文本，以空行分隔文档。")
        if parted
        else Words("Plain text, a document a line.", "纯文本，每行一个文档。")
    )
