"""Verbs on data: look into a table, convert tables into training data."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.verbs import text
from engine.verbs.settings import count, pairs
from engine.verbs.verb import Verb
from engine.words import Words

if TYPE_CHECKING:
    from engine.data.tables import Told

_FILE = Words(
    "a table: CSV, TSV, Excel, JSON, JSON Lines, Parquet, text ...",
    "表格文件：CSV、TSV、Excel、JSON、JSONL、Parquet、文本……",
)
_ENCODING = Words("its encoding, if the automatic choice is wrong", "文件编码；自动识别有误时指定")
_DELIMITER = Words(
    "what parts its cells, or tab, if the automatic choice is wrong", "列分隔符（制表符写 tab）；自动识别有误时指定"
)
_QUOTE = Words(
    "what quotes its cells, or none, if the automatic choice is wrong", "引号字符（没有则写 none）；自动识别有误时指定"
)
_HEADER = Words(
    "whether the first row names the columns, if the automatic choice is wrong", "第一行是否为列名；自动识别有误时指定"
)


def inspect(args: Namespace) -> dict:
    from engine.data import tables

    return tables.inspect(args.file, _told(args))


def convert(args: Namespace) -> dict:
    from engine.data.cleaning import Cleaning
    from engine.data.convert import convert as work
    from engine.data.splitting import Split
    from engine.fields import validated

    return work(
        args.files,
        args.out,
        mapping=pairs(args.map) or None,
        train=args.train,
        val=args.val,
        share=validated(Split, {"share": args.share}).share,
        seed=args.seed,
        format=args.format,
        told=_told(args),
        cleaning=validated(Cleaning, pairs(args.set)),
        stratify=args.stratify,
    )


def _told(args: Namespace) -> "Told":
    from engine.data.tables import Told

    return Told(args.encoding, args.delimiter, None if args.header is None else args.header == "yes", args.quote)


def _told_arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("--encoding", metavar="E", help=_ENCODING.text(lang))
    parser.add_argument("--delimiter", metavar="D", type=_character, help=_DELIMITER.text(lang))
    parser.add_argument("--quote", metavar="Q", type=_quote, help=_QUOTE.text(lang))
    parser.add_argument("--header", choices=("yes", "no"), help=_HEADER.text(lang))


def _character(given: str) -> str:
    """One character, as it stands or as "tab"."""
    told = {"tab": "\t", "\\t": "\t"}.get(given, given)
    if len(told) != 1:
        raise ValueError(given)
    return told


def _quote(given: str) -> str:
    return "" if given == "none" else _character(given)


def _inspect_arguments(parser: ArgumentParser, lang: str) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help=_FILE.text(lang))
    _told_arguments(parser, lang)


def _convert_arguments(parser: ArgumentParser, lang: str) -> None:
    from engine.data import formats

    def say(en: str, zh: str) -> str:
        return Words(en, zh).text(lang)

    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help=_FILE.text(lang))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=say("folder to make", "要生成的文件夹"))
    parser.add_argument(
        "--map",
        metavar="ROLE=COLUMN",
        action="append",
        default=[],
        help=say(
            "what a column is for (question, answer ...); without it the suggestion is taken",
            "某一列的用途（question、answer 等）；不指定则采用自动建议",
        ),
    )
    parser.add_argument("--train", metavar="N", type=count, help=say("rows to train on", "训练集行数"))
    parser.add_argument("--val", metavar="N", type=count, help=say("rows to validate with", "验证集行数"))
    parser.add_argument(
        "--share",
        metavar="X",
        type=float,
        default=0.1,
        help=say("with neither count: the share that validates, 0 to 0.9", "未指定行数时，验证集所占比例，0 到 0.9"),
    )
    parser.add_argument(
        "--seed", metavar="S", type=count, default=42, help=say("seed of the split", "划分用的随机种子")
    )
    parser.add_argument(
        "--format",
        metavar="F",
        choices=formats.keys(),
        default="qa",
        help=say("form of the rows: ", "数据的形式：") + ", ".join(formats.keys()),
    )
    _told_arguments(parser, lang)
    parser.add_argument(
        "--stratify",
        metavar="COLUMN",
        help=say("mix the values of this column alike on both sides", "按该列的取值在训练集与验证集中保持相同比例"),
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=say("a switch of the cleaning, e.g. near_duplicate=true", "清洗选项，例如 near_duplicate=true"),
    )


def _show_inspect(found: dict, lang: str) -> str:
    flat = {name: found[name] for name in ("format", "encoding", "delimiter", "rows")}
    flat["columns"] = ", ".join(str(column) for column in found["columns"])
    flat["suits"] = found["suits"]
    flat["mapping"] = ", ".join(f"{role}={column}" for role, column in found["mapping"].items()) or None
    said = [Words(**each).text(lang) for each in (*found["notes"], *found["problems"])]
    return "\n".join([text.facts(flat), *said])


def _show_convert(made: dict, lang: str) -> str:
    flat = {name: made[name] for name in ("input_rows", "train", "val", "unused")}
    flat |= {f"dropped: {reason}": count for reason, count in made["dropped"].items() if count}
    return text.facts(flat | {"out": made["out"]})


INSPECT = Verb(
    "inspect",
    Words("look into a table: format, columns, what each may be for", "查看表格：格式、列以及每列可能的用途"),
    _inspect_arguments,
    inspect,
    _show_inspect,
)
CONVERT = Verb(
    "convert",
    Words("turn tables into training data", "把表格转换成训练数据"),
    _convert_arguments,
    convert,
    _show_convert,
)
