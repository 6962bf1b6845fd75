"""Every header compiles alone: the public ones as C17 and as C++17, ours as C17."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic-errors", "-fsyntax-only"]
AS_C = ["cc", "-x", "c", "-std=c17"]
AS_CXX = ["c++", "-x", "c++", "-std=c++17"]


def commands(root: Path) -> Iterator[tuple[Path, list[str]]]:
    include = f"-I{root / 'include'}"
    for header in tree.files(root, "include", suffixes={".h"}):
        for language in (AS_C, AS_CXX):
            yield header, [*language, *STRICT, include]
    python = Path(sysconfig.get_paths()["include"])
    for header in tree.files(root, "src", suffixes={".h"}):
        inside = [include, f"-I{root / 'src'}", "-D_GNU_SOURCE", "-Wno-unused-function"]
        if "pybridge" in header.parts:
            if not (python / "Python.h").exists():
                continue
            inside += ["-isystem", str(python)]
        yield header, [*AS_C, *STRICT, *inside]


def compile_alone(job: tuple[Path, list[str]]) -> str:
    header, command = job
    source = f'#include "{header}"\n'
    done = subprocess.run(
        [*command, "-"], input=source, capture_output=True, text=True, check=False
    )
    return done.stderr.strip() if done.returncode else ""


def check(root: Path) -> Iterator[str]:
    jobs = list(commands(root.resolve()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (header, command), complaint in zip(jobs, pool.map(compile_alone, jobs), strict=True):
            if complaint:
                where = tree.name(root.resolve(), header)
                yield f"{where}: does not compile alone as {command[3][5:]}:\n{complaint}"
