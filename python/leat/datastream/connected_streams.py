"""`ConnectedStreams`: two streams for functions with two inputs, as PyFlink's class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.typeinfo import _as_output_type
from leat.datastream.functions import (
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedCoProcessFunction,
)
from leat.datastream.keyed_stream import KeyedStream
from leat.datastream.keywords import also_accepts
from leat.datastream.node import shipped
from leat.datastream.plain_stream import DataStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.common.typeinfo import TypeInformation
    from leat.datastream.functions import Function, KeySelector

__all__ = ["ConnectedStreams"]


class ConnectedStreams:
    """Two streams, of any types; keyed if both are. Made by `connect` only."""

    def __init__(self, stream1: DataStream, stream2: DataStream) -> None:
        for stream in (stream1, stream2):
            if not isinstance(stream, DataStream):
                raise TypeError(f"connect needs a DataStream, not {stream!r}")
        self.stream1 = stream1
        self.stream2 = stream2

    @also_accepts(key_type_info="key_type")
    def key_by(
        self,
        key_selector1: Callable[[Any], Any] | KeySelector,
        key_selector2: Callable[[Any], Any] | KeySelector,
        key_type: TypeInformation | None = None,
    ) -> ConnectedStreams:
        """Both streams with keys of the same type; streams with keys get new ones."""
        return ConnectedStreams(
            self.stream1.key_by(key_selector1, key_type),
            self.stream2.key_by(key_selector2, key_type),
        )

    @also_accepts(result_type="output_type", type_info="output_type")
    def map(self, func: CoMapFunction, output_type: TypeInformation | None = None) -> DataStream:
        """What `map1` and `map2` answer; None is dropped, unlike in DataStream.map."""
        if not isinstance(func, CoMapFunction):
            raise TypeError("The input function must be a CoMapFunction!")
        return self._operator("co_map", func, "Co-Map", output_type)

    @also_accepts(result_type="output_type", type_info="output_type")
    def flat_map(
        self, func: CoFlatMapFunction, output_type: TypeInformation | None = None
    ) -> DataStream:
        """All values of what `flat_map1` and `flat_map2` answer; None is nothing."""
        if not isinstance(func, CoFlatMapFunction):
            raise TypeError("The input must be a CoFlatMapFunction!")
        return self._operator("co_flat_map", func, "Co-Flat Map", output_type)

    @also_accepts(result_type="output_type", type_info="output_type")
    def process(
        self,
        func: CoProcessFunction | KeyedCoProcessFunction,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """What `process_element1` and `process_element2` yield, those for side outputs apart.

        A KeyedCoProcessFunction needs both streams keyed, a CoProcessFunction takes any.
        """
        if not isinstance(func, (CoProcessFunction, KeyedCoProcessFunction)):
            raise TypeError("The input must be a CoProcessFunction or KeyedCoProcessFunction!")
        if isinstance(func, KeyedCoProcessFunction):
            if not self._is_keyed():
                raise TypeError("KeyedCoProcessFunction needs both streams keyed; call key_by()")
            return self._operator("keyed_co_process", func, "Keyed Co-Process", output_type)
        return self._operator("co_process", func, "Co-Process", output_type)

    def _is_keyed(self) -> bool:
        return isinstance(self.stream1, KeyedStream) and isinstance(self.stream2, KeyedStream)

    def _operator(
        self, operator: str, func: Function, name: str, output_type: TypeInformation | None
    ) -> DataStream:
        params: dict[str, object] = {"function": shipped(func, type(func), name)}
        made = _as_output_type(output_type)
        first, second = self.stream1._node, self.stream2._node
        return DataStream(first.then(operator, params, name, made, second=second))
