"""The house as the documents draw it: which way imports go, what loads torch, how large a file may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GROUND = {"words", "errors", "fields", "home", "hardware"}
# A wing may use those before it, never back. The verbs are the door, which sees all.
WINGS = ["models", "data", "runs", "downloads", "training", "compare"]
SOURCES = sorted([*ROOT.glob("engine/**/*.py"), *ROOT.glob("ui/*.py"), ROOT / "app.py"])


def imported(path: Path) -> set[str]:
    """The project's own modules that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("engine", "ui", "app", "bench")}


def wing(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "engine" and len(parts) > 1 else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path):
    mine = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for name in imported(path):
        if mine.startswith("engine"):
            assert not name.startswith(("ui", "app")), f"{mine} imports {name}"
        here, there = wing(mine), wing(name)
        if here in GROUND:
            assert there in GROUND | {None}, f"{mine} imports {name}"
        if here in WINGS and there in WINGS:
            assert WINGS.index(there) <= WINGS.index(here), f"{mine} imports {name}"
        if here == "runs":
            assert there != "training", f"{mine} imports {name}"


@pytest.mark.parametrize(
    "module", ["engine", "ui", "engine.runs.background", "engine.compare.chat", "engine.training.config"]
)
def test_importing_loads_no_torch(module):
    code = f"import sys, {module}; sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'peft')))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, check=False).returncode == 0


def test_gradio_stays_in_the_interface():
    for path in SOURCES:
        if "engine" in path.parts:
            assert "import gradio" not in path.read_text(encoding="utf-8"), path


def test_every_file_of_code_is_named_in_the_readme():
    """One line a file, so that a newcomer finds a thing where its name says."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [str(p.relative_to(ROOT)) for p in SOURCES if p.name != "__init__.py" and p.name not in readme]
    assert not missing


def test_scripts_name_nothing_twice():
    """All scripts of a page share one object: of two things with one name the earlier would be lost."""
    block = re.compile(
        r"^  (?:Object\.assign\(TuneDesk(\.draw)?, |TuneDesk(\.draw) = )\{\n(.*?)\n  \}\)?;", re.M | re.S
    )
    named = []
    for path in sorted(ROOT.glob("assets/*.js")):
        text = path.read_text(encoding="utf-8")
        named += re.findall(r"^ *TuneDesk\.(draw\.\w+|\w+) (?:\?\?)?= ", text, re.M)
        for more, first, body in block.findall(text):
            names = re.findall(r"^    (?:async )?(\w+)[:(]", body, re.M)
            named += [f"draw.{name}" if more or first else name for name in names]
    assert {"draw.told", "draw.notable", "saveTable", "run"} <= set(named)
    assert sorted(named) == sorted(set(named))
