#!/usr/bin/env bash
# Installs what the tests need, a browser included, and runs them all. Options are handed to pytest: bash test.sh -k data
set -euo pipefail
source "$(dirname "$0")/start.sh"
cd "$(dirname "$0")"

ensure requirements-dev.txt

# The browser tests drive the system's Chromium; the screenshots they judge need a Chinese font.
if ! command -v chromium >/dev/null || ! fc-list 2>/dev/null | grep -qi 'cjk'; then
  if ! command -v apt-get >/dev/null; then
    say "The browser tests need Chromium and a Chinese font: install chromium and Noto Sans CJK with your system's packages." \
      "浏览器测试需要 Chromium 和中文字体：请用系统的软件包管理器安装 chromium 与 Noto Sans CJK。"
    exit 2
  fi
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fontconfig
fi

.venv/bin/ruff check .
.venv/bin/ruff format --check .
# Most tests keep one core busy.
exec .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
