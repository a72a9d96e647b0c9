"""How the tests are shared out among processes."""

import pytest
from xdist.scheduler import LoadFileScheduling


class _Shared(LoadFileScheduling):
    """A file stays with one process, and so do all that drive a browser: each of those keeps more than one core busy."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Shared:
    return _Shared(config, log)
