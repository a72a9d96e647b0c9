"""What a browser fetches of a run: a zip that unpacks to what was exported, and addresses that lead nowhere else."""

import io
import zipfile

import pytest

from ui import downloads


def test_a_folder_becomes_a_zip_without_a_file_in_between(tmp_path):
    folder = tmp_path / "model-merged"
    (folder / "deep").mkdir(parents=True)
    contents = {"weights.bin": bytes(range(256)) * 9000, "deep/说明.md": "你好".encode(), "empty": b""}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    parts = list(downloads.zipped(folder))
    assert max(map(len, parts)) < 3 << 20
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        assert {n: archive.read(n) for n in archive.namelist()} == {
            f"model-merged/{name}": content for name, content in contents.items()
        }


@pytest.mark.parametrize("id", ["", "..", ".hidden", "../secret", "no-such-run"])
def test_an_address_names_only_jobs_of_the_workspace(id, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEDESK_HOME", str(tmp_path))
    assert downloads._export(id).status_code == 404
    assert downloads._report(id, "en").status_code == 404
