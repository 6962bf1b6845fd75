"""`JobID`, as PyFlink's `pyflink.common.job_id`."""

from __future__ import annotations

__all__ = ["JobID"]


class JobID:
    """The id of a job; `str()` gives it in hexadecimal."""

    def __init__(self, j_job_id: str) -> None:
        self._id = j_job_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobID) and self._id == other._id

    def __hash__(self) -> int:
        return hash(self._id)

    def __str__(self) -> str:
        return self._id

    def __repr__(self) -> str:
        return f"JobID({self._id})"
