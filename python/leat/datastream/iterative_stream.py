"""Loops: `IterativeStream` and `ConnectedIterativeStreams`, as the Java API of Flink 1.20 has them.

PyFlink has no iterations; the names are Java's in snake case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leat.common.typeinfo import _as_output_type
from leat.datastream.connected_streams import ConnectedStreams
from leat.datastream.node import type_text
from leat.datastream.plain_stream import DataStream

if TYPE_CHECKING:
    from leat.common.typeinfo import TypeInformation
    from leat.datastream.node import Node

__all__ = ["ConnectedIterativeStreams", "IterativeStream"]


class IterativeStream(DataStream):
    """What comes on a stream and what comes back to it. Made by `DataStream.iterate` only."""

    def close_with(self, feedback_stream: DataStream) -> DataStream:
        """Lead the values of `feedback_stream` back to the beginning of the loop; answers it.

        It has to come from this stream, and to have the type of this stream, if that has one. Its
        partitioning is kept. A loop is closed once; `union` what is to come back.
        """
        return _close(self._node, feedback_stream)

    def with_feedback_type(self, feedback_type: TypeInformation) -> ConnectedIterativeStreams:
        """This stream, connected with what comes back, which may have a type of its own.

        Functions with two inputs get the stream's values first and those that come back second.
        """
        made = _as_output_type(feedback_type)
        handle = self._node.engine.iteration_feedback(self._node.handle, type_text(made))
        back = self._node.like(handle)
        back.type_info = made
        return ConnectedIterativeStreams(self, DataStream(back))


class ConnectedIterativeStreams(ConnectedStreams):
    """A stream, and what comes back. Made by `IterativeStream.with_feedback_type` only."""

    def close_with(self, feedback_stream: DataStream) -> DataStream:
        """Lead the values of `feedback_stream` back as the second of the two streams; answers it.

        It has to come from this loop and to have the feedback type.
        """
        return _close(self.stream1._node, feedback_stream)


def _close(head: Node, feedback: DataStream) -> DataStream:
    if not isinstance(feedback, DataStream):
        raise TypeError(f"close_with needs a DataStream, not {feedback!r}")
    loop, back = head.handles(feedback._node)
    head.engine.close_iteration(loop, back)
    return feedback
