"""`RuntimeExecutionMode`, as PyFlink's `pyflink.datastream.execution_mode`."""

from enum import Enum

__all__ = ["RuntimeExecutionMode"]


class RuntimeExecutionMode(Enum):
    """How a job treats its inputs. Leat runs STREAMING; the others come with a later release."""

    STREAMING = 0
    BATCH = 1
    AUTOMATIC = 2
