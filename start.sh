#!/usr/bin/env bash
# Installs TuneDesk into .venv on the first run and starts it. Options are handed to app.py: bash start.sh --port 8000
set -euo pipefail
cd "$(dirname "$0")"

say() { # English, Chinese
  case "${TUNEDESK_LANG:-${LANG:-en}}" in zh*) printf '%s\n' "$2" ;; *) printf '%s\n' "$1" ;; esac
}

# The packages and pip's own copies of them while it installs: with the CPU build of torch, and with that for NVIDIA cards.
NEEDED_MB=4000 NEEDED_CUDA_MB=13000

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

install() {
  local requirements=$1 python free
  python=$(find_python)
  if [ -z "$python" ]; then
    say "TuneDesk needs Python 3.11 to 3.13, and none was found. Install it from python.org, or name it: PYTHON=/path/to/python3.11 bash $0" \
      "微调台需要 Python 3.11 至 3.13，但没有找到。请从 python.org 安装，或指明位置：PYTHON=/path/to/python3.11 bash $0"
    exit 2
  fi
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    say "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv" \
      "缺少 Python 的 venv 模块。在 Debian 或 Ubuntu 上请执行：sudo apt install python3-venv"
    exit 2
  fi
  free=$(df -Pm . | awk 'NR == 2 {print $4}')
  if [ "$free" -lt "$NEEDED_MB" ]; then
    say "The disk has $free MB free; TuneDesk needs about $NEEDED_MB MB. Free some room and run this again." \
      "磁盘剩余 $free MB，微调台大约需要 $NEEDED_MB MB。请腾出空间后重新运行。"
    exit 1
  fi
  if [ "$(uname -sm)" = "Linux x86_64" ] && [ "$free" -lt "$NEEDED_CUDA_MB" ] &&
    ! ls -d .venv/lib/python3*/site-packages/torch >/dev/null 2>&1; then
    say "The disk has $free MB free. The usual torch for Linux is the build for NVIDIA cards, which needs up to $NEEDED_CUDA_MB MB while it installs and 6 GB afterwards. Without such a card press Ctrl-C and put the CPU build into .venv first: $python -m venv .venv && .venv/bin/pip install $(grep '^torch==' requirements.txt) --index-url https://download.pytorch.org/whl/cpu" \
      "磁盘剩余 $free MB。Linux 上默认安装的 torch 是支持 NVIDIA 显卡的版本，安装过程中最多需要 $NEEDED_CUDA_MB MB，装好后约占 6 GB。没有这种显卡时，可按 Ctrl-C 停下，先在 .venv 中装好 CPU 版：$python -m venv .venv && .venv/bin/pip install $(grep '^torch==' requirements.txt) --index-url https://download.pytorch.org/whl/cpu"
  fi
  say "Installing the packages into .venv (2 GB and more, a few minutes; only this once) ..." \
    "正在把依赖安装到 .venv（2 GB 以上，需要几分钟，仅此一次）……"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar on -r "$requirements"
  cat requirements.txt "$requirements" >".venv/.$requirements"
}

# What is installed is up to date when the list it was installed from has not changed since.
ensure() {
  cat requirements.txt "$1" | cmp -s - ".venv/.$1" || install "$1"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  ensure requirements.txt
  exec .venv/bin/python app.py "$@"
fi
