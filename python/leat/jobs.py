"""The jobs that this process has started and that may still run.

The launcher waits for them when a script ends; a program that ends without the launcher cancels
them, as a program that ends takes its threads with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leat._leat import Job

_started: list[Job] = []
_watching = False

EXIT_SECONDS = 5.0

# Set by the launcher, to whom the standard streams belong.
whole_lines = False


def prepare_streams() -> None:
    """Before a job starts, which writes to the same files: give out what was printed before.

    Under the launcher text is written line by line from now on, so that lines stay whole.
    """
    import io
    import sys

    for stream in (sys.stdout, sys.stderr):
        if whole_lines and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
        elif stream is not None and not stream.closed:
            stream.flush()


def add(job: Job) -> None:
    """Remember a job that was just started."""
    global _watching
    _started[:] = running()
    _started.append(job)
    if not _watching:
        import atexit

        atexit.register(cancel_all, EXIT_SECONDS)
        _watching = True


def running() -> list[Job]:
    """The jobs that have not ended, in the order of their start."""
    return [job for job in _started if not job.wait(0.0)]


def started() -> list[Job]:
    """The jobs of `running` and those that ended since the last one was started."""
    return list(_started)


def cancel_all(seconds: float) -> bool:
    """Cancel all jobs and wait so long for their end; answers whether all have ended."""
    import time

    left = running()
    for job in left:
        job.cancel()
    end = time.monotonic() + seconds
    for job in left:
        job.wait(max(0.0, end - time.monotonic()))
    return not running()
