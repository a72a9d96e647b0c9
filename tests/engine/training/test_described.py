from engine import home
from engine.training import described
from engine.training.config import TrainingParams
from engine.training.methods import get

CONFIG = {
    "model": "/models/tiny",
    "data": "/data/foods",
    "objective": "sft",
    "method": "lora",
    "method_params": get("lora").params().model_dump(),
    "objective_params": {},
    "training": TrainingParams(learning_rate=1e-4).model_dump(),
    "launch": None,
}


def test_every_setting_has_a_name_and_a_value_in_words():
    for lang in ("en", "zh"):
        found = {setting.name: setting for setting in described.settings(CONFIG, lang)}
        assert set(CONFIG["training"]) | set(CONFIG["method_params"]) <= found.keys()
        assert all(setting.label and setting.value for setting in found.values())
    assert (found["learning_rate"].label, found["learning_rate"].value) == ("学习率", "0.0001")
    assert found["model"].value == "tiny" and found["lr_scheduler_type"].value == "余弦降到零"
    assert found["gradient_checkpointing"].value == "否" and found["eval_steps"].value == "自动"
    assert found["max_steps"].value == found["save_disk_gb"].value == "不限"
    assert found["early_stopping_patience"].value == found["neftune_noise_alpha"].value == "关闭"


def test_an_automatic_learning_rate_is_told_and_differs_with_the_method():
    def run(method: str) -> dict:
        training = TrainingParams().model_dump()
        return CONFIG | {"model": str(home.DEMO_MODEL), "method": method, "training": training, "method_params": {}}

    rows = dict(described.differences([run("lora"), run("full")], "zh"))
    assert rows["学习率"] == ["0.005（自动）", "0.002（自动）"]


def test_only_what_differs_is_told_also_where_one_run_has_no_such_setting():
    full = CONFIG | {"method": "full", "method_params": {}}
    rows = dict(described.differences([CONFIG, CONFIG, full], "en"))
    assert rows["Method"][0] == rows["Method"][1] != rows["Method"][2]
    assert rows["Rank"] == ["8", "8", "–"]
    assert "Learning rate" not in rows
    assert described.differences([CONFIG, CONFIG], "en") == []


def test_what_this_version_does_not_know_is_told_as_it_stands():
    odd = CONFIG | {"method": "from tomorrow", "method_params": {"depth": [1, 2]}}
    found = {setting.name: setting for setting in described.settings(odd, "en")}
    assert found["method"].value == "from tomorrow"
    assert (found["depth"].label, found["depth"].value) == ("depth", "1, 2")
    assert described.settings({}, "en") == []
