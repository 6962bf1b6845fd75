"""The module serves several interpreters: no static PyObject pointer or type, no PyGILState_."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import sizes
import tree

# A name follows that is not a function's.
STATIC_OBJECT = re.compile(
    r"\bstatic\b(?!\s+inline)[^;{}()=]*\bPy\w*(?:Object|Ref)?\s*\*+\s*(?:const\s+)?\w+\s*[\[=;,]"
)
STATIC_TYPE = re.compile(r"\bPyTypeObject\s+\w+\s*=")
GIL_STATE = re.compile(r"\bPyGILState_\w+")
RULES = {
    STATIC_OBJECT: "a static pointer to an object; it belongs into the module's state",
    STATIC_TYPE: "a static type; make it with PyType_FromModuleAndSpec",
    GIL_STATE: "PyGILState_ knows only the main interpreter; enter by py_interp",
}


def check(root: Path) -> Iterator[str]:
    for path in tree.files(root, "src/pybridge", suffixes=tree.C_SUFFIXES):
        text = sizes.NOISE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), path.read_text())
        for pattern, complaint in RULES.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.end()) + 1
                yield f"{tree.name(root, path)}:{line}: {complaint}"
