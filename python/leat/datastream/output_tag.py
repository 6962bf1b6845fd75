"""`OutputTag`, as PyFlink's `pyflink.datastream.output_tag`."""

from __future__ import annotations

from typing import Any, NoReturn

from leat.common.typeinfo import PickledBytesTypeInfo, RowTypeInfo, TypeInformation

__all__ = ["OutputTag"]


class OutputTag:
    """Names a side output and its type.

    `type_info` is a TypeInformation, a list of them for a Row, or None for any object. An empty
    `tag_id` is a ValueError, another kind of type a TypeError. Streams are told apart by `tag_id`
    only.
    """

    def __init__(self, tag_id: str, type_info: Any = None) -> None:
        if not tag_id:
            raise ValueError("OutputTag tag_id cannot be None or empty string")
        self.tag_id = tag_id
        self.type_info: TypeInformation
        if type_info is None:
            self.type_info = PickledBytesTypeInfo()
        elif isinstance(type_info, list):
            self.type_info = RowTypeInfo(type_info)
        elif isinstance(type_info, TypeInformation):
            self.type_info = type_info
        else:
            raise TypeError("OutputTag type_info must be None, list or TypeInformation")

    def get_java_output_tag(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's tags."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError("Leat has no Java output tags", "use the OutputTag itself")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OutputTag) and self.tag_id == other.tag_id

    def __hash__(self) -> int:
        return hash(self.tag_id)

    def __repr__(self) -> str:
        return f"OutputTag({self.tag_id!r}, {self.type_info!r})"
