"""The command line as a person or a script uses it: processes, exit codes, one JSON document, one line for an error."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine import home
from engine.runs import store
from engine.verbs import VERBS

ROOT = Path(__file__).resolve().parents[2]
FAKES = Path(__file__).parent / "runs"


class Line:
    """Runs `python -m engine ...` in a workspace; with `fake`, the worker trains nothing."""

    def __init__(self, workspace: Path):
        self._environment = os.environ | {
            "TUNEDESK_HOME": str(workspace),
            "TUNEDESK_LANG": "en",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(FAKES)]),
        }

    def start(self, *arguments: object, fake: bool = False, lang: str = "en") -> subprocess.Popen:
        program = [str(FAKES / "fake_cli.py")] if fake else ["-m", "engine"]
        return subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            cwd=ROOT,
            env=self._environment | {"TUNEDESK_LANG": lang},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: object, **how: object) -> tuple[int, str, str]:
        process = self.start(*arguments, **how)
        output, errors = process.communicate()
        assert "Traceback" not in errors
        return process.returncode, output, errors

    def json(self, *arguments: object, **how: object) -> object:
        code, output, errors = self(*arguments, "--json", **how)
        assert code == 0, errors
        return json.loads(output)

    def fails(self, *arguments: object, **how: object) -> tuple[int, str]:
        code, output, errors = self(*arguments, **how)
        assert output == "" and len(errors.splitlines()) == 1, errors
        return code, errors


@pytest.fixture
def line(tmp_path, monkeypatch) -> Line:
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path / "workspace"))
    return Line(tmp_path / "workspace")


@pytest.fixture
def table(tmp_path) -> Path:
    path = tmp_path / "table.csv"
    rows = [f"能吃苹果{number}吗？,可以吃{number}个。" for number in range(50)]
    path.write_text("\n".join(["ask,answer", *rows]), encoding="gb18030")
    return path


@pytest.fixture
def ready(line, table, tmp_path) -> list[object]:
    """Arguments of `train` with a model and data."""
    data = tmp_path / "data"
    line.json("convert", table, "--out", data)
    from .models.test_library import make

    return ["train", "--model", make(tmp_path / "model"), "--data", data, "--set", "max_steps=30"]


def test_looking_around(line):
    methods = line.json("methods")
    keys = [spec["key"] for spec in methods["methods"]]
    assert {"full", "lora", "qlora"} <= set(keys)
    assert {"sft", "pretrain"} <= {spec["key"] for spec in methods["objectives"]}
    lora = next(spec for spec in methods["methods"] if spec["key"] == "lora")
    assert "r" in lora["params"]["properties"] and lora["label"]
    assert [preset["key"] for preset in methods["presets"]] == ["quick", "balanced", "thorough"]
    assert all("path" in model for model in line.json("models"))
    assert line.json("runs") == []
    for verb in ("methods", "models", "runs"):
        for lang in ("en", "zh"):
            assert line(verb, lang=lang)[0] == 0


def test_doctor(line):
    assert {"device", "dtype", "memory_gb", "packages"} <= line.json("doctor").keys()


def test_a_table_is_looked_into_and_converted(line, table, tmp_path):
    looked = line.json("inspect", table)
    assert {"format", "encoding", "delimiter", "rows", "columns", "mapping", "problems"} <= looked.keys()
    assert looked["rows"] == 50 and looked["mapping"] == {"question": "ask", "answer": "answer"}
    out = tmp_path / "out"
    made = line.json(
        "convert", table, "--map", "question=ask", "--map", "answer=answer", "--train", 30, "--val", 5, "--out", out
    )
    assert (made["train"], made["val"], made["unused"], made["input_rows"]) == (30, 5, 15, 50)
    first = json.loads((out / "train.json").read_text(encoding="utf-8").splitlines()[0])
    assert first.keys() == {"question", "answer"}
    code, said = line.fails("convert", table, "--out", out)
    assert code == 2 and "exists already" in said


def test_what_makes_no_sense_is_one_line(line, monkeypatch):
    for wrong, said in (
        (["inspect", "~$table.xlsx"], "~$table.xlsx"),
        (["structure", "~nobody"], "~nobody"),
        (["evaluate", "nothing", "--limit", "-5"], "--limit"),
        (["serve", "nothing", "--port", "99999"], "--port"),
    ):
        code, errors = line.fails(*wrong)
        assert code == 2 and said in errors
    # Also where the terminal has no Chinese.
    line._environment["PYTHONIOENCODING"] = "ascii"
    code, output, _ = line("nonsense", "--json", lang="zh")
    assert code == 2 and "nonsense" in json.loads(output)["message"]


def test_a_run_goes_through(line, ready):
    done = line.json(*ready, "--name", "first", fake=True)
    assert done["status"] == "finished" and done["steps"] == 30 and done["eval_loss"] == 0.5
    assert Path(done["run"]).is_absolute()
    assert {"final_loss", "tokens_per_second", "trainable_parameters"} <= done.keys()
    (listed,) = line.json("runs")
    assert (listed["run"], listed["name"], listed["status"]) == (Path(done["run"]).name, "first", "finished")
    again = line.json("resume", listed["run"], "--checkpoint", 30, fake=True)
    assert again["run"] == done["run"] and again["status"] == "finished"
    code, said = line.fails("resume", done["run"], "--checkpoint", 7, fake=True)
    assert code == 2 and "10, 20, 30" in said
    code, said = line.fails("resume", done["run"], "--epochs", "nan", fake=True)
    assert code == 2 and "Epochs" in said
    assert line.json("stop", listed["run"])["status"] == "finished"


def test_a_failed_run_is_told_as_a_document_and_a_line(line, ready, tmp_path, monkeypatch):
    store.create({"steps": 3, "trouble": {"step": 1, "kind": "exit"}})
    run = store.runs()[0]
    home.write_json(run.path / "status.json", run.status() | {"state": "interrupted"})
    code, output, errors = line("resume", run.id, "--json", fake=True)
    told = json.loads(output)
    assert code == 1 and told["status"] == "failed" and told["error"] == "WorkerDied"
    assert "exit code 3" in told["message"] and errors.splitlines()[-1] == told["message"]


def test_interrupting_finishes_the_step_and_saves(line, ready):
    process = line.start(*ready[:-1], "max_steps=100000", "--json", fake=True)
    for told in process.stderr:
        if told.startswith("step"):
            break
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 0 and json.loads(output)["status"] == "stopped"


def test_another_process_stops_a_run(line, ready):
    process = line.start(*ready[:-1], "max_steps=100000", "--json", fake=True)
    for told in process.stderr:
        if told.startswith("step"):
            break
    (run,) = line.json("runs")
    assert run["status"] == "running"
    assert line.json("stop", run["run"])["status"] == "stopped"
    output, _ = process.communicate()
    assert json.loads(output)["status"] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "VERB"),
        (["fly"], "fly"),
        (["train"], "--model, --data"),
        (["runs", "extra"], "extra"),
        (["resume", "x", "--checkpoint", "first"], "first"),
        (["stop", "nothing"], "no run 'nothing'"),
        (["resume", "../../etc"], "no run"),
        (["ask", "nothing", "why?"], "no run 'nothing'"),
        (["train", "--model", "nothing", "--data", "nothing"], "nothing"),
        (["inspect", "/nothing.csv"], "/nothing.csv"),
        (["convert", "/nothing.csv", "--out", "/tmp/never-made"], "/nothing.csv"),
        (["convert", "/nothing.csv", "--out", "/tmp/never-made", "--train", "-1"], "-1"),
        (["convert", "/nothing.csv", "--out", "/tmp/never-made", "--format", "poem"], "poem"),
        (["bench", "../engine"], "../engine"),
        (["structure", "x" * 300], "too long"),
        (["stop", "x" * 300], "too long"),
        (["train", "--model", "demo-model", "--data", "x" * 300], "too long"),
        (["convert", "assets/demo-data/medical.csv", "--out", f"/tmp/{'x' * 300}"], "too long"),
        (["--home", "/dev/null/x", "runs"], "/dev/null/x"),
        (["runs", "--home", "/dev/null/x"], "/dev/null/x"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(line, arguments, says):
    code, said = line.fails(*arguments)
    assert code == 2 and says in said


def test_bad_settings_are_all_named_at_once_and_leave_no_run(line, ready):
    code, said = line.fails(*ready, "--set", "learning_rate=fast", "--set", "nonsense=1", "--set", "r=0")
    assert code == 2 and "fast" in said and "nonsense" in said and "Rank" in said
    assert line.fails(*ready, "--set", "novalue")[0] == 2
    assert line.fails(*ready, "--method", "magic")[0] == 2
    assert line.fails(*ready, "--objective", "magic")[0] == 2
    assert line.json("runs") == []


def test_errors_come_in_the_readers_language_and_as_one_document(line):
    code, output, errors = line("stop", "nothing", "--json", lang="zh")
    told = json.loads(output)
    assert code == 2 and told["error"] == "NotFound" and "找不到" in told["message"]
    assert errors.strip() == told["message"]
    code, output, errors = line("train", "--json", lang="zh")
    assert code == 2 and "缺少参数" in json.loads(output)["message"]


def test_the_workspace_can_be_given_before_and_after_the_verb(line, tmp_path):
    for arguments in (["--home", tmp_path / "a", "runs"], ["runs", "--home", tmp_path / "b"]):
        assert line(*arguments)[0] == 0
    assert (tmp_path / "a" / "runs").is_dir() and (tmp_path / "b" / "runs").is_dir()


def test_help_speaks_both_languages_and_names_every_verb(line):
    for lang in ("en", "zh"):
        code, output, _ = line("--help", lang=lang)
        assert code == 0
        assert [verb.name for verb in VERBS] == re.findall(r"^    (\w+)(?: |$)", output, re.MULTILINE)
        for verb in VERBS:
            assert verb.help.text(lang) in " ".join(output.split()) or lang == "zh"


def test_a_reader_that_has_enough_is_no_error(line):
    process = line.start("methods")
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0 and "Broken" not in errors


def test_the_inside_of_a_model_is_printed_with_what_a_method_trains(line):
    found = line.json("structure", "demo-model", "--method", "lora", "--set", "target_modules=q_proj")
    assert (found["parameters"], found["method"], found["trains"]) == (5_236_992, "lora", 5 * 8 * (256 + 256))
    _, output, _ = line("structure", "demo-model", "--method", "freeze", lang="zh")
    assert re.search(r"\(3-4\): 2 x Qwen2DecoderLayer", output) and "* 参与训练: 65,792" in output
    assert line.fails("structure", "demo-model", "--method", "lore")[0] == 2
