"""Runs the lints: all that read sources, or those that are named.

Exit code 1 for findings, 77 when none could run.

python tests/lint/run.py                     every lint of the sources
python tests/lint/run.py layers sizes        these
python tests/lint/run.py --build build/dev symbols
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

import tree

SOURCE_LINTS = ("layers", "names", "text", "sizes", "statics", "headers", "clang_format")
BUILT_LINTS = ("config_docs", "symbols")
NOT_RUN = 77


def run(name: str, root: Path, build: Path | None) -> str:
    """Prints what the lint finds and answers "passed", "failed" or "not run"."""
    lint = import_module(name)
    try:
        findings = list(lint.check(root, build) if name in BUILT_LINTS else lint.check(root))
    except tree.NotRun as reason:
        print(f"{name}: not run: {reason}")
        return "not run"
    print(
        "\n".join(
            [f"{name}: {'failed' if findings else 'passed'}", *(f"    {f}" for f in findings)]
        )
    )
    return "failed" if findings else "passed"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("lints", nargs="*", metavar="LINT", default=SOURCE_LINTS)
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--build", type=Path)
    options = parser.parse_args()
    for name in set(options.lints) - {*SOURCE_LINTS, *BUILT_LINTS}:
        parser.error(f"no lint is named {name}; there are {', '.join(SOURCE_LINTS + BUILT_LINTS)}")
    results = [run(name, options.root, options.build) for name in options.lints]
    if len(results) > 1:
        print(f"lints: {results.count('passed')} passed, {results.count('failed')} failed")
    if "failed" in results:
        return 1
    return NOT_RUN if "passed" not in results else 0


if __name__ == "__main__":
    sys.exit(main())
