"""`ExecutionMode` of PyFlink 1.x: how batch programs exchanged data. Leat only keeps it."""

from enum import Enum

__all__ = ["ExecutionMode"]


class ExecutionMode(Enum):
    """How batch programs exchange data. Without meaning for streaming jobs."""

    PIPELINED = 0
    PIPELINED_FORCED = 1
    BATCH = 2
    BATCH_FORCED = 3
