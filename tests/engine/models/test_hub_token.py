import stat

import pytest

from engine.models import hub_token


@pytest.fixture
def person(tmp_path, monkeypatch):
    """A home folder, for clients that may have been imported with another."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MODELSCOPE_API_TOKEN", raising=False)
    monkeypatch.delenv("MODELSCOPE_HOME", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / ".cache" / "huggingface" / "token"))
    return tmp_path


def known(key: str) -> str | None:
    """The token that the hub's own client finds."""
    if key == "modelscope":
        from modelscope_hub import HubConfig

        return HubConfig().token
    from huggingface_hub import get_token

    return get_token()


@pytest.mark.parametrize("key", ["modelscope", "huggingface"])
def test_a_token_lies_where_the_hubs_client_looks_and_can_be_forgotten(person, key):
    hub_token.save(key, " secret-token\n")
    assert known(key) == "secret-token"
    files = [path for path in person.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    assert len(files) == 1 and stat.S_IMODE(files[0].stat().st_mode) == 0o600
    hub_token.save(key, "")
    assert known(key) is None and not files[0].exists()
