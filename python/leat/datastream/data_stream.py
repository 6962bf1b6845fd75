"""The streams, with the names of PyFlink's `pyflink.datastream.data_stream`."""

from leat.datastream.broadcast_stream import BroadcastConnectedStream, BroadcastStream
from leat.datastream.connected_streams import ConnectedStreams
from leat.datastream.iterative_stream import ConnectedIterativeStreams, IterativeStream
from leat.datastream.keyed_stream import KeyedStream
from leat.datastream.plain_stream import DataStream
from leat.datastream.stream_sink import CloseableIterator, DataStreamSink
from leat.datastream.windowed_stream import AllWindowedStream, WindowedStream

__all__ = [
    "AllWindowedStream",
    "BroadcastConnectedStream",
    "BroadcastStream",
    "CloseableIterator",
    "ConnectedIterativeStreams",
    "ConnectedStreams",
    "DataStream",
    "DataStreamSink",
    "IterativeStream",
    "KeyedStream",
    "WindowedStream",
]
