"""Window assigners: which windows a record belongs to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar

from leat.common.typeinfo import Types
from leat.datastream.state import ValueStateDescriptor
from leat.datastream.window_kinds import (
    MIN_LONG,
    CountWindow,
    CountWindowSerializer,
    GlobalWindow,
    GlobalWindowSerializer,
    TimeWindow,
    TimeWindowSerializer,
    milliseconds,
)
from leat.datastream.window_triggers import (
    CountTrigger,
    EventTimeTrigger,
    NeverTrigger,
    ProcessingTimeTrigger,
    _positive,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from leat.common.serializer import TypeSerializer
    from leat.common.time import Duration, Time
    from leat.datastream.functions import RuntimeContext
    from leat.datastream.stream_execution_environment import StreamExecutionEnvironment
    from leat.datastream.window_kinds import Window
    from leat.datastream.window_triggers import Trigger


class WindowAssigner(ABC):
    """Says which windows a record belongs to."""

    __class_getitem__: Any = classmethod(GenericAlias)  # types in brackets are hints

    class WindowAssignerContext(ABC):
        """What it may ask during a call."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The time of the machine, in milliseconds."""

        @abstractmethod
        def get_runtime_context(self) -> RuntimeContext:
            """The subtask, and state that belongs to the key of the record."""

    @abstractmethod
    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[Window]:
        """The windows of a record; none: it is dropped.

        `timestamp` is its event time, the smallest 64-bit integer when it has none.
        """

    @abstractmethod
    def get_default_trigger(self, env: StreamExecutionEnvironment) -> Trigger:
        """The trigger of streams that set none."""

    @abstractmethod
    def get_window_serializer(self) -> TypeSerializer:
        """Writes windows of own classes; None: they are pickled. Not asked for Leat's own."""

    @abstractmethod
    def is_event_time(self) -> bool:
        """Whether its windows are ones of event time."""


class MergingWindowAssigner(WindowAssigner):
    """One whose windows can become one, such as sessions."""

    class MergeCallback(ABC):
        """Told which windows become one."""

        @abstractmethod
        def merge(self, to_be_merged: Iterable[Window], merge_result: Window) -> None:
            """Put `merge_result` in the place of these windows."""

    @abstractmethod
    def merge_windows(
        self, windows: Iterable[Window], callback: MergingWindowAssigner.MergeCallback
    ) -> None:
        """Tell the callback which of the windows of a key become which one."""


class RecordedMerges(MergingWindowAssigner.MergeCallback):
    """What a `merge_windows` said; read by the library."""

    def __init__(self) -> None:
        self.merges: list[tuple[list[Window], Window]] = []

    def merge(self, to_be_merged: Iterable[Window], merge_result: Window) -> None:
        """Remember it."""
        self.merges.append((list(to_be_merged), merge_result))


def _check_time(timestamp: int) -> None:
    if timestamp == MIN_LONG:
        raise Exception(
            "Record has Java Long.MIN_VALUE timestamp (= no timestamp marker). Is the time "
            "characteristic set to 'ProcessingTime', or did you forget to call "
            "'data_stream.assign_timestamps_and_watermarks(...)'?"
        )


def _offset(offset: Time | Duration | None, what: str) -> int:
    return 0 if offset is None else milliseconds(offset, what)


def _whole(numbers: tuple[Any, ...], what: str) -> None:
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"{what}: milliseconds as an int are needed, not {number!r}")


class _TimeWindows(WindowAssigner):
    """What all assigners of TimeWindows have in common."""

    _domain: ClassVar[str]  # "event_time" or "processing_time"

    def get_default_trigger(self, env: StreamExecutionEnvironment) -> Trigger:
        """An EventTimeTrigger in event time, else a ProcessingTimeTrigger."""
        return EventTimeTrigger() if self.is_event_time() else ProcessingTimeTrigger()

    def get_window_serializer(self) -> TypeSerializer:
        """A TimeWindowSerializer."""
        return TimeWindowSerializer()

    def is_event_time(self) -> bool:
        """Whether the windows are of event time, not of the machine's clock."""
        return self._domain == "event_time"

    def _time(self, timestamp: int, context: WindowAssigner.WindowAssignerContext) -> int:
        """The time that counts for a record: its own, without which it is refused, or now."""
        if self._domain != "event_time":
            return context.get_current_processing_time()
        _check_time(timestamp)
        return timestamp


class _TumblingWindows(_TimeWindows):
    def __init__(self, size: int, offset: int) -> None:
        _check_tumbling(size, offset, type(self).__name__)
        self._size = size
        self._offset = offset

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        """The window; an Exception where event time counts and the record has none."""
        time = self._time(timestamp, context)
        start = TimeWindow.get_window_start_with_offset(time, self._offset, self._size)
        return [TimeWindow(start, start + self._size)]

    def _text(self) -> str | None:
        return f"tumbling_{self._domain} {self._size} {self._offset}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._size}, {self._offset})"


class TumblingEventTimeWindows(_TumblingWindows):
    """Windows of one size, one after the other, in event time."""

    _domain = "event_time"
    _spec = _TumblingWindows._text

    @staticmethod
    def of(size: Time, offset: Time | None = None) -> TumblingEventTimeWindows:
        """Of this size; a grid that begins at `offset` since 1970, UTC. abs(offset) < size."""
        what = "TumblingEventTimeWindows.of"
        return TumblingEventTimeWindows(milliseconds(size, what), _offset(offset, what))


class TumblingProcessingTimeWindows(_TumblingWindows):
    """Windows of one size, one after the other, by the machine's clock."""

    _domain = "processing_time"
    _spec = _TumblingWindows._text

    @staticmethod
    def of(size: Time, offset: Time | None = None) -> TumblingProcessingTimeWindows:
        """Of this size; a grid that begins at `offset` since 1970, UTC. abs(offset) < size."""
        what = "TumblingProcessingTimeWindows.of"
        return TumblingProcessingTimeWindows(milliseconds(size, what), _offset(offset, what))


class _SlidingWindows(_TimeWindows):
    def __init__(self, size: int, slide: int, offset: int) -> None:
        _check_sliding(size, slide, offset, type(self).__name__)
        self._size = size
        self._slide = slide
        self._offset = offset

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        """The windows, latest first; as above for records without event time."""
        time, size, slide = self._time(timestamp, context), self._size, self._slide
        last = TimeWindow.get_window_start_with_offset(time, self._offset, slide)
        return [TimeWindow(start, start + size) for start in range(last, time - size, -slide)]

    def _text(self) -> str | None:
        return f"sliding_{self._domain} {self._size} {self._slide} {self._offset}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._size}, {self._slide}, {self._offset})"


class SlidingEventTimeWindows(_SlidingWindows):
    """Windows of one size, of which one begins with each slide, in event time."""

    _domain = "event_time"
    _spec = _SlidingWindows._text

    @staticmethod
    def of(size: Time, slide: Time, offset: Time | None = None) -> SlidingEventTimeWindows:
        """Of this size and slide. abs(offset) < slide, and size > 0."""
        what = "SlidingEventTimeWindows.of"
        size_ms, slide_ms = milliseconds(size, what), milliseconds(slide, what)
        return SlidingEventTimeWindows(size_ms, slide_ms, _offset(offset, what))


class SlidingProcessingTimeWindows(_SlidingWindows):
    """Windows of one size, of which one begins with each slide, by the machine's clock."""

    _domain = "processing_time"
    _spec = _SlidingWindows._text

    @staticmethod
    def of(size: Time, slide: Time, offset: Time | None = None) -> SlidingProcessingTimeWindows:
        """Of this size and slide. abs(offset) < slide, and size > 0."""
        what = "SlidingProcessingTimeWindows.of"
        size_ms, slide_ms = milliseconds(size, what), milliseconds(slide, what)
        return SlidingProcessingTimeWindows(size_ms, slide_ms, _offset(offset, what))


def _check_tumbling(size: int, offset: int, what: str) -> None:
    _whole((size, offset), what)
    if abs(offset) >= size:
        raise Exception(f"{what} parameters must satisfy abs(offset) < size")


def _check_sliding(size: int, slide: int, offset: int, what: str) -> None:
    _whole((size, slide, offset), what)
    if abs(offset) >= slide or size <= 0:
        raise Exception(f"{what} parameters must satisfy abs(offset) < slide and size > 0")


# --- sessions -------------------------------------------------------------------------------------


class SessionWindowTimeGapExtractor(ABC):
    """Reads the gap of a session from each of its records. A plain callable will do, too."""

    @abstractmethod
    def extract(self, element: Any) -> int:
        """How long after this record the session may go on without one: milliseconds, above 0."""


class _SessionWindows(_TimeWindows, MergingWindowAssigner):
    """What all sessions have in common."""

    def merge_windows(
        self, windows: Iterable[Any], callback: MergingWindowAssigner.MergeCallback
    ) -> None:
        """Windows that overlap or touch become one."""
        TimeWindow.merge_windows(windows, callback)


class _GapWindows(_SessionWindows):
    def __init__(self, session_gap: int) -> None:
        _check_gap(session_gap, type(self).__name__)
        self._session_gap = session_gap

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        """From the record's time, as long as the gap."""
        time = self._time(timestamp, context)
        return [TimeWindow(time, time + self._session_gap)]

    def _text(self) -> str | None:
        return f"session_{self._domain} {self._session_gap}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._session_gap})"


class EventTimeSessionWindows(_GapWindows):
    """A session goes on as long as no gap in event time is as long as this one."""

    _domain = "event_time"
    _spec = _GapWindows._text

    @staticmethod
    def with_gap(size: Time) -> EventTimeSessionWindows:
        """Sessions that end with this gap, which is above 0."""
        return EventTimeSessionWindows(milliseconds(size, "EventTimeSessionWindows.with_gap"))

    @staticmethod
    def with_dynamic_gap(
        extractor: SessionWindowTimeGapExtractor | Callable[[Any], int],
    ) -> DynamicEventTimeSessionWindows:
        """Sessions whose gap is that of their last record."""
        return DynamicEventTimeSessionWindows(extractor)


class ProcessingTimeSessionWindows(_GapWindows):
    """A session goes on as long as no gap on the machine's clock is as long as this one."""

    _domain = "processing_time"
    _spec = _GapWindows._text

    @staticmethod
    def with_gap(size: Time) -> ProcessingTimeSessionWindows:
        """Sessions that end with this gap, which is above 0."""
        return ProcessingTimeSessionWindows(
            milliseconds(size, "ProcessingTimeSessionWindows.with_gap")
        )

    @staticmethod
    def with_dynamic_gap(
        extractor: SessionWindowTimeGapExtractor | Callable[[Any], int],
    ) -> DynamicProcessingTimeSessionWindows:
        """Sessions whose gap is that of their last record."""
        return DynamicProcessingTimeSessionWindows(extractor)


class _DynamicGapWindows(_SessionWindows):
    def __init__(
        self,
        session_window_time_gap_extractor: SessionWindowTimeGapExtractor | Callable[[Any], int],
    ) -> None:
        self._extractor = _checked_extractor(session_window_time_gap_extractor)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[TimeWindow]:
        """From the record's time, as long as its gap."""
        time = self._time(timestamp, context)
        return [TimeWindow(time, time + _gap_of(self._extractor, element))]

    def _text(self) -> str | None:
        return f"session_{self._domain}"

    def _gap(self) -> SessionWindowTimeGapExtractor | Callable[[Any], int]:
        return self._extractor

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class DynamicEventTimeSessionWindows(_DynamicGapWindows):
    """EventTimeSessionWindows whose gap each record says for itself."""

    _domain = "event_time"
    _spec = _DynamicGapWindows._text

    @staticmethod
    def with_dynamic_gap(
        extractor: SessionWindowTimeGapExtractor | Callable[[Any], int],
    ) -> DynamicEventTimeSessionWindows:
        """With this extractor."""
        return DynamicEventTimeSessionWindows(extractor)


class DynamicProcessingTimeSessionWindows(_DynamicGapWindows):
    """ProcessingTimeSessionWindows whose gap each record says for itself."""

    _domain = "processing_time"
    _spec = _DynamicGapWindows._text

    @staticmethod
    def with_dynamic_gap(
        extractor: SessionWindowTimeGapExtractor | Callable[[Any], int],
    ) -> DynamicProcessingTimeSessionWindows:
        """With this extractor."""
        return DynamicProcessingTimeSessionWindows(extractor)


def _check_gap(gap: int, what: str) -> None:
    _whole((gap,), what)
    if gap <= 0:
        raise Exception(f"{what} parameters must satisfy 0 < size")


def _checked_extractor(extractor: Any) -> Any:
    if isinstance(extractor, SessionWindowTimeGapExtractor) or callable(extractor):
        return extractor
    raise TypeError(
        f"with_dynamic_gap needs a SessionWindowTimeGapExtractor or a callable, not {extractor!r}"
    )


def _gap_of(extractor: Any, element: Any) -> int:
    gap = getattr(extractor, "extract", extractor)(element)
    if gap <= 0:
        raise Exception("Dynamic session time gap must satisfy 0 < gap")
    return gap


# --- windows without time -------------------------------------------------------------------------


class _CountWindows(WindowAssigner):
    """What both assigners of CountWindows have in common."""

    _count_descriptor: ValueStateDescriptor

    def _number(self, context: WindowAssigner.WindowAssignerContext) -> int:
        """How many records of the key came before this one."""
        state = context.get_runtime_context().get_state(self._count_descriptor)
        number = state.value() or 0
        state.update(number + 1)
        return number

    def get_window_serializer(self) -> TypeSerializer:
        """A CountWindowSerializer."""
        return CountWindowSerializer()

    def is_event_time(self) -> bool:
        """False."""
        return False


class CountTumblingWindowAssigner(_CountWindows):
    """Of each key, the first so many records, the next, and so on."""

    def __init__(self, window_size: int) -> None:
        self._window_size = _positive(window_size, "CountTumblingWindowAssigner")
        name = f"tumble-window-assigner-{window_size}"
        self._count_descriptor = ValueStateDescriptor(name, Types.LONG())

    @staticmethod
    def of(window_size: int) -> CountTumblingWindowAssigner:
        """Windows of so many records."""
        return CountTumblingWindowAssigner(window_size)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[CountWindow]:
        """The window of the key's next record."""
        return [CountWindow(self._number(context) // self._window_size)]

    def get_default_trigger(self, env: StreamExecutionEnvironment) -> Trigger:
        """A CountTrigger of the window's size."""
        return CountTrigger(self._window_size)

    def _spec(self) -> str | None:
        return f"count_tumbling {self._window_size}"

    def __repr__(self) -> str:
        return f"CountTumblingWindowAssigner({self._window_size})"


class CountSlidingWindowAssigner(_CountWindows):
    """Of each key, windows of so many records; another one begins with each slide.

    As in PyFlink only full windows fire: the first one after `window_size` records.
    """

    def __init__(self, window_size: int, window_slide: int) -> None:
        self._window_size = _positive(window_size, "CountSlidingWindowAssigner")
        self._window_slide = _positive(window_slide, "CountSlidingWindowAssigner")
        name = f"slide-window-assigner-{window_size}-{window_slide}"
        self._count_descriptor = ValueStateDescriptor(name, Types.LONG())

    @staticmethod
    def of(window_size: int, window_slide: int) -> CountSlidingWindowAssigner:
        """Windows of so many records, one per `window_slide` of them."""
        return CountSlidingWindowAssigner(window_size, window_slide)

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[CountWindow]:
        """The windows of the key's next record."""
        number = self._number(context)
        last = number // self._window_slide
        first = max(0, -((self._window_size - 1 - number) // self._window_slide))
        return [CountWindow(window) for window in range(first, last + 1)]

    def get_default_trigger(self, env: StreamExecutionEnvironment) -> Trigger:
        """A CountTrigger of the window's size."""
        return CountTrigger(self._window_size)

    def _spec(self) -> str | None:
        return f"count_sliding {self._window_size} {self._window_slide}"

    def __repr__(self) -> str:
        return f"CountSlidingWindowAssigner({self._window_size}, {self._window_slide})"


class GlobalWindows(WindowAssigner):
    """All records of a key in one window, which only a trigger can make ready."""

    def __init__(self) -> None:
        pass

    @staticmethod
    def create() -> GlobalWindows:
        """A GlobalWindows."""
        return GlobalWindows()

    def assign_windows(
        self, element: Any, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> Collection[GlobalWindow]:
        """The GlobalWindow."""
        return [GlobalWindow()]

    def get_default_trigger(self, env: StreamExecutionEnvironment) -> Trigger:
        """A NeverTrigger."""
        return NeverTrigger()

    def get_window_serializer(self) -> TypeSerializer:
        """A GlobalWindowSerializer."""
        return GlobalWindowSerializer()

    def is_event_time(self) -> bool:
        """False."""
        return False

    def _spec(self) -> str | None:
        return "global"

    def __repr__(self) -> str:
        return "GlobalWindows()"
