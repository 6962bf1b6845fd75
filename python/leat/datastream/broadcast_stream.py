"""`BroadcastStream` and what comes of connecting with it, as PyFlink's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leat.common.typeinfo import _as_output_type
from leat.datastream.functions import BroadcastProcessFunction, KeyedBroadcastProcessFunction
from leat.datastream.keyed_stream import KeyedStream
from leat.datastream.keywords import also_accepts
from leat.datastream.node import shipped
from leat.datastream.plain_stream import DataStream

if TYPE_CHECKING:
    from leat.common.typeinfo import TypeInformation
    from leat.datastream.state import MapStateDescriptor

__all__ = ["BroadcastConnectedStream", "BroadcastStream"]


class BroadcastStream:
    """A stream that every subtask gets all of. Made by `broadcast(descriptor)`, for `connect`."""

    def __init__(
        self, input_stream: DataStream, broadcast_state_descriptors: list[MapStateDescriptor]
    ) -> None:
        self.input_stream = input_stream
        self.broadcast_state_descriptors = broadcast_state_descriptors


class BroadcastConnectedStream:
    """A stream, keyed or not, beside a broadcast one. Made by `connect` only."""

    def __init__(
        self,
        non_broadcast_stream: DataStream,
        broadcast_stream: BroadcastStream,
        broadcast_state_descriptors: list[MapStateDescriptor],
    ) -> None:
        self.non_broadcast_stream = non_broadcast_stream
        self.broadcast_stream = broadcast_stream
        self.broadcast_state_descriptors = broadcast_state_descriptors

    @also_accepts(result_type="output_type", type_info="output_type")
    def process(
        self,
        func: BroadcastProcessFunction | KeyedBroadcastProcessFunction,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """What `process_element` and `process_broadcast_element` yield, side outputs apart.

        A KeyedBroadcastProcessFunction for a keyed stream, a BroadcastProcessFunction for others;
        a TypeError for anything else. The states that the functions may ask for are those whose
        descriptors `broadcast()` was given; for others `get_broadcast_state` raises a ValueError.
        """
        keyed = isinstance(self.non_broadcast_stream, KeyedStream)
        if isinstance(func, BroadcastProcessFunction) and keyed:
            raise TypeError("BroadcastProcessFunction should be applied to non-keyed DataStream")
        if isinstance(func, KeyedBroadcastProcessFunction) and not keyed:
            raise TypeError("KeyedBroadcastProcessFunction should be applied to keyed DataStream")
        if not isinstance(func, (BroadcastProcessFunction, KeyedBroadcastProcessFunction)):
            raise TypeError(
                "The input must be a BroadcastProcessFunction or KeyedBroadcastProcessFunction!"
            )
        name = "Keyed-Co-Process-Broadcast" if keyed else "Co-Process-Broadcast"
        operator = "keyed_broadcast_process" if keyed else "broadcast_process"
        declared = tuple(d.name for d in self.broadcast_state_descriptors)
        function = shipped(func, type(func), name, beside=declared)
        params: dict[str, object] = {"function": function}
        first, second = self.non_broadcast_stream._node, self.broadcast_stream.input_stream._node
        made = _as_output_type(output_type)
        return DataStream(first.then(operator, params, name, made, second=second))
