"""Starts TuneDesk: `python app.py`. Parses the options, builds the web application, serves it, opens a window."""

import argparse
import errno
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import webbrowser

from engine import home
from engine.errors import Unsupported
from engine.words import Words, system_language

_PORT = 7860
_LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"]
# Where browsers that open a page as a window of its own (`--app=URL`) live, by name and by path.
_BROWSERS = (
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
    "microsoft-edge-stable",
    "chromium",
    "chromium-browser",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Microsoft\Edge\Application\msedge.exe",
)

_NEEDS_PASSWORD = Words(
    "{option} lets other computers reach TuneDesk, so it needs a password: add --auth USER:PASSWORD.",
    "{option} 会让其他电脑也能访问微调台，因此必须设置密码：请加上 --auth 用户名:密码。",
)
_BAD_AUTH = Words(
    "--auth needs a name and a password with a colon between them, such as --auth me:secret.",
    "--auth 需要“用户名:密码”的形式，例如 --auth me:secret。",
)
_PORT_TAKEN = Words(
    "Port {port} is in use. Close the program that uses it or give another one, such as --port {other}.",
    "端口 {port} 已被占用。请关闭占用它的程序，或换一个端口，例如 --port {other}。",
)
_NO_LISTENING = Words(
    "TuneDesk cannot listen at {host}, port {port}: {reason}. Give another --host or --port.",
    "微调台无法在 {host} 的端口 {port} 上监听：{reason}。请更换 --host 或 --port。",
)
_AT = Words("TuneDesk is running at {url}  (stop it with Ctrl+C)", "微调台已启动：{url}（按 Ctrl+C 退出）")
_PRESENTED = Words(
    "The audience logs in as {name} with the password {password}", "观众登录：用户名 {name}，密码 {password}"
)
_SHARING = Words(
    "Asking Gradio for a public address. At first use this fetches a small program (frpc) from the network …",
    "正在向 Gradio 申请公网地址，首次使用会从网络下载一个小程序（frpc）……",
)
_SHARED_AT = Words("Public address: {url}", "公网地址：{url}")
_NOT_SHARED = Words(
    "No public address could be had ({reason}). TuneDesk goes on at the local one.",
    "无法获得公网地址（{reason}）。微调台仍可在本机地址使用。",
)


def main() -> int:
    options = parse()
    lang = system_language()
    wrong = refusal(options, lang)
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    try:
        home.enter(options.home)
    except Unsupported as error:
        print(error.text(lang), file=sys.stderr)
        return 2
    if options.present and not presentable(options.present, lang):
        return 2
    try:
        sock = listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(unheard(error, options, lang), file=sys.stderr)
        return 2
    serve(sock, options, lang)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.py", description="TuneDesk: fine-tune language models by clicking.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=_PORT, help=f"port to listen on (default: {_PORT})")
    parser.add_argument("--home", metavar="DIR", help="workspace for models, data and runs (default: ./workspace)")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask for a name and a password")
    parser.add_argument("--share", action="store_true", help="also make a public address, through Gradio's tunnel")
    parser.add_argument("--present", metavar="RUN", help="show an audience one run, before and after, and nothing else")
    parser.add_argument("--no-browser", action="store_true", help="open no window")
    return parser.parse_args()


def refusal(options: argparse.Namespace, lang: str) -> str | None:
    """Why TuneDesk does not start with these options; None when it may."""
    if options.auth is not None and not all(options.auth.partition(":")[::2]):
        return _BAD_AUTH.text(lang)
    if options.present:
        return None  # It makes a password of its own where none is given.
    if options.auth is None and options.share:
        return _NEEDS_PASSWORD.text(lang, option="--share")
    if options.auth is None and not is_loopback(options.host):
        return _NEEDS_PASSWORD.text(lang, option=f"--host {options.host}")
    return None


def presentable(run: str, lang: str) -> bool:
    """Whether there is such a run with a model; if not, that is said."""
    from engine.compare import names
    from engine.errors import TuneDeskError

    try:
        names.resolve(f"run:{run}")
    except TuneDeskError as error:
        print(error.text(lang), file=sys.stderr)
        return False
    return True


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address.

    Raises:
        OSError: something else listens there, or it is no address of this computer. OverflowError: there is no such port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host.strip("[]"), port))
    except (OSError, OverflowError):
        sock.close()
        raise
    return sock


def unheard(error: OSError | OverflowError, options: argparse.Namespace, lang: str) -> str:
    """Why `listen` failed, and what to do."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return _PORT_TAKEN.text(lang, port=options.port, other=options.port + 1)
    reason = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
    return _NO_LISTENING.text(lang, host=options.host, port=options.port, reason=reason)


def serve(sock: socket.socket, options: argparse.Namespace, lang: str) -> None:
    """Run until interrupted."""
    import uvicorn

    from ui.gate import Password
    from ui.presenter import GUEST, new_password
    from ui.site import application, presented

    auth = options.auth or (f"{GUEST}:{new_password()}" if options.present else None)
    password = Password.of(*auth.split(":", 1)) if auth else None
    # Behind a password any name may lead here; without one only this computer's own names do.
    hosts = [*_LOOPBACK_NAMES, options.host] if is_loopback(options.host) and not options.share else ["*"]
    # A page left open keeps no connection that a shutdown would have to wait for longer than this.
    site = presented(options.present, hosts, password) if options.present else application(hosts, password)
    if options.present and not options.auth:
        print(_PRESENTED.text(lang, name=GUEST, password=auth.partition(":")[2]), flush=True)
    config = uvicorn.Config(site, log_level="warning", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    shown = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host
    url = f"http://{shown}:{sock.getsockname()[1]}/"
    greeter = threading.Thread(target=greet, args=(server, url, sock.getsockname()[1], options, lang), daemon=True)
    greeter.start()
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        pass
    finally:
        sock.close()


def greet(server: object, url: str, port: int, options: argparse.Namespace, lang: str) -> None:
    """Once the server answers: print its address, open a window, make the public address."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.05)
    print(_AT.text(lang, url=url), flush=True)
    if not options.no_browser:
        open_window(url)
    if options.share:
        share(port, lang)


def open_window(url: str) -> None:
    """A window of its own where a browser can do that, else the default browser."""
    for name in _BROWSERS:
        found = shutil.which(name)
        if found:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
            subprocess.Popen([found, f"--app={url}", "--window-size=1280,900"], start_new_session=True, **quiet)
            return
    webbrowser.open(url)


def share(port: int, lang: str) -> None:
    import secrets

    from gradio.networking import setup_tunnel

    print(_SHARING.text(lang), flush=True)
    try:
        url = setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None)
    except (RuntimeError, OSError) as error:
        print(_NOT_SHARED.text(lang, reason=error), file=sys.stderr, flush=True)
        return
    print(_SHARED_AT.text(lang, url=url), flush=True)


if __name__ == "__main__":
    sys.exit(main())
