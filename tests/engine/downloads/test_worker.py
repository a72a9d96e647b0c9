"""The two hubs' real clients against a hub on loopback that goes wrong on purpose."""

import errno
import subprocess
import sys
from collections import namedtuple

import pytest

from engine import home
from engine.downloads import queue, worker
from engine.errors import (
    AccessDenied,
    Damaged,
    DiskFull,
    NetworkFailed,
    NotAModel,
    NotFound,
    TooLittleRoom,
    Unsupported,
)
from engine.models import library
from tests.engine.downloads.conftest import library_of
from tests.engine.models.loopback import Fault

WANTED = {"config.json", "tokenizer.json", "model.safetensors", "README.md"}


def test_a_model_arrives_whole_and_nothing_else(hub, files, download):
    done = download()[-1]
    assert (done["type"], set(done["files"])) == ("done", WANTED)
    model = library.describe(home.folder("models") / "me" / "tiny")
    assert {path.name: path.read_bytes() for path in model.path.iterdir()} == {name: files[name] for name in WANTED}
    assert hub.sent == {name: len(files[name]) for name in WANTED}
    assert library.find("me/tiny") == model.path


def test_a_cut_connection_goes_on_where_it_broke(hub, files, download):
    hub.faults = [Fault("cut", r"^/store/.*safetensors", times=2)]
    download()
    assert hub.asked.count("/store/me/tiny/model.safetensors") == 3
    assert hub.sent["model.safetensors"] == len(files["model.safetensors"])


def test_a_stall_is_noticed_and_retried(hub, files, download):
    hub.faults = [Fault("stall", r"^/store/.*safetensors", times=1)]
    download()
    assert hub.asked.count("/store/me/tiny/model.safetensors") == 2
    assert hub.sent["model.safetensors"] == len(files["model.safetensors"])


def test_a_slow_drip_is_no_stall(hub, files, download):
    hub.repos["me/tiny"]["tokenizer.json"] = b" " * 131_072
    hub.faults = [Fault("drip", r"^/store/.*tokenizer", times=1)]  # 16 kB three times a second
    assert download()[-1]["type"] == "done"
    assert hub.asked.count("/store/me/tiny/tokenizer.json") == 1
    assert hub.sent["tokenizer.json"] == 131_072


def test_a_silent_server_is_told(hub, download):
    hub.faults = [Fault("silent", r"^/store/.*safetensors", times=1)]
    told = next(event for event in download() if event["type"] == "warning")
    assert "does not answer" in told["en"] and "没有响应" in told["zh"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_server_is_asked_again(hub, download, status):
    hub.faults = [Fault(status, r"^/store/.*safetensors", times=1)]
    assert download()[-1]["type"] == "done"


def test_a_lost_network_keeps_what_has_arrived(hub, files, download):
    hub.faults = [Fault("cut", r"^/store/.*safetensors", times=1), Fault(500, r"^/store/.*safetensors")]
    with pytest.raises(NetworkFailed, match="127"):
        download()
    assert library_of() == []
    half = hub.sent["model.safetensors"]
    assert 0 < half < len(files["model.safetensors"])
    hub.faults = []
    download()
    assert hub.sent == {name: len(files[name]) for name in WANTED}


def test_what_is_not_there_is_said(hub, download):
    with pytest.raises(NotFound, match="me/none"):
        download("me/none")
    assert library_of() == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_closed_door_is_said(hub, download, status):
    hub.faults = [Fault(status)]
    with pytest.raises(AccessDenied, match="token"):
        download()
    assert library_of() == []


def test_a_token_opens_the_door_and_is_written_nowhere(hub, which, download, monkeypatch, tmp_path):
    hub.private, hub.tokens = {"me/tiny"}, {"secret-token"}
    monkeypatch.setenv("HF_TOKEN" if which == "huggingface" else "MODELSCOPE_API_TOKEN", "secret-token")
    with pytest.raises(AccessDenied):
        download()
    assert download(use_token=True)[-1]["type"] == "done"
    written = [
        path for path in (tmp_path / "workspace").rglob("*") if path.is_file() and b"secret" in path.read_bytes()
    ]
    assert written == []


def test_a_wrong_hash_is_fetched_anew_once(hub, files, download):
    hub.faults = [Fault("hash", r"^/store/.*safetensors", times=1)]
    assert download()[-1]["type"] == "done"
    assert library_of() == sorted(f"me/tiny/{name}" for name in WANTED)


@pytest.mark.parametrize("kind", ["hash", "longer", "shorter"])
def test_what_is_always_damaged_is_refused(hub, download, kind):
    hub.faults = [Fault(kind, r"^/store/.*safetensors")]
    with pytest.raises(Damaged):
        download()
    assert library_of() == []


def test_a_circle_of_redirects_ends(hub, download):
    hub.faults = [Fault("loop", r"^/store/")]
    with pytest.raises(NetworkFailed, match="circles"):
        download()


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "a/../../evil.json"])
def test_names_that_leave_the_folder_are_refused(hub, download, name, tmp_path):
    hub.faults = [Fault([name], r"/(files|tree)|/tree/")]
    with pytest.raises(Unsupported, match="unsafe name"):
        download()
    assert hub.sent == {} and not list(tmp_path.rglob("evil*"))


def test_pickles_and_code_are_refused(hub, files, download):
    hub.repos["me/pickled"] = {name: body for name, body in files.items() if name != "model.safetensors"}
    with pytest.raises(Unsupported, match="pickled"):
        download("me/pickled")
    code = b'{"model_type": "x", "auto_map": {"AutoModel": "m.X"}}'
    hub.repos["me/code"] = files | {"config.json": code}
    with pytest.raises(Unsupported, match="program code"):
        download("me/code")
    assert set(hub.sent) == {"config.json"} and library_of() == []


def test_a_model_that_is_none_is_not_let_in(hub, files, download):
    hub.repos["me/torn"] = files | {"model.safetensors": files["model.safetensors"][:-10]}
    with pytest.raises(NotAModel, match="cut short"):
        download("me/torn")
    assert library_of() == []


def test_room_is_checked_first(hub, download, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(worker, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(TooLittleRoom, match="me/tiny"):
        download()
    assert hub.sent == {}


def test_a_disk_that_fills_on_the_way_is_named(hub, download, monkeypatch):
    real = open

    def full(path, mode="r", *args, **kwargs):
        if "incomplete" in str(path) and mode in ("ab", "wb"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *args, **kwargs)

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(DiskFull):
        download()
    assert library_of() == []


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A workspace of 512 kB, on a file system of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    monkeypatch.setenv("TUNEDESK_HOME", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_what_has_arrived_and_goes_on_when_there_is_room(
    small_disk, hub, files, download, monkeypatch
):
    monkeypatch.setattr(worker.Download, "_check_room", lambda *_: None)  # somebody else fills the disk meanwhile
    with pytest.raises(DiskFull):
        download()
    assert library_of() == [] and hub.sent["model.safetensors"] > 0
    here = {name: done for name, done, _ in queue.progress(queue.downloads()[0]).files}
    sent = hub.sent["model.safetensors"]
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert download()[-1]["type"] == "done"
    assert hub.sent["model.safetensors"] == sent + len(files["model.safetensors"]) - here["model.safetensors"]


def test_a_data_set_comes_to_the_uploads(hub, download):
    hub.repos["me/qa"] = {"data/train.csv": b"question,answer\na,b\n", "README.md": b"# qa", "photo.png": b"x"}
    assert download("me/qa", kind="dataset")[-1]["files"] == ["data/train.csv"]
    assert (home.folder("uploads") / "qa-data-train.csv").read_bytes() == b"question,answer\na,b\n"


def test_progress_is_told_by_what_lies_on_the_disk(hub, download, files):
    hub.faults = [Fault("cut", r"^/store/.*safetensors", times=1), Fault(500, r"^/store/.*safetensors")]
    with pytest.raises(NetworkFailed):
        download()
    progress = queue.progress(queue.downloads()[0])
    assert progress.total == sum(len(files[name]) for name in WANTED)
    assert progress.done == sum(hub.sent.values())


def test_patience_doubles_and_has_an_end():
    patience = worker.Patience(first=1, longest=60)
    assert [patience.pause(n) for n in (1, 2, 3, 4, 9)] == [1, 2, 4, 8, 60]
