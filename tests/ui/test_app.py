"""What `python app.py` refuses, in one clear sentence."""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).resolve().parents[2]


def options(**given: object) -> argparse.Namespace:
    return argparse.Namespace(
        **{"host": "127.0.0.1", "port": 0, "auth": None, "share": False, "home": None, "present": None, **given}
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_computer_needs_no_password(host):
    assert app.refusal(options(host=host), "en") is None


@pytest.mark.parametrize("given", [{"host": "0.0.0.0"}, {"host": "192.168.1.5"}, {"host": "::"}, {"share": True}])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_others_need_one(given, lang):
    said = app.refusal(options(**given), lang)
    assert said is not None and "--auth" in said
    assert app.refusal(options(**given, auth="me:secret"), lang) is None


@pytest.mark.parametrize("auth", ["me", "me:", ":secret", ""])
def test_a_password_is_a_name_and_a_password(auth):
    assert "--auth" in app.refusal(options(host="0.0.0.0", auth=auth), "en")


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--share"]])
def test_refusing_is_one_line_and_exit_code_two(arguments):
    done = subprocess.run([sys.executable, "app.py", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1 and done.stdout == ""


def test_a_port_in_use_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "app.py", "--port", port]
        environment = os.environ | {"TUNEDESK_LANG": "en"}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and f"Port {port} is in use" in done.stderr


@pytest.mark.parametrize("wrong", [["--port", "99999"], ["--host", "192.0.2.1"], ["--home", "/dev/null"]])
def test_what_cannot_be_listened_at_or_worked_in_is_said(wrong):
    command = [sys.executable, "app.py", "--auth", "me:secret", "--no-browser", *wrong]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"TUNEDESK_LANG": "en"})
    assert done.returncode == 2 and done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert "cannot" in said and wrong[1] in said


def test_importing_the_interface_loads_no_torch():
    code = "import sys, ui.site; print([name for name in ('torch', 'transformers', 'peft', 'datasets') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
