"""How fast a large spreadsheet becomes training data: `python -m engine bench data [--rows N ...]`.

A file is generated in the shape of the real data set (792,099 questions and answers, GB18030), and each step runs in a
process of its own, so that its time and peak memory are its own. Results go to `bench/results/data.json`.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import psutil

from bench._record import record

ROWS = (10_000, 100_000, 400_000, 792_099)

_STEPS = {
    "pandas.read_csv": "import pandas; clock(); pandas.read_csv(file, encoding='gb18030')",
    "read 4 MB": "clock(); open(file, 'rb').read(4 << 20).decode('gb18030', 'replace')",
    "inspect": "from engine.data import tables; clock(); tables.inspect(file)",
    "convert": "from engine.data import convert; clock(); convert.convert(file, home / 'out')",
    "convert 5000/2000": "from engine.data import convert; clock(); convert.convert(file, home / 'out', train=5000, val=2000)",
    "first page": "from engine.data import tables; clock(); tables.open_table(file).page(0, 50)",
    "index": "from engine.data import preview, tables; clock(); preview._index(tables.open_table(file))",
    "chunk": "from engine.data import tables; t = tables.open_table(file); clock(); t.head(10_000)",
    "any page": "from engine.data import tables; t = tables.open_table(file); t.page(rows // 3, 50); clock(); t.page(rows * 2 // 3, 50)",
    "sorted page": "from engine.data import tables; t = tables.open_table(file); t.page(0, 50, sort='ask'); clock(); t.page(rows // 2, 50, sort='ask')",
}  # fmt: skip

_RUN = """
import json, os, resource, sys, time
from pathlib import Path
file, home, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
started = []
def clock():
    started[:] = [time.perf_counter(), spent()]
def spent():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
exec(sys.argv[4])
seconds, cpu = time.perf_counter() - started[0], spent() - started[1]
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))
"""

_OPENINGS = ("您好，", "医生您好，", "请问一下，", "", "最近", "这两天", "我父亲", "我母亲今年六十八了，", "孩子")
_PARTS = (
    "总是觉得头晕眼花",
    "晚上睡不着觉",
    "血压一直降不下来",
    "吃完饭以后胃里不舒服",
    "咳嗽了半个多月也不见好",
    "去医院检查说没有大问题",
    "想知道平时饮食应该注意什么",
    "已经吃了两个疗程的药",
    "不知道能不能继续运动",
    "家里人都很着急",
)
_ADVICE = (
    "首先要注意休息，不要熬夜",
    "饮食要清淡，少吃油腻和辛辣的食物",
    "多吃新鲜的蔬菜和水果",
    "每天坚持适量的运动，例如散步半小时",
    "按时服药，不要自己停药或者换药",
    "定期到医院复查，把指标控制在正常范围",
    "保持心情愉快，不要有太大的精神压力",
    "如果症状一直没有好转，建议及时去医院就诊",
)
_DEPARTMENTS = ("心血管科", "消化科", "内分泌科", "神经科", "呼吸科", "肾内科")


def generate(path: Path, rows: int) -> None:
    """A table of department, title, ask and answer, as long as the real ones on average; every fiftieth row twice."""
    made = random.Random(7)
    with open(path, "w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["department", "title", "ask", "answer"])
        last: list[str] = []
        for i in range(rows):
            if i % 50 == 49:
                writer.writerow(last)
                continue
            ask = (
                made.choice(_OPENINGS)
                + "，".join(made.sample(_PARTS, made.randint(2, 7)))
                + f"，这是第{i}次问，怎么办？"
            )
            answer = "。".join(made.sample(_ADVICE, made.randint(5, 8))) * made.randint(1, 2) + "。"
            if made.random() < 0.15:
                answer = answer.replace("，", ",", 1)
            last = [made.choice(_DEPARTMENTS), ask[:16] + "？", ask, answer]
            writer.writerow(last)


def measure(name: str, file: Path, rows: int, times: int) -> dict:
    """The fastest of `times` runs of a step, each in a new process and a new workspace.

    `peak_memory` is the largest sum of the resident memory of the process and its children, in bytes.
    """
    best: dict = {}
    for _ in range(times):
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-c", _RUN, str(file), home, str(rows), _STEPS[name]]
            told = {**os.environ, "TUNEDESK_HOME": home}
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, env=told, cwd=Path(__file__).parent.parent
            ) as process:
                peak = _peak(psutil.Process(process.pid))
                found = json.loads(process.stdout.read()) | {"peak_memory": peak}
        if not best or found["seconds"] < best["seconds"]:
            best = found
    return {"name": name, "table_rows": rows, **best, "microseconds_a_row": best["seconds"] / rows * 1e6}


def _peak(process: psutil.Process) -> int:
    """Follow `process` to its end."""
    peak = 0
    while True:
        try:
            peak = max(peak, sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]))
            if process.status() == psutil.STATUS_ZOMBIE:
                return peak
        except psutil.NoSuchProcess:
            if not process.is_running():
                return peak
        time.sleep(0.02)


def main(argv: list[str]) -> dict:
    """Run the steps, write the results, and return them: `{"rows": [...], "ratios": {...}, ...}`."""
    parser = argparse.ArgumentParser(prog="bench data", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=list(ROWS), help="sizes of the generated tables")
    parser.add_argument("--times", type=int, default=3, help="runs of each step; the fastest counts")
    parser.add_argument("--no-save", action="store_true", help="leave the recorded results as they are")
    args = parser.parse_args(argv)
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in args.rows:
            file = Path(folder) / f"{rows}.csv"
            generate(file, rows)
            for name in _STEPS:
                measured.append(measure(name, file, rows, args.times) | {"table_bytes": file.stat().st_size})
                print(f"{name:18} {rows:8,} rows  {measured[-1]['seconds']:8.3f} s", file=sys.stderr)
            file.unlink()
    versions = {name: version(name) for name in ("pandas", "pyarrow", "numpy", "orjson")}
    result = {"cores": os.cpu_count(), "versions": versions, "ratios": _ratios(measured), "rows": measured}
    return result if args.no_save else record("data", result)


def _ratios(measured: list[dict]) -> dict:
    """What the limits are about, on the largest table."""
    sizes = sorted({each["table_rows"] for each in measured})
    of = {(each["name"], each["table_rows"]): each for each in measured}
    most = sizes[-1]
    ratios = {
        "convert / pandas.read_csv (limit 1.5)": of["convert", most]["seconds"]
        / of["pandas.read_csv", most]["seconds"],
        "any page / chunk (limit 0.3)": of["any page", most]["seconds"] / of["chunk", most]["seconds"],
        "peak memory of convert, bytes (limit 1e9)": of["convert", most]["peak_memory"],
        "inspect, seconds": of["inspect", most]["seconds"],
    }
    if len(sizes) > 1:
        # Between the two largest, which are both read by several processes.
        less = sizes[-2]
        grown = of["convert", most]["peak_memory"] - of["convert", less]["peak_memory"]
        ratios["growth of memory, bytes a row (limit 100)"] = grown / (most - less)
    return ratios
