"""`TimeDomain`, as PyFlink's `pyflink.datastream.time_domain`."""

from enum import Enum

__all__ = ["TimeDomain"]


class TimeDomain(Enum):
    """Which time a timer belongs to: that of the records, or that of the machine."""

    EVENT_TIME = 0
    PROCESSING_TIME = 1
