"""`RuntimeExecutionMode`, as PyFlink's `pyflink.datastream.execution_mode`."""

from enum import Enum

__all__ = ["RuntimeExecutionMode"]


class RuntimeExecutionMode(Enum):
    """How a job treats its inputs: as they come, or, where all of them end, as a batch.

    AUTOMATIC is BATCH when every source ends.
    """

    STREAMING = 0
    BATCH = 1
    AUTOMATIC = 2
