"""Libraries of others that bulk formats are written with; Leat does not need them otherwise."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["library"]


def library(module: str, needed_by: str) -> Any:
    """The module; a NotSupportedError that says how to install it where it is missing."""
    try:
        return import_module(module)
    except ImportError as e:
        from leat.common.errors import NotSupportedError

        package = module.partition(".")[0]
        raise NotSupportedError(
            f"{needed_by} needs {package}, which could not be imported ({e})",
            f"pip install {package}, or pip install 'leat[formats]' for all formats",
        ) from e
