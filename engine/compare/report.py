"""The report of a run: one HTML file for people who were not there. It needs no network and prints well.

Everything in it that a person or a model wrote is escaped. It reads what training and evaluation left; it computes nothing.
"""

import time
from html import escape
from pathlib import Path

from engine import fields, hardware, home
from engine.compare import evaluate
from engine.compare.curves import svg
from engine.compare.markup import markup
from engine.data import datasets
from engine.errors import from_os_error
from engine.models import library
from engine.runs.store import Run
from engine.training import methods, objectives
from engine.training.config import TrainingParams
from engine.words import Words

_EXAMPLES = 10
_MEASURES = {
    "loss": Words("Loss (lower is better)", "损失（越低越好）"),
    "perplexity": Words("Perplexity (lower is better)", "困惑度（越低越好）"),
    "bleu4": Words("BLEU-4", "BLEU-4"),
    "rouge1": Words("ROUGE-1", "ROUGE-1"),
    "rouge2": Words("ROUGE-2", "ROUGE-2"),
    "rougeL": Words("ROUGE-L", "ROUGE-L"),
}
_KEYS = {
    "model": Words("Base model (model)", "底座模型 (model)"),
    "data": Words("Data set (data)", "数据集 (data)"),
    "objective": Words("Objective (objective)", "训练目标 (objective)"),
    "method": Words("Method (method)", "训练方法 (method)"),
}
_AUTOMATIC = Words("automatic", "自动")
_SWITCHES = {True: Words("on", "开"), False: Words("off", "关")}
_UNITS = {
    "characters": Words("BLEU and ROUGE are counted by Chinese characters.", "BLEU 与 ROUGE 按汉字计算。"),
    "words": Words("BLEU and ROUGE are counted by words.", "BLEU 与 ROUGE 按单词计算。"),
}
_SAID = {
    "title": Words("Fine-tuning report", "微调报告"),
    "what": Words("What was done", "做了什么"),
    "what_text": Words(
        "The model {model} was trained on {rows} rows of “{data}” with {method}. {objective} {summary}",
        "用“{data}”中的 {rows} 行数据，以{method}方法训练了模型 {model}。{objective}{summary}",
    ),
    "result": Words("Did it get better?", "效果变好了吗？"),
    "not_measured": Words(
        "This run has not been evaluated yet, so nothing can be said about its quality.",
        "该任务尚未评测，因此还无法说明效果如何。",
    ),
    "measure": Words("Measure", "指标"),
    "before": Words("Before", "微调前"),
    "after": Words("After", "微调后"),
    "change": Words("Change (95 % interval)", "变化（95% 区间）"),
    "forgot": Words("What it forgot", "遗忘情况"),
    "curve": Words("How training went", "训练过程"),
    "legend": Words(
        "training loss (thin), validation loss (thick), by step", "训练损失（细线）与验证损失（粗线），横轴为步数"
    ),
    "examples": Words("Questions and answers, before and after", "微调前后的问答对比"),
    "question": Words("Question", "问题"),
    "reference": Words("Reference", "参考答案"),
    "data": Words("Data card", "数据卡"),
    "demo": Words(
        "The data are made up for a demonstration; they are not medical advice.", "数据为演示而虚构，不构成医疗建议。"
    ),
    "steps": Words("Training steps", "训练步数"),
    "seconds": Words("Training time", "训练时间"),
    "parameters": Words("Trained parameters", "训练参数量"),
    "eval_loss": Words("Validation loss", "验证损失"),
    "seconds_text": Words("{minutes} min {seconds} s", "{minutes} 分 {seconds} 秒"),
    "scores_text": Words(
        "BLEU-4 and ROUGE say from 0 to 100 how much of the reference answer stands in the model's answer; loss and "
        "perplexity say how surprised the model is by the reference. A change is real where its interval does not hold zero.",
        "BLEU-4 与 ROUGE（0 到 100）表示模型回答与参考答案的重合程度；损失与困惑度表示模型对参考答案的意外程度。"
        "区间不含 0 时，变化才是真实的。",
    ),
    "rows_text": Words("{rows} held-out rows, measured {time}.", "{rows} 条验证数据，评测于 {time}。"),
    "settings": Words("Settings", "参数"),
    "versions": Words("Versions", "软件版本"),
    "limits": Words("Limits", "局限"),
    "limits_text": Words(
        "A language model can state falsehoods with confidence. The scores compare answers with references word by word; "
        "they do not check facts. What was not in the data was not learnt. Do not rely on it for medical, legal or other "
        "grave decisions.",
        "语言模型可能自信地说出错误内容。以上分数只衡量回答与参考答案在字面上的接近程度，并不核对事实；数据中没有的内容，"
        "模型也没有学到。请勿据此做出医疗、法律等重大决定。",
    ),
}
_STYLE = """
body{font:16px/1.65 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1e2433;
max-width:860px;margin:40px auto;padding:0 20px}
h1{font-size:30px;margin:0}h2{font-size:20px;margin:40px 0 12px;border-bottom:1px solid #e3e6ef;padding-bottom:6px}
.sub{color:#68708a}.verdict{background:#eef1fd;border-radius:12px;padding:14px 18px}.warn{background:#fdf3e4}.good{background:#e8f7f0}.bad{background:#fdecec}
.figures{display:flex;flex-wrap:wrap;gap:10px}.figures div{flex:1 1 120px;background:#f6f7fb;border-radius:12px;padding:10px 14px}
.figures small{display:block;color:#68708a}.figures b{font-size:20px;font-variant-numeric:tabular-nums}
.data ul{padding-left:20px}.data code{font-size:12px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{text-align:left;padding:6px 10px;border-bottom:1px solid #e9ebf2;vertical-align:top}th{color:#68708a;font-weight:600}
.card{border:1px solid #e3e6ef;border-radius:12px;padding:14px 18px;margin:14px 0;break-inside:avoid}
.card h3{margin:0 0 8px;font-size:16px}.pair{display:grid;grid-template-columns:1fr 1fr;gap:16px}
.pair p,.ref{white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0}.pair b,.ref b{color:#68708a;font-size:13px;display:block}
.pair div+div{border-left:3px solid #4f5fd8;padding-left:14px}
svg{width:100%;height:auto;font-size:12px;fill:#68708a}.grid{stroke:#e9ebf2}
polyline{fill:none;stroke-linejoin:round}.loss{stroke:#a9b3e8;stroke-width:1.2}.eval{stroke:#3947b5;stroke-width:2.6}
code{font-size:14px;overflow-wrap:anywhere}
@page{margin:16mm 15mm}
@media print{body{margin:0;padding:0;max-width:none;font-size:12.5px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
h1{font-size:25px}h2,h2+.verdict{break-after:avoid}h2{font-size:17px;margin:22px 0 8px}tr,.verdict,.scores,.figures,svg{break-inside:avoid}
td,th{padding:2px 10px}code{font-size:11.5px}.card{padding:9px 14px;margin:9px 0}.card h3{font-size:13.5px;margin-bottom:4px}}
"""


def write(run: Run, out: Path, lang: str) -> Path:
    """Write the report of `run` to the file `out`, in "zh" or "en". Returns its absolute path.

    Raises:
        DiskFull, WorkError: `out` cannot be written.
    """
    out = home.typed(out).resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        home.write_atomically(out, page(run, lang).encode())
        out.chmod(0o644)  # made to be passed on
    except OSError as error:
        raise from_os_error(error, out) from error
    return out


def page(run: Run, lang: str) -> str:
    """The whole report as HTML."""
    say = {name: escape(words.text(lang)) for name, words in _SAID.items() if "{" not in words.en}
    scores = evaluate.last(run)
    method = methods.get(run.config["method"]).label.text(lang)
    name = escape(run.card["name"] or f"{method} · {library.name_of(Path(run.config['model']))}")
    date = time.strftime("%Y-%m-%d", time.localtime(run.status()["ended"] or run.status()["created"]))
    sections = [
        ("what", f"<p>{_what(run, lang)}</p>{_figures(run, say, lang)}"),
        ("result", _scores(scores, say, lang) if scores else f"<p>{say['not_measured']}</p>"),
        ("curve", _curve(run, say)),
        ("examples", _examples(scores, say) if scores else ""),
        ("data", _data(run, say, lang)),
        ("settings", _settings(run, lang)),
        ("versions", _facts(hardware.packages())),
        ("limits", f"<p>{say['limits_text']}</p>"),
    ]
    body = "".join(f"<section><h2>{say[key]}</h2>{content}</section>" for key, content in sections if content)
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{say['title']} · {name}</title><style>{_STYLE}</style></head>"
        f'<body><p class="sub">TuneDesk 微调台 · {date}</p><h1>{say["title"]} · {name}</h1>{body}</body></html>'
    )


def _what(run: Run, lang: str) -> str:
    config = run.config
    method, objective = methods.get(config["method"]), objectives.get(config["objective"])
    return escape(
        _SAID["what_text"].text(
            lang,
            model=library.name_of(Path(config["model"])),
            data=Path(config["data"]).name,
            rows=_report(run).get("train", "?"),
            method=method.label.text(lang),
            objective=_first_sentence(objective.summary, lang),
            summary=_first_sentence(method.summary, lang),
        )
    )


def _first_sentence(summary: Words, lang: str) -> str:
    """What it is; the rest of a summary advises whoever is about to choose."""
    end = {"zh": "。", "en": ". "}[lang]
    return summary.text(lang).split(end)[0].rstrip(end) + end.strip()


def _scores(scores: dict, say: dict, lang: str) -> str:
    sentence = escape(Words(*scores["sentence"]).text(lang))
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(scores["time"]))
    rows = _SAID["rows_text"].text(lang, rows=scores["rows"], time=when)
    note = escape(f"{rows} {_UNITS[scores['units']].text(lang)} {_SAID['scores_text'].text(lang)}")
    kind = {"better": "verdict good", "worse": "verdict bad"}.get(scores["verdict"], "verdict")
    said = f'<p class="{kind}">{sentence}</p>{_table(scores, say, lang)}<p class="sub">{note}</p>'
    if "general" in scores:
        general = scores["general"]
        kind = "verdict warn" if general["forgot"]["warning"] else "verdict"
        forgot = escape(Words(*general["forgot"]["sentence"]).text(lang))
        said += f'<h2>{say["forgot"]}</h2><p class="{kind}">{forgot}</p>{_table(general, say, lang)}'
    return said


def _table(scores: dict, say: dict, lang: str) -> str:
    rows = []
    for name, label in _MEASURES.items():
        change = scores["difference"][name]
        value, low, high = (_signed(change[key]) for key in ("value", "low", "high"))
        interval = f"{value} ({low} … {high})"
        cells = (escape(label.text(lang)), f"{scores['base'][name]:.4g}", f"{scores['tuned'][name]:.4g}", interval)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = "".join(f"<th>{say[key]}</th>" for key in ("measure", "before", "after", "change"))
    return f'<table class="scores"><tr>{heads}</tr>{"".join(rows)}</table>'


def _signed(value: float) -> str:
    return f"{value:+.3g}" if abs(value) < 1000 else f"{value:+,.0f}"


def _curve(run: Run, say: dict) -> str:
    series = run.series()
    steps, evals = series["steps"], series["evals"]
    drawn = svg([("loss", steps["step"], steps["loss"]), ("eval", evals["step"], evals["eval_loss"])])
    return f'{drawn}<p class="sub">{say["legend"]}</p>' if drawn else ""


def _examples(scores: dict, say: dict) -> str:
    """Ten rows spread evenly over all, so that they are not the best ten."""
    rows = scores["examples"]
    count = min(_EXAMPLES, len(rows))
    cards = []
    for row in (rows[i * len(rows) // count] for i in range(count)):
        sides = "".join(
            f"<div><b>{say[title]}</b><p>{escape(row[side]['text'])}</p></div>"
            for side, title in (("base", "before"), ("tuned", "after"))
        )
        reference = f'<div class="ref"><b>{say["reference"]}</b>{escape(row["reference"])}</div>'
        cards.append(
            f'<div class="card"><h3>{escape(row["question"])}</h3><div class="pair">{sides}</div>{reference}</div>'
        )
    return "".join(cards)


def _figures(run: Run, say: dict, lang: str) -> str:
    """What training came to, as a row of numbers."""
    status, result = run.status(), run.status()["result"] or {}
    minutes, seconds = divmod(round(status["seconds"]), 60)
    numbers = {
        "steps": result.get("steps"),
        "seconds": _SAID["seconds_text"].text(lang, minutes=minutes, seconds=seconds) if status["seconds"] else None,
        "parameters": f"{result['trainable_parameters']:,}" if "trainable_parameters" in result else None,
        "eval_loss": f"{status['eval_loss']:.4g}" if status["eval_loss"] is not None else None,
    }
    shown = "".join(
        f"<div><small>{say[name]}</small><b>{escape(str(value))}</b></div>"
        for name, value in numbers.items()
        if value is not None
    )
    return f'<div class="figures">{shown}</div>' if shown else ""


def _data(run: Run, say: dict, lang: str) -> str:
    """The data set's own card, the part in this language; empty where the data set is gone."""
    card = Path(run.config["data"]) / "README.md"
    if not card.is_file():
        return ""
    parts = card.read_text(encoding="utf-8").partition("\n---\n")
    text = parts[0].partition("\n")[2] if lang == "zh" else parts[2]
    demo = f'<p class="verdict warn">{say["demo"]}</p>' if _report(run).get("demo") else ""
    return f'{demo}<div class="data">{markup(text)}</div>'


def _settings(run: Run, lang: str) -> str:
    """Every setting by its name for people, with the one it has in files and commands."""
    wanted = run.config
    schemas = {
        "objective_params": objectives.get(wanted["objective"]).params,
        "method_params": methods.get(wanted["method"]).params,
        "training": TrainingParams,
    }
    # Names only: where things lie on this computer is nobody's business.
    values = {_KEYS[name].text(lang): Path(wanted[name]).name for name in _KEYS}
    for group, schema in schemas.items():
        for name, value in wanted[group].items():
            field = schema.model_fields.get(name)
            values[f"{fields.label(field, lang)} ({name})" if field else name] = _shown(value, lang)
    return _facts(values)


def _shown(value: object, lang: str) -> object:
    if isinstance(value, bool):
        return _SWITCHES[value].text(lang)
    return _AUTOMATIC.text(lang) if value in (None, "", [], ()) else value


def _facts(values: dict[str, object]) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(k))}</td><td><code>{escape(str(v))}</code></td></tr>" for k, v in values.items()
    )
    return f"<table>{rows}</table>"


def _report(run: Run) -> dict:
    """What conversion wrote of the data set; empty where the data set is gone."""
    return datasets.report(Path(run.config["data"]))
