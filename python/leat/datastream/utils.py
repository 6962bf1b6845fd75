"""Conversions of stored values, as PyFlink's `pyflink.datastream.utils`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NoReturn

from leat.common.typeinfo import PickledBytesTypeInfo, TypeInformation

__all__ = [
    "ResultTypeQueryable",
    "convert_to_python_obj",
    "create_hadoop_configuration",
    "create_java_properties",
    "pickled_bytes_to_python_obj",
]


class ResultTypeQueryable(ABC):
    """What knows the type of the values that it makes."""

    @abstractmethod
    def get_produced_type(self) -> TypeInformation:
        """The type."""


def convert_to_python_obj(data: Any, type_info: TypeInformation) -> Any:
    """The Python value of a stored one; bytes are unpickled where the type says pickled."""
    if isinstance(type_info, PickledBytesTypeInfo):
        import pickle

        return pickle.loads(data)
    return type_info.from_internal_type(data)


def pickled_bytes_to_python_obj(data: Any, type_info: TypeInformation) -> Any:
    """The Python value of pickled bytes, converted to the type."""
    import pickle

    return type_info.from_internal_type(pickle.loads(data))


def create_hadoop_configuration(config: Any) -> NoReturn:
    """Always a NotSupportedError: Leat reads and writes files of this machine, without Hadoop."""
    from leat.common.errors import NotSupportedError

    raise NotSupportedError("create_hadoop_configuration(): Leat has no Hadoop", "leave it out")


def create_java_properties(config: Any) -> NoReturn:
    """Always a NotSupportedError: there are no Java objects."""
    from leat.common.errors import NotSupportedError

    raise NotSupportedError("create_java_properties(): Leat has no Java objects", "pass the dict")
