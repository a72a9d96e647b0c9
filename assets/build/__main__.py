"""`python -m assets.build`: rebuilds the demo model and the demo data from nothing, through the engine itself.

The medical table, the everyday questions and the sample text take a second, pre-training about half an hour on two cores;
`--only data` leaves the model as it is.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from assets.build import corpus, medical, model, preferences, questions, tokenizer
from engine import home
from engine.training import scratch

SEED = 42
# Documents read once each: about forty tokens apiece.
TRAIN, VAL = 141_000, 1_000
# Pairs of answers to the same question: 200 to learn from, the rest to test with.
PAIRS = 260
# Documents that the tokenizer learns its English from.
READ = 20_000
SETTINGS = {
    "num_train_epochs": 1,
    "batch_size": 64,
    "learning_rate": 2.5e-3,
    "warmup_steps": 100,
    "weight_decay": 0.01,
    "precision": "bf16",
    "eval_steps": 500,
    "logging_steps": 10,
    "seed": SEED,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m assets.build", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("data", "model"), help="rebuild only this")
    parser.add_argument("--out", type=Path, default=home.ASSETS, help="the assets folder to write into")
    chosen = parser.parse_args(arguments)
    if chosen.only != "model":
        write_data(chosen.out / "demo-data")
    if chosen.only != "data":
        build_model(chosen.out / "demo-model")
    return 0


def write_data(folder: Path) -> None:
    """The medical table, pairs of answers, a sample of the corpus, and the held-out everyday questions."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "medical.csv").write_bytes(medical.encoded(medical.rows(SEED)))
    (folder / "preferences.csv").write_bytes(preferences.encoded(preferences.pairs(SEED, PAIRS)))
    pairs = ({"question": question, "answer": answer} for question, answer in questions.EVERYDAY)
    (folder / "everyday.jsonl").write_bytes(lines(pairs))
    (folder / "everyday.txt").write_text("\n\n".join(corpus.readings(SEED + 2, 400)) + "\n", encoding="utf-8")


def build_model(folder: Path) -> None:
    """Corpus, tokenizer, random weights, a pre-training run of the engine, and the result as bf16."""
    work = home.home() / "demo-build"
    shutil.rmtree(work, ignore_errors=True)
    data, start = work / "corpus", work / "start"
    data.mkdir(parents=True)
    start.mkdir()
    write_corpus(data)
    scratch.write_tokenizer(tokenizer.build(corpus.documents(SEED, READ)), start)
    model.initialise(start, SEED)
    trained = Path(pretrain(start, data)) / "final"
    shutil.rmtree(folder, ignore_errors=True)
    model.write_bf16(trained, start, folder)
    shutil.rmtree(work)
    print(f"{folder}: {home.size_text(home.size_of(folder))}")


def write_corpus(folder: Path) -> None:
    """A data set in the `text` format: a conversation a line."""
    (folder / "train.json").write_bytes(lines({"text": text} for text in corpus.documents(SEED, TRAIN)))
    (folder / "val.json").write_bytes(lines({"text": text} for text in corpus.documents(SEED + 1, VAL)))
    home.write_json(folder / "report.json", {"format": "text", "train": TRAIN, "val": VAL})


def pretrain(start: Path, data: Path) -> str:
    """Train the model in `start` on `data` from its random weights; returns the run's folder."""
    command = [sys.executable, "-m", "engine", "train", "--json", "--objective", "pretrain", "--method", "full"]
    command += ["--model", str(start), "--data", str(data)]
    for name, value in SETTINGS.items():
        command += ["--set", f"{name}={value}"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ended.stdout)["run"]


def lines(rows: Iterable[dict]) -> bytes:
    """JSON Lines."""

    def each() -> Iterator[str]:
        for row in rows:
            yield json.dumps(row, ensure_ascii=False) + "\n"

    return "".join(each()).encode()


if __name__ == "__main__":
    sys.exit(main())
