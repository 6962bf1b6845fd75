"""Triggers: when a window is ready."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from leat.common.typeinfo import Types
from leat.datastream.state import ReducingStateDescriptor
from leat.datastream.window_kinds import milliseconds

if TYPE_CHECKING:
    from leat.common.time import Duration, Time
    from leat.datastream.state import ReducingState, State, StateDescriptor
    from leat.datastream.window_kinds import Window
    from leat.metrics import MetricGroup


class TriggerResult(Enum):
    """What is to be done with a window: the function called, the contents forgotten, or both."""

    CONTINUE = (False, False)
    FIRE_AND_PURGE = (True, True)
    FIRE = (True, False)
    PURGE = (False, True)

    def is_fire(self) -> bool:
        """Whether the window's function is called."""
        return self.value[0]

    def is_purge(self) -> bool:
        """Whether the window's contents are forgotten."""
        return self.value[1]


class Trigger(ABC):
    """Says when a window is ready. One object serves all keys and windows of a subtask.

    It keeps what it has to remember in `ctx.get_partitioned_state`, which belongs to the key and
    the window of the call, as timers do.
    """

    __class_getitem__: Any = classmethod(GenericAlias)  # types in brackets are hints

    class TriggerContext(ABC):
        """Time, timers and state of the key and the window of the call."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The time of the machine, in milliseconds."""

        @abstractmethod
        def get_metric_group(self) -> MetricGroup:
            """Makes metrics of the operator; the same group each time."""

        @abstractmethod
        def get_current_watermark(self) -> int:
            """The event time that was reached; the smallest 64-bit integer before the first."""

        @abstractmethod
        def register_processing_time_timer(self, time: int) -> None:
            """Call `on_processing_time` when the machine's clock is there."""

        @abstractmethod
        def register_event_time_timer(self, time: int) -> None:
            """Call `on_event_time` when the watermark is there."""

        @abstractmethod
        def delete_processing_time_timer(self, time: int) -> None:
            """Forget the timer; harmless when there is none."""

        @abstractmethod
        def delete_event_time_timer(self, time: int) -> None:
            """Forget the timer; harmless when there is none."""

        @abstractmethod
        def get_partitioned_state(self, state_descriptor: StateDescriptor) -> State:
            """The state of that name for the key and the window of the call."""

    class OnMergeContext(TriggerContext):
        """And what can be asked when windows have merged."""

        @abstractmethod
        def merge_partitioned_state(self, state_descriptor: StateDescriptor) -> None:
            """Put the state of the windows that merged together, as the new window's.

            For list, reducing and aggregating state; a TypeError for others.
            """

    @abstractmethod
    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """A record came into the window; `timestamp` is its event time."""

    @abstractmethod
    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """A timer of processing time, set by this trigger for this window, has fired."""

    @abstractmethod
    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """A timer of event time, set by this trigger for this window, has fired."""

    def can_merge(self) -> bool:
        """Whether it can be used with windows that merge, such as sessions: False."""
        return False

    @abstractmethod
    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        """Several windows have become `window`: set its timers, merge state."""

    @abstractmethod
    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        """The window is forgotten: delete its timers and state."""


class _TimeTrigger(Trigger):
    """What triggers of either time have in common: the end of the window is a timer.

    What the other time's timers say is CONTINUE.
    """

    @abstractmethod
    def _now(self, ctx: Trigger.TriggerContext) -> int:
        """How far the time has come."""

    @abstractmethod
    def _register(self, ctx: Trigger.TriggerContext, time: int) -> None:
        """Set a timer."""

    @abstractmethod
    def _delete(self, ctx: Trigger.TriggerContext, time: int) -> None:
        """Take a timer back."""

    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def can_merge(self) -> bool:
        """True."""
        return True

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        """Wait for the new end, unless it has passed."""
        if window.max_timestamp() > self._now(ctx):
            self._register(ctx, window.max_timestamp())

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        """Delete the timer."""
        self._delete(ctx, window.max_timestamp())


class _OfEventTime(_TimeTrigger):
    def _now(self, ctx: Trigger.TriggerContext) -> int:
        return ctx.get_current_watermark()

    def _register(self, ctx: Trigger.TriggerContext, time: int) -> None:
        ctx.register_event_time_timer(time)

    def _delete(self, ctx: Trigger.TriggerContext, time: int) -> None:
        ctx.delete_event_time_timer(time)


class _OfProcessingTime(_TimeTrigger):
    def _now(self, ctx: Trigger.TriggerContext) -> int:
        return ctx.get_current_processing_time()

    def _register(self, ctx: Trigger.TriggerContext, time: int) -> None:
        ctx.register_processing_time_timer(time)

    def _delete(self, ctx: Trigger.TriggerContext, time: int) -> None:
        ctx.delete_processing_time_timer(time)


class EventTimeTrigger(_OfEventTime):
    """Fires when the watermark passes the window's end, and then for each late record."""

    @staticmethod
    def create() -> EventTimeTrigger:
        """An EventTimeTrigger."""
        return EventTimeTrigger()

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE when the window's end has passed already, else CONTINUE."""
        if window.max_timestamp() <= ctx.get_current_watermark():
            return TriggerResult.FIRE
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE at the window's end."""
        return TriggerResult.FIRE if time == window.max_timestamp() else TriggerResult.CONTINUE

    def _spec(self) -> str | None:
        return "event_time"


class ProcessingTimeTrigger(_OfProcessingTime):
    """Fires when the machine's clock passes the window's end."""

    @staticmethod
    def create() -> ProcessingTimeTrigger:
        """A ProcessingTimeTrigger."""
        return ProcessingTimeTrigger()

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        ctx.register_processing_time_timer(window.max_timestamp())
        return TriggerResult.CONTINUE

    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE."""
        return TriggerResult.FIRE

    def _spec(self) -> str | None:
        return "processing_time"


class _ContinuousTrigger(_TimeTrigger):
    """What both continuous triggers have in common.

    The next time to fire at is a state: of windows that merge it is the earliest one.
    """

    def __init__(self, interval: int) -> None:
        self.interval = _positive(interval, type(self).__name__)
        self.state_desc = ReducingStateDescriptor("fire_timestamp", min, Types.LONG())

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        """Go on with the earliest of the windows' next times."""
        ctx.merge_partitioned_state(self.state_desc)
        state: Any = ctx.get_partitioned_state(self.state_desc)
        following = state.get()
        if following is not None:
            self._register(ctx, following)
        super().on_merge(window, ctx)

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        """Delete timers and state."""
        state: Any = ctx.get_partitioned_state(self.state_desc)
        following = state.get()
        if following is not None:
            self._delete(ctx, following)
            state.clear()
        super().clear(window, ctx)

    def register_next_fire_timestamp(
        self,
        time: int,
        window: Window,
        ctx: Trigger.TriggerContext,
        fire_timestamp_state: ReducingState,
    ) -> None:
        """Fire an interval after `time`, or at the window's end if that comes before."""
        following = min(time + self.interval, window.max_timestamp())
        fire_timestamp_state.add(following)
        self._register(ctx, following)

    def _begin(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        """A record came at this time."""
        self._register(ctx, window.max_timestamp())
        state: Any = ctx.get_partitioned_state(self.state_desc)
        if state.get() is None:
            self.register_next_fire_timestamp(time - time % self.interval, window, ctx, state)
        return TriggerResult.CONTINUE

    def _fire(self, time: int, window: Window, ctx: Trigger.TriggerContext) -> TriggerResult:
        """A timer has this time."""
        if time == window.max_timestamp():
            return TriggerResult.FIRE
        state: Any = ctx.get_partitioned_state(self.state_desc)
        if state.get() != time:
            return TriggerResult.CONTINUE
        state.clear()
        self.register_next_fire_timestamp(time, window, ctx, state)
        return TriggerResult.FIRE


class ContinuousEventTimeTrigger(_ContinuousTrigger, _OfEventTime):
    """Fires at each multiple of an interval of event time, and at the window's end."""

    @staticmethod
    def of(interval: Time | Duration) -> ContinuousEventTimeTrigger:
        """A trigger of this interval."""
        made = milliseconds(interval, "ContinuousEventTimeTrigger.of")
        return ContinuousEventTimeTrigger(made)

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE when the window's end has passed already, else CONTINUE."""
        if window.max_timestamp() <= ctx.get_current_watermark():
            return TriggerResult.FIRE
        return self._begin(timestamp, window, ctx)

    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE at the window's end and at the interval's."""
        return self._fire(time, window, ctx)

    def _spec(self) -> str | None:
        return f"continuous_event_time {self.interval}"


class ContinuousProcessingTimeTrigger(_ContinuousTrigger, _OfProcessingTime):
    """Fires at each multiple of an interval of the machine's clock, and at the window's end."""

    @staticmethod
    def of(interval: Time | Duration) -> ContinuousProcessingTimeTrigger:
        """A trigger of this interval."""
        made = milliseconds(interval, "ContinuousProcessingTimeTrigger.of")
        return ContinuousProcessingTimeTrigger(made)

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return self._begin(ctx.get_current_processing_time(), window, ctx)

    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE at the window's end and at the interval's."""
        return self._fire(time, window, ctx)

    def _spec(self) -> str | None:
        return f"continuous_processing_time {self.interval}"


class CountTrigger(Trigger):
    """Fires each time so many records have come into a window."""

    def __init__(self, window_size: int) -> None:
        self._window_size = _positive(window_size, "CountTrigger")
        self._count_state_descriptor = ReducingStateDescriptor(
            "trigger_counter", _add, Types.LONG()
        )

    @staticmethod
    def of(window_size: int) -> CountTrigger:
        """A trigger of so many records."""
        return CountTrigger(window_size)

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """FIRE at the last of so many, which are counted anew then."""
        state: Any = ctx.get_partitioned_state(self._count_state_descriptor)
        state.add(1)
        if state.get() < self._window_size:
            return TriggerResult.CONTINUE
        state.clear()
        return TriggerResult.FIRE

    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def can_merge(self) -> bool:
        """True."""
        return True

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        """The sum of the windows' counts."""
        ctx.merge_partitioned_state(self._count_state_descriptor)

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        """Forget the count."""
        ctx.get_partitioned_state(self._count_state_descriptor).clear()

    def _spec(self) -> str | None:
        return f"count {self._window_size}"


class PurgingTrigger(Trigger):
    """Another trigger, but with each FIRE the window's contents are forgotten."""

    def __init__(self, nested_trigger: Trigger) -> None:
        if not isinstance(nested_trigger, Trigger):
            raise TypeError(f"PurgingTrigger needs a Trigger, not {nested_trigger!r}")
        self.nested_trigger = nested_trigger

    @staticmethod
    def of(nested_trigger: Trigger) -> PurgingTrigger:
        """That of another trigger."""
        return PurgingTrigger(nested_trigger)

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """As the other one's, with purging."""
        return _purging(self.nested_trigger.on_element(element, timestamp, window, ctx))

    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """As the other one's, with purging."""
        return _purging(self.nested_trigger.on_processing_time(time, window, ctx))

    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """As the other one's, with purging."""
        return _purging(self.nested_trigger.on_event_time(time, window, ctx))

    def can_merge(self) -> bool:
        """As the other one."""
        return self.nested_trigger.can_merge()

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        """As the other one."""
        self.nested_trigger.on_merge(window, ctx)

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        """As the other one."""
        self.nested_trigger.clear(window, ctx)


class NeverTrigger(Trigger):
    """Never fires; the default of GlobalWindows."""

    def on_element(
        self, element: Any, timestamp: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def on_processing_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def on_event_time(
        self, time: int, window: Window, ctx: Trigger.TriggerContext
    ) -> TriggerResult:
        """CONTINUE."""
        return TriggerResult.CONTINUE

    def on_merge(self, window: Window, ctx: Trigger.OnMergeContext) -> None:
        """Nothing."""

    def clear(self, window: Window, ctx: Trigger.TriggerContext) -> None:
        """Nothing."""

    def _spec(self) -> str | None:
        return "never"


def _add(a: int, b: int) -> int:
    return a + b


def _purging(result: TriggerResult) -> TriggerResult:
    return TriggerResult.FIRE_AND_PURGE if result is TriggerResult.FIRE else result


def _positive(number: int, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{what}: an int is needed, not {number!r}")
    if number < 1:
        raise ValueError(f"{what}: at least 1 is needed, not {number}")
    return number
