"""`NumberSequenceSource`, as PyFlink's `pyflink.datastream.connectors.number_seq`."""

from __future__ import annotations

from leat.common.typeinfo import BasicTypeInfo
from leat.datastream.connectors.base import Source

__all__ = ["NumberSequenceSource"]


class NumberSequenceSource(Source):
    """The integers (64 bits) from `start` to `end`, both included.

    Subtasks share the range; each emits its part in ascending order. A ValueError when `start` is
    larger than `end`.
    """

    def __init__(self, start: int, end: int) -> None:
        if start > end:
            raise ValueError(f"NumberSequenceSource: start {start} is larger than end {end}")
        super().__init__(
            ("sequence", {"first": start, "last": end}, BasicTypeInfo.LONG_TYPE_INFO())
        )
