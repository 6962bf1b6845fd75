"""`TypeSerializer`, as PyFlink's `pyflink.common.serializer`."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, BinaryIO

__all__ = ["TypeSerializer", "void"]


class void:
    """The class of a namespace that is none."""


class TypeSerializer:
    """Base of what writes values to a binary stream and reads them back. Override both."""

    __class_getitem__: Any = classmethod(GenericAlias)  # types in brackets are hints

    def serialize(self, element: Any, stream: BinaryIO) -> None:
        """Write `element`."""
        raise NotImplementedError(f"{type(self).__name__}.serialize")

    def deserialize(self, stream: BinaryIO) -> Any:
        """Read one element."""
        raise NotImplementedError(f"{type(self).__name__}.deserialize")
