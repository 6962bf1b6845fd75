"""Interval joins: `a.interval_join(b).between(lower, upper).process(function)` of keyed streams.

PyFlink has none; names and semantics are those of Flink's Java API.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from leat.common.typeinfo import _as_output_type
from leat.datastream.functions import Function, ProcessJoinFunction
from leat.datastream.keyed_stream import KeyedStream
from leat.datastream.keywords import also_accepts
from leat.datastream.node import shipped
from leat.datastream.output_tag import OutputTag
from leat.datastream.plain_stream import DataStream
from leat.datastream.steps import Step
from leat.datastream.window_kinds import milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.common.time import Duration, Time
    from leat.common.typeinfo import TypeInformation

__all__ = ["IntervalJoin", "IntervalJoined"]


class IntervalJoin(Step):
    """Two keyed streams whose values are to meet. Made by `KeyedStream.interval_join` only."""

    _next = "between(lower, upper)"

    def __init__(self, stream_one: KeyedStream, stream_two: KeyedStream) -> None:
        if not isinstance(stream_two, KeyedStream):
            raise TypeError(
                f"interval_join needs a KeyedStream, not a {type(stream_two).__name__}; "
                "call key_by() on it first"
            )
        self._left = stream_one
        self._right = stream_two

    def in_event_time(self) -> IntervalJoin:
        """Join in event time, which is the only way there is."""
        return self

    def in_processing_time(self) -> IntervalJoin:
        """A NotSupportedError, as in Flink."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError(
            "Time-bounded stream joins are only supported in event time",
            "assign timestamps and leave in_processing_time() out",
        )

    def between(self, lower_bound: Duration | Time, upper_bound: Duration | Time) -> IntervalJoined:
        """How much earlier (negative) or later than a left value its right ones may be.

        Both bounds belong to it. Each is a Time or a Duration; a ValueError when the lower one is
        above the upper one.
        """
        lower = milliseconds(lower_bound, "between(), the lower bound")
        upper = milliseconds(upper_bound, "between(), the upper bound")
        if lower > upper:
            raise ValueError(
                f"between(): the lower bound, {lower} ms, is above the upper bound, {upper} ms"
            )
        return IntervalJoined(self._left, self._right, lower, upper)


class IntervalJoined:
    """An interval join whose bounds are known. Made by `between` only."""

    def __init__(self, left: KeyedStream, right: KeyedStream, lower: int, upper: int) -> None:
        self._left = left
        self._right = right
        self._params: dict[str, object] = {"lower": lower, "upper": upper}
        self._late_types: dict[str, TypeInformation] = {}

    def lower_bound_exclusive(self) -> IntervalJoined:
        """A right value at the lower bound itself is too early."""
        self._params["lower_exclusive"] = 1
        return self

    def upper_bound_exclusive(self) -> IntervalJoined:
        """A right value at the upper bound itself is too late."""
        self._params["upper_exclusive"] = 1
        return self

    def side_output_left_late_data(self, output_tag: OutputTag) -> IntervalJoined:
        """Send left values behind the watermark there; they are dropped otherwise."""
        return self._late("left_late_tag", output_tag, self._left)

    def side_output_right_late_data(self, output_tag: OutputTag) -> IntervalJoined:
        """Send right values behind the watermark there; they are dropped otherwise."""
        return self._late("right_late_tag", output_tag, self._right)

    @also_accepts(result_type="output_type", type_info="output_type")
    def process(
        self,
        process_join_function: ProcessJoinFunction | Callable[[Any, Any], Any],
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """What the function yields for each pair, with the later of the two event times.

        A callable of two values gives one result, or yields several; None is no result.
        """
        func = process_join_function
        if isinstance(func, Function) and not isinstance(func, ProcessJoinFunction):
            raise TypeError(f"ProcessJoinFunction is required for process, not {func!r}")
        if inspect.isclass(func) and not issubclass(func, Function):
            raise TypeError(f"ProcessJoinFunction is required for process, not {func!r}")
        name = "Interval Join"
        params = {**self._params, "function": shipped(func, ProcessJoinFunction, name)}
        made = _as_output_type(output_type)
        left, right = self._left._node, self._right._node
        joined = left.then("interval_join", params, name, made, second=right)
        joined.late.update(self._late_types)
        return DataStream(joined)

    def _late(self, param: str, tag: OutputTag, side: KeyedStream) -> IntervalJoined:
        if not isinstance(tag, OutputTag):
            raise TypeError(f"an OutputTag is needed, not {tag!r}")
        self._params[param] = tag.tag_id
        self._late_types[tag.tag_id] = side.get_type()
        return self
