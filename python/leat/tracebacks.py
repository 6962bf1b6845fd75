"""Tracebacks as the author of a program wants them: of the program's own frames."""

from __future__ import annotations

import os
import sys

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120


def format_exception(error: BaseException) -> list[str]:
    """The lines that Python shows for an error and its causes, without frames of Leat's."""
    import traceback

    shown = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    waiting: list[traceback.TracebackException | None] = [shown]
    while waiting:
        part = waiting.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        part.stack[:] = [f for f in part.stack if not _is_ours(f.filename)]
        waiting += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
    return list(shown.format())


def _is_ours(filename: str) -> bool:
    """Of this package, of what starts it, or of what pickles functions for it."""
    cloudpickle = getattr(sys.modules.get("cloudpickle"), "__path__", ["<no cloudpickle>"])
    return filename.startswith((_PACKAGE, "<frozen runpy>", cloudpickle[0] + os.sep))
