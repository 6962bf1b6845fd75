"""_leat.pyi says what the module has, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from leat import _leat

STUB = Path(__file__).resolve().parents[3] / "python/leat/_leat.pyi"
BODY = ast.parse(STUB.read_text()).body
CLASSES = {node.name: node for node in BODY if isinstance(node, ast.ClassDef)}


def names(body: list[ast.stmt]) -> set[str]:
    functions = {n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    values = {
        n.target.id for n in body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    return {name for name in functions | values if not name.startswith("_")}


def test_stub_has_the_names_of_the_module() -> None:
    assert names(BODY) == {name for name in dir(_leat) if not name.startswith("_")}


@pytest.mark.parametrize("name", CLASSES)
def test_stub_has_the_methods_of_the_class(name: str) -> None:
    found = {m for m in vars(getattr(_leat, name)) if not m.startswith("_")}
    assert names(CLASSES[name].body) == found
