"""Metrics, as PyFlink's `pyflink.metrics.metricbase`.

A function gets its group in `open`, by `runtime_context.get_metrics_group()`. Every parallel
subtask counts for itself. `JobClient.get_metrics()` and `JobExecutionResult.get_metrics()` (Leat's)
read what was counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Counter", "Distribution", "Meter", "Metric", "MetricGroup"]


class Metric(ABC):  # noqa: B024 - PyFlink's base has no abstract methods either
    """Base of all kinds of metrics."""


class Counter(Metric):
    """A number that goes up and down."""

    @abstractmethod
    def inc(self, n: int = 1) -> None:
        """Count up by `n`."""

    @abstractmethod
    def dec(self, n: int = 1) -> None:
        """Count down by `n`."""

    @abstractmethod
    def get_count(self) -> int:
        """What was counted in this subtask."""


class Meter(Metric):
    """How many events there were, and how many a second."""

    @abstractmethod
    def mark_event(self, value: int = 1) -> None:
        """`value` events have happened."""

    @abstractmethod
    def get_count(self) -> int:
        """How many events there were in this subtask."""


class Distribution(Metric):
    """Count, sum, minimum, maximum and mean of integers."""

    @abstractmethod
    def update(self, value: int) -> None:
        """Add a value."""


class MetricGroup(ABC):
    """Makes metrics, whose names are parted by groups."""

    @abstractmethod
    def add_group(self, name: str, extra: str | None = None) -> MetricGroup:
        """The group of that name in this one; with `extra` the group of a key and a value."""

    @abstractmethod
    def counter(self, name: str) -> Counter:
        """The counter of that name; an Exception when it is another kind of metric."""

    @abstractmethod
    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        """Ask `obj` for a number about once a second, and at the end.

        What raises is told on stderr and changes nothing.
        """

    @abstractmethod
    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        """The meter of that name, whose rate is taken over the last so many seconds."""

    @abstractmethod
    def distribution(self, name: str) -> Distribution:
        """The distribution of that name; an Exception when it is another kind of metric."""


class OperatorMetricGroup(MetricGroup):
    """A group of an operator's metrics. `metrics` makes them by their whole name."""

    def __init__(self, metrics: Any, scope: tuple[str, ...] = ()) -> None:
        from leat import _leat

        for base in (Counter, Meter, Distribution):
            base.register(getattr(_leat, base.__name__))
        self._metrics = metrics
        self._scope = scope
        self._groups: dict[tuple[str, ...], MetricGroup] = {}
        self.accumulators: dict[str, Any] = {}  # of the function whose group this is, by name

    def add_group(self, name: str, extra: str | None = None) -> MetricGroup:
        scope = self._scope + ((name,) if extra is None else (name, extra))
        if scope not in self._groups:
            self._groups[scope] = OperatorMetricGroup(self._metrics, scope)
        return self._groups[scope]

    def counter(self, name: str) -> Counter:
        made: Counter = self._metrics.get(0, self._named(name))
        return made

    def gauge(self, name: str, obj: Callable[[], int]) -> None:
        self._metrics.gauge(self._named(name), obj)

    def meter(self, name: str, time_span_in_seconds: int = 60) -> Meter:
        if time_span_in_seconds < 1:
            raise ValueError(f"a meter's time span is at least 1 s, not {time_span_in_seconds}")
        made: Meter = self._metrics.get(1, self._named(name), time_span_in_seconds)
        return made

    def distribution(self, name: str) -> Distribution:
        made: Distribution = self._metrics.get(2, self._named(name))
        return made

    def _named(self, name: str) -> str:
        return ".".join((*self._scope, name))
