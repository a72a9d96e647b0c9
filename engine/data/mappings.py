"""The mapping that is used for a table: what the person gave, completed by what is suggested, and checked."""

import re

from engine.data import formats, roles
from engine.data.table import Table
from engine.errors import BadMapping
from engine.words import Words


def fitted(tables: list[Table], given: roles.Mapping | None, format: str) -> list[roles.Mapping]:
    """For each of the tables that are converted together the mapping by which its rows are read.

    A role that was not given is filled by the suggestion, from a column that has no role yet. Columns that only some
    of the tables have hold for those; in the others the suggestion takes their role.

    Raises:
        BadMapping: an unknown role, a column that is in no table, a role of `format` that is left without a column.
    """
    everywhere = list(dict.fromkeys(name for table in tables for name in table.columns))
    roles.check(given or {}, everywhere)
    return [_fitted(table, _within(given or {}, table.columns), format) for table in tables]


def _within(given: roles.Mapping, columns: list[str]) -> roles.Mapping:
    """The part of `given` that `columns` can serve: templates lose the columns that are not among them."""
    kept = {}
    for role, template in given.items():
        if template in columns:
            kept[role] = template
            continue
        used = roles.columns_in(template, columns)
        here = [name for name in used if name in columns]
        if here:
            kept[role] = re.sub(r"{([^{}]+)}", lambda mark, here=here: mark[0] if mark[1] in here else "", template)
    return kept


def _fitted(table: Table, given: roles.Mapping, format: str) -> roles.Mapping:
    suggested = table.suggest()
    mapping = given or suggested
    needs = formats.get(format).needs
    if "messages" not in mapping:
        used = {name for template in mapping.values() for name in roles.columns_in(template, table.columns)}
        for role in needs:
            if role not in mapping and suggested.get(role, "") not in {"", *used}:
                mapping = mapping | {role: suggested[role]}
    missing = formats.missing(format, mapping)
    if missing:
        have = ", ".join(table.columns[:30])
        raise BadMapping(
            reason=Words(
                f"format {format} needs a column for {', '.join(missing)}; the columns of '{table.path.name}' are {have}. "
                f"Say which one, for example --map {missing[0]}=COLUMN",
                f"{format} 格式需要为 {'、'.join(missing)} 指定一列；“{table.path.name}”的列有：{have}。"
                f"请指定，例如 --map {missing[0]}=列名",
            )
        )
    return mapping
