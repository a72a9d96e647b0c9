import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def workspace(tmp_path_factory, monkeypatch):
    """A workspace of the test's own."""
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def test_data() -> Path:
    folder = os.environ.get("TUNEDESK_TEST_DATA")
    if not folder:
        pytest.skip("TUNEDESK_TEST_DATA names no folder of real data")
    return Path(folder)
