"""`CompletableFuture`, as PyFlink's `pyflink.common.completable_future`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["CompletableFuture"]


class CompletableFuture:
    """A result that comes later. `result()` waits for it; `await` works in asyncio, too.

    `j_completable_future` is anything with the methods of `concurrent.futures.Future`; `py_class`
    is called with its result and makes the final one.
    """

    def __init__(
        self, j_completable_future: Any, py_class: Callable[[Any], Any] | None = None
    ) -> None:
        self._future = j_completable_future
        self._py_class = py_class

    def cancel(self) -> bool:
        """Give up waiting; answers whether that was possible. Does not cancel a job."""
        return bool(self._future.cancel())

    def cancelled(self) -> bool:
        """Whether it was given up."""
        return bool(self._future.cancelled())

    def done(self) -> bool:
        """Whether there is a result or an error."""
        return bool(self._future.done())

    def result(self) -> Any:
        """Wait for the result and answer it, or raise the error."""
        value = self._future.result()
        return value if self._py_class is None else self._py_class(value)

    def exception(self) -> BaseException | None:
        """Wait for the end; the error, or None when there was none."""
        return self._future.exception()

    def set_result(self, result: Any) -> None:
        """Complete with a result, where the future can be completed by hand."""
        self._future.set_result(result)

    def set_exception(self, exception: BaseException) -> None:
        """Complete with an error, where the future can be completed by hand."""
        self._future.set_exception(exception)

    def __await__(self) -> Generator[Any, Any, Any]:
        import asyncio

        return asyncio.to_thread(self.result).__await__()

    def __str__(self) -> str:
        return f"CompletableFuture({'done' if self.done() else 'pending'})"


class _Done:
    """A future that has its result or its error already."""

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self._value = value
        self._error = error

    def cancel(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return False

    def done(self) -> bool:
        return True

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

    def exception(self) -> BaseException | None:
        return self._error
