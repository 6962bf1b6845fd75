"""What the built files show: libleat.so only its contract, the module only its entries.

Of its own names (leati_) the library shows those that the Python module may know by the layering
rule: marked LEAT_API in a header of runtime/base or in runtime/bridge.h. Neither file asks for what
it must not: the library for Python, the module for what the library hides.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import tree

CONTRACT = re.compile(r"leat_\w+|leati_bridge_\w+|LEAT_\d+")
FOR_THE_MODULE = re.compile(r"LEAT_API[^;]*?\b(leati_\w+)\s*[(;\[]")
ENTRIES = {"PyInit__leat", "leati_embed"}  # for Python, and for the library
FOR_PYTHON = re.compile(r"_?Py[A-Z_]\w*")


def dynamic(library: Path, which: str) -> set[str]:
    """The names in the dynamic symbol table: `which` is "defined" or "undefined"."""
    command = ["nm", "-D", f"--{which}-only", library]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines if line.strip()}


def for_the_module(root: Path) -> set[str]:
    """The internal names that the library shows to the module."""
    headers = [*(root / "src/runtime/base").glob("*.h"), *root.glob("src/runtime/bridge.h")]
    return {name for path in headers for name in FOR_THE_MODULE.findall(path.read_text())}


def check_library(library: Path, internal: set[str]) -> Iterator[str]:
    for name in sorted(dynamic(library, "defined") - internal):
        if not CONTRACT.fullmatch(name):
            yield f"{library.name}: exports {name}"
    for name in sorted(dynamic(library, "undefined")):
        if FOR_PYTHON.fullmatch(name):
            yield f"{library.name}: needs {name}, but knows no Python"


def check_module(module: Path, library: Path) -> Iterator[str]:
    offered = dynamic(library, "defined")
    for name in sorted(dynamic(module, "defined") - ENTRIES):
        yield f"{module.name}: exports {name}"
    for name in sorted(dynamic(module, "undefined")):
        if name.startswith("PyGILState_"):
            yield f"{module.name}: needs {name}, which knows only the main interpreter"
        if name.startswith(("leat_", "leati_")) and name not in offered:
            yield f"{module.name}: needs {name}, which {library.name} does not export"
    needed = subprocess.run(["readelf", "-d", module], capture_output=True, text=True, check=True)
    if "libpython" in needed.stdout:
        yield f"{module.name}: is linked to libpython"


def check(root: Path, build: Path | None = None) -> Iterator[str]:
    library = next(iter(sorted((build or root / "build/dev").glob("lib/libleat.so"))), None)
    if library is None:
        raise tree.NotRun("no libleat.so is built")
    yield from check_library(library, for_the_module(root))
    for module in sorted(library.parent.glob("leat/python3.*/leat/_leat.*.so")):
        yield from check_module(module, library)
