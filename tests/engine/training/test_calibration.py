"""What a machine computes in a second is measured once, by a process of its own."""

from engine import hardware
from engine.training import calibration


def test_a_machine_is_measured_once_and_another_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    assert calibration.known() is None
    found = calibration.machine()
    assert set(found.gflops) == set(found.dtypes) and min(found.gflops.values()) > 0
    assert found.call_us > 0 and found.memory > found.runtime > 100_000_000
    assert calibration.known() == found

    monkeypatch.setattr(hardware, "processor_name", lambda: "another")
    assert calibration.known() is None
