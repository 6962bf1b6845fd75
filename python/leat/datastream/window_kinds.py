"""Windows: what they are, and how they are written to bytes."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO

from leat.common.serializer import TypeSerializer
from leat.common.time import Time, span_millis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from leat.common.time import Duration
    from leat.datastream.window_assigners import MergingWindowAssigner

MAX_LONG = 2**63 - 1
MIN_LONG = -(2**63)


class Window(ABC):
    """A finite group of the records of a key.

    Windows of own classes are one when they are serialised to the same bytes.
    """

    @abstractmethod
    def max_timestamp(self) -> int:
        """The last event time in milliseconds that belongs to the window."""


class TimeWindow(Window):
    """From `start` to `end`, milliseconds; `end` itself is not in it."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def max_timestamp(self) -> int:
        """`end` - 1."""
        return self.end - 1

    def intersects(self, other: TimeWindow) -> bool:
        """Whether the windows overlap or touch."""
        return self.start <= other.end and self.end >= other.start

    def cover(self, other: TimeWindow) -> TimeWindow:
        """The smallest window around both."""
        return TimeWindow(min(self.start, other.start), max(self.end, other.end))

    @staticmethod
    def get_window_start_with_offset(timestamp: int, offset: int, window_size: int) -> int:
        """The start of the window of a grid that begins at `offset`; right below 0, too."""
        return timestamp - (timestamp - offset) % window_size

    @staticmethod
    def merge_windows(
        windows: Iterable[TimeWindow], callback: MergingWindowAssigner.MergeCallback
    ) -> None:
        """Tell the callback which windows overlap or touch, and what covers them."""
        merged: TimeWindow | None = None
        group: list[TimeWindow] = []
        for window in sorted(windows):
            if merged is not None and merged.intersects(window):
                merged = merged.cover(window)
                group.append(window)
                continue
            if merged is not None and len(group) > 1:
                callback.merge(group, merged)
            merged, group = window, [window]
        if merged is not None and len(group) > 1:
            callback.merge(group, merged)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return False
        assert isinstance(other, TimeWindow)
        return self.start == other.start and self.end == other.end

    def __lt__(self, other: TimeWindow) -> bool:
        return (self.start, self.end) < (other.start, other.end)

    def __le__(self, other: TimeWindow) -> bool:
        return (self.start, self.end) <= (other.start, other.end)

    def __repr__(self) -> str:
        return f"TimeWindow(start={self.start}, end={self.end})"


class CountWindow(Window):
    """Of a count window, by its number."""

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id = id

    def max_timestamp(self) -> int:
        """The largest 64-bit integer: event time does not end it."""
        return MAX_LONG

    def __hash__(self) -> int:
        return hash((CountWindow, self.id))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CountWindow) and self.id == other.id

    def __repr__(self) -> str:
        return f"CountWindow(id={self.id})"


class GlobalWindow(Window):
    """The one window of all records; all are equal."""

    __slots__ = ()

    @staticmethod
    def get() -> GlobalWindow:
        """A GlobalWindow."""
        return GlobalWindow()

    def max_timestamp(self) -> int:
        """The largest 64-bit integer."""
        return MAX_LONG

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GlobalWindow)

    def __repr__(self) -> str:
        return "GlobalWindow"


_LONG = struct.Struct(">q")
_TWO_LONGS = struct.Struct(">qq")


class TimeWindowSerializer(TypeSerializer):
    """Start and end in 8 bytes each, most significant first."""

    def __init__(self) -> None:
        pass

    def serialize(self, element: TimeWindow, stream: BinaryIO) -> None:
        """Write `element`."""
        stream.write(_TWO_LONGS.pack(element.start, element.end))

    def deserialize(self, stream: BinaryIO) -> TimeWindow:
        """Read a TimeWindow."""
        return TimeWindow(*_TWO_LONGS.unpack(stream.read(_TWO_LONGS.size)))


class CountWindowSerializer(TypeSerializer):
    """The number in 8 bytes, most significant first."""

    def __init__(self) -> None:
        pass

    def serialize(self, element: CountWindow, stream: BinaryIO) -> None:
        """Write `element`."""
        stream.write(_LONG.pack(element.id))

    def deserialize(self, stream: BinaryIO) -> CountWindow:
        """Read a CountWindow."""
        return CountWindow(*_LONG.unpack(stream.read(_LONG.size)))


class GlobalWindowSerializer(TypeSerializer):
    """One byte."""

    def __init__(self) -> None:
        pass

    def serialize(self, element: GlobalWindow, stream: BinaryIO) -> None:
        """Write `element`."""
        stream.write(b"\0")

    def deserialize(self, stream: BinaryIO) -> GlobalWindow:
        """Read a GlobalWindow."""
        stream.read(1)
        return GlobalWindow()


def write_window(serializer: TypeSerializer | None, window: Window) -> bytes:
    """A window of an own class as bytes; equal ones give equal bytes. Called by the library."""
    import io

    with io.BytesIO() as stream:
        if serializer is not None:
            serializer.serialize(window, stream)
        else:
            import pickle

            pickler = pickle.Pickler(stream, 5)
            pickler.fast = True  # bytes that tell nothing of which parts are the same object
            pickler.dump(window)
        return stream.getvalue()


def read_window(serializer: TypeSerializer | None, content: bytes) -> Window:
    """The window that `write_window` wrote. Called by the library."""
    import io
    import pickle

    with io.BytesIO(content) as stream:
        return serializer.deserialize(stream) if serializer is not None else pickle.load(stream)


def milliseconds(span: Time | Duration, what: str) -> int:
    """The length of a Time or a Duration. A TypeError that begins with `what` for others."""
    return span_millis(span, what, Time)


def builtin_spec(component: Any) -> str | None:
    """The library's own function that does what this object does; None: it runs in Python.

    Only objects of our classes themselves have one: a subclass may do something else.
    """
    spec = vars(type(component)).get("_spec")
    made = spec(component) if spec is not None else None
    return made if isinstance(made, str) else None
