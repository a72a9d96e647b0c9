"""The data card: what a data set is made of, for people, in both languages. Written beside it as README.md.

The same data and settings give the same card, so it names no date.
"""

from engine.data import formats
from engine.data.cleaning import CHANGES, REASONS
from engine.data.personal import KINDS
from engine.data.shapes import LOST
from engine.words import Words

_KINDS = {**REASONS, **CHANGES, **KINDS, **LOST}


def text(report: dict, lengths: dict[str, dict]) -> str:
    """The card as Markdown. It has no name in it, so that a data set can be renamed.

    Args:
        report: what report.json holds.
        lengths: `lengths.characters` of the training rows.
    """
    return f"# 数据卡 Data card\n\n{_in('zh', report, lengths)}\n---\n\n{_in('en', report, lengths)}"


def _in(lang: str, report: dict, lengths: dict[str, dict]) -> str:
    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    lines = [
        f"- {say('Format', '格式')}: {formats.get(report['format']).label.text(lang)}",
        f"- {say('Rows read', '读入行数')}: {report['input_rows']:,}",
        f"- {say('Training rows', '训练行数')}: {report['train']:,}",
        f"- {say('Validation rows', '验证行数')}: {report['val']:,}",
        f"- {say('Unused rows', '未使用行数')}: {report['unused']:,}",
        f"- {say('Random seed', '随机种子')}: {report['settings']['seed']}",
    ]
    if report["settings"]["stratify"]:
        lines.append(f"- {say('Mixed alike by column', '按列分层')}: {report['settings']['stratify']}")
    lines += _listed(say("Dropped", "丢弃"), report["dropped"], lang)
    lines += _listed(say("Changed", "修改"), {k: v["count"] for k, v in report["changed"].items()}, lang)
    lines += _listed(
        say("Personal data found", "发现个人信息"), {k: v["count"] for k, v in report["found"].items()}, lang
    )
    lines += _listed(say("Left out", "未能保留"), report["lost"], lang)
    if lengths:
        head = (say("Characters", "字数"), say("mean", "平均"), say("median", "中位数"), "95 %", say("longest", "最长"))
        lines += ["", "| " + " | ".join(head) + " |", "|" + " --- |" * 5]
        for role, each in lengths.items():
            lines.append(f"| {role} | {each['mean']} | {each['median']} | {each['p95']} | {each['max']} |")
    lines += ["", f"{say('Made from', '来源文件')}:", ""]
    for source in report["sources"]:
        mapping = ", ".join(f"{role} = {column!r}" for role, column in source["mapping"].items())
        lines.append(f"- `{source['name']}`: {source['rows']:,} {say('rows', '行')}; {mapping}")
        lines.append(f"  - SHA-256 `{source['sha256']}`")
    return "\n".join(lines) + "\n"


def _listed(title: str, counts: dict[str, int], lang: str) -> list[str]:
    return [f"- {title}: {_KINDS[kind].text(lang)}: {count:,}" for kind, count in counts.items()]
