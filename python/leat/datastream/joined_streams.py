"""Window joins and co-groups of two streams, which PyFlink lacks; named as in Flink's Java API.

`a.join(b).where(key).equal_to(key).window(assigner).apply(function)`, and the same with `co_group`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from leat.common.time import Duration, Time
from leat.common.typeinfo import _as_output_type
from leat.datastream.functions import (
    CoGroupFunction,
    FlatJoinFunction,
    Function,
    JoinFunction,
)
from leat.datastream.keywords import also_accepts
from leat.datastream.node import shipped
from leat.datastream.plain_stream import DataStream
from leat.datastream.steps import Step
from leat.datastream.window_kinds import milliseconds
from leat.datastream.windowed_stream import _WindowSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.common.typeinfo import TypeInformation
    from leat.datastream.evictors import Evictor
    from leat.datastream.functions import KeySelector
    from leat.datastream.keyed_stream import KeyedStream
    from leat.datastream.window_assigners import WindowAssigner
    from leat.datastream.window_triggers import Trigger

__all__ = ["CoGroupedStreams", "JoinedStreams"]


class _TwoStreams(Step):
    """Two streams whose records will meet by key and window."""

    _next = "where(key), the key of the first stream's records"
    _with_window: ClassVar[type[_Together]]

    def __init__(self, first: DataStream, second: DataStream) -> None:
        verb = self._with_window._verb
        for stream in (first, second):
            if not isinstance(stream, DataStream):
                raise TypeError(f"{verb}() needs a DataStream, not {stream!r}")
        first._node.handles(second._node)
        first._node.env._note_addition(f"DataStream.{verb}")
        self._first = first
        self._second = second

    def where(
        self,
        key_selector: Callable[[Any], Any] | KeySelector,
        key_type: TypeInformation | None = None,
    ) -> Where:
        """The key of the first stream's records."""
        return Where(self, self._first.key_by(key_selector, key_type))


class Where(Step):
    """Two streams of which the first one has keys."""

    _next = "equal_to(key), the key of the second stream's records"

    def __init__(self, streams: _TwoStreams, first: KeyedStream) -> None:
        self._streams = streams
        self._first = first

    def equal_to(
        self,
        key_selector: Callable[[Any], Any] | KeySelector,
        key_type: TypeInformation | None = None,
    ) -> EqualTo:
        """The key of the second stream's records, of the same type as those of the first."""
        if key_type is None:
            key_type = self._first._key_type
        if self._first._key_type is not None and key_type != self._first._key_type:
            raise TypeError(
                f"The keys of both streams must have the same type, not {self._first._key_type} "
                f"and {key_type}"
            )
        second = self._streams._second.key_by(key_selector, key_type)
        return EqualTo(self._streams, self._first, second)


class EqualTo(Step):
    """Two streams with keys."""

    _next = "window(assigner)"

    def __init__(self, streams: _TwoStreams, first: KeyedStream, second: KeyedStream) -> None:
        self._streams = streams
        self._first = first
        self._second = second

    def window(self, window_assigner: WindowAssigner) -> Any:
        """The windows in which records of both streams meet."""
        return self._streams._with_window(self._first, self._second, window_assigner)


class _Together(_WindowSettings):
    """Records of two streams in windows."""

    _verb: ClassVar[str]
    _operator_name: ClassVar[str]
    _functions: ClassVar[tuple[type, ...]]

    def __init__(
        self, first: KeyedStream, second: KeyedStream, window_assigner: WindowAssigner
    ) -> None:
        super().__init__(first, window_assigner)
        self._second = second

    def trigger(self, trigger: Trigger) -> Any:
        """Say when windows are ready, in place of the assigner's default. Answers this.

        It sees the records of both streams.
        """
        self._set_trigger(trigger)
        return self

    def evictor(self, evictor: Evictor) -> Any:
        """Leave records of either stream out before the function, or after it. Answers this."""
        self._set_evictor(evictor)
        return self

    def allowed_lateness(self, time: int | Time | Duration) -> Any:
        """Keep windows so much longer (an int: milliseconds); each late record fires again."""
        if isinstance(time, (Time, Duration)):
            time = milliseconds(time, "allowed_lateness()")
        self._set_lateness(time)
        return self

    def _apply(self, function: Any, output_type: TypeInformation | None) -> DataStream:
        names = " or ".join(f.__name__ for f in self._functions)
        wanted = f"The input of {self._verb} must be a {names} or a callable function"
        if isinstance(function, Function) and not isinstance(function, self._functions):
            raise TypeError(f"{wanted}, not {function!r}")
        params: dict[str, object] = {
            self._verb: shipped(function, Function, self._operator_name, wanted)
        }
        params |= self._settings_params(self._serializer())
        made = _as_output_type(output_type)
        operator = "window_join" if self._verb == "join" else "co_group"
        node = self._stream._node.then(
            operator, params, self._operator_name, made, second=self._second._node
        )
        return DataStream(node)


class WithJoinWindow(_Together):
    """Pairs of records of two streams with one key, in windows."""

    _verb = "join"
    _operator_name = "Window Join"
    _functions = (JoinFunction, FlatJoinFunction)

    @also_accepts(result_type="output_type", type_info="output_type")
    def apply(
        self,
        function: JoinFunction | FlatJoinFunction | Callable[[Any, Any], Any],
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """What the function gives for each pair, with the last time of the window.

        A callable of two values gives one result, or yields several; None is no result.
        """
        return self._apply(function, output_type)


class WithCoGroupWindow(_Together):
    """All records of two streams with one key, in windows."""

    _verb = "co_group"
    _operator_name = "Window CoGroup"
    _functions = (CoGroupFunction,)

    @also_accepts(result_type="output_type", type_info="output_type")
    def apply(
        self,
        function: CoGroupFunction | Callable[[list[Any], list[Any]], Any],
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The values that the function gives for the records of a window, with its last time.

        A callable of two lists will do, too; what it returns is iterated.
        """
        return self._apply(function, output_type)


class JoinedStreams(_TwoStreams):
    """Two streams that will be joined. Made by `DataStream.join`."""

    _with_window = WithJoinWindow


class CoGroupedStreams(_TwoStreams):
    """Two streams that will be co-grouped. Made by `DataStream.co_group`."""

    _with_window = WithCoGroupWindow
