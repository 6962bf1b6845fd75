"""Evictors: which records of a window are left out (Leat's addition, as in Flink's Java API)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from leat.datastream.window_kinds import milliseconds
from leat.datastream.window_triggers import _positive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from leat.common.time import Duration, Time
    from leat.datastream.window_kinds import Window
    from leat.metrics import MetricGroup

__all__ = [
    "CountEvictor",
    "DeltaEvictor",
    "DeltaFunction",
    "Evictor",
    "TimeEvictor",
    "TimestampedValue",
]


class TimestampedValue:
    """A record in a window, as evictors see it."""

    __slots__ = ("_timestamp", "_value")

    def __init__(self, value: Any, timestamp: int | None = None) -> None:
        self._value = value
        self._timestamp = timestamp

    def get_value(self) -> Any:
        """The value."""
        return self._value

    def get_timestamp(self) -> int | None:
        """Its event time in milliseconds, None when it has none."""
        return self._timestamp

    def has_timestamp(self) -> bool:
        """Whether it has an event time."""
        return self._timestamp is not None

    def __repr__(self) -> str:
        return f"TimestampedValue({self._value!r}, {self._timestamp})"


class Evictor(ABC):
    """Takes records out of a window that has fired.

    `elements` is a list in order of arrival. Either remove from it what shall go, or return
    (or yield) the elements that stay; an evictor that returns None has changed the list. What was
    taken out before or after the window's function is gone for later firings, too.
    """

    class EvictorContext(ABC):
        """What it may ask during a call."""

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
    def evict_before(
        self,
        elements: list[TimestampedValue],
        size: int,
        window: Window,
        evictor_context: Evictor.EvictorContext,
    ) -> Iterable[TimestampedValue] | None:
        """Called before the window's function; `size` is the number of elements."""

    @abstractmethod
    def evict_after(
        self,
        elements: list[TimestampedValue],
        size: int,
        window: Window,
        evictor_context: Evictor.EvictorContext,
    ) -> Iterable[TimestampedValue] | None:
        """Called after the window's function with the elements that it saw."""


class _BuiltinEvictor(Evictor):
    """Evicts in the same way before the function, or after it."""

    _after: bool

    @abstractmethod
    def _evict(self, elements: list[TimestampedValue]) -> None:
        """Remove what goes."""

    def evict_before(
        self,
        elements: list[TimestampedValue],
        size: int,
        window: Window,
        evictor_context: Evictor.EvictorContext,
    ) -> None:
        """Remove what goes, unless that is to be done after the function."""
        if not self._after:
            self._evict(elements)

    def evict_after(
        self,
        elements: list[TimestampedValue],
        size: int,
        window: Window,
        evictor_context: Evictor.EvictorContext,
    ) -> None:
        """Remove what goes, if that is to be done after the function."""
        if self._after:
            self._evict(elements)


class CountEvictor(_BuiltinEvictor):
    """Leaves the last so many records."""

    def __init__(self, max_count: int, do_evict_after: bool = False) -> None:
        self._max_count = _positive(max_count, "CountEvictor")
        self._after = bool(do_evict_after)

    @staticmethod
    def of(max_count: int, do_evict_after: bool = False) -> CountEvictor:
        """Leave the last `max_count` records, before the window's function or after it."""
        return CountEvictor(max_count, do_evict_after)

    def _evict(self, elements: list[TimestampedValue]) -> None:
        del elements[: -self._max_count]

    def _spec(self) -> str | None:
        return f"count {self._max_count} {int(self._after)}"


class TimeEvictor(_BuiltinEvictor):
    """Leaves the records that are less than so much older than the newest of the window.

    Those without event time stay.
    """

    def __init__(self, window_size: int, do_evict_after: bool = False) -> None:
        self._window_size = window_size
        self._after = bool(do_evict_after)

    @staticmethod
    def of(window_size: Time | Duration, do_evict_after: bool = False) -> TimeEvictor:
        """Leave the last `window_size`, before the window's function or after it."""
        return TimeEvictor(milliseconds(window_size, "TimeEvictor.of"), do_evict_after)

    def _evict(self, elements: list[TimestampedValue]) -> None:
        times = [t for e in elements if (t := e.get_timestamp()) is not None]
        limit = max(times, default=0) - self._window_size
        elements[:] = [e for e in elements if (t := e.get_timestamp()) is None or t > limit]

    def _spec(self) -> str | None:
        return f"time {self._window_size} {int(self._after)}"


class DeltaFunction(ABC):
    """How far two records are from each other. A plain callable of both will do, too."""

    @abstractmethod
    def get_delta(self, old_data_point: Any, new_data_point: Any) -> float:
        """The distance."""


class DeltaEvictor(_BuiltinEvictor):
    """Leaves the records whose distance from the last one is below a threshold."""

    def __init__(
        self,
        threshold: float,
        delta_function: DeltaFunction | Callable[[Any, Any], float],
        do_evict_after: bool = False,
    ) -> None:
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
            raise TypeError(f"DeltaEvictor: the threshold is a number, not {threshold!r}")
        if not isinstance(delta_function, DeltaFunction) and not callable(delta_function):
            raise TypeError(
                f"DeltaEvictor: a DeltaFunction or a callable is needed, not {delta_function!r}"
            )
        self._threshold = threshold
        self._delta_function: Any = delta_function
        self._after = bool(do_evict_after)

    @staticmethod
    def of(
        threshold: float,
        delta_function: DeltaFunction | Callable[[Any, Any], float],
        do_evict_after: bool = False,
    ) -> DeltaEvictor:
        """Leave what is nearer to the last record than `threshold`."""
        return DeltaEvictor(threshold, delta_function, do_evict_after)

    def _evict(self, elements: list[TimestampedValue]) -> None:
        delta = getattr(self._delta_function, "get_delta", self._delta_function)
        last = elements[-1].get_value()
        elements[:] = [e for e in elements if delta(e.get_value(), last) < self._threshold]

    def _spec(self) -> str | None:
        return f"delta {float(self._threshold)!r} {int(self._after)}"

    def _delta(self) -> Any:
        return self._delta_function
