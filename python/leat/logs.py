"""Lines of the library's log, in Python programs: they go to `logging.getLogger("leat")`.

Where nobody has set logging up they go to stderr as in C programs, warnings and errors only.
"""

from __future__ import annotations

import atexit
import sys

_WARNING = 2
_attached = False


def attach() -> None:
    """From now on lines come here; once per process."""
    from leat import _leat

    global _attached
    if _attached:
        return
    _attached = True
    _leat.log_to(_take)
    atexit.register(_leat.log_to, None)


def _take(level: int, line: str) -> None:
    """One line. `level` is the library's: 0 debug, 1 info, 2 warning, 3 error."""
    logging = sys.modules.get("logging")
    if logging is None:
        if level >= _WARNING:
            sys.stderr.write(f"leat: {line}\n")
        return
    logger = logging.getLogger("leat")
    number = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)[level]
    if logger.hasHandlers():
        logger.log(number, "%s", line)
    elif logger.isEnabledFor(number):
        sys.stderr.write(f"leat: {line}\n")
