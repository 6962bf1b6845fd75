"""Strategies for further attempts of asynchronous functions, as PyFlink's module of this name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.datastream.functions import AsyncRetryPredicate, AsyncRetryStrategy

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NO_RETRY_STRATEGY",
    "ExponentialBackoffDelayRetryStrategy",
    "FixedDelayRetryStrategy",
    "NoRetryStrategy",
    "RetryPredicate",
]


class RetryPredicate(AsyncRetryPredicate):
    """Two predicates, each of which may be None."""

    def __init__(
        self,
        result_predicate: Callable[[Any], bool] | None,
        exception_predicate: Callable[[Exception], bool] | None,
    ) -> None:
        self._result_predicate = result_predicate
        self._exception_predicate = exception_predicate

    def result_predicate(self) -> Callable[[Any], bool] | None:
        """The predicate of results."""
        return self._result_predicate

    def exception_predicate(self) -> Callable[[Exception], bool] | None:
        """The predicate of exceptions."""
        return self._exception_predicate


class NoRetryStrategy(AsyncRetryStrategy):
    """One attempt."""

    def can_retry(self, current_attempts: int) -> bool:
        """False."""
        return False

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """-1: there is none."""
        return -1

    def get_retry_predicate(self) -> AsyncRetryPredicate:
        """Nothing calls for another attempt."""
        return RetryPredicate(None, None)


NO_RETRY_STRATEGY = NoRetryStrategy()


class FixedDelayRetryStrategy(AsyncRetryStrategy):
    """At most so many attempts after the first, each after the same time in milliseconds."""

    def __init__(
        self,
        max_attempts: int,
        backoff_time_millis: int,
        result_predicate: Callable[[Any], bool] | None,
        exception_predicate: Callable[[Exception], bool] | None,
    ) -> None:
        _check(max_attempts=max_attempts, backoff_time_millis=backoff_time_millis)
        self._max_attempts = max_attempts
        self._backoff_time_millis = backoff_time_millis
        self._predicate = RetryPredicate(result_predicate, exception_predicate)

    def can_retry(self, current_attempts: int) -> bool:
        """Whether there were no more than `max_attempts`."""
        return current_attempts <= self._max_attempts

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """The same time always."""
        return self._backoff_time_millis

    def get_retry_predicate(self) -> AsyncRetryPredicate:
        """The two predicates."""
        return self._predicate


class ExponentialBackoffDelayRetryStrategy(AsyncRetryStrategy):
    """At most so many attempts after the first, after times in milliseconds that grow.

    The time depends on the number of attempts only. In PyFlink it grows with every call, whichever
    value it is for.
    """

    def __init__(  # noqa: PLR0917 - PyFlink's signature
        self,
        max_attempts: int,
        initial_delay: int,
        max_retry_delay: int,
        multiplier: float,
        result_predicate: Callable[[Any], bool] | None,
        exception_predicate: Callable[[Exception], bool] | None,
    ) -> None:
        _check(
            max_attempts=max_attempts,
            initial_delay=initial_delay,
            max_retry_delay=max_retry_delay,
            multiplier=multiplier,
        )
        self._max_attempts = max_attempts
        self._initial_delay = initial_delay
        self._max_retry_delay = max_retry_delay
        self._multiplier = multiplier
        self._predicate = RetryPredicate(result_predicate, exception_predicate)

    def can_retry(self, current_attempts: int) -> bool:
        """Whether there were no more than `max_attempts`."""
        return current_attempts <= self._max_attempts

    def get_backoff_time_millis(self, current_attempts: int) -> int:
        """`initial_delay * multiplier ** (current_attempts - 1)`, at most `max_retry_delay`."""
        try:
            delay = self._initial_delay * self._multiplier ** (max(current_attempts, 1) - 1)
        except OverflowError:
            return int(self._max_retry_delay)
        return int(min(delay, self._max_retry_delay))

    def get_retry_predicate(self) -> AsyncRetryPredicate:
        """The two predicates."""
        return self._predicate


def _check(**numbers: float) -> None:
    for name, number in numbers.items():
        if not number > 0:
            raise AssertionError(f"{name} should be greater than zero.")
