"""Benchmarks and examples are no part of the package: what they take from it must be there all the same."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("examples/*.py")])


def taken(tree):
    """What a script imports from the package, and what it says of `pf`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pushforward":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pf":
            yield "pushforward", node.attr


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_script_finds_what_it_imports(path):
    for module, name in taken(ast.parse(path.read_text("utf-8"))):
        within = importlib.import_module(module)
        assert hasattr(within, name) or importlib.util.find_spec(f"{module}.{name}"), f"{module} has no {name}"
