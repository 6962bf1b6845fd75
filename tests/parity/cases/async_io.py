"""Async I/O, which PyFlink has in PROCESS mode only: ordered, unordered, timeouts, retries."""

import asyncio

from parity_case import Family
from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream
from pyflink.datastream.async_retry_predicates import (
    empty_result_predicate,
    has_exception_predicate,
)
from pyflink.datastream.async_retry_strategies import AsyncRetryStrategy
from pyflink.datastream.functions import AsyncFunction
from pyflink.datastream.state import ValueStateDescriptor

family = Family()
case, each = family.case, family.each


def seconds(n):
    return Time.seconds(n)


class Doubles(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep(0.001)
        return [value, value * 2]


class Backwards(AsyncFunction):
    """The later the sooner."""

    async def async_invoke(self, value):
        await asyncio.sleep(0.6 - value * 0.2)
        return [value]


class Slow(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep(0 if value < 2 else 20)
        return [value]


class Replaced(Slow):
    def timeout(self, value):
        return ["late", value]


@case(parallelism=(1, 3))
def unordered(env):
    stream = env.from_collection([1, 2, 3])
    return AsyncDataStream.unordered_wait(stream, Doubles(), seconds(5))


@case(ordered=True)
def ordered(env):
    stream = env.from_collection([0, 1, 2])
    return AsyncDataStream.ordered_wait(stream, Backwards(), seconds(5))


@case(ordered=True)
def unordered_by_completion(env):
    stream = env.from_collection([0, 1, 2])
    return AsyncDataStream.unordered_wait(stream, Backwards(), seconds(5))


@each({"one": 1, "two": 2, "hundred": 100})
def capacity(env, n):
    stream = env.from_collection(range(5))
    return AsyncDataStream.ordered_wait(stream, Doubles(), seconds(5), n, Types.INT())


@case()
def on_a_keyed_stream(env):
    stream = env.from_collection([1, 2]).key_by(lambda v: v)
    return AsyncDataStream.unordered_wait(stream, Doubles(), seconds(5))


@each({"ordered": AsyncDataStream.ordered_wait, "unordered": AsyncDataStream.unordered_wait})
def timeout_raises(env, verb):
    return verb(env.from_collection([1, 2, 3]), Slow(), Time.milliseconds(300))


@each({"ordered": AsyncDataStream.ordered_wait, "unordered": AsyncDataStream.unordered_wait})
def timeout_replaced(env, verb):
    return verb(env.from_collection([1, 2, 3]), Replaced(), Time.milliseconds(300))


class Answers(AsyncFunction):
    def __init__(self, result):
        self.result = result

    async def async_invoke(self, value):
        return self.result


@each({"none": None, "number": 5, "empty": [], "string": "ab", "tuple": (1, 2)})
def answers(env, result):
    stream = env.from_collection([1])
    return AsyncDataStream.unordered_wait(stream, Answers(result), seconds(5))


@each({"ordered": AsyncDataStream.ordered_wait, "unordered": AsyncDataStream.unordered_wait})
def raises(env, verb):
    class Raises(AsyncFunction):
        async def async_invoke(self, value):
            raise ValueError(f"not {value}")

    return verb(env.from_collection([1]), Raises(), seconds(5))


@case()
def not_async(env):
    class Plain(AsyncFunction):
        def async_invoke(self, value):
            return [value]

    return AsyncDataStream.unordered_wait(env.from_collection([1]), Plain(), seconds(5))


@each({"zero": 0, "negative": -1})
def capacity_bad(env, n):
    return AsyncDataStream.unordered_wait(env.from_collection([1]), Doubles(), seconds(5), n)


@case()
def no_async_function(env):
    return AsyncDataStream.unordered_wait(env.from_collection([1]), lambda v: [v], seconds(5))


class Flaky(AsyncFunction):
    """Fails twice for each value, by exception or by an empty list, and then answers."""

    def __init__(self, by_exception):
        self.by_exception = by_exception
        self.calls = {}

    async def async_invoke(self, value):
        n = self.calls[value] = self.calls.get(value, 0) + 1
        if n <= 2:
            if self.by_exception:
                raise ValueError(f"attempt {n}")
            return []
        return [(value, n)]


def fixed(attempts):
    return AsyncRetryStrategy.fixed_delay(
        attempts, 10, empty_result_predicate, has_exception_predicate
    )


def growing(attempts):
    return AsyncRetryStrategy.exponential_backoff(
        attempts, 10, 100, 2, empty_result_predicate, has_exception_predicate
    )


def retried(env, verb, function, strategy):
    return verb(env.from_collection([1, 2]), function, seconds(5), strategy)


ORDERED, UNORDERED = (
    AsyncDataStream.ordered_wait_with_retry,
    AsyncDataStream.unordered_wait_with_retry,
)


@each({"exception": True, "empty": False})
def retry(env, by_exception):
    return retried(env, UNORDERED, Flaky(by_exception), fixed(3))


@each({"exception": True, "empty": False})
def retry_ordered_growing(env, by_exception):
    return retried(env, ORDERED, Flaky(by_exception), growing(3))


@each({"exception": True, "empty": False})
def retry_too_often(env, by_exception):
    return retried(env, UNORDERED, Flaky(by_exception), fixed(1))


@case()
def retry_never(env):
    return retried(env, UNORDERED, Flaky(True), AsyncRetryStrategy.no_restart())


@case()
def retry_without_a_strategy(env):
    return retried(env, UNORDERED, Flaky(True), None)


@case()
def retry_without_a_timeout(env):
    stream = env.from_collection([1])
    return UNORDERED(stream, Flaky(True), seconds(0), fixed(1))


@case(batch=True)
def in_batch(env):
    stream = env.from_collection([1, 2, 3])
    return AsyncDataStream.unordered_wait(stream, Doubles(), seconds(5))


class Remembers(AsyncFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_state(ValueStateDescriptor("v", Types.LONG()))

    async def async_invoke(self, value):
        return [self.state.value()]


@each({"keyed": lambda s: s.key_by(lambda v: v), "plain": lambda s: s})
def state(env, of):
    stream = of(env.from_collection([1, 2]))
    return AsyncDataStream.ordered_wait(stream, Remembers(), seconds(5))


@case(ordered=True)
def results_of_keyed_streams(env):
    stream = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).key_by(lambda v: v[0])
    return AsyncDataStream.ordered_wait(stream, Doubles(), seconds(5))
