"""The jobs that this process has started and that may still run, or whose end nobody was told.

The launcher waits for them when a script ends, and tells of those that did not end well; a program
that ends without the launcher cancels them, as a program that ends takes its threads with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat._leat import Job

_started: list[list[Job]] = []  # one by one in lists of their own; see `start`
_watching = False

EXIT_SECONDS = 5.0

# How many sinks were added since somebody last executed, planned or closed an environment.
idle_sinks = 0

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


class Starting:
    """Around the start of jobs, and the wait for them: what interrupts it, as Ctrl-C, cancels them.

    As a context it gives the list that `start` puts them in.
    """

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def __enter__(self) -> list[Job]:
        return self.jobs

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            for job in self.jobs:
                job.cancel()


def start(new: list[Job], execute: Callable[..., Job], *arguments: object) -> Job:
    """Start a job by `execute(*arguments)`, and remember it; `new` is an empty list for it.

    Both in one call into C: a Ctrl-C between them would leave a job behind that nobody cancels.
    """
    global _watching
    from itertools import starmap

    if not _watching:
        import atexit

        atexit.register(cancel_all, EXIT_SECONDS)
        _watching = True
    _started[:] = [*(box for box in _started if not (box and _is_settled(box[0]))), new]
    new.extend(starmap(execute, [arguments]))
    return new[0]


def _is_settled(job: Job) -> bool:
    return job.wait(0.0) and (job.heard or job.status() == "FINISHED")


def unsettled() -> list[Job]:
    """The jobs that have not ended, or badly and nobody was told, in the order of their start."""
    return [job for box in _started for job in box if not _is_settled(job)]


def running() -> list[Job]:
    """The jobs that have not ended, in the order of their start."""
    return [job for box in _started for job in box if not job.wait(0.0)]


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
