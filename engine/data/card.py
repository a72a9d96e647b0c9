"""The data card: what a data set is made of, for people, in both languages. Written beside it as README.md.

The same data and settings give the same card, so it names no date.
"""

from engine.data import formats
from engine.data.cleaning import CHANGES, REASONS, Cleaning
from engine.data.personal import KINDS
from engine.data.shapes import LOST
from engine.fields import label
from engine.words import Words

_KINDS = {**REASONS, **CHANGES, **KINDS, **LOST}


def text(report: dict, lengths: dict[str, dict]) -> str:
    """The card as Markdown. It has no name in it, so that a data set can be renamed.

    Args:
        report: what report.json holds.
        lengths: `lengths.characters` of the training rows.
    """
    return f"# 数据卡 Data card\n\n{_in('zh', report, lengths)}\n---\n\n{_in('en', report, lengths)}"


def facts(report: dict, lang: str) -> list[tuple[str, str]]:
    """What the card says of the data set as a whole: (name, value)."""

    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    settings = report["settings"]
    told = [
        (say("Format", "格式"), formats.get(report["format"]).label.text(lang)),
        (say("Rows read", "读入行数"), f"{report['input_rows']:,}"),
        (say("Training rows", "训练行数"), f"{report['train']:,}"),
        (say("Validation rows", "验证行数"), f"{report['val']:,}"),
        (say("Unused rows", "未使用行数"), f"{report['unused']:,}"),
        (say("Random seed", "随机种子"), str(settings["seed"])),
    ]
    if settings["stratify"]:
        told.append((say("Mixed alike by column", "按列分层"), settings["stratify"]))
    told.append((say("Cleaning", "清洗"), _switched_on(settings["cleaning"], lang)))
    for title, counts in (
        (say("Dropped", "丢弃"), report["dropped"]),
        (say("Changed", "修改"), {kind: each["count"] for kind, each in report["changed"].items()}),
        (say("Personal data found", "发现个人信息"), {kind: each["count"] for kind, each in report["found"].items()}),
        (say("Left out", "未能保留"), report["lost"]),
    ):
        told += [(title, f"{_KINDS[kind].text(lang)}: {count:,}") for kind, count in counts.items()]
    return told


# What a switch of the cleaning is bounded by.
_BOUNDS = {"near_duplicate": "similarity", "short": "min_chars", "long": "max_chars"}


def _switched_on(cleaning: dict, lang: str) -> str:
    """The switches that were on, each with its bound: "Drop empty rows; Drop short answers (5)"."""
    named = []
    for name, field in Cleaning.model_fields.items():
        value = cleaning[name]
        if value is True or (name == "long" and value != "keep"):
            said = label(field, lang)
            if name == "long":
                said += f": {field.json_schema_extra['choices'][value][lang]}"
            named.append(f"{said} ({cleaning[_BOUNDS[name]]})" if name in _BOUNDS else said)
    return "; ".join(named) or "–"


def _in(lang: str, report: dict, lengths: dict[str, dict]) -> str:
    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    lines = [f"- {name}: {value}" for name, value in facts(report, lang)]
    if lengths:
        head = (say("Characters", "字数"), say("mean", "平均"), say("median", "中位数"), "95 %", say("longest", "最长"))
        lines += ["", "| " + " | ".join(head) + " |", "|" + " --- |" * 5]
        for role, each in lengths.items():
            lines.append(f"| {role} | {each['mean']} | {each['median']} | {each['p95']} | {each['max']} |")
    lines += ["", f"{say('Made from', '来源文件')}:", ""]
    for source in report["sources"]:
        mapping = ", ".join(f"{role} = {column!r}" for role, column in source["mapping"].items())
        lines.append(f"- `{source['name']}`: {source['rows']:,} {say('rows', '行')}; {mapping}")
        lines.append(f"  - {source['format'].upper()}" + (f", {source['encoding']}" if source["encoding"] else ""))
        lines.append(f"  - SHA-256 `{source['sha256']}`")
    return "\n".join(lines) + "\n"
