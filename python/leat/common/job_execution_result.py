"""`JobExecutionResult`, as PyFlink's `pyflink.common.job_execution_result`."""

from __future__ import annotations

from typing import Any

from leat.common.job_id import JobID

__all__ = ["JobExecutionResult"]


class JobExecutionResult:
    """What a finished job answers: its id, its run time, its accumulators.

    `j_job_execution_result` is the job's id, a dict with `runtime_ms`, and who tells the metrics.
    """

    def __init__(self, j_job_execution_result: tuple[Any, ...]) -> None:
        self._job_id, self._parts, *self._told = j_job_execution_result

    def get_job_id(self) -> JobID:
        """The id of the job."""
        return JobID(self._job_id)

    def get_net_runtime(self) -> int:
        """How long the job ran, in milliseconds."""
        return int(self._parts.get("runtime_ms", 0))

    def get_accumulator_result(self, accumulator_name: str) -> Any:
        """The value of this accumulator over all subtasks, None when there is none."""
        return self.get_all_accumulator_results().get(accumulator_name)

    def get_all_accumulator_results(self) -> dict[str, Any]:
        """All accumulators by name."""
        return dict(self._parts.get("accumulators", {}))

    def get_metrics(self) -> list[dict[str, Any]]:
        """The metrics of all operators at the end (Leat's), as `JobClient.get_metrics` has them."""
        return self._told[0]() if self._told else []

    def is_job_execution_result(self) -> bool:
        """Whether it is the result of a job that was executed: True (Java's API)."""
        return True

    def __str__(self) -> str:
        return (
            "Program execution finished\n"
            f"Job with JobID {self._job_id} has finished.\n"
            f"Job Runtime: {self.get_net_runtime()} ms\n"
        )
