"""SIGKILL of the worker and of the app, at random moments, within a checkpoint and within the writing of the state:
nothing is lost, nothing is torn, and the end is the same to the last bit.

`python -m engine bench faults` does thirty of each and records what it found; here it is one of each kind, for their time.
"""

import pytest

from bench import faults


@pytest.mark.timeout(600)
def test_kills_change_nothing_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    found = faults.campaign(kills=2, seed=7)
    assert {row["name"]: row["kills"] for row in found["rows"]} == {
        f"{victim}, {moment}": 1 for victim, moments in faults.MOMENTS.items() for moment in moments
    }
    assert (found["torn_files"], found["different_ends"]) == (0, 0)
