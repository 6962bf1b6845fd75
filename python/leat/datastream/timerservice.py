"""`TimerService`, as PyFlink's `pyflink.datastream.timerservice`."""

from abc import ABC, abstractmethod

__all__ = ["TimerService"]


class TimerService(ABC):
    """Time and timers of a process function. Times are milliseconds since 1970-01-01 UTC."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """The time of the machine."""

    @abstractmethod
    def current_watermark(self) -> int:
        """The event time that was reached; the smallest 64-bit integer before the first."""

    @abstractmethod
    def register_processing_time_timer(self, timestamp: int) -> None:
        """Call `on_timer` once the machine's time is `timestamp`."""

    @abstractmethod
    def register_event_time_timer(self, timestamp: int) -> None:
        """Call `on_timer` once event time has reached `timestamp`."""

    @abstractmethod
    def delete_processing_time_timer(self, timestamp: int) -> None:
        """Forget this timer; harmless when there is none."""

    @abstractmethod
    def delete_event_time_timer(self, timestamp: int) -> None:
        """Forget this timer; harmless when there is none."""
