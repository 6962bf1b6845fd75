"""What functions add up over the whole job, as Java's `org.apache.flink.api.common.accumulators`.

PyFlink has no accumulators in Python; names and meaning are those of Flink's Java API. A function
makes one, adds it in `open` by `RuntimeContext.add_accumulator(name, accumulator)`, and calls its
`add`; `JobExecutionResult.get_accumulator_result(name)` and `JobClient.get_accumulators()` answer
what all subtasks have come to. What a failed attempt has counted is gone.
"""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar

__all__ = [
    "Accumulator",
    "AverageAccumulator",
    "DoubleCounter",
    "DoubleMaximum",
    "DoubleMinimum",
    "Histogram",
    "IntCounter",
    "IntMaximum",
    "IntMinimum",
    "ListAccumulator",
    "LongCounter",
    "LongMaximum",
    "LongMinimum",
]


class Accumulator(ABC):
    """Base of all accumulators. The kinds of Leat are all there are; users can't make more.

    What is added before the accumulator was given to a RuntimeContext counts once it is.
    """

    _kind: ClassVar[int]

    def __init__(self) -> None:
        self._engine: Any = None
        self._before: list[Any] = []

    def add(self, value: Any) -> None:
        """Add a value: a TypeError for a wrong one, an OverflowError beyond 64 bits."""
        if self._engine is not None:
            self._engine.add(value)
        else:
            self._before.append(value)

    def get_local_value(self) -> Any:
        """What this subtask has come to; before `add_accumulator` it is not known yet: None."""
        return None if self._engine is None else self._engine.value()

    def _attach(self, engine: Any) -> None:
        """From now on the engine counts."""
        for value in self._before:
            engine.add(value)
        self._before.clear()
        self._engine = engine
        self.add = engine.add  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {"_engine": None, "_before": list(self._before)}

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.get_local_value()}"


class LongCounter(Accumulator):
    """The sum of integers of 64 bits; 0 at first."""

    _kind = 0


class IntCounter(LongCounter):
    """The same; Leat's integers have 64 bits."""


class LongMinimum(Accumulator):
    """The least integer; None without any."""

    _kind = 1


class IntMinimum(LongMinimum):
    """The same; Leat's integers have 64 bits."""


class LongMaximum(Accumulator):
    """The largest integer; None without any."""

    _kind = 2


class IntMaximum(LongMaximum):
    """The same; Leat's integers have 64 bits."""


class DoubleCounter(Accumulator):
    """The sum of numbers; 0.0 at first."""

    _kind = 3


class DoubleMinimum(Accumulator):
    """The least number; None without any."""

    _kind = 4


class DoubleMaximum(Accumulator):
    """The largest number; None without any."""

    _kind = 5


class AverageAccumulator(Accumulator):
    """The mean of numbers; 0.0 without any."""

    _kind = 6


class Histogram(Accumulator):
    """How often each integer was added: a dict, in the order of the integers."""

    _kind = 7


class ListAccumulator(Accumulator):
    """All values that were added, by subtasks and then in order. For few of them.

    They travel pickled, or as native values where they are such.
    """

    _kind = 8
