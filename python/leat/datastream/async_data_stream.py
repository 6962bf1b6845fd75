"""`AsyncDataStream`: asynchronous functions on streams, as PyFlink's class of that name.

In THREAD mode, too. Results keep the event time of their value. No result overtakes a watermark,
and no watermark a result.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from leat.common.time import Time, span_millis
from leat.common.typeinfo import _as_output_type
from leat.datastream.functions import (
    AsyncBatchFunction,
    AsyncFunction,
    AsyncRetryStrategy,
    Function,
)
from leat.datastream.node import display_name, shipped
from leat.datastream.plain_stream import DataStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from leat.common.typeinfo import TypeInformation

    Invoke = Callable[[Any], Awaitable[Iterable[Any]]]

__all__ = ["AsyncDataStream"]

_NAME = "async wait operator"


class AsyncDataStream:
    """The ways to apply an asynchronous function to a stream.

    `timeout` is the time for a value, all its attempts together; 0 or less: without a limit.
    `capacity` is how many values, at most, wait for their results at the same time: more are not
    taken. *Ordered* results come in the order of their values, *unordered* ones as they are there.

    Leat's addition: in place of a function object an `async def` of a value, or of a batch.
    """

    @staticmethod
    def unordered_wait(
        data_stream: DataStream,
        async_function: AsyncFunction | Invoke,
        timeout: Time,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The results of `async_function`, as they come."""
        calls = _Calls(AsyncFunction, async_function, timeout, capacity)
        return calls.on(data_stream, output_type, ordered=False)

    @staticmethod
    def unordered_wait_with_retry(  # noqa: PLR0917 - PyFlink's signature
        data_stream: DataStream,
        async_function: AsyncFunction | Invoke,
        timeout: Time,
        async_retry_strategy: AsyncRetryStrategy,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The results of `async_function`, as they come, of further attempts where needed."""
        calls = _Calls(AsyncFunction, async_function, timeout, capacity)
        return calls.again(async_retry_strategy).on(data_stream, output_type, ordered=False)

    @staticmethod
    def ordered_wait(
        data_stream: DataStream,
        async_function: AsyncFunction | Invoke,
        timeout: Time,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The results of `async_function`, in the order of their values."""
        calls = _Calls(AsyncFunction, async_function, timeout, capacity)
        return calls.on(data_stream, output_type, ordered=True)

    @staticmethod
    def ordered_wait_with_retry(  # noqa: PLR0917 - PyFlink's signature
        data_stream: DataStream,
        async_function: AsyncFunction | Invoke,
        timeout: Time,
        async_retry_strategy: AsyncRetryStrategy,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The results of `async_function`, in order, of further attempts where needed."""
        calls = _Calls(AsyncFunction, async_function, timeout, capacity)
        return calls.again(async_retry_strategy).on(data_stream, output_type, ordered=True)

    @staticmethod
    def unordered_wait_batch(  # noqa: PLR0917 - PyFlink's signature
        data_stream: DataStream,
        async_batch_function: AsyncBatchFunction | Invoke,
        timeout: Time,
        batch_size: int,
        batch_timeout: Time | None = None,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The results of `async_batch_function`, as they come; see `ordered_wait_batch`."""
        calls = _Calls(AsyncBatchFunction, async_batch_function, timeout, capacity)
        calls.in_batches(batch_size, batch_timeout)
        return calls.on(data_stream, output_type, ordered=False)

    @staticmethod
    def ordered_wait_batch(  # noqa: PLR0917 - PyFlink's signature
        data_stream: DataStream,
        async_batch_function: AsyncBatchFunction | Invoke,
        timeout: Time,
        batch_size: int,
        batch_timeout: Time | None = None,
        capacity: int = 100,
        output_type: TypeInformation | None = None,
    ) -> DataStream:
        """The results of `async_batch_function`, in the order of their values.

        It is called with `batch_size` values at once, or with fewer when `batch_timeout` has passed
        since the first of them (None or 0: not by time), and at the end. A batch fits into any
        capacity.
        """
        calls = _Calls(AsyncBatchFunction, async_batch_function, timeout, capacity)
        calls.in_batches(batch_size, batch_timeout)
        return calls.on(data_stream, output_type, ordered=True)


class _Calls:
    """The parameters of the library's operator."""

    def __init__(self, kind: type, function: Any, timeout: Time, capacity: int) -> None:
        self.function = function
        self.batch = kind is AsyncBatchFunction
        if not inspect.iscoroutinefunction(function):
            _check_function(function, kind)
        self.strategy: AsyncRetryStrategy | None = None
        self.timeout = span_millis(timeout, "timeout", Time)
        self.params: dict[str, object] = {
            "timeout": max(self.timeout, 0),
            "capacity": _positive("Capacity", capacity),
        }

    def again(self, strategy: AsyncRetryStrategy) -> _Calls:
        from leat.datastream.async_retry_strategies import NoRetryStrategy

        if strategy is None:
            raise Exception("Async retry strategy should not be None.")
        if not isinstance(strategy, AsyncRetryStrategy):
            raise TypeError(f"an AsyncRetryStrategy is needed, not {strategy!r}")
        if isinstance(strategy, NoRetryStrategy):
            return self
        if strategy.get_retry_predicate() is None:
            raise Exception(
                f"Retry predicate of the async retry strategy '{type(strategy)}' is None."
            )
        if self.timeout <= 0:
            raise Exception("Timeout should be configured when do async with retry.")
        self.strategy = strategy
        return self

    def in_batches(self, size: int, timeout: Time | None) -> None:
        if self.timeout <= 0:
            raise ValueError(f"Timeout must be positive, got: {self.timeout} ms")
        wait = 0 if timeout is None else span_millis(timeout, "batch_timeout", Time)
        if wait < 0:
            raise ValueError(f"Batch timeout must not be negative, got: {wait} ms")
        self.params["batch_size"] = _positive("Batch size", size)
        self.params["batch_timeout"] = wait

    def on(
        self, stream: DataStream, output_type: TypeInformation | None, *, ordered: bool
    ) -> DataStream:
        from leat.async_calls import AsyncCalls

        if not isinstance(stream, DataStream):
            raise TypeError(f"AsyncDataStream needs a DataStream, not {stream!r}")
        if not isinstance(self.function, Function):
            stream._node.env._note_addition("AsyncDataStream with an async def function")
        calls = AsyncCalls(self.function, self.strategy, self.batch)
        language, payload, _ = shipped(calls, AsyncCalls, _NAME)
        function = (language, payload, display_name(self.function))
        params = {"function": function, "ordered": int(ordered), **self.params}
        made = _as_output_type(output_type)
        return DataStream(stream._node.then("async", params, _NAME, made))


def _check_function(function: Any, kind: type) -> None:
    if not isinstance(function, kind):
        raise TypeError(f"an {kind.__name__} is needed, or an async def function, not {function!r}")
    method = "async_invoke" if kind is AsyncFunction else "async_invoke_batch"
    if not inspect.iscoroutinefunction(getattr(function, method)):
        raise Exception(
            f"Method '{method}' of class '{type(function)}' should be declared as 'async def'."
        )


def _positive(name: str, number: int) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{name} must be an int, not {number!r}")
    if number <= 0:
        raise ValueError(f"{name} must be positive, got: {number}")
    return number
