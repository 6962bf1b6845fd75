"""`JobClient`: a running job seen from its client, as PyFlink's `pyflink.common.job_client`."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from leat.common.completable_future import CompletableFuture, _Done
from leat.common.job_execution_result import JobExecutionResult
from leat.common.job_id import JobID
from leat.common.job_status import _job_status

if TYPE_CHECKING:
    from leat._leat import Job

__all__ = ["JobClient"]

_STEP = 3600.0  # seconds per wait; there is no limit to how many


class JobClient:
    """A job that was started by `execute_async`. `j_job_client` is the library's job."""

    def __init__(self, j_job_client: Job) -> None:
        self._job = j_job_client

    def get_job_id(self) -> JobID:
        """The id of the job."""
        return JobID(self._job.id)

    def get_job_status(self) -> CompletableFuture:
        """A future of the JobStatus; it is there at once."""
        return CompletableFuture(_Done(self._job.status()), _job_status)

    def cancel(self) -> CompletableFuture:
        """Ask the job to end without finishing; the future waits for the end."""
        self._job.cancel()
        return CompletableFuture(_End(self._job, lambda job: None))

    def stop_with_savepoint(
        self, advance_to_end_of_event_time: bool, savepoint_directory: str | None = None
    ) -> CompletableFuture:
        """Make a savepoint and end the job with it; a future of the savepoint's folder.

        Sinks commit what came before it, and nothing comes behind: a job that starts from the
        savepoint goes on as if this one had not stopped. With `advance_to_end_of_event_time` the
        sources end first, so that windows and timers of event time fire, and nothing is left to go
        on with. When the savepoint can't be made, the job goes on, and the future has the error.
        """
        drain = bool(advance_to_end_of_event_time)
        return CompletableFuture(_Savepoint(self._job, savepoint_directory, "stop", drain))

    def trigger_savepoint(self, savepoint_directory: str | None = None) -> CompletableFuture:
        """Make a savepoint while the job goes on; a future of the savepoint's folder.

        It is a new folder in `savepoint_directory`, by default in that of
        `execution.checkpointing.savepoint-dir`. Leat never removes it.
        """
        return CompletableFuture(_Savepoint(self._job, savepoint_directory, "savepoint"))

    def get_accumulators(self) -> CompletableFuture:
        """A future of all accumulators by name, as far as they have come; it is there at once."""
        return CompletableFuture(_Done(self._job.accumulators()))

    def get_attempts(self) -> CompletableFuture:
        """A future of the job's attempts (Leat's); it is there at once.

        They are a list with a dict for each: `attempt` (from 0) and `error`, one sentence, None for
        one that has not failed. One that failed has `operator`, `subtask` (from 0; -1 when no
        operator is to blame), `parallelism`, `record` and `traceback`, too, texts that may be "".
        The last entry is the newest attempt; of those before, the last 16 are remembered.
        """
        return CompletableFuture(_Done(self._job.attempts()))

    def get_checkpoints(self) -> CompletableFuture:
        """A future of what has become of the job's checkpoints and savepoints (Leat's).

        It is there at once: a dict by the names of Flink's metrics, over all attempts.
        `totalNumberOfCheckpoints`, `numberOfInProgressCheckpoints`, `numberOfCompletedCheckpoints`
        and `numberOfFailedCheckpoints` count. The last complete one has
        `lastCompletedCheckpointId`, `lastCheckpointCompletedTimestamp` (milliseconds since the
        epoch, Leat's), `lastCheckpointDuration` (milliseconds), `lastCheckpointSize` (bytes) and
        `lastCheckpointExternalPath`; `lastCheckpointRestoreTimestamp` is when an attempt last began
        from one. What there is none of is -1, the path None.
        """
        import json

        return CompletableFuture(_Done(json.loads(self._job.checkpoints())))

    def get_metrics(self) -> CompletableFuture:
        """A future of the metrics of all operators (Leat's); it is there at once.

        They are a list with a dict for each operator and subtask: `operator` (its name), `uid`,
        `id`, `subtask` (from 0), `parallelism`, and `metrics`, a dict by name: `numRecordsIn`,
        `numRecordsOut`, and what the functions count. Meters are dicts with `count` and `rate` (per
        second), distributions with `count`, `sum`, `min`, `max` and `mean`. After the end it is
        what was told last.
        """
        return CompletableFuture(_Done(_metrics(self._job)))

    def get_job_execution_result(self) -> CompletableFuture:
        """A future of the JobExecutionResult; it fails with the job's error."""
        return CompletableFuture(
            _End(self._job, _result_of),
            JobExecutionResult,
        )


class _End:
    """The end of a job as a future."""

    def __init__(self, job: Job, answer: Any) -> None:
        self._job = job
        self._answer = answer

    def cancel(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return False

    def done(self) -> bool:
        return self._job.wait(0.0)

    def result(self) -> Any:
        while not self._job.wait(_STEP):
            pass
        return self._answer(self._job)

    def exception(self) -> BaseException | None:
        try:
            self.result()
        except Exception as e:
            return e
        return None


def _result_of(job: Job) -> tuple[Any, ...]:
    parts = {**job.result(), "accumulators": job.accumulators()}
    return job.id, parts, lambda: _metrics(job)


class _Savepoint(Future[str]):
    """A savepoint that a thread of its own waits for."""

    def __init__(self, job: Job, directory: str | None, verb: str, *drain: bool) -> None:
        super().__init__()
        if directory is not None:
            directory = os.fspath(directory)
        self.set_running_or_notify_cancel()
        args = (job, directory, verb, drain)
        threading.Thread(target=self._wait, args=args, name="leat-savepoint", daemon=True).start()

    def _wait(self, job: Job, directory: str | None, verb: str, drain: tuple[bool, ...]) -> None:
        try:
            self.set_result(getattr(job, verb)(directory, *drain))
        except BaseException as e:
            self.set_exception(e)


def _metrics(job: Job) -> list[dict[str, Any]]:
    import json

    found: list[dict[str, Any]] = json.loads(job.metrics())
    return found
