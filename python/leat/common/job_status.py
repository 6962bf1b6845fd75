"""`JobStatus`, as PyFlink's `pyflink.common.job_status`."""

from enum import Enum

__all__ = ["JobStatus"]


class JobStatus(Enum):
    """Where a job stands."""

    CREATED = 0
    RUNNING = 1
    FAILING = 2
    FAILED = 3
    CANCELLING = 4
    CANCELED = 5
    FINISHED = 6
    RESTARTING = 7
    SUSPENDED = 8
    RECONCILING = 9
    INITIALIZING = 10

    def is_globally_terminal_state(self) -> bool:
        """Whether the job has ended and will not come back."""
        return self in (JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED)

    def is_terminal_state(self) -> bool:
        """Whether the job has ended here; a suspended one might go on elsewhere."""
        return self.is_globally_terminal_state() or self is JobStatus.SUSPENDED


def _job_status(name: str) -> JobStatus:
    """The member of this name, `CANCELLED` and any case included."""
    upper = name.upper()
    return JobStatus["CANCELED" if upper == "CANCELLED" else upper]
