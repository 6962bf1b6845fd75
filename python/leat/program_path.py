"""Where a C program's own modules are found: beside the program, and in its working directory.

They come behind the standard library, which they must never shadow, and before what is installed.
"""

from __future__ import annotations

import sys


def add(folders: list[str]) -> None:
    """Let modules be imported from these folders, the first one first; empty names are left out."""
    installed = ("site-packages", "dist-packages")
    ends = (i for i, path in enumerate(sys.path) if path.endswith(installed))
    at = next(ends, len(sys.path))
    sys.path[at:at] = dict.fromkeys(f for f in folders if f and f not in sys.path)
