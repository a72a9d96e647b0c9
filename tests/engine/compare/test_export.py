"""What is exported answers as the app does, in an interpreter that knows nothing of it."""

import json
import shutil
import subprocess
import sys

import pytest

from engine.compare.desk import Desk
from engine.compare.export import export
from engine.compare.settings import GenerationParams
from engine.errors import Exists, Unsupported
from engine.runs import store

ALONE = """
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

base, *folders = sys.argv[1:]
for folder in folders:
    if folder.endswith("adapter"):
        from peft import PeftModel

        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), folder)
    else:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer.apply_chat_template(
        [{"role": "user", "content": "你好！"}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    out = model.eval().generate(**inputs, max_new_tokens=20, do_sample=False, eos_token_id=[0, end], pad_token_id=0)
    print(json.dumps(tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)))
"""


def test_exports_answer_as_the_app_does(base, tmp_path):
    exported = [("lora", "adapter"), ("lora", "merged"), ("dora", "merged"), ("full", "merged"), ("ia3", "merged")]
    folders = [export(store.find(run), form, tmp_path / f"{run}-{form}") for run, form in exported]
    desk, params = Desk("fp32"), GenerationParams(temperature=0, max_tokens=20)
    expected = []
    for run, _ in exported:
        events = desk.compare([f"run:{run}"], [[{"role": "user", "content": "你好！"}]], params, lambda: False)
        expected.append("".join(event.get("delta", "") for event in events))
    command = [sys.executable, "-W", "ignore", "-c", ALONE, str(base), *map(str, folders)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert [json.loads(line) for line in said.splitlines()] == expected
    card = (folders[1] / "README.md").read_text(encoding="utf-8")
    assert "LoRA" in card and "vllm serve lora-merged" in card
    assert (folders[1] / "chat_template.jinja").is_file()


def test_what_cannot_be_exported_says_why_and_leaves_nothing(workspace, tmp_path):
    for run, form in (("full", "adapter"), ("prefix_tuning", "merged")):
        with pytest.raises(Unsupported):
            export(store.find(run), form, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(Exists):
        export(store.find("lora"), "adapter", tmp_path / "out")


@pytest.mark.skipif(shutil.which("convert_hf_to_gguf.py") is not None, reason="llama.cpp is installed")
def test_gguf_without_llama_cpp_says_what_is_missing(workspace, tmp_path):
    with pytest.raises(Unsupported, match="llama"):
        export(store.find("lora"), "gguf", tmp_path / "out")
