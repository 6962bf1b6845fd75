"""`KeyedStream`: a stream whose records have a key, as PyFlink's class of that name."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from leat.common.typeinfo import PickledBytesTypeInfo, RowTypeInfo, _as_output_type
from leat.common.types import Row
from leat.datastream.functions import KeyedProcessFunction, ReduceFunction
from leat.datastream.keywords import also_accepts
from leat.datastream.plain_stream import DataStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leat.common.typeinfo import TypeInformation
    from leat.common.watermark_strategy import WatermarkStrategy
    from leat.datastream.functions import KeySelector, Partitioner
    from leat.datastream.interval_join import IntervalJoin
    from leat.datastream.joined_streams import CoGroupedStreams, JoinedStreams
    from leat.datastream.plain_stream import _Keyed
    from leat.datastream.slot_sharing_group import SlotSharingGroup
    from leat.datastream.stream_sink import CloseableIterator
    from leat.datastream.window import WindowAssigner
    from leat.datastream.windowed_stream import AllWindowedStream, WindowedStream

__all__ = ["KeyedStream"]


class KeyedStream(DataStream):
    """A stream of values with keys; equal keys meet in one subtask. Made by `key_by` only.

    What belongs to one operator (name, uid, parallelism, chaining) and partitionings are Exceptions
    here, as in PyFlink.
    """

    class AccumulateType(Enum):
        """The built-in aggregations."""

        MIN = 1
        MAX = 2
        MIN_BY = 3
        MAX_BY = 4
        SUM = 5

    def __init__(
        self,
        j_keyed_stream: _Keyed,
        original_data_type_info: TypeInformation | None,
        origin_stream: DataStream,
    ) -> None:
        super().__init__(j_keyed_stream.node)
        self._key_type = j_keyed_stream.key_type
        self._original_data_type_info = original_data_type_info
        self._origin_stream = origin_stream

    def get_type(self) -> TypeInformation:
        """The Row type of key and value, as PyFlink's."""
        pickled = PickledBytesTypeInfo()
        return RowTypeInfo([self._key_type or pickled, self._original_data_type_info or pickled])

    @also_accepts(key_type_info="key_type")
    def key_by(
        self,
        key_selector: Callable[[Any], Any] | KeySelector,
        key_type: TypeInformation | None = None,
    ) -> KeyedStream:
        """The stream before `key_by`, with another key."""
        return self._origin_stream.key_by(key_selector, key_type)

    def union(self, *streams: DataStream) -> DataStream:
        """The values of this stream and of all others, without keys."""
        return self._origin_stream.union(*streams) if streams else self

    @also_accepts(result_type="output_type", type_info="output_type")
    def process(  # type: ignore[override]
        self, func: KeyedProcessFunction, output_type: TypeInformation | None = None
    ) -> DataStream:
        """The values that `func.process_element` yields, those for side outputs apart."""
        if not isinstance(func, KeyedProcessFunction):
            raise TypeError("KeyedProcessFunction is required for KeyedStream.")
        made = _as_output_type(output_type)
        name = "KEYED PROCESS"
        return self._operator("keyed_process", func, KeyedProcessFunction, name, made)

    def reduce(self, func: Callable[[Any, Any], Any] | ReduceFunction) -> DataStream:
        """Per key, each value combined with what was combined before it.

        The first value of a key is emitted as it is; then `func(combined, value)`, each time.
        """
        type_info = self._original_data_type_info
        return self._operator("reduce", func, ReduceFunction, "Reduce", type_info)

    def sum(self, position_to_sum: int | str = 0) -> DataStream:
        """Per key, the running sum of a field (int: by position, str: by name) or of scalars.

        Other fields are those of the key's first value. A TypeError for other kinds of position.
        """
        return self._accumulate("sum", position_to_sum)

    def min(self, position_to_min: int | str = 0) -> DataStream:
        """Per key, the smallest so far of a field; other fields are those of the first value."""
        return self._accumulate("min", position_to_min)

    def max(self, position_to_max: int | str = 0) -> DataStream:
        """Per key, the largest so far of a field; other fields are those of the first value."""
        return self._accumulate("max", position_to_max)

    def min_by(self, position_to_min_by: int | str = 0) -> DataStream:
        """Per key, the first value so far with the smallest field."""
        return self._accumulate("min_by", position_to_min_by)

    def max_by(self, position_to_max_by: int | str = 0) -> DataStream:
        """Per key, the first value so far with the largest field."""
        return self._accumulate("max_by", position_to_max_by)

    def _accumulate(self, operator: str, position: int | str) -> DataStream:
        if not isinstance(position, (int, str)) or isinstance(position, bool):
            raise TypeError(
                f"The field position of {operator} must be of int or str type, not {position!r}"
            )
        if isinstance(position, int) and position < 0:
            raise ValueError(f"The field position of {operator} must not be negative: {position}")
        name = operator.title().replace("_", " ")
        by = "field" if isinstance(position, int) else "field_name"
        params: dict[str, object] = {by: position}
        return DataStream(self._node.then(operator, params, name, self._original_data_type_info))

    def execute_and_collect(
        self, job_execution_name: str | None = None, limit: int | None = None
    ) -> CloseableIterator | list[Any]:
        """Run the job and answer `Row(f0=key, f1=value)` for each value, as PyFlink does."""
        return self.process(_KeyAndValue()).execute_and_collect(job_execution_name, limit)

    def join(self, other_stream: DataStream) -> JoinedStreams:
        """As `DataStream.join`, of the stream before `key_by`: `where` gives it keys again."""
        return self._origin_stream.join(other_stream)

    def co_group(self, other_stream: DataStream) -> CoGroupedStreams:
        """As `DataStream.co_group`, of the stream before `key_by`."""
        return self._origin_stream.co_group(other_stream)

    def interval_join(self, other_stream: KeyedStream) -> IntervalJoin:
        """Pairs of this stream's values and the other's, of one key and near each other in time.

        Goes on with `between(lower, upper)` and `process(function)`. A TypeError when the other
        stream has no keys.
        """
        from leat.datastream.interval_join import IntervalJoin

        return IntervalJoin(self, other_stream)

    def window(self, window_assigner: WindowAssigner) -> WindowedStream:
        """Put the values of each key into windows."""
        from leat.datastream.windowed_stream import WindowedStream

        return WindowedStream(self, window_assigner)

    def window_all(self, window_assigner: WindowAssigner) -> AllWindowedStream:
        """Put the values of all keys into windows."""
        return self._origin_stream.window_all(window_assigner)

    def count_window(self, size: int, slide: int = 0) -> WindowedStream:
        """Windows of `size` values of a key; one per `slide` values when that is above 0."""
        from leat.datastream.window import CountSlidingWindowAssigner, CountTumblingWindowAssigner

        if slide == 0:
            return self.window(CountTumblingWindowAssigner(size))
        return self.window(CountSlidingWindowAssigner(size, slide))

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> NoReturn:
        """An Exception: event time is assigned before `key_by`."""
        _refuse(
            "Assigning timestamps and watermarks for KeyedStream is not supported.",
            "call it before key_by()",
        )

    def partition_custom(
        self,
        partitioner: Callable[[Any, int], int] | Partitioner,
        key_selector: Callable[[Any], Any] | KeySelector,
    ) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def shuffle(self) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def rebalance(self) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def rescale(self) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def forward(self) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def global_(self) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def broadcast(self, *args: Any) -> NoReturn:
        """An Exception: a KeyedStream is partitioned by its key."""
        _refuse_partitioning()

    def name(self, name: str) -> NoReturn:
        """An Exception: name the operator before or after."""
        _refuse_option("Setting the name of")

    def get_name(self) -> NoReturn:
        """An Exception: ask the operator before or after."""
        _refuse_option("Getting the name of")

    def uid(self, uid: str) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting the uid for")

    def set_uid_hash(self, uid_hash: str) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting the uid hash for")

    def set_parallelism(self, parallelism: int) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting the parallelism for")

    def set_max_parallelism(self, max_parallelism: int) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting the maximum parallelism for")

    def force_non_parallel(self) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting non-parallel for")

    def set_buffer_timeout(self, timeout_millis: int) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting the buffer timeout for")

    def start_new_chain(self) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Starting a new chain for")

    def disable_chaining(self) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Disabling chaining for")

    def slot_sharing_group(self, slot_sharing_group: str | SlotSharingGroup) -> NoReturn:
        """An Exception: set it for the operator before or after."""
        _refuse_option("Setting the slot sharing group for")

    def cache(self) -> NoReturn:
        """An Exception: cache the stream before `key_by`."""
        _refuse_option("Caching")


class _KeyAndValue(KeyedProcessFunction):
    """Makes a row of the key and the value of each record."""

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterable[Any]:
        yield Row(f0=ctx.get_current_key(), f1=value)


def _refuse(what: str, instead: str) -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(what, instead)


def _refuse_partitioning() -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError("Cannot override partitioning for KeyedStream.")


def _refuse_option(what: str) -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"{what} KeyedStream is not supported.")
