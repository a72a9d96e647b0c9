"""Data sets and runs of every objective, on the tiny model."""

import json
from pathlib import Path

from engine import home
from engine.runs import store
from engine.runs.events import Events, log
from engine.training import config as configs
from engine.training.session import Session
from tests.tiny import FOODS, ILLNESSES

KIND, RUDE = "希望您早日康复。", "别再来烦我了吧！"


def pairs(count: int) -> list[dict]:
    """The same answer, once with a kind end and once with a rude one."""
    rows = []
    for i in range(count):
        illness, food = ILLNESSES[i % len(ILLNESSES)], FOODS[i % len(FOODS)]
        answer = f"{illness}可以吃{food}。" + "少量。" * (i % 3)
        rows.append({"prompt": f"{illness}能吃{food}吗？{i}", "chosen": answer + KIND, "rejected": answer + RUDE})
    return rows


def thumbs(count: int) -> list[dict]:
    rows = []
    for row in pairs(count // 2):
        rows.append({"prompt": row["prompt"], "completion": row["chosen"], "label": True})
        rows.append({"prompt": row["prompt"], "completion": row["rejected"], "label": False})
    return rows


def write(folder: Path, format: str, train: list[dict], val: list[dict]) -> Path:
    folder.mkdir(parents=True)
    for name, rows in (("train", train), ("val", val)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.json").write_text(lines, encoding="utf-8")
    home.write_json(folder / "report.json", {"format": format, "train": len(train), "val": len(val)})
    return folder


def trained(model: Path, data: Path, objective: str, method: str = "lora", **settings: object) -> tuple[Path, list]:
    """Trains in this process; the run's folder and its events."""
    config = configs.build(str(model), str(data), objective, method, settings)
    run = store.create(config.model_dump())
    with Events(run.path / "events.jsonl") as events:
        Session(run.path, config, events).run()
    return run.path, log(run.path / "events.jsonl").after(0)


def of(kind: str, events: list) -> list:
    return [event for event in events if event["type"] == kind]
