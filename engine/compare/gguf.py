"""GGUF for Ollama: llama.cpp's own converter, where it is at hand, and what it says of a model that it does not take.

The converter is a program of its own. Its first question, whether it knows the tokenizer, can be asked before any weights
are written.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from engine import home
from engine.errors import Unsupported, WorkError
from engine.words import Words

PROGRAM = "convert_hf_to_gguf.py"
FILE = "model.gguf"

MISSING = Words(
    f"GGUF needs llama.cpp's {PROGRAM}, which was found neither on the PATH nor in the folder llama.cpp of the workspace or "
    "of your home. Get llama.cpp, or export as 'merged'.",
    f"导出 GGUF 需要 llama.cpp 的 {PROGRAM}，但在 PATH、工作区和用户主目录的 llama.cpp 文件夹中都没有找到。"
    "请获取 llama.cpp，或导出为合并后的模型（merged）。",
)
_UNKNOWN_TOKENIZER = Words(
    "llama.cpp does not know this model's tokenizer, so it cannot be written as GGUF. Export as 'merged' and serve it with "
    "vLLM or transformers.",
    "llama.cpp 不认识该模型的分词器，无法导出为 GGUF。请导出为合并后的模型（merged），用 vLLM 或 transformers 部署。",
)
_UNKNOWN_MODEL = Words(
    "llama.cpp does not know this kind of model, so it cannot be written as GGUF. Export as 'merged' and serve it with vLLM "
    "or transformers.",
    "llama.cpp 不认识这种模型结构，无法导出为 GGUF。请导出为合并后的模型（merged），用 vLLM 或 transformers 部署。",
)
_NO_PACKAGE = Words(
    "llama.cpp's converter needs the Python package '{package}'. Install it with: {python} -m pip install {package}",
    "llama.cpp 的转换程序需要 Python 软件包“{package}”，请先安装：{python} -m pip install {package}",
)
_REFUSED = Words("llama.cpp's converter refused this model ({last})", "llama.cpp 的转换程序不接受该模型（{last}）")
# How the converter says that it does not know a tokenizer: of BPE by its pieces of a test text, else by a file it misses.
_TOKENIZER_SIGNS = ("pre-tokenizer was not recognized", "get_vocab_base_pre", "tokenizer.model")


def converter() -> Path | None:
    """llama.cpp's converter, if it is at hand."""
    on_path = shutil.which(PROGRAM)
    places = [
        *([Path(on_path)] if on_path else []),
        *(root / "llama.cpp" / PROGRAM for root in (home.home(), Path.home())),
    ]
    return next((place for place in places if place.is_file()), None)


def check_tokenizer(model: Path) -> None:
    """Whether the converter knows the tokenizer and the kind of model of the folder `model`, whose weights may be missing.
    What it writes to find out stays in that folder.

    Raises:
        Unsupported: it does not. WorkError: it failed otherwise.
    """
    _run(model, model / "vocabulary.gguf", "--vocab-only")


def convert(model: Path, folder: Path) -> None:
    """Write the merged model in `model` as `FILE` into `folder`, in fp16.

    Raises:
        As `check_tokenizer`.
    """
    _run(model, folder / FILE, "--outtype", "f16")


def _run(model: Path, out: Path, *options: str) -> None:
    command = [sys.executable, str(converter()), str(model), "--outfile", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise _refusal(done.stderr)


def _refusal(told: str) -> Unsupported | WorkError:
    if package := re.search(r"ModuleNotFoundError: No module named '(\w+)", told):
        return Unsupported(reason=_NO_PACKAGE.filled(package=package[1], python=sys.executable))
    if any(sign in told for sign in _TOKENIZER_SIGNS):
        return Unsupported(reason=_UNKNOWN_TOKENIZER)
    if re.search(r"Model \w+ is not supported", told):
        return Unsupported(reason=_UNKNOWN_MODEL)
    return WorkError(reason=_REFUSED.filled(last=(told.strip().splitlines() or ["?"])[-1]))
