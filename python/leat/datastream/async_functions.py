"""Asynchronous functions and strategies for further attempts, as `pyflink.datastream.functions`.

They are for `AsyncDataStream`. `async_invoke` runs as a task of an asyncio loop, which all
asynchronous functions of a worker share, or of the main process in THREAD mode: whoever blocks in
it holds all of them up.

Leat's addition: `AsyncBatchFunction`, as later versions of PyFlink have it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from leat.datastream.functions import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "AsyncBatchFunction",
    "AsyncFunction",
    "AsyncRetryPredicate",
    "AsyncRetryStrategy",
]


class AsyncFunction(Function):
    """Any number of values out for each value in, later."""

    @abstractmethod
    async def async_invoke(self, value: Any) -> Iterable[Any]:
        """The values to emit, a list or another iterable. Written as `async def`."""

    def timeout(self, value: Any) -> Iterable[Any]:
        """The values to emit when the time of a value is up. By default a TimeoutError.

        The call itself is cancelled before.
        """
        raise TimeoutError(f"Async function call has timed out for input: {value}")


class AsyncBatchFunction(Function):
    """One value out for each value in, asked for in batches."""

    @abstractmethod
    async def async_invoke_batch(self, inputs: list[Any]) -> Iterable[Any]:
        """One value to emit for each of the batch, in its order. Written as `async def`."""

    def timeout_batch(self, inputs: list[Any]) -> Iterable[Any]:
        """The values to emit when the time of a batch is up. By default a TimeoutError."""
        raise TimeoutError(f"Async function call has timed out for input: {inputs}")


class AsyncRetryPredicate(ABC):
    """Which results and which exceptions call for another attempt."""

    @abstractmethod
    def result_predicate(self) -> Callable[[Any], bool] | None:
        """A function of what `async_invoke` returned, true for another attempt; None: never."""

    @abstractmethod
    def exception_predicate(self) -> Callable[[Exception], bool] | None:
        """A function of what `async_invoke` raised, true for another attempt; None: never."""


class AsyncRetryStrategy(ABC):
    """Whether and when there is another attempt. One object serves all values of a subtask."""

    @abstractmethod
    def can_retry(self, current_attempts: int) -> bool:
        """Whether there may be another one after so many attempts, which are at least 1."""

    @abstractmethod
    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """How long to wait after so many attempts, in milliseconds."""

    @abstractmethod
    def get_retry_predicate(self) -> AsyncRetryPredicate:
        """What calls for another attempt."""

    @staticmethod
    def no_restart() -> AsyncRetryStrategy:
        """One attempt."""
        from leat.datastream.async_retry_strategies import NO_RETRY_STRATEGY

        return NO_RETRY_STRATEGY

    @staticmethod
    def fixed_delay(
        max_attempts: int,
        backoff_time_millis: int,
        result_predicate: Callable[[Any], bool] | None,
        exception_predicate: Callable[[Exception], bool] | None,
    ) -> AsyncRetryStrategy:
        """At most `max_attempts` attempts after the first, each after the same time.

        Numbers that are not above 0 are AssertionErrors, as in PyFlink.
        """
        from leat.datastream.async_retry_strategies import FixedDelayRetryStrategy

        return FixedDelayRetryStrategy(
            max_attempts, backoff_time_millis, result_predicate, exception_predicate
        )

    @staticmethod
    def exponential_backoff(  # noqa: PLR0917 - PyFlink's signature
        max_attempts: int,
        initial_delay: int,
        max_retry_delay: int,
        multiplier: float,
        result_predicate: Callable[[Any], bool] | None,
        exception_predicate: Callable[[Exception], bool] | None,
    ) -> AsyncRetryStrategy:
        """At most `max_attempts` attempts after the first, after times that grow.

        The first is `initial_delay` milliseconds, each next one is multiplied, up to
        `max_retry_delay`. They are counted for each value; in PyFlink all values share them.
        Numbers that are not above 0 are AssertionErrors, as in PyFlink.
        """
        from leat.datastream.async_retry_strategies import ExponentialBackoffDelayRetryStrategy

        return ExponentialBackoffDelayRetryStrategy(
            max_attempts,
            initial_delay,
            max_retry_delay,
            multiplier,
            result_predicate,
            exception_predicate,
        )
