"""`WatermarkStrategy`: how event time is read from records, as PyFlink's
`pyflink.common.watermark_strategy`.

`DataStream.assign_timestamps_and_watermarks` takes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leat.common.time import Duration

__all__ = ["AssignerWithPeriodicWatermarksWrapper", "TimestampAssigner", "WatermarkStrategy"]


class TimestampAssigner:
    """Reads the event time of a record. Subclass it and override `extract_timestamp`."""

    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        """The event time in milliseconds; `record_timestamp` is the one that it had before."""
        raise NotImplementedError(f"{type(self).__name__}.extract_timestamp")


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
        bound = max_out_of_orderness._to_millis()
        return WatermarkStrategy({"generator": "bounded", "bound_ms": bound})

    @staticmethod
    def no_watermarks() -> WatermarkStrategy:
        """For jobs without event time."""
        return WatermarkStrategy({"generator": "none"})

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
        return self._with(idle_ms=idle_timeout._to_millis())

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
        return self._with(
            alignment_group=watermark_group,
            alignment_drift_ms=max_allowed_watermark_drift._to_millis(),
            alignment_interval_ms=1000 if update_interval is None else update_interval._to_millis(),
        )

    def _with(self, **options: Any) -> WatermarkStrategy:
        made = WatermarkStrategy({**self._options, **options})
        made._timestamp_assigner = self._timestamp_assigner
        return made

    def _params(self) -> dict[str, object]:
        """What the operator in the library is told, besides the assigner."""
        options = self._options
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
