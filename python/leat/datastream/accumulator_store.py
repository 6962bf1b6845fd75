"""Where functions get their accumulators: a part of `RuntimeContext`, with Java's names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from leat.common.accumulators import (
        Accumulator,
        DoubleCounter,
        Histogram,
        IntCounter,
        LongCounter,
    )
    from leat.metrics import MetricGroup

    _A = TypeVar("_A", bound=Accumulator)


class AccumulatorStore(ABC):
    """The accumulators of one function in one subtask, which stand beside its metrics."""

    __slots__ = ()

    @abstractmethod
    def get_metrics_group(self) -> MetricGroup:
        """What makes the metrics of the function."""

    def add_accumulator(self, name: str, accumulator: Accumulator) -> None:
        """Count with this accumulator under that name, over all subtasks of the job.

        An Exception when this function has one of that name already. Java's API; PyFlink has none.
        """
        from leat.common.accumulators import Accumulator

        if not isinstance(accumulator, Accumulator) or not hasattr(accumulator, "_kind"):
            raise TypeError(
                f"add_accumulator({name!r}): {accumulator!r} is none of the accumulators of "
                "leat.common.accumulators; combine these"
            )
        if name in self._own_accumulators():
            raise Exception(f"The accumulator {name!r} already exists and cannot be added.")
        metrics: Any = self.get_metrics_group()
        accumulator._attach(metrics._metrics.accumulator(accumulator._kind, name))
        self._own_accumulators()[name] = accumulator

    def get_accumulator(self, name: str) -> Accumulator | None:
        """The accumulator that this function has added under that name, None when there is none."""
        return self._own_accumulators().get(name)

    def get_int_counter(self, name: str) -> IntCounter:
        """The IntCounter of that name, added when it is asked for first."""
        from leat.common.accumulators import IntCounter

        return self._accumulator(name, IntCounter)

    def get_long_counter(self, name: str) -> LongCounter:
        """The LongCounter of that name, added when it is asked for first."""
        from leat.common.accumulators import LongCounter

        return self._accumulator(name, LongCounter)

    def get_double_counter(self, name: str) -> DoubleCounter:
        """The DoubleCounter of that name, added when it is asked for first."""
        from leat.common.accumulators import DoubleCounter

        return self._accumulator(name, DoubleCounter)

    def get_histogram(self, name: str) -> Histogram:
        """The Histogram of that name, added when it is asked for first."""
        from leat.common.accumulators import Histogram

        return self._accumulator(name, Histogram)

    def _accumulator(self, name: str, kind: type[_A]) -> _A:
        found = self.get_accumulator(name)
        if found is None:
            found = kind()
            self.add_accumulator(name, found)
        if not isinstance(found, kind):
            raise Exception(f"The accumulator {name!r} is a {type(found).__name__}.")
        return found

    def _own_accumulators(self) -> dict[str, Accumulator]:
        group: Any = self.get_metrics_group()
        own: dict[str, Accumulator] = group.accumulators
        return own
