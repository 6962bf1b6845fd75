"""Runs cases in this process and writes an answer per line: name, a tab, JSON.

run_cases.py [--leat] MODE OUT FAMILY [CASE ...]
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> None:
    if arguments[0] == "--leat":
        import leat.as_pyflink  # noqa: F401 - what it does is to be imported

        arguments = arguments[1:]
    mode, out, family, *names = arguments
    sys.path.insert(0, str(HERE))
    import parity_case

    parity_case.own_stdout()
    try:
        cases = importlib.import_module(f"cases.{family}").family.cases
    except ImportError as e:
        cases, missing = {}, {"error": "import", "type": type(e).__name__, "text": str(e)}
    with Path(out).open("a") as f:
        for name in names or cases:
            answer = parity_case.answer(cases[name], mode) if cases else missing
            f.write(f"{name}\t{json.dumps(answer)}\n")
            f.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
