"""`WatermarkStrategy`: how event time is read from records, as PyFlink's
`pyflink.common.watermark_strategy`.

`DataStream.assign_timestamps_and_watermarks` takes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.time import span_millis

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.common.time import Duration

__all__ = [
    "AssignerWithPeriodicWatermarksWrapper",
    "TimestampAssigner",
    "Watermark",
    "WatermarkGenerator",
    "WatermarkOutput",
    "WatermarkStrategy",
]


class TimestampAssigner:
    """Reads the event time of a record. Subclass it and override `extract_timestamp`."""

    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        """The event time in milliseconds; `record_timestamp` is the one that it had before."""
        raise NotImplementedError(f"{type(self).__name__}.extract_timestamp")


class Watermark:
    """An event time, in milliseconds, that no later record goes below."""

    def __init__(self, timestamp: int) -> None:
        self._timestamp = timestamp

    def get_timestamp(self) -> int:
        """The time in milliseconds."""
        return self._timestamp

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Watermark) and self._timestamp == other._timestamp

    def __hash__(self) -> int:
        return hash(self._timestamp)

    def __repr__(self) -> str:
        return f"Watermark @ {self._timestamp}"


class WatermarkOutput:
    """What a WatermarkGenerator speaks to. Made by the library."""

    __slots__ = ("_idle", "_watermark")

    def __init__(self) -> None:
        self._watermark: int | None = None
        self._idle: bool | None = None

    def emit_watermark(self, watermark: Watermark | int) -> None:
        """Event time has come this far. One below an earlier one says nothing."""
        self._watermark = watermark._timestamp if isinstance(watermark, Watermark) else watermark
        self._idle = False

    def mark_idle(self) -> None:
        """Nobody needs to wait for this source, until the next watermark."""
        self._idle = True

    def mark_active(self) -> None:
        """It counts again."""
        self._idle = False


class WatermarkGenerator:
    """Says how far event time has come (Leat's addition, as in Flink's Java API).

    Each subtask has a copy of its own.
    """

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        """Called for each record. May be overridden."""

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        """Called every `pipeline.auto-watermark-interval`. May be overridden."""


class WatermarkStrategy:
    """A watermark generator, a timestamp assigner, and what to do about idle sources.

    `j_watermark_strategy` is the generator and its options as a dict.
    """

    def __init__(self, j_watermark_strategy: dict[str, Any]) -> None:
        self._options = j_watermark_strategy
        self._timestamp_assigner: TimestampAssigner | None = None

    @staticmethod
    def for_monotonous_timestamps() -> WatermarkStrategy:
        """For timestamps that never go back."""
        return WatermarkStrategy({"generator": "bounded", "bound_ms": 0})

    @staticmethod
    def for_bounded_out_of_orderness(max_out_of_orderness: Duration) -> WatermarkStrategy:
        """For timestamps that go back by at most this much."""
        bound = span_millis(max_out_of_orderness, "for_bounded_out_of_orderness()")
        if bound < 0:
            raise ValueError(f"maxOutOfOrderness cannot be negative: {bound} ms")
        return WatermarkStrategy({"generator": "bounded", "bound_ms": bound})

    @staticmethod
    def no_watermarks() -> WatermarkStrategy:
        """For jobs without event time."""
        return WatermarkStrategy({"generator": "none"})

    @staticmethod
    def for_generator(
        generator: WatermarkGenerator | Callable[[], WatermarkGenerator],
    ) -> WatermarkStrategy:
        """With watermarks of a WatermarkGenerator, or of what a callable makes.

        Leat's addition, as in Flink's Java API.
        """
        made = generator if isinstance(generator, WatermarkGenerator) else None
        if made is None and callable(generator):
            made = generator()
        if not isinstance(made, WatermarkGenerator):
            raise TypeError(f"for_generator() needs a WatermarkGenerator, not {generator!r}")
        return WatermarkStrategy({"generator": made})

    def with_timestamp_assigner(self, timestamp_assigner: TimestampAssigner) -> WatermarkStrategy:
        """Read timestamps by this assigner. Changes this object and answers it, as PyFlink."""
        if not isinstance(timestamp_assigner, TimestampAssigner):
            raise TypeError(f"A TimestampAssigner is needed, not {timestamp_assigner!r}")
        self._timestamp_assigner = timestamp_assigner
        return self

    def with_idleness(self, idle_timeout: Duration) -> WatermarkStrategy:
        """A new strategy in which a source without records for so long holds nobody up.

        PyFlink's loses the timestamp assigner here; this one keeps it.
        """
        timeout = span_millis(idle_timeout, "with_idleness()")
        if timeout <= 0:
            raise ValueError(f"idleTimeout must be greater than zero, not {timeout} ms")
        return self._with(idle_ms=timeout)

    def with_watermark_alignment(
        self,
        watermark_group: str,
        max_allowed_watermark_drift: Duration,
        update_interval: Duration | None = None,
    ) -> WatermarkStrategy:
        """A new strategy in which the sources of a group wait for each other.

        `update_interval` is one second by default. PyFlink's loses the timestamp assigner here;
        this one keeps it.
        """
        what = "with_watermark_alignment()"
        return self._with(
            alignment_group=watermark_group,
            alignment_drift_ms=span_millis(max_allowed_watermark_drift, what),
            alignment_interval_ms=1000
            if update_interval is None
            else span_millis(update_interval, what),
        )

    def _with(self, **options: Any) -> WatermarkStrategy:
        made = WatermarkStrategy({**self._options, **options})
        made._timestamp_assigner = self._timestamp_assigner
        return made

    def _params(self) -> dict[str, object]:
        """What the operator in the library is told, besides the assigner."""
        options = self._options
        if isinstance(options.get("generator"), WatermarkGenerator):
            return {"idle_ms": options.get("idle_ms", 0)}
        if options.get("generator") not in {"bounded", "none"}:
            raise TypeError(f"WatermarkStrategy({options!r}): Leat runs no Java generators")
        return {
            "bound_ms": options.get("bound_ms", 0),
            "idle_ms": options.get("idle_ms", 0),
            "no_watermarks": int(options["generator"] == "none"),
        }

    def _is_none(self) -> bool:
        """Whether this is `no_watermarks()` as it was made."""
        return self._options == {"generator": "none"} and self._timestamp_assigner is None


class AssignerWithPeriodicWatermarksWrapper:
    """Stands for a generator of the runtime. PyFlink hands it to connectors that need one."""

    def __init__(self, j_assigner_with_periodic_watermarks: Any) -> None:
        self._assigner = j_assigner_with_periodic_watermarks
