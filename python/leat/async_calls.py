"""What stands between the library and a user's asynchronous function.

The library begins a call by starting `attend` as a task of its event loop, and hands it the call
that waits for the results. `call.complete(list)`, `call.fail(error)` or `call.retry(ms)` ends that;
`call.waits` is False when nobody waits any more: then they do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.datastream.functions import AsyncBatchFunction, AsyncFunction, Function
from leat.datastream.node import display_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.datastream.functions import AsyncRetryStrategy, RuntimeContext


class AsyncCalls(Function):
    """A user's function, and the strategy for further attempts if there is one.

    `batch` says that an `async def` function takes batches; of objects their class says it.
    """

    def __init__(
        self, function: Any, strategy: AsyncRetryStrategy | None = None, batch: bool = False
    ) -> None:
        self.function = function if isinstance(function, Function) else _AsyncDef(function)
        self.batch = batch or isinstance(function, AsyncBatchFunction)
        self._strategy = strategy

    def open(self, runtime_context: RuntimeContext) -> None:
        """Open the user's function and look up what is called."""
        if runtime_context._states is not None:
            runtime_context._states = _NoStates()
        self.function.open(runtime_context)
        invoke, timeout = self._methods()
        self._invoke = getattr(self.function, invoke)
        self._timeout = getattr(self.function, timeout)
        self._bad_result = self._bad_error = None
        if self._strategy is not None:
            predicate = self._strategy.get_retry_predicate()
            self._bad_result = predicate.result_predicate()
            self._bad_error = predicate.exception_predicate()

    def close(self) -> None:
        """Close the user's function."""
        self.function.close()

    async def attend(self, call: Any, value: Any) -> None:
        """One attempt for a value, or for the list of values of a batch."""
        try:
            try:
                results = await self._invoke(value)
            except Exception as error:
                if self._bad_error is None or not self._retries(call, self._bad_error, error):
                    raise
                return
            if self._bad_result is None or not self._retries(call, self._bad_result, results):
                self._complete(call, results)
        except BaseException as error:
            if not self._fail(call, error, value):
                raise

    def expire(self, call: Any, value: Any) -> None:
        """The time of a value, or of a batch, is up: the user's timeout gives the results."""
        try:
            self._complete(call, self._timeout(value))
        except BaseException as error:
            self._fail(call, error, value)

    def _methods(self) -> tuple[str, str]:
        if self.batch:
            return "async_invoke_batch", "timeout_batch"
        return "async_invoke", "timeout"

    def _retries(self, call: Any, is_bad: Callable[[Any], bool], outcome: Any) -> bool:
        """Whether there is another attempt, which is ordered then."""
        strategy, attempt = self._strategy, call.attempt
        if strategy is None or not strategy.can_retry(attempt) or not is_bad(outcome):
            return False
        call.retry(strategy.get_backoff_time_millis(attempt))
        return True

    def _complete(self, call: Any, results: Any) -> None:
        if type(results) is not list:
            try:
                results = list(results)
            except TypeError:
                if hasattr(results, "__iter__"):
                    raise
                call.fail(RuntimeError(self._wrong(results)))
                return
        call.complete(results)

    def _wrong(self, results: Any) -> str:
        invoke, timeout = self._methods()
        name = "AsyncBatchFunction" if self.batch else "AsyncFunction"
        what = "cannot be none" if results is None else "should be of list type"
        return (
            f"The result of {name} {what}, please check the methods {invoke!r} and {timeout!r} of "
            f"{self._inside()}."
        )

    def _inside(self) -> str:
        if isinstance(self.function, _AsyncDef):
            return f"function '{display_name(self.function.async_invoke)}'"
        return f"class '{type(self.function)}'"

    def _fail(self, call: Any, error: BaseException, value: Any) -> bool:
        """Whether the error is the job's: not when nobody waits for the call any more."""
        if not call.waits:
            return False
        try:
            shown = f"{value}"
        except Exception:
            shown = f"a {type(value).__qualname__}"
        where = "the " + self._inside()
        error.add_note(f"Error happens inside {where} during handling input '{shown}'")
        call.fail(error)
        return True


class _AsyncDef(Function):
    """An `async def` function of the user's, as either kind of function object."""

    timeout = AsyncFunction.timeout
    timeout_batch = AsyncBatchFunction.timeout_batch

    def __init__(self, function: Any) -> None:
        self.async_invoke = self.async_invoke_batch = function


class _NoStates:
    """What hands out the states of a function that has none, though its stream has keys."""

    def of(self, store: Any, descriptor: Any) -> Any:
        """Calls overlap, so no record is the current one."""
        raise Exception(
            "Asynchronous functions have no keyed state; keep it in a function before or after them"
        )
