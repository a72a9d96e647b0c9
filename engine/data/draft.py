"""Some rows of a table as the training rows they would become; nothing is written. For the page's live sample."""

import orjson

from engine.data import formats, roles
from engine.data.cleaning import REASONS, Cleaner, Cleaning
from engine.data.shapes import Shaper
from engine.data.table import Table

_STRETCHES = 20  # of rows, spread over the table, that `sampled` looks at


def rows(
    columns: list[str], cells: list[list[str]], mapping: roles.Mapping, format: str, cleaning: Cleaning
) -> list[formats.Row | str]:
    """For each row of `cells` the training row, or the reason (a key of `REASONS`) why it would be dropped.

    Repetitions, which need the whole table, are not looked for.
    """
    shaper, codes = Shaper(format, mapping, columns), bytearray(len(cells))
    shaped = shaper.columns(cells, codes)
    Cleaner(cleaning).clean(shaped, shaper.format.filled, codes, 0)
    lines = iter(shaper.lines(shaped, codes)[0])
    reasons = tuple(REASONS)
    return [reasons[code - 1] if code else orjson.loads(next(lines)) for code in codes]


def sampled(
    table: Table, mapping: roles.Mapping, format: str, cleaning: Cleaning, most: int = 2000
) -> list[formats.Row]:
    """At most `most` training rows, evenly spread over the table; from its front where its rows are not counted yet."""
    total, counted = table.count()
    if not counted or total <= most:
        cells = table.head(most)
    else:
        stretches = min(_STRETCHES, most)
        size = most // stretches
        starts = (k * (total - size) // (stretches - 1) for k in range(stretches))
        cells = [row for start in starts for row in table.page(start, size).rows]
    made = rows(table.columns, cells, mapping, format, cleaning)
    return [row for row in made if not isinstance(row, str)]
