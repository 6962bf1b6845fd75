"""Functions of at most 80 lines and files of at most 700, in C and in Python.

Docstrings are not counted. What is longer is named in exceptions.txt, with its reason; a name there
that needs no exception is a finding, too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree

FUNCTION_LINES = 80
FILE_LINES = 700

# Comments, string and character literals, and whole preprocessor lines with their continuations.
NOISE = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
        | ^[ \t]*\#(?:\\\n|[^\n])*""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
EXTERN_C = re.compile(r'extern\s+"C"\s*\{')


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    lines: int


def c_functions(text: str) -> Iterator[Function]:
    """The functions that a C file defines: a brace at the top after a closing parenthesis."""
    text = EXTERN_C.sub("", text)
    text = NOISE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    depth, head_start, body = 0, 0, None
    for match in re.finditer(r"[{};]", text):
        at, char = match.start(), match[0]
        if char == "{":
            head = text[head_start:at]
            if depth == 0 and head.rstrip().endswith(")"):
                called = re.search(r"(\w+)\s*\(", head)
                first = head_start + len(head) - len(head.lstrip())
                body = (called[1] if called else "?", text.count("\n", 0, first) + 1)
            depth += 1
        elif char == "}":
            depth = max(depth - 1, 0)
            if depth == 0 and body is not None:
                yield Function(*body, text.count("\n", 0, at) + 2 - body[1])
                body = None
        if depth == 0:
            head_start = at + 1


def python_functions(text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            yield Function(
                node.name, node.lineno, (node.end_lineno or 0) - node.lineno + 1 - docstring
            )


def exceptions(root: Path) -> dict[str, int]:
    """Lines of `path[:function] limit reason`."""
    found: dict[str, int] = {}
    path = root / "tests/lint/exceptions.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.strip() and not line.startswith("#"):
            what, limit, reason = line.split(maxsplit=2)
            assert reason
            found[what] = int(limit)
    return found


def check(root: Path) -> Iterator[str]:
    allowed = exceptions(root)
    needed: set[str] = set()
    for path in tree.files(root, suffixes={*tree.C_SUFFIXES, ".py", ".sh", ""}):
        where = tree.name(root, path)
        text = path.read_text()
        functions = {".py": python_functions, "": lambda _: (), ".sh": lambda _: ()}
        sized = [(where, 1, len(text.splitlines()), FILE_LINES, "file")]
        for function in functions.get(path.suffix, c_functions)(text):
            what = f"{where}:{function.name}"
            sized.append(
                (what, function.line, function.lines, FUNCTION_LINES, f"{function.name}()")
            )
        for what, line, lines, limit, noun in sized:
            if lines > limit:
                needed.add(what)
            wall = allowed.get(what, limit)
            if lines > wall:
                yield f"{where}:{line}: {noun} has {lines} lines; {wall} is the wall"
    for what in allowed.keys() - needed:
        yield f"tests/lint/exceptions.txt: {what} needs no exception"
