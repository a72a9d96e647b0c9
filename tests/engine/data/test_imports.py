"""Reading data loads no training libraries: the interface's process must stay light."""

import subprocess
import sys


def test_no_heavy_imports():
    code = (
        "import sys, engine.data.datasets, engine.data.tables, engine.data.encode, engine.data.lengths, engine.data.segment;"
        "print([m for m in ('torch', 'transformers', 'datasets', 'peft', 'pandas', 'pyarrow', 'openpyxl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
