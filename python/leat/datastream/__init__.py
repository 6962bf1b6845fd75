"""Streams and what is done to them, with the names of `pyflink.datastream`.

A program gets a `StreamExecutionEnvironment`, makes a `DataStream` of a source, adds operators and
sinks, and executes it. Names of PyFlink that this release does not have are ImportErrors which say
when they come.
"""

from typing import NoReturn

from leat.datastream.checkpointing_mode import CheckpointingMode
from leat.datastream.data_stream import (
    BroadcastConnectedStream,
    BroadcastStream,
    ConnectedStreams,
    DataStream,
    DataStreamSink,
    KeyedStream,
)
from leat.datastream.execution_mode import RuntimeExecutionMode
from leat.datastream.functions import (
    AggregateFunction,
    BroadcastProcessFunction,
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    Partitioner,
    ProcessFunction,
    ProcessJoinFunction,
    ReduceFunction,
    RuntimeContext,
    SinkFunction,
    SourceFunction,
)
from leat.datastream.output_tag import OutputTag
from leat.datastream.slot_sharing_group import MemorySize, SlotSharingGroup
from leat.datastream.stream_execution_environment import StreamExecutionEnvironment
from leat.datastream.time_domain import TimeDomain
from leat.datastream.timerservice import TimerService

__all__ = [
    "AggregateFunction",
    "BroadcastConnectedStream",
    "BroadcastProcessFunction",
    "BroadcastStream",
    "CheckpointingMode",
    "CoFlatMapFunction",
    "CoMapFunction",
    "CoProcessFunction",
    "ConnectedStreams",
    "DataStream",
    "DataStreamSink",
    "FilterFunction",
    "FlatMapFunction",
    "KeySelector",
    "KeyedBroadcastProcessFunction",
    "KeyedCoProcessFunction",
    "KeyedProcessFunction",
    "KeyedStream",
    "MapFunction",
    "MemorySize",
    "OutputTag",
    "Partitioner",
    "ProcessFunction",
    "ProcessJoinFunction",
    "ReduceFunction",
    "RuntimeContext",
    "RuntimeExecutionMode",
    "SinkFunction",
    "SlotSharingGroup",
    "SourceFunction",
    "StreamExecutionEnvironment",
    "TimeDomain",
    "TimerService",
]

_LATER = {
    "asynchronous I/O": ("AsyncDataStream AsyncFunction AsyncRetryPredicate AsyncRetryStrategy"),
    "checkpoints": (
        "CheckpointConfig CheckpointStorage CustomCheckpointStorage ExternalizedCheckpointCleanup "
        "ExternalizedCheckpointRetention FileSystemCheckpointStorage JobManagerCheckpointStorage"
    ),
    "state": (
        "CustomStateBackend EmbeddedRocksDBStateBackend FsStateBackend HashMapStateBackend "
        "MemoryStateBackend PredefinedOptions RocksDBStateBackend StateBackend"
    ),
    "event time": "TimeCharacteristic",
    "windows": (
        "CountWindow GlobalWindow MergingWindowAssigner ProcessWindowFunction TimeWindow Trigger "
        "TriggerResult Window WindowAssigner WindowFunction WindowedStream"
    ),
}


def __getattr__(name: str) -> NoReturn:
    for what, names in _LATER.items():
        if name in names.split():
            raise ImportError(
                f"leat.datastream.{name} is not there yet; {what} will come with a later release",
                name=f"leat.datastream.{name}",
            )
    raise AttributeError(f"module 'leat.datastream' has no attribute {name!r}")
