"""GGUF through a stand-in for llama.cpp's converter, which takes the same options and fails in the same words."""

import sys

import psutil
import pytest

from engine.compare import export, gguf, tasks
from engine.errors import Unsupported, WorkError
from engine.runs import jobs, store

STAND_IN = """
import argparse, json, sys, time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("model", type=Path)
parser.add_argument("--outfile", type=Path)
parser.add_argument("--outtype", choices=["f16"])
parser.add_argument("--vocab-only", action="store_true")
given = parser.parse_args()
assert json.loads((given.model / "config.json").read_text())["model_type"] == "qwen2"
assert (given.model / "tokenizer.json").is_file() and (given.model / "chat_template.jinja").is_file()
{trouble}
given.outfile.write_bytes(b"GGUF" + (b"" if given.vocab_only else (given.model / "model.safetensors").read_bytes()))
"""


@pytest.fixture
def converter(tmp_path, monkeypatch):
    """`converter(trouble)` puts a stand-in on the PATH; `trouble`: lines of Python that it runs before it writes."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")

    def put(trouble: str = "") -> None:
        program = tmp_path / "bin" / gguf.PROGRAM
        program.parent.mkdir(exist_ok=True)
        program.write_text(STAND_IN.format(trouble=trouble), encoding="utf-8")
        program.chmod(0o755)

    return put


def test_the_converter_is_found_where_people_keep_it(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert gguf.converter() is None
    assert export.refusal(store.find("lora"), "gguf") == gguf.MISSING
    program = tmp_path / "llama.cpp" / gguf.PROGRAM
    program.parent.mkdir()
    program.touch()
    assert gguf.converter() == program
    assert export.refusal(store.find("lora"), "gguf") is None


def test_a_model_with_its_modelfile(workspace, converter, tmp_path):
    converter()
    phases = []
    folder = export.export(store.find("lora"), "gguf", tmp_path / "out", phases.append)
    assert phases == ["checking", "loading", "saving", "converting"]
    assert sorted(path.name for path in folder.iterdir()) == ["Modelfile", "README.md", "model.gguf"]
    assert (folder / "model.gguf").stat().st_size > 10_000
    modelfile = (folder / "Modelfile").read_text(encoding="utf-8")
    assert modelfile.startswith("FROM ./model.gguf\n") and 'PARAMETER stop "<|im_end|>"' in modelfile
    assert "ollama create out -f Modelfile" in (folder / "README.md").read_text(encoding="utf-8")


UNKNOWN_BPE = 'raise NotImplementedError("BPE pre-tokenizer was not recognized - update get_vocab_base_pre()")'


@pytest.mark.parametrize(
    ("trouble", "kind", "said"),
    [
        (UNKNOWN_BPE, Unsupported, "分词器"),
        ('raise FileNotFoundError("File not found: /x/tokenizer.model")', Unsupported, "分词器"),
        ('sys.exit("ERROR:hf-to-gguf:Model NewForCausalLM is not supported")', Unsupported, "模型结构"),
        ("import no_such_package.part", Unsupported, "-m pip install no_such_package"),
        ('sys.exit("disk on fire")', WorkError, "disk on fire"),
    ],
)
def test_a_refusal_is_said_before_anything_is_merged(workspace, converter, tmp_path, trouble, kind, said):
    converter(trouble)
    phases = []
    with pytest.raises(kind) as refused:
        export.export(store.find("lora"), "gguf", tmp_path / "out", phases.append)
    assert said in refused.value.text("zh")
    assert phases == ["checking"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin"]


def test_a_cancelled_conversion_leaves_no_process_and_no_file(workspace, converter, tmp_path):
    converter("if not given.vocab_only: time.sleep(600)")
    job = tasks.exportation(store.find("lora"), "gguf")
    known = []

    def cancel(status: dict) -> None:
        family = psutil.Process().children(recursive=True)
        converting = [each for each in family if each.cmdline()[-1:] == ["f16"]]
        if converting and status["phase"] == "converting" and status["step"]:
            known.append((status["phase"], status["step"], status["max_steps"]))
            known.extend(converting)
            job.request("kill")

    status = jobs.supervise(job, watch=cancel)
    (phase, step, whole), process, *_ = known
    assert status["state"] == "stopped" and phase == "converting" and 0 < step < whole
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not [path for path in job.path.iterdir() if path.is_dir()]
    job.delete()


def test_the_interpreter_of_the_application_runs_it(workspace, converter, tmp_path):
    converter(f"assert sys.executable == {sys.executable!r}")
    export.export(store.find("full"), "gguf", tmp_path / "out")
