"""What a bulk writer writes the bytes of a file to."""

from __future__ import annotations

import io
from typing import Any


class PartStream(io.RawIOBase):
    """A binary file that can only be written, from its beginning to its end.

    The bytes gather in `_bytes`, which the bridge empties after each call of the writer. `name` is
    the path of the file while it is hidden.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._bytes = bytearray()
        self._size = 0

    def writable(self) -> bool:
        """Always True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes; answers how many. A ValueError when the stream was closed."""
        self._checkClosed()
        before = len(self._bytes)
        self._bytes += data
        size = len(self._bytes) - before
        self._size += size
        return size

    def tell(self) -> int:
        """How many bytes were written so far."""
        return self._size
