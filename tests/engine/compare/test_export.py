"""What is exported answers as the app does, in an interpreter that knows nothing of it."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from engine import hardware, home
from engine.compare import modelcard
from engine.compare.desk import Desk
from engine.compare.export import export
from engine.compare.names import Source
from engine.compare.settings import GenerationParams
from engine.errors import Exists, TooLittleMemory, TooLittleRoom, Unsupported
from engine.models import library
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
    assert "- Base model: `tiny`\n" in (folders[3] / "README.md").read_text(encoding="utf-8")
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


def test_too_little_memory_is_seen_before_anything_is_written(workspace, base, tmp_path, monkeypatch):
    need = 4 * library.describe(base).parameters
    monkeypatch.setattr(hardware, "free_ram", lambda: need - 1)
    phases = []
    with pytest.raises(TooLittleMemory) as said:
        export(store.find("lora"), "merged", tmp_path / "out", phases.append)
    assert home.size_text(need) in said.value.text("zh") and home.size_text(need - 1) in said.value.text("en")
    assert phases == [] and list(tmp_path.iterdir()) == []
    export(store.find("lora"), "adapter", tmp_path / "adapter")
    export(store.find("full"), "merged", tmp_path / "full")  # copied: nothing has to be in memory
    monkeypatch.setattr(hardware, "free_ram", lambda: need)
    export(store.find("lora"), "merged", tmp_path / "out")


def test_too_little_room_is_seen_before_anything_is_written(workspace, base, tmp_path, monkeypatch):
    need = library.describe(base).bytes
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=need - 1))
    with pytest.raises(TooLittleRoom, match=home.size_text(need)):
        export(store.find("lora"), "merged", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_4_bit_run_is_merged_into_the_full_base_and_says_so(workspace, base, tmp_path):
    run = store.find("qlora")
    merged = export(run, "merged", tmp_path / "merged")
    adapter = export(run, "adapter", tmp_path / "adapter")
    assert all(note in (merged / "README.md").read_text(encoding="utf-8") for note in modelcard.FROM_4_BIT)
    assert modelcard.FROM_4_BIT.en not in (adapter / "README.md").read_text(encoding="utf-8")
    learnt = load_file(adapter / "adapter_model.safetensors")
    before, after = load_file(base / "model.safetensors"), load_file(merged / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj"
    a, b = (learnt[f"base_model.model.{name}.lora_{side}.weight"] for side in "AB")
    scale = json.loads((adapter / "adapter_config.json").read_text())["lora_alpha"] / a.shape[0]
    torch.testing.assert_close(after[f"{name}.weight"], before[f"{name}.weight"] + scale * b @ a)


def test_the_card_says_how_to_serve(workspace, tmp_path):
    said = {}
    for run in ("lora", "dora"):
        said[run] = (export(store.find(run), "adapter", tmp_path / run) / "README.md").read_text(encoding="utf-8")
    assert "--enable-lora --lora-modules tuned=lora\n" in said["lora"]
    assert "--enable-lora" not in said["dora"] and "vLLM 只能加载 LoRA" in said["dora"]
    downloaded = workspace / "models" / "Qwen" / "Qwen2.5-0.5B"
    assert modelcard.base_name(Source("", downloaded, None, downloaded, None)) == "Qwen/Qwen2.5-0.5B"
