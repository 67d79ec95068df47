"""What is light stays light: no heavy import for help, and a start that nobody notices."""

import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "pandas", "sklearn", "pydantic", "numpy", "pyarrow", "rich")
CALL = """
import sys
from pushforward.cli import main
try:
    main({words!r})
except SystemExit:
    pass
"""
SAY = f"print('imported:', [name for name in {HEAVY!r} if name in sys.modules])"


def said(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("words", [["--help"], ["families"], ["families", "--json"], ["fit", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words):
    assert said(CALL.format(words=words) + SAY).splitlines()[-1] == "imported: []"


def test_the_package_imports_nothing_heavy():
    assert said(f"import sys, pushforward; {SAY}") == "imported: []\n"


@pytest.mark.parametrize(
    "words, most",
    [
        (["-c", "import pushforward"], 0.2),
        (["-m", "pushforward", "--help"], 0.3),
        (["-m", "pushforward", "families"], 0.3),
    ],
)
def test_it_starts_at_once(words, most):
    def seconds():
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(10)) < most  # the best of ten: the machine may be busy
