"""`Time`, `Duration` and `Instant`: spans in milliseconds, spans in nanoseconds, points in time.

As PyFlink's `pyflink.common.time`; there a Duration wraps a Java object, here it counts
nanoseconds.
"""

from __future__ import annotations

__all__ = ["Duration", "Instant", "Time"]


class Time:
    """A span of time in whole milliseconds, as windows, async I/O and state TTL use it."""

    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    @staticmethod
    def milliseconds(milliseconds: int) -> Time:
        """A span of so many milliseconds."""
        return Time(milliseconds)

    @staticmethod
    def seconds(seconds: int) -> Time:
        """A span of so many seconds."""
        return Time(seconds * 1000)

    @staticmethod
    def minutes(minutes: int) -> Time:
        """A span of so many minutes."""
        return Time(minutes * 60_000)

    @staticmethod
    def hours(hours: int) -> Time:
        """A span of so many hours."""
        return Time(hours * 3_600_000)

    @staticmethod
    def days(days: int) -> Time:
        """A span of so many days of 24 hours."""
        return Time(days * 86_400_000)

    def to_milliseconds(self) -> int:
        """The span in milliseconds."""
        return self._milliseconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self._milliseconds == other._milliseconds

    def __hash__(self) -> int:
        return hash(self._milliseconds)

    def __str__(self) -> str:
        return f"{self._milliseconds} ms"

    def __repr__(self) -> str:
        return f"Time({self._milliseconds} ms)"


class Duration:
    """A span of time in nanoseconds, as watermark strategies and checkpoint settings use it."""

    __slots__ = ("_nanos",)

    def __init__(self, j_duration: int) -> None:
        self._nanos = int(j_duration)

    @staticmethod
    def of_days(days: int) -> Duration:
        """A span of so many days of 24 hours."""
        return Duration(days * 86_400_000_000_000)

    @staticmethod
    def of_hours(hours: int) -> Duration:
        """A span of so many hours."""
        return Duration(hours * 3_600_000_000_000)

    @staticmethod
    def of_minutes(minutes: int) -> Duration:
        """A span of so many minutes."""
        return Duration(minutes * 60_000_000_000)

    @staticmethod
    def of_seconds(seconds: int) -> Duration:
        """A span of so many seconds."""
        return Duration(seconds * 1_000_000_000)

    @staticmethod
    def of_millis(millis: int) -> Duration:
        """A span of so many milliseconds."""
        return Duration(millis * 1_000_000)

    @staticmethod
    def of_nanos(nanos: int) -> Duration:
        """A span of so many nanoseconds."""
        return Duration(nanos)

    def _to_millis(self) -> int:
        return self._nanos // 1_000_000

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self._nanos == other._nanos

    def __hash__(self) -> int:
        return hash(self._nanos)

    def __repr__(self) -> str:
        return f"Duration({self._nanos} ns)"


class Instant:
    """A point in time: seconds since 1970-01-01 UTC and nanoseconds within the second."""

    __slots__ = ("nanos", "seconds")

    def __init__(self, seconds: int, nanos: int) -> None:
        self.seconds = seconds
        self.nanos = nanos

    def to_epoch_milli(self) -> int:
        """Milliseconds since 1970-01-01 UTC; what is finer is cut off towards the past."""
        return self.seconds * 1000 + self.nanos // 1_000_000

    @staticmethod
    def of_epoch_milli(epoch_milli: int) -> Instant:
        """The instant so many milliseconds after (before, when negative) 1970-01-01 UTC."""
        seconds, millis = divmod(epoch_milli, 1000)
        return Instant(seconds, millis * 1_000_000)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instant):
            return False
        return self.seconds == other.seconds and self.nanos == other.nanos

    def __hash__(self) -> int:
        return hash((self.seconds, self.nanos))

    def __repr__(self) -> str:
        return f"Instant<{self.seconds}, {self.nanos}>"


def span_millis(span: object, what: str, usual: type = Duration) -> int:
    """The milliseconds of a Duration or a Time, which must be whole.

    A TypeError for others begins with `what` and names the `usual` one of the two.
    """
    length: object = None
    if isinstance(span, Duration):
        length = span._to_millis()
    elif isinstance(span, Time):
        length = span.to_milliseconds()
    if isinstance(length, float) and length.is_integer():
        length = int(length)  # Time.seconds(0.5)
    if isinstance(length, int) and not isinstance(length, bool):
        return length
    example = "Duration.of_seconds(5)" if usual is Duration else "Time.seconds(5)"
    raise TypeError(f"{what}: a {usual.__name__} is needed, such as {example}, not {span!r}")
