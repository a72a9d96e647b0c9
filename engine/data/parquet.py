"""Rows out of Parquet files, a batch at a time."""

import datetime
from collections.abc import Iterator
from pathlib import Path

from engine.data import json_rows
from engine.data.spool import Found
from engine.errors import NotATable
from engine.words import Words


def read(path: Path, found: Found) -> Iterator[list[str]]:
    """The rows; lists and structures become JSON.

    Raises:
        NotATable: damaged.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            found.columns = list(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=2000):
                yield from (list(map(_text, row)) for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))
    except (pyarrow.ArrowException, OSError) as error:
        reason = Words(f"the Parquet file is damaged ({error})", f"Parquet 文件已损坏（{error}）")
        raise NotATable(file=path.name, reason=reason) from error


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if value is None or isinstance(value, str | bool | list | dict | int):
        return json_rows.text_of(value)
    return str(value)
