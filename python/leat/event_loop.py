"""The asyncio loop of a runner's thread, which the runner steps between its tasks.

The library watches the selector's descriptor and the time of the loop's next timer. When one of
them, or a new call, asks for it, it calls `step`, which runs what is ready and never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_MOST_TURNS = 8  # of the loop in a step; then it is the turn of the runner's tasks
_PATIENCE = 2.0  # seconds for cancelled tasks and generators to clean up


class _Selector(selectors.DefaultSelector):
    """While the loop is stepped it never waits, but stops the loop where it would."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: asyncio.AbstractEventLoop | None = None  # while it is stepped
        self.turns = 0
        self.wait = -1.0

    def select(self, timeout: float | None = None) -> Any:
        loop = self.loop
        if loop is None:
            return super().select(timeout)
        events = super().select(0)
        self.turns += 1
        if timeout is not None and timeout <= 0:
            if self.turns >= _MOST_TURNS:
                self.wait = 0.0
                loop.stop()
        elif not events:
            self.wait = -1.0 if timeout is None else timeout
            loop.stop()
        return events


class EventLoop:
    """An asyncio loop that is run step by step. All calls belong to one thread."""

    def __init__(self) -> None:
        self._selector = _Selector()
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self.create_task = self._loop.create_task
        asyncio.set_event_loop(self._loop)

    def fileno(self) -> int:
        """The descriptor that is readable when the loop has something to do."""
        return self._selector.fileno()

    def step(self) -> float:
        """Run what is ready.

        The answer is the time until the next timer in seconds, negative when there is none, 0 when
        more is ready.
        """
        selector = self._selector
        selector.turns = 0
        selector.loop = self._loop
        try:
            self._loop.run_forever()
        finally:
            selector.loop = None
        return selector.wait

    def settle(self, tasks: Collection[asyncio.Task[Any]]) -> None:
        """Run until these tasks, which were cancelled, have ended; for two seconds at most."""
        waiting = [task for task in tasks if not task.done()]
        if waiting and not self._loop.is_closed():
            self._wait_for(waiting)

    def _wait_for(self, tasks: Collection[asyncio.Task[Any]]) -> None:
        """Run until they have ended, the time is up, or the library's patience is.

        That ends by a SystemExit, with which it interrupts functions that hold a job's end up.
        """
        waiting = self._loop.create_task(_all_ended(tasks))
        with contextlib.suppress(SystemExit):
            self._loop.run_until_complete(waiting)
        waiting._log_destroy_pending = False  # type: ignore[attr-defined]

    def close(self) -> None:
        """Cancel all that is left, let it clean up, and close the loop."""
        loop = self._loop
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            self.settle(left)
            for task in left:
                _forget(task)
            self._wait_for([loop.create_task(loop.shutdown_asyncgens())])
            executor = getattr(loop, "_default_executor", None)
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _all_ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks, timeout=_PATIENCE)


def _forget(task: asyncio.Task[Any]) -> None:
    """Say that a task does not end, instead of asyncio, which would when it is destroyed."""
    if task.done():
        return
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    text = "%r did not end within %g s after it was cancelled; it is abandoned"
    logging.getLogger("leat").warning(text, task, _PATIENCE)
