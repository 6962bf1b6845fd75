"""`Source` and `Sink`, the bases of all connectors, as those of PyFlink's module."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from leat.common.typeinfo import TypeInformation
    from leat.datastream.plain_stream import DataStream

__all__ = ["DeliveryGuarantee", "Sink", "Source", "StreamTransformer", "SupportsPreprocessing"]


class Source:
    """Base of the sources that `from_source` takes.

    `source` is an operator of the library, its parameters and the type of its values.
    """

    _bounded = True  # it ends by itself

    def __init__(self, source: tuple[str, dict[str, object], TypeInformation | None]) -> None:
        self._source = source

    def get_java_function(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java(type(self).__name__)

    def _operator(self) -> tuple[str, dict[str, object], TypeInformation | None]:
        """The operator to add, its parameters, and the type of its values."""
        return self._source


class Sink:
    """Base of the sinks that `sink_to` takes.

    `sink` is an operator of the library, its parameters and its name.
    """

    def __init__(self, sink: tuple[str, dict[str, object], str]) -> None:
        self._sink = sink

    def get_java_function(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's connectors."""
        no_java(type(self).__name__)

    def _operator(self) -> tuple[str, dict[str, object], str]:
        """The operator to add, its parameters, and its name."""
        return self._sink


class StreamTransformer(ABC):
    """Changes a stream before it reaches a sink."""

    @abstractmethod
    def apply(self, ds: DataStream) -> DataStream:
        """The stream that goes to the sink."""


class SupportsPreprocessing(ABC):
    """A sink that wants its stream changed first."""

    @abstractmethod
    def get_transformer(self) -> StreamTransformer | None:
        """What changes the stream, None for nothing."""


class DeliveryGuarantee(Enum):
    """What a sink promises about each record when a job fails and goes on."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2


def no_java(what: Any) -> NoReturn:
    """Raise the NotSupportedError for Java objects."""
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"{what}: Leat has no Java objects", f"use the {what} itself")
