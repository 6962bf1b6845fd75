"""The bases of user functions and what they are given, as PyFlink's `pyflink.datastream.functions`.

A function object is serialised by the call that adds it to a stream; each parallel subtask works on
its own copy, whose `open` is called before the first record and whose `close` after the last.

Leat's additions: `SourceFunction` and `SinkFunction` can be subclassed in Python.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import GenericAlias
from typing import TYPE_CHECKING, Any, NoReturn

from leat.datastream.accumulator_store import AccumulatorStore
from leat.datastream.keywords import also_accepts
from leat.datastream.time_domain import TimeDomain
from leat.datastream.timerservice import TimerService

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from leat.datastream.state import (
        AggregatingState,
        AggregatingStateDescriptor,
        ListState,
        ListStateDescriptor,
        MapState,
        MapStateDescriptor,
        ReducingState,
        ReducingStateDescriptor,
        StateDescriptor,
        ValueState,
        ValueStateDescriptor,
    )
    from leat.metrics import MetricGroup

__all__ = [
    "AggregateFunction",
    "AllWindowFunction",
    "AsyncBatchFunction",
    "AsyncFunction",
    "AsyncRetryPredicate",
    "AsyncRetryStrategy",
    "BaseBroadcastProcessFunction",
    "BroadcastProcessFunction",
    "CoFlatMapFunction",
    "CoMapFunction",
    "CoProcessFunction",
    "FilterFunction",
    "FlatMapFunction",
    "Function",
    "KeySelector",
    "KeyedBroadcastProcessFunction",
    "KeyedCoProcessFunction",
    "KeyedProcessFunction",
    "KeyedStateStore",
    "MapFunction",
    "NullByteKeySelector",
    "Partitioner",
    "ProcessAllWindowFunction",
    "ProcessFunction",
    "ProcessWindowFunction",
    "ReduceFunction",
    "RuntimeContext",
    "SinkFunction",
    "SourceFunction",
    "Splits",
    "TimerService",
    "TwoPhaseCommitSinkFunction",
    "WindowFunction",
]


class KeyedStateStore:
    """Where functions of keyed streams get their states; they belong to the current key."""

    __slots__ = ("_states",)

    def __init__(self, states: Any = None) -> None:
        self._states = states

    def get_state(self, state_descriptor: ValueStateDescriptor) -> ValueState:
        """The value state of that name; functions of keyed streams only, else an Exception."""
        return self._state("get_state", 0, state_descriptor)

    def get_list_state(self, state_descriptor: ListStateDescriptor) -> ListState:
        """The list state of that name; functions of keyed streams only, else an Exception."""
        return self._state("get_list_state", 1, state_descriptor)

    def get_map_state(self, state_descriptor: MapStateDescriptor) -> MapState:
        """The map state of that name; functions of keyed streams only, else an Exception."""
        return self._state("get_map_state", 2, state_descriptor)

    def get_reducing_state(self, state_descriptor: ReducingStateDescriptor) -> ReducingState:
        """The reducing state of that name; functions of keyed streams only, else an Exception."""
        return self._state("get_reducing_state", 3, state_descriptor)

    def get_aggregating_state(
        self, state_descriptor: AggregatingStateDescriptor
    ) -> AggregatingState:
        """The aggregating state of that name; of keyed streams only, else an Exception."""
        return self._state("get_aggregating_state", 4, state_descriptor)

    def _state(self, method: str, kind: int, descriptor: StateDescriptor) -> Any:
        from leat.datastream import state

        wanted = state.DESCRIPTORS[kind]
        if not isinstance(descriptor, wanted):
            got = type(descriptor).__name__
            raise TypeError(f"{method} needs a {wanted.__name__}, not a {got}")
        if self._states is None:
            raise Exception("This state is only accessible by functions executed on a KeyedStream.")
        return self._states.of(self, descriptor)

    def _state_of(self, descriptor: StateDescriptor) -> Any:
        """The state that a descriptor describes; called by the library."""
        from leat.datastream import state

        kinds = [i for i, d in enumerate(state.DESCRIPTORS) if isinstance(descriptor, d)]
        if not kinds:
            raise TypeError(f"a state descriptor is needed, not {descriptor!r}")
        state.know_engine_types()
        functions, expiry = descriptor._functions(), descriptor._expiry()
        text = descriptor.type_info._text()
        return self._states.get(kinds[0], descriptor.name, text, functions, *expiry)


class RuntimeContext(AccumulatorStore, KeyedStateStore):
    """What a function's `open` learns about the subtask that it runs in."""

    __slots__ = (
        "_attempt",
        "_job_parameters",
        "_max_parallelism",
        "_metrics",
        "_parallelism",
        "_subtask",
        "_task_name",
    )

    def __init__(  # noqa: PLR0917 - the library calls it
        self,
        task_name: str,
        subtask: int,
        parallelism: int,
        max_parallelism: int,
        attempt: int,
        job_parameters: Mapping[str, str],
        states: Any = None,
        metrics: Any = None,
    ) -> None:
        super().__init__(states)
        self._task_name = task_name
        self._subtask = subtask
        self._parallelism = parallelism
        self._max_parallelism = max_parallelism
        self._attempt = attempt
        self._job_parameters = job_parameters
        self._metrics = metrics

    def get_task_name(self) -> str:
        """The name of the task."""
        return self._task_name

    def get_number_of_parallel_subtasks(self) -> int:
        """How many subtasks the operator has."""
        return self._parallelism

    def get_max_number_of_parallel_subtasks(self) -> int:
        """How many subtasks it could have: the number of key groups."""
        return self._max_parallelism

    def get_index_of_this_subtask(self) -> int:
        """The index of this subtask, from 0."""
        return self._subtask

    def get_attempt_number(self) -> int:
        """How often the job was restarted before this run; 0 at first."""
        return self._attempt

    def get_task_name_with_subtasks(self) -> str:
        """The name with this subtask's number, from 1, and their count: `MyTask (3/6)`."""
        return f"{self._task_name} ({self._subtask + 1}/{self._parallelism})"

    def get_job_parameter(self, key: str, default_value: str) -> str:
        """A parameter given to `ExecutionConfig.set_global_job_parameters`."""
        return self._job_parameters.get(key, default_value)

    def get_metrics_group(self) -> MetricGroup:
        """Makes the metrics of this function in this subtask; the same group each time."""
        from leat.metrics.metricbase import OperatorMetricGroup

        if not isinstance(self._metrics, OperatorMetricGroup):
            self._metrics = OperatorMetricGroup(self._metrics)
        return self._metrics

    def get_metric_group(self) -> MetricGroup:
        """As `get_metrics_group`, by the name of Java's API."""
        return self.get_metrics_group()


class Function(ABC):  # noqa: B024 - PyFlink's base is abstract without abstract methods, too
    """Base of all user functions."""

    __class_getitem__: Any = classmethod(GenericAlias)  # types in brackets are hints

    def open(self, runtime_context: RuntimeContext) -> None:  # noqa: B027
        """Called once per subtask, before the first record. May be overridden."""

    def close(self) -> None:  # noqa: B027
        """Called once per subtask, after the last record or a failure. May be overridden."""


class MapFunction(Function):
    """One value out for each value in."""

    @abstractmethod
    def map(self, value: Any) -> Any:
        """The value to emit; None is emitted, too."""


class CoMapFunction(Function):
    """One value out for each value of two connected streams; None is dropped."""

    @abstractmethod
    def map1(self, value: Any) -> Any:
        """The value to emit for one of the first stream; None emits nothing."""

    @abstractmethod
    def map2(self, value: Any) -> Any:
        """The value to emit for one of the second stream; None emits nothing."""


class FlatMapFunction(Function):
    """Any number of values out for each value in."""

    @abstractmethod
    def flat_map(self, value: Any) -> Iterable[Any]:
        """The values to emit: a generator, list or other iterable."""


class CoFlatMapFunction(Function):
    """Any number of values out for each value of two connected streams."""

    @abstractmethod
    def flat_map1(self, value: Any) -> Iterable[Any] | None:
        """The values to emit for one of the first stream."""

    @abstractmethod
    def flat_map2(self, value: Any) -> Iterable[Any] | None:
        """The values to emit for one of the second stream."""


class FilterFunction(Function):
    """Keeps or drops a value."""

    @abstractmethod
    def filter(self, value: Any) -> bool:
        """True to keep the value."""


class ReduceFunction(Function):
    """Combines two values into one of the same type."""

    @abstractmethod
    def reduce(self, value1: Any, value2: Any) -> Any:
        """The combination of what was combined so far and the new value."""


class AggregateFunction(Function):
    """Combines values in an accumulator of another type.

    A class attribute `mergeable = True` (Leat's addition) promises that accumulators may be merged
    at any time and in any order, not only when sessions become one: then sliding windows keep one
    accumulator per slide and merge them. `merge` and `get_result` may change what they are given.
    """

    mergeable = False

    @abstractmethod
    def create_accumulator(self) -> Any:
        """A new accumulator."""

    @abstractmethod
    def add(self, value: Any, accumulator: Any) -> Any:
        """The accumulator with the value in it; may be the same object."""

    @abstractmethod
    def get_result(self, accumulator: Any) -> Any:
        """The result of an accumulator."""

    @abstractmethod
    def merge(self, acc_a: Any, acc_b: Any) -> Any:
        """One accumulator of two; may be one of them."""


class KeySelector(Function):
    """Reads the key of a value."""

    @abstractmethod
    def get_key(self, value: Any) -> Any:
        """The key; the same for the same value every time."""


class NullByteKeySelector(KeySelector):
    """The same key for every value."""

    def get_key(self, value: Any) -> Any:
        """0."""
        return 0


class Partitioner(Function):
    """Chooses the subtask that a key goes to."""

    @abstractmethod
    def partition(self, key: Any, num_partitions: int) -> int:
        """The index of the subtask, from 0 to `num_partitions` - 1."""


class _TimedContext(ABC):
    """What functions that know time may ask during a call."""

    @abstractmethod
    def timer_service(self) -> TimerService:
        """Time and timers."""

    @abstractmethod
    def timestamp(self) -> int | None:
        """The record's event time in milliseconds, None when it has none."""


class _KeyedContext(_TimedContext):
    """What those of keyed streams may ask."""

    @abstractmethod
    def get_current_key(self) -> Any:
        """The key of the record."""


class _OnTimer(ABC):
    """What is asked when a timer fires, besides."""

    @abstractmethod
    def time_domain(self) -> TimeDomain:
        """Which time the timer was registered in."""


class ProcessFunction(Function):
    """Any number of values out for each value in, with a context."""

    class Context(_TimedContext):
        """What a ProcessFunction may ask during a call."""

    @abstractmethod
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Iterable[Any] | None:
        """The values to emit; `yield tag, value` sends a value to the side output of `tag`."""


class KeyedProcessFunction(Function):
    """A ProcessFunction of a keyed stream."""

    class Context(_KeyedContext):
        """What a KeyedProcessFunction may ask during a call."""

    class OnTimerContext(_OnTimer, Context):
        """What it may ask when a timer fires."""

    @abstractmethod
    def process_element(
        self, value: Any, ctx: KeyedProcessFunction.Context
    ) -> Iterable[Any] | None:
        """The values to emit; `yield tag, value` sends a value to the side output of `tag`."""

    def on_timer(
        self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext
    ) -> Iterable[Any] | None:
        """The values to emit when a timer fires; None is nothing. They get the timer's time."""
        return None


class CoProcessFunction(Function):
    """Any number of values out for each value of two connected streams, with a context."""

    class Context(_TimedContext):
        """What a CoProcessFunction may ask during a call."""

    @abstractmethod
    def process_element1(self, value: Any, ctx: CoProcessFunction.Context) -> Iterable[Any] | None:
        """The values to emit for one of the first stream."""

    @abstractmethod
    def process_element2(self, value: Any, ctx: CoProcessFunction.Context) -> Iterable[Any] | None:
        """The values to emit for one of the second stream."""


class KeyedCoProcessFunction(Function):
    """A CoProcessFunction of two keyed streams with the same kind of keys."""

    class Context(_KeyedContext):
        """What a KeyedCoProcessFunction may ask during a call."""

    class OnTimerContext(_OnTimer, Context):
        """What it may ask when a timer fires."""

    @abstractmethod
    def process_element1(
        self, value: Any, ctx: KeyedCoProcessFunction.Context
    ) -> Iterable[Any] | None:
        """The values to emit for one of the first stream."""

    @abstractmethod
    def process_element2(
        self, value: Any, ctx: KeyedCoProcessFunction.Context
    ) -> Iterable[Any] | None:
        """The values to emit for one of the second stream."""

    def on_timer(
        self, timestamp: int, ctx: KeyedCoProcessFunction.OnTimerContext
    ) -> Iterable[Any] | None:
        """The values to emit when a timer fires; None is nothing. They get the timer's time."""
        return None


class ProcessJoinFunction(Function):
    """Any number of values out for each pair of values that an interval join finds.

    PyFlink has none; it is Flink's Java class of that name.
    """

    class Context(ABC):
        """What a ProcessJoinFunction may ask during a call. Times are milliseconds."""

        @abstractmethod
        def get_left_timestamp(self) -> int:
            """The event time of the left value."""

        @abstractmethod
        def get_right_timestamp(self) -> int:
            """The event time of the right value."""

        @abstractmethod
        def get_timestamp(self) -> int:
            """The later of both, which is the event time of the results."""

        @abstractmethod
        def get_current_key(self) -> Any:
            """The key of both (Leat's addition)."""

    @abstractmethod
    def process_element(
        self, left: Any, right: Any, ctx: ProcessJoinFunction.Context
    ) -> Iterable[Any] | None:
        """The values to emit for a pair; `(tag, value)` with an OutputTag goes to a side output."""


class WindowFunction(Function):
    """Any number of values out for each window of a key."""

    @abstractmethod
    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Iterable[Any] | None:
        """The values to emit; `inputs` is a list of the window's elements in order of arrival."""


class AllWindowFunction(Function):
    """Any number of values out for each window of a whole stream."""

    @abstractmethod
    def apply(self, window: Any, inputs: Iterable[Any]) -> Iterable[Any] | None:
        """The values to emit; `inputs` is a list of the window's elements in order of arrival."""


class ProcessWindowFunction(Function):
    """Any number of values out for each window of a key, with a context."""

    class Context(ABC):
        """What a ProcessWindowFunction may ask during a call."""

        __class_getitem__: Any = classmethod(GenericAlias)

        @abstractmethod
        def window(self) -> Any:
            """The window."""

        @abstractmethod
        def current_processing_time(self) -> int:
            """The time of the machine, in milliseconds."""

        @abstractmethod
        def current_watermark(self) -> int:
            """The event time that was reached; the smallest 64-bit integer before the first."""

        @abstractmethod
        def window_state(self) -> KeyedStateStore:
            """States of the key and the window; `clear` has to clear them.

            An Exception for windows that merge.
            """

        @abstractmethod
        def global_state(self) -> KeyedStateStore:
            """States of the key, of all its windows."""

    @abstractmethod
    def process(
        self, key: Any, context: ProcessWindowFunction.Context, elements: Iterable[Any]
    ) -> Iterable[Any] | None:
        """The values to emit; `elements` is a list in order of arrival."""

    def clear(self, context: ProcessWindowFunction.Context) -> None:
        """The window is forgotten: clear its `window_state`. May be overridden."""


class ProcessAllWindowFunction(Function):
    """Any number of values out for each window of a whole stream, with a context."""

    class Context(ABC):
        """What a ProcessAllWindowFunction may ask during a call."""

        __class_getitem__: Any = classmethod(GenericAlias)

        @abstractmethod
        def window(self) -> Any:
            """The window."""

        @abstractmethod
        def window_state(self) -> KeyedStateStore:
            """States of the window; an Exception for windows that merge."""

        @abstractmethod
        def global_state(self) -> KeyedStateStore:
            """States of all windows."""

    @abstractmethod
    def process(
        self, context: ProcessAllWindowFunction.Context, elements: Iterable[Any]
    ) -> Iterable[Any] | None:
        """The values to emit; `elements` is a list in order of arrival."""

    def clear(self, context: ProcessAllWindowFunction.Context) -> None:
        """The window is forgotten: clear its `window_state`. May be overridden."""


class JoinFunction(Function):
    """One value out for each pair of values that a window join finds; None is no result.

    PyFlink has none; it is Flink's Java class of that name.
    """

    _single = True

    @abstractmethod
    def join(self, first: Any, second: Any) -> Any:
        """The value to emit for a pair."""


class FlatJoinFunction(Function):
    """Any number of values out for each pair of values that a window join finds.

    PyFlink has none; it is Flink's Java class of that name.
    """

    @abstractmethod
    def join(self, first: Any, second: Any) -> Iterable[Any] | None:
        """The values to emit for a pair; `(tag, value)` with an OutputTag goes to a side output."""


class CoGroupFunction(Function):
    """Any number of values out for all values of two streams that share a key and a window.

    PyFlink has none; it is Flink's Java class of that name.
    """

    @abstractmethod
    def co_group(self, first: list[Any], second: list[Any]) -> Iterable[Any] | None:
        """The values to emit; either list, in order of arrival, may be empty."""


class SourceFunction(Function):
    """A source written in Python (Leat's addition; PyFlink's only wraps a Java object).

    Override `run`, which has a thread of its own and may block, and `cancel`, which is called from
    another thread and makes `run` return. A source runs with parallelism 1 unless it is given
    another one.

    A source that also has `snapshot(self)` and `restore(self, position)` goes on where it stood
    when its job restarts. `snapshot` answers where the next value comes from, as anything that can
    be pickled, or as `Splits`. It is called once before `run`, and then by the thread of `run`,
    within `ctx.collect`, before the value is handed over: so change what it answers after
    `collect` has returned. `restore` gets such a position after `open` and before `run`, which
    goes on there and gives the same values again. Neither is called without need: a job that is
    never restored never calls `restore`.
    """

    class Context(ABC):
        """What `run` emits with."""

        @abstractmethod
        def collect(self, value: Any) -> None:
            """Emit a value. Waits while the job cannot take more."""

    @also_accepts(optional=("source_func",))
    def __init__(self, source_func: Any) -> None:
        if source_func is not None:
            _no_java(source_func, "SourceFunction", "run(ctx)")

    def run(self, ctx: SourceFunction.Context) -> None:
        """Emit values by `ctx.collect(value)` until there are no more, or `cancel` was called."""
        raise NotImplementedError(f"{type(self).__name__}.run(ctx)")

    def cancel(self) -> None:
        """Make `run` return soon. May be overridden."""

    def get_java_function(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's functions."""
        _no_java("get_java_function()", "SourceFunction", "run(ctx)")


class Splits(list[Any]):
    """What `snapshot` of a source answers when it has several positions (Leat's addition).

    Each item is a position of its own, such as a partition and the offset in it. When the job is
    restored with another parallelism they are dealt out to the subtasks, so `restore` gets a
    `Splits` of any length; with an empty one there is nothing left to do.
    """


class SinkFunction(Function):
    """A sink written in Python (Leat's addition; PyFlink's only wraps a Java object).

    Override `invoke`.
    """

    class Context(ABC):
        """What `invoke` may ask."""

        @abstractmethod
        def timestamp(self) -> int | None:
            """The record's event time in milliseconds, None when it has none."""

    @also_accepts(optional=("sink_func",))
    def __init__(self, sink_func: Any) -> None:
        if sink_func is not None:
            _no_java(sink_func, "SinkFunction", "invoke(value, context)")

    def invoke(self, value: Any, context: SinkFunction.Context) -> None:
        """Take one value."""
        raise NotImplementedError(f"{type(self).__name__}.invoke(value, context)")

    def get_java_function(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's functions."""
        _no_java("get_java_function()", "SinkFunction", "invoke(value, context)")


def _no_java(wrapped: Any, base: str, method: str) -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(
        f"{base}({wrapped!r}): Leat runs no Java", f"subclass {base} and override {method}"
    )


# These stand on the classes above.
from leat.datastream.async_functions import (  # noqa: E402
    AsyncBatchFunction,
    AsyncFunction,
    AsyncRetryPredicate,
    AsyncRetryStrategy,
)
from leat.datastream.broadcast_functions import (  # noqa: E402
    BaseBroadcastProcessFunction,
    BroadcastProcessFunction,
    KeyedBroadcastProcessFunction,
)
from leat.datastream.two_phase_sinks import TwoPhaseCommitSinkFunction  # noqa: E402
