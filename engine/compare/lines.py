"""A file of JSON lines that grows: on the disk line by line, whole after any crash."""

import json
import os
from pathlib import Path


class Lines:
    """The lines of the file `path`; a last one cut off by a crash is ignored and overwritten."""

    def __init__(self, path: Path):
        self._path = path
        self._rows = []
        if path.is_file():
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]
            self._rows = [json.loads(line) for line in whole.splitlines()]
            if len(whole) < len(text):
                os.truncate(path, len(whole))

    def rows(self) -> list[dict]:
        return self._rows

    def sum(self, name: str) -> int:
        return sum(row[name] for row in self._rows)

    def add(self, row: dict) -> None:
        with open(self._path, "ab") as file:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._rows.append(row)
