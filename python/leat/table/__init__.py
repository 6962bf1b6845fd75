"""Of PyFlink's `pyflink.table`: the data types that file formats are described by.

Tables and SQL come with later releases; their names are ImportErrors that say so.
"""

from __future__ import annotations

from typing import Any

from leat.table.types import DataTypes

__all__ = ["DataTypes"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module 'leat.table' has no attribute {name!r}")
    from leat.version import __version__

    raise ImportError(
        f"Leat {__version__} has no {name!r} in its table package: tables and SQL come with a "
        "later release; use the DataStream API"
    )
