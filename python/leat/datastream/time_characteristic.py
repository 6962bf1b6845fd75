"""`TimeCharacteristic`, as PyFlink 1.x has it."""

from enum import Enum

__all__ = ["TimeCharacteristic"]


class TimeCharacteristic(Enum):
    """What time windows and timers of a job go by, where they do not say so themselves."""

    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2
