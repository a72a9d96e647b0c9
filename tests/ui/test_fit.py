"""What is said of whether a run fits, before it starts."""

import pytest

from engine import home
from engine.runs import store
from engine.runs.status import Writer
from engine.training import calibration, config, estimate
from engine.training.calibration import Machine
from tests.tiny import make_data
from ui import fit
from ui.text import Text

HERE = Machine("cpu", "test", 32 * 10**9, ("fp32",), {"fp32": 150.0}, 5.0, 500_000_000)


@pytest.fixture
def wanted(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    monkeypatch.setattr(calibration, "machine", lambda: HERE)
    monkeypatch.setattr(calibration, "known", lambda: HERE)
    return config.build(str(home.DEMO_MODEL), str(make_data(tmp_path / "data" / "tiny")))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_run_that_fits(wanted, lang):
    said = fit.shown(Text(lang), wanted)
    assert said["kind"] == "is-good" and said["advice"] == []
    assert sum(part["share"] for part in said["parts"]) == pytest.approx(100, abs=0.5)
    assert len(said["facts"]) == 2


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_run_that_does_not(wanted, monkeypatch, lang):
    monkeypatch.setattr(estimate, "available", lambda here: 10**8)
    said = fit.shown(Text(lang), wanted)
    assert said["kind"] == "is-bad" and said["advice_title"] and said["advice"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_time_is_said_where_answers_take_as_long_as_they_like(wanted, lang):
    tries = config.build(wanted.model, wanted.data, "rloo", settings={"rule": "length"})
    t = Text(lang)
    told = {fact["label"]: fact for fact in fit.shown(t, tries)["facts"]}
    assert told[t("fit.time")]["value"] == "–" and "{" not in told[t("fit.time")]["note"]
    assert "≈" not in str(told)


def test_a_machine_that_works_on_a_run_is_not_measured_beside_it(wanted, monkeypatch):
    monkeypatch.setattr(calibration, "known", lambda: None)
    run = store.create(wanted.model_dump(mode="json"))
    assert fit.shown(Text("en"), wanted) == {}
    Writer(run.path).update(state="finished")
    assert fit.shown(Text("en"), wanted)["kind"] == "is-good"
