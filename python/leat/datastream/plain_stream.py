"""`DataStream`: a stream and what can be done to it, as PyFlink's class of that name.

Every method adds an operator to the graph of the stream's environment and answers the stream behind
it; nothing runs before `execute`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from leat.common.typeinfo import PickledBytesTypeInfo, TupleTypeInfo, _as_output_type
from leat.common.watermark_strategy import (
    TimestampAssigner,
    WatermarkGenerator,
    WatermarkStrategy,
)
from leat.datastream.functions import (
    FilterFunction,
    FlatMapFunction,
    KeySelector,
    MapFunction,
    Partitioner,
    ProcessFunction,
    SinkFunction,
)
from leat.datastream.keywords import also_accepts
from leat.datastream.node import shipped, type_text
from leat.datastream.output_tag import OutputTag
from leat.datastream.stream_sink import (
    CloseableIterator,
    CollectedResults,
    DataStreamSink,
    group_name,
    positive,
)
from leat.jobs import Starting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leat.common.execution_config import ExecutionConfig
    from leat.common.typeinfo import TypeInformation
    from leat.datastream.broadcast_stream import BroadcastConnectedStream, BroadcastStream
    from leat.datastream.connected_streams import ConnectedStreams
    from leat.datastream.connectors.base import Sink
    from leat.datastream.iterative_stream import IterativeStream
    from leat.datastream.joined_streams import CoGroupedStreams, JoinedStreams
    from leat.datastream.keyed_stream import KeyedStream
    from leat.datastream.node import Node
    from leat.datastream.slot_sharing_group import SlotSharingGroup
    from leat.datastream.state import MapStateDescriptor
    from leat.datastream.stream_execution_environment import StreamExecutionEnvironment
    from leat.datastream.window import WindowAssigner
    from leat.datastream.windowed_stream import AllWindowedStream

__all__ = ["DataStream"]


class DataStream:
    """A stream of values. Made by environments and other streams only."""

    def __init__(self, j_data_stream: Node) -> None:
        self._node = j_data_stream

    if not TYPE_CHECKING:  # which would take it for a promise that any attribute is there

        def __getattr__(self, name: str) -> NoReturn:
            """Tell what is missing where only a keyed stream has the method."""
            from leat.datastream.keyed_stream import KeyedStream

            missing = f"{type(self).__name__!r} object has no attribute {name!r}"
            if hasattr(KeyedStream, name) and not name.startswith("_"):
                beside = f"{name}_all" if hasattr(DataStream, f"{name}_all") else None
                missing += "; use key_by before it" + (f", or {beside}" if beside else "")
            raise AttributeError(missing, name=name, obj=self)

    def get_name(self) -> str:
        """The name of the operator that made the stream."""
        return self._node.name

    def name(self, name: str) -> DataStream:
        """Name the operator that made the stream; answers this stream."""
        self._node.name = name
        return self._option("name", name)

    def uid(self, uid: str) -> DataStream:
        """The operator's id, unique in the job; under it its state is stored. Answers this."""
        return self._option("uid", uid)

    def set_uid_hash(self, uid_hash: str) -> DataStream:
        """The operator's id; as `uid`. Answers this stream."""
        return self._option("uid", uid_hash)

    def set_parallelism(self, parallelism: int) -> DataStream:
        """How many subtasks the operator has, at least 1. Answers this stream."""
        return self._option("parallelism", positive("parallelism", parallelism))

    def set_max_parallelism(self, max_parallelism: int) -> DataStream:
        """The number of the operator's key groups, 1 to 32767. Answers this stream."""
        if positive("maximum parallelism", max_parallelism) > 32767:
            raise ValueError(f"The maximum parallelism is at most 32767, not {max_parallelism}")
        return self._option("max_parallelism", max_parallelism)

    def get_type(self) -> TypeInformation:
        """The type of the values; `Types.PICKLED_BYTE_ARRAY()` when none was given."""
        return self._node.type_info or PickledBytesTypeInfo()

    def get_execution_environment(self) -> StreamExecutionEnvironment:
        """The environment that the stream belongs to."""
        return self._node.env

    def get_execution_config(self) -> ExecutionConfig:
        """The ExecutionConfig of the environment."""
        return self._node.env.get_config()

    def force_non_parallel(self) -> DataStream:
        """Fix parallelism and maximum parallelism to 1. Answers this stream."""
        self._option("parallelism", 1)
        return self._option("max_parallelism", 1)

    def set_buffer_timeout(self, timeout_millis: int) -> DataStream:
        """How long the operator may hold records back for a larger batch; 0: not at all."""
        return self._option("buffer_timeout", timeout_millis)

    def start_new_chain(self) -> DataStream:
        """Never run the operator in one task with those before it. Answers this stream."""
        return self._option("chaining", "head")

    def disable_chaining(self) -> DataStream:
        """Run the operator in a task of its own. Answers this stream."""
        return self._option("chaining", "never")

    def slot_sharing_group(self, slot_sharing_group: str | SlotSharingGroup) -> DataStream:
        """The group that the operator belongs to; shown in the plan. Answers this stream."""
        return self._option("slot_sharing_group", group_name(slot_sharing_group))

    def set_description(self, description: str) -> DataStream:
        """A text for the plan. Answers this stream."""
        return self._option("description", description)

    @also_accepts(result_type="output_type", type_info="output_type")
    def map(
        self,
        func: Callable[[Any], Any] | MapFunction,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """One value out for each value in, None included."""
        return self._operator("map", func, MapFunction, "Map", _as_output_type(output_type))

    @also_accepts(result_type="output_type", type_info="output_type")
    def flat_map(
        self,
        func: Callable[[Any], Iterable[Any]] | FlatMapFunction,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """All values of the iterable (or generator) that `func` answers for a value."""
        made = _as_output_type(output_type)
        return self._operator("flat_map", func, FlatMapFunction, "FlatMap", made)

    def filter(self, func: Callable[[Any], bool] | FilterFunction) -> DataStream:
        """The values for which `func` answers something true."""
        return self._operator("filter", func, FilterFunction, "Filter", self._node.type_info)

    @also_accepts(result_type="output_type", type_info="output_type")
    def process(
        self, func: ProcessFunction, output_type: TypeInformation | None = None
    ) -> DataStream:
        """The values that `func.process_element` yields, those for side outputs apart."""
        if not isinstance(func, ProcessFunction):
            raise TypeError("The input must be a ProcessFunction")
        made = _as_output_type(output_type)
        return self._operator("process", func, ProcessFunction, "PROCESS", made)

    @also_accepts(key_type_info="key_type")
    def key_by(
        self,
        key_selector: Callable[[Any], Any] | KeySelector,
        key_type: TypeInformation | None = None,
    ) -> KeyedStream:
        """Send values of equal keys to the same subtask.

        With a `key_type` keys are converted to it first; without, 1, 1.0 and True differ.
        """
        from leat.datastream.keyed_stream import KeyedStream

        function = shipped(key_selector, KeySelector, "KeyBy")
        params: dict[str, object] = {"function": function, "key_type": type_text(key_type)}
        node = self._node.then("key_by", params, "KeyBy", self._node.type_info)
        return KeyedStream(_Keyed(node, key_type), self._node.type_info, self)

    def union(self, *streams: DataStream) -> DataStream:
        """The values of this stream and of all others, in no fixed order.

        A ValueError if their types differ; streams without a type are of one type.
        """
        from leat.datastream.keyed_stream import KeyedStream

        if not streams:
            return self
        for stream in streams:
            if not isinstance(stream, DataStream):
                raise TypeError(f"union needs DataStreams, not {stream!r}")
        others = [s._origin_stream if isinstance(s, KeyedStream) else s for s in streams]
        handles = self._node.handles(*(s._node for s in others))
        for other in others:
            _same_type(self._node.type_info, other._node.type_info)
        return DataStream(self._node.like(self._node.engine.union(handles)))

    def connect(
        self, ds: DataStream | BroadcastStream
    ) -> ConnectedStreams | BroadcastConnectedStream:
        """This stream and another one, of any type, for functions with two inputs.

        The other one may be what `broadcast(descriptor)` answered.
        """
        from leat.datastream.broadcast_stream import BroadcastConnectedStream, BroadcastStream
        from leat.datastream.connected_streams import ConnectedStreams

        if isinstance(ds, BroadcastStream):
            return BroadcastConnectedStream(self, ds, ds.broadcast_state_descriptors)
        return ConnectedStreams(self, ds)

    def iterate(self, max_wait_time_millis: int = 0) -> IterativeStream:
        """The beginning of a loop: this stream and what `close_with` leads back to it.

        Leat's addition, as in the Java API of Flink 1.20. A bounded job ends once no value is on
        its way round any more, so `max_wait_time_millis`, for which Flink waits for one, has no
        meaning; below 0 it is a ValueError.
        """
        from leat.datastream.iterative_stream import IterativeStream

        if not isinstance(max_wait_time_millis, int) or max_wait_time_millis < 0:
            raise ValueError(
                f"iterate: the time to wait is 0 or more milliseconds, not {max_wait_time_millis!r}"
            )
        self._node.env._note_addition("DataStream.iterate")
        return IterativeStream(self._node.then("iterate", {}, "Iteration", self._node.type_info))

    def shuffle(self) -> DataStream:
        """Deal values out at random."""
        return DataStream(self._node.partitioned("shuffle"))

    def rebalance(self) -> DataStream:
        """Deal values out in turn, to all subtasks."""
        return DataStream(self._node.partitioned("rebalance"))

    def rescale(self) -> DataStream:
        """Deal values out in turn, each subtask to its own share of the next ones."""
        return DataStream(self._node.partitioned("rescale"))

    def forward(self) -> DataStream:
        """Each subtask to the next operator's subtask of the same index."""
        return DataStream(self._node.partitioned("forward"))

    def global_(self) -> DataStream:
        """All values to the first subtask (Leat's addition; as Java's `global`)."""
        self._node.env._note_addition("DataStream.global_")
        return DataStream(self._node.partitioned("global"))

    def broadcast(
        self,
        broadcast_state_descriptor: MapStateDescriptor | None = None,
        *other_broadcast_state_descriptors: MapStateDescriptor,
    ) -> DataStream | BroadcastStream:
        """Every value to all subtasks.

        With descriptors a BroadcastStream, for `connect`: they name the maps that its values are
        kept in. A TypeError for anything but MapStateDescriptors.
        """
        from leat.datastream.broadcast_stream import BroadcastStream
        from leat.datastream.state import MapStateDescriptor

        stream = DataStream(self._node.partitioned("broadcast"))
        if broadcast_state_descriptor is None:
            return stream
        descriptors = [broadcast_state_descriptor, *other_broadcast_state_descriptors]
        for descriptor in descriptors:
            if not isinstance(descriptor, MapStateDescriptor):
                raise TypeError("broadcast_state_descriptor must be MapStateDescriptor")
        return BroadcastStream(stream, descriptors)

    def partition_custom(
        self,
        partitioner: Callable[[Any, int], int] | Partitioner,
        key_selector: Callable[[Any], Any] | KeySelector,
    ) -> DataStream:
        """Each value to the subtask that `partitioner(key, number of subtasks)` answers."""
        params: dict[str, object] = {
            "function": shipped(
                partitioner,
                Partitioner,
                "PartitionCustom",
                "Parameter partitioner should be a Partitioner or a callable function",
            ),
            "selector": shipped(
                key_selector,
                KeySelector,
                "PartitionCustom",
                "Parameter key_selector should be a KeySelector or a callable function",
            ),
        }
        node = self._node
        return DataStream(node.then("partition_custom", params, "PartitionCustom", node.type_info))

    def project(self, *field_indexes: int) -> DataStream:
        """Tuples of these fields. For streams of tuple type only."""
        type_info = self._node.type_info
        if not isinstance(type_info, TupleTypeInfo):
            raise Exception("Only Tuple DataStreams can be projected.")
        types = type_info.get_field_types()
        for index in field_indexes:
            if not isinstance(index, int) or not 0 <= index < len(types):
                raise ValueError(f"project({index!r}): the fields are 0 to {len(types) - 1}")
        made = TupleTypeInfo([types[i] for i in field_indexes])
        params: dict[str, object] = {"fields": list(field_indexes)}
        return DataStream(self._node.then("project", params, "Projection", made))

    def get_side_output(self, output_tag: OutputTag) -> DataStream:
        """What this stream's operator sends to the side output of this tag."""
        if not isinstance(output_tag, OutputTag):
            raise TypeError(f"get_side_output needs an OutputTag, not {output_tag!r}")
        wanted = output_tag.type_info
        sent = wanted
        if wanted != PickledBytesTypeInfo():
            sent = self._node.late.get(output_tag.tag_id, wanted)
        handle = self._node.engine.side_output(
            self._node.handle, output_tag.tag_id, type_text(sent)
        )
        node = self._node.like(handle)
        node.type_info = sent
        if wanted == sent:
            return DataStream(node)
        return DataStream(node)._operator("map", _as_it_is, MapFunction, "Late", wanted)

    def assign_timestamps_and_watermarks(self, watermark_strategy: WatermarkStrategy) -> DataStream:
        """Give the values their event time, and tell how far event time has come.

        Watermarks go out every `pipeline.auto-watermark-interval`, or after each value with
        `pipeline.watermark-per-record`, and at the end.
        """
        strategy = checked_strategy(watermark_strategy, "assign_timestamps_and_watermarks()")
        node = self._node
        params = strategy._params()
        assigner = strategy._timestamp_assigner
        if assigner is not None:
            params["function"] = shipped(assigner, TimestampAssigner, "Timestamps")
        generator = strategy._options.get("generator")
        if isinstance(generator, WatermarkGenerator):
            node.env._note_addition("WatermarkStrategy.for_generator")
            params["generator"] = shipped(generator, WatermarkGenerator, "Watermarks")
        name = "Timestamps/Watermarks"
        return DataStream(node.then("assign_timestamps", params, name, node.type_info))

    def window_all(self, window_assigner: WindowAssigner) -> AllWindowedStream:
        """Put all values into windows, which one subtask works on."""
        from leat.datastream.windowed_stream import AllWindowedStream

        return AllWindowedStream(self, window_assigner)

    def join(self, other_stream: DataStream) -> JoinedStreams:
        """Pairs of this stream's values and the other's, of one key, in windows.

        Goes on with `where(key).equal_to(key).window(assigner).apply(function)` (Leat's addition,
        as in Flink's Java API).
        """
        from leat.datastream.joined_streams import JoinedStreams

        return JoinedStreams(self, other_stream)

    def co_group(self, other_stream: DataStream) -> CoGroupedStreams:
        """All values of this stream and the other of one key, in windows; goes on as `join`."""
        from leat.datastream.joined_streams import CoGroupedStreams

        return CoGroupedStreams(self, other_stream)

    def cache(self) -> NoReturn:
        """A NotSupportedError: cached streams come with a later release."""
        later("DataStream.cache(): caches come", "write the stream to a file and read that")

    def print(self, sink_identifier: str | None = None) -> DataStreamSink:
        """Print each value on a line of the standard output of the main process.

        Lines begin with `N> ` (the subtask, from 1) if there is more than one subtask, and with
        `identifier:N> ` or `identifier> ` if there is an identifier.
        """
        params: dict[str, object] = {"identifier": sink_identifier}
        return DataStreamSink(self._node.then("print", params, "Print to Std. Out"))

    def write_as_text(self, path: str) -> DataStreamSink:
        """Write each value's text on a line of a file (Leat's addition; PyFlink has FileSink).

        One subtask writes the file `path`; several write the files 1, 2 ... in the folder `path`.
        """
        self._node.env._note_addition("DataStream.write_as_text")
        return DataStreamSink(self._node.then("text_sink", {"path": str(path)}, "Text Sink"))

    def add_sink(self, sink_func: SinkFunction | Callable[[Any], Any]) -> DataStreamSink:
        """Hand each value to a SinkFunction: one in Python, a StreamingFileSink or a JdbcSink.

        A callable will do, too (Leat's addition).
        """
        from leat.datastream.connectors.file_system import StreamingFileSink

        if isinstance(sink_func, StreamingFileSink):
            return self.sink_to(sink_func._sink)
        wanted = "The input must be a SinkFunction or a callable function"
        function = shipped(sink_func, SinkFunction, "Sink", wanted)
        if not getattr(sink_func, "_in_pyflink", False):
            self._node.env._note_addition(f"DataStream.add_sink({function[2]}), a sink in Python")
        return DataStreamSink(self._node.then("function_sink", {"function": function}, "Unnamed"))

    def sink_to(self, sink: Sink) -> DataStreamSink:
        """Write each value to a sink of `leat.datastream.connectors`."""
        from leat.datastream.connectors.base import Sink

        if not isinstance(sink, Sink):
            raise TypeError(f"sink_to needs a Sink such as FileSink, not {sink!r}")
        operator, params, name = sink._operator()
        return DataStreamSink(self._node.then(operator, params, name))

    def execute_and_collect(
        self, job_execution_name: str | None = None, limit: int | None = None
    ) -> CloseableIterator | list[Any]:
        """Run the job and answer this stream's values.

        Without `limit` a CloseableIterator over the running job; with it a list of at most so many
        values, after which the job is cancelled.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"The limit must be at least 1, not {limit}")
        collect = self._node.then("collect", {}, "Collect", parallelism=1)
        with Starting() as new:
            job = self._node.env._start(new, job_execution_name)
            results = CloseableIterator(CollectedResults(job, collect.handle), self._node.type_info)
        if limit is None:
            return results
        with results:
            return [value for value, _ in zip(results, range(limit), strict=False)]

    def _operator(
        self, operator: str, func: Any, base: type, name: str, type_info: TypeInformation | None
    ) -> DataStream:
        params: dict[str, object] = {"function": shipped(func, base, name)}
        return DataStream(self._node.then(operator, params, name, type_info))

    def _option(self, option: str, value: str | int) -> DataStream:
        self._node.option(option, value)
        return self


class _Keyed:
    """What a KeyedStream is made of: its node and the type of its keys."""

    __slots__ = ("key_type", "node")

    def __init__(self, node: Node, key_type: TypeInformation | None) -> None:
        self.node = node
        self.key_type = key_type


def _as_it_is(value: Any) -> Any:
    """What a late record becomes before it is made one of its tag's type."""
    return value


def _same_type(one: TypeInformation | None, other: TypeInformation | None) -> None:
    """A ValueError if streams of these types have no union; no type is that of pickled objects."""
    pickled = PickledBytesTypeInfo()
    first, second = one or pickled, other or pickled
    if first != second:
        raise ValueError(
            f"Cannot union streams of different types: {first} and {second}. Give the operator "
            "before one of them an output_type."
        )


def later(what: str, instead: str) -> NoReturn:
    """Raise the NotSupportedError for something that is planned."""
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"{what} with a later release", instead)


def checked_strategy(strategy: WatermarkStrategy, where: str) -> WatermarkStrategy:
    """The strategy; a TypeError for anything else."""
    if not isinstance(strategy, WatermarkStrategy):
        raise TypeError(f"{where}: a WatermarkStrategy is needed, not {strategy!r}")
    return strategy
