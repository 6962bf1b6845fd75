"""`CheckpointingMode`, as PyFlink's `pyflink.datastream.checkpointing_mode`."""

from enum import Enum

__all__ = ["CheckpointingMode"]


class CheckpointingMode(Enum):
    """What a checkpoint promises about each record's effect on state."""

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
