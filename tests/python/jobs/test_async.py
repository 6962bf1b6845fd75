"""Asynchronous functions: order, capacity, time, further attempts, batches, results and errors."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from pathlib import Path

import pytest
from async_given import LONG, Given, endless, milliseconds, slower_first, twice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leat.common import Configuration, Time, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import (
    AsyncBatchFunction,
    AsyncDataStream,
    AsyncFunction,
    AsyncRetryStrategy,
    ProcessFunction,
    SourceFunction,
    StreamExecutionEnvironment,
)
from leat.datastream.async_retry_predicates import (
    empty_result_predicate,
    exception_type_predicate,
    has_exception_predicate,
)
from leat.datastream.state import ValueStateDescriptor

KINDS = ["ordered_wait", "unordered_wait"]


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parallelism", [1, 3])
def test_every_result_arrives(make_env, results, kind, parallelism):
    stream = make_env(parallelism).from_collection(list(range(500)))
    found = results(getattr(AsyncDataStream, kind)(stream, Given(twice), LONG))
    assert sorted(found) == sorted([*range(500), *range(500)])
    if kind == "ordered_wait" and parallelism == 1:
        assert found == [i for n in range(500) for i in (n, n)]


def test_ordered_results_keep_the_order(env, results):
    stream = AsyncDataStream.ordered_wait(
        env.from_collection([1, 2, 3, 4]), Given(slower_first), LONG
    )
    assert results(stream) == [1, 2, 3, 4]


def test_unordered_results_come_as_they_are_there(env, results):
    stream = AsyncDataStream.unordered_wait(
        env.from_collection([1, 2, 3, 4]), Given(slower_first), LONG
    )
    assert results(stream) == [4, 3, 2, 1]


class Itself(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class WithTimes(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


def timed(env, values):
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Itself())
    return env.from_collection(values).assign_timestamps_and_watermarks(strategy)


@pytest.mark.parametrize("kind", KINDS)
def test_event_time_is_kept_and_watermarks_are_not_crossed(make_env, results, kind):
    env = make_env(**{"pipeline.watermark-per-record": "true"})
    calls = getattr(AsyncDataStream, kind)(timed(env, [1, 2, 3, 4]), Given(slower_first), LONG)
    found = results(calls.process(WithTimes()))
    assert found == [(1, 1, -(2**63)), (2, 2, 0), (3, 3, 1), (4, 4, 2)]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    delays=st.lists(st.integers(0, 8), max_size=30),
    capacity=st.integers(1, 8),
    parallelism=st.sampled_from([1, 3]),
)
def test_ordered_calls_equal_map(mode, delays, capacity, parallelism):
    configuration = Configuration()
    configuration.set_string("python.execution-mode", mode)
    env = StreamExecutionEnvironment.get_execution_environment(configuration).set_parallelism(1)

    async def call(pair):
        await asyncio.sleep(pair[1] / 2000)
        return [pair[0] * 10]

    pairs = list(enumerate(delays))
    stream = env.from_collection(pairs).key_by(lambda p: p[0] % 3)
    calls = AsyncDataStream.ordered_wait(stream, Given(call), LONG, capacity)
    with calls.set_parallelism(parallelism).execute_and_collect() as collected:
        found = list(collected)
    want = [n * 10 for n, _ in pairs]
    if parallelism == 1:
        assert found == want
    else:
        for key in range(3):
            of_key = [v for v in found if v // 10 % 3 == key]
            assert of_key == [v for v in want if v // 10 % 3 == key]


# --- capacity -------------------------------------------------------------------------------------


class Counting(AsyncFunction):
    """Gives how many calls were under way."""

    def open(self, runtime_context):
        self.under_way = 0

    async def async_invoke(self, value):
        self.under_way += 1
        most = self.under_way
        await asyncio.sleep(random.random() / 200)
        most = max(most, self.under_way)
        self.under_way -= 1
        return [most]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("capacity", [1, 7])
def test_the_capacity_limits_the_calls(env, results, kind, capacity):
    stream = env.from_collection(list(range(60)))
    found = results(getattr(AsyncDataStream, kind)(stream, Counting(), LONG, capacity))
    assert len(found) == 60
    assert max(found) <= capacity
    assert capacity == 1 or max(found) > 1


def test_a_slow_sink_pushes_back(make_env, results):
    env = make_env(**{"pipeline.channel.capacity": "4"})

    def slowly(value):
        time.sleep(0.002)
        return value

    async def many(value):
        return range(value * 100, value * 100 + 100)

    calls = AsyncDataStream.ordered_wait(env.from_collection([0, 1, 2]), Given(many), LONG)
    assert results(calls.disable_chaining().map(slowly)) == list(range(300))


# --- time -----------------------------------------------------------------------------------------


async def two_is_slow(value):
    await asyncio.sleep(30 if value == 2 else 0.001)
    return [value]


def test_timeout_raises(env, results):
    calls = AsyncDataStream.ordered_wait(
        env.from_collection([1, 2, 3]), Given(two_is_slow), milliseconds(1000)
    )
    with pytest.raises(JobError, match="timed out for input: 2") as failed:
        results(calls)
    assert isinstance(failed.value.__cause__, TimeoutError)
    assert str(failed.value.__cause__) == "Async function call has timed out for input: 2"


@pytest.mark.parametrize("kind", KINDS)
def test_timeout_gives_the_results_and_the_call_is_cancelled(env, results, tmp_path, kind):
    class Noting(AsyncFunction):
        async def async_invoke(self, value):
            try:
                return await two_is_slow(value)
            except asyncio.CancelledError:
                (tmp_path / "cancelled").touch()
                return ["ignored"]

        def timeout(self, value):
            return ["late", value]

    stream = env.from_collection([1, 2, 3])
    found = results(getattr(AsyncDataStream, kind)(stream, Noting(), milliseconds(1000), 2))
    if kind == "ordered_wait":
        assert found == [1, "late", 2, 3]
    assert sorted(found, key=str) == [1, 2, 3, "late"]
    assert (tmp_path / "cancelled").exists()


@pytest.mark.parametrize("limit", [0, -5])
def test_without_a_limit_there_is_no_timeout(env, results, limit):
    calls = AsyncDataStream.ordered_wait(
        env.from_collection([1, 2]), Given(slower_first), milliseconds(limit)
    )
    assert results(calls) == [1, 2]


# --- further attempts -----------------------------------------------------------------------------


class Shy(AsyncFunction):
    """Answers at the n-th attempt for n."""

    def __init__(self, answer=None):
        self.answer = answer

    def open(self, runtime_context):
        self.attempts = {}

    async def async_invoke(self, value):
        n = self.attempts[value] = self.attempts.get(value, 0) + 1
        if n < value:
            if self.answer is not None:
                return self.answer
            raise ValueError(f"attempt {n} of {value}")
        return [(value, n)]


FIXED = AsyncRetryStrategy.fixed_delay(3, 2, empty_result_predicate, has_exception_predicate)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", [None, []])
def test_attempts_until_there_is_a_result(env, results, kind, answer):
    stream = env.from_collection([1, 2, 3, 4])
    wait = getattr(AsyncDataStream, f"{kind}_with_retry")
    found = results(wait(stream, Shy(answer), LONG, FIXED))
    assert sorted(found) == [(n, n) for n in (1, 2, 3, 4)]
    assert kind == "unordered_wait" or found == sorted(found)


def test_after_the_last_attempt_its_outcome_counts(env, results):
    wait = AsyncDataStream.ordered_wait_with_retry
    stream = env.from_collection([5, 1])
    assert results(wait(stream, Shy([]), LONG, FIXED)) == [(1, 1)]
    with pytest.raises(JobError, match="attempt 4 of 5"):
        results(wait(env.from_collection([5]), Shy(), LONG, FIXED))


def test_other_exceptions_are_not_tried_again(env, results):
    def is_key_error(error):
        return exception_type_predicate(error, KeyError)

    strategy = AsyncRetryStrategy.fixed_delay(3, 1, None, is_key_error)
    calls = AsyncDataStream.unordered_wait_with_retry(
        env.from_collection([3]), Shy(), LONG, strategy
    )
    with pytest.raises(JobError, match="attempt 1 of 3"):
        results(calls)


def test_the_time_limit_is_that_of_all_attempts(env, results):
    strategy = AsyncRetryStrategy.fixed_delay(1000, 20, None, has_exception_predicate)
    calls = AsyncDataStream.ordered_wait_with_retry(
        env.from_collection([10_000]), Shy(), milliseconds(150), strategy
    )
    with pytest.raises(JobError, match="timed out for input: 10000"):
        results(calls)


def test_delays_grow_for_each_value(env, results):
    class Clocked(Shy):
        async def async_invoke(self, value):
            self.times = getattr(self, "times", {})
            self.times.setdefault(value, []).append(time.monotonic())
            await super().async_invoke(value)
            return [[b - a for a, b in zip(self.times[value], self.times[value][1:], strict=False)]]

    strategy = AsyncRetryStrategy.exponential_backoff(
        9, 10, 1000, 3.0, None, has_exception_predicate
    )
    calls = AsyncDataStream.ordered_wait_with_retry(
        env.from_collection([3, 4]), Clocked(), LONG, strategy
    )
    for delays in results(calls):
        for i, delay in enumerate(delays):
            assert delay >= 0.009 * 3**i


@pytest.mark.parametrize("part", ["can_retry", "get_backoff_time_millis", "predicate"])
def test_a_strategy_that_raises_fails_the_job(env, results, part):
    def odd(*_):
        raise ZeroDivisionError(part)

    class Strategy(AsyncRetryStrategy):
        def can_retry(self, current_attempts):
            return odd() if part == "can_retry" else True

        def get_backoff_time_millis(self, current_attempts):
            return odd() if part == "get_backoff_time_millis" else 1

        def get_retry_predicate(self):
            return AsyncRetryStrategy.fixed_delay(
                1, 1, None, odd if part == "predicate" else has_exception_predicate
            ).get_retry_predicate()

    calls = AsyncDataStream.ordered_wait_with_retry(
        env.from_collection([2]), Shy(), LONG, Strategy()
    )
    with pytest.raises(JobError, match=f"ZeroDivisionError: {part}"):
        results(calls)


# --- batches --------------------------------------------------------------------------------------


class Summing(AsyncBatchFunction):
    """Each value with the batch that it was in."""

    async def async_invoke_batch(self, inputs):
        await asyncio.sleep(0.001)
        return [(value, tuple(inputs)) for value in inputs]


@pytest.mark.parametrize("kind", KINDS)
def test_batches(env, results, kind):
    wait = getattr(AsyncDataStream, f"{kind}_batch")
    found = results(wait(env.from_collection([1, 2, 3, 4, 5]), Summing(), LONG, 2))
    want = [(1, (1, 2)), (2, (1, 2)), (3, (3, 4)), (4, (3, 4)), (5, (5,))]
    assert found == want if kind == "ordered_wait" else sorted(found) == want


class UntilFile(SourceFunction):
    """Gives 1 and 2 and ends when somebody has written the file."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    def run(self, ctx):
        ctx.collect(1)
        ctx.collect(2)
        ends = time.monotonic() + 20
        while not self.path.exists() and time.monotonic() < ends:
            time.sleep(0.005)


def test_a_batch_that_is_not_full_begins_after_its_time(env, results, tmp_path):
    done = tmp_path / "done"

    class Touching(Summing):
        async def async_invoke_batch(self, inputs):
            done.touch()
            return inputs

    stream = env.add_source(UntilFile(done))
    begin = time.monotonic()
    calls = AsyncDataStream.ordered_wait_batch(stream, Touching(), LONG, 100, milliseconds(30))
    assert results(calls) == [1, 2]
    assert time.monotonic() - begin < 15


def test_a_batch_must_have_a_result_for_each_value(env, results):
    class Short(AsyncBatchFunction):
        async def async_invoke_batch(self, inputs):
            return inputs[1:]

    calls = AsyncDataStream.ordered_wait_batch(env.from_collection([1, 2]), Short(), LONG, 2)
    with pytest.raises(JobError, match="gave 1 results for 2 records"):
        results(calls)


def test_the_time_of_a_batch(env, results):
    class Late(AsyncBatchFunction):
        async def async_invoke_batch(self, inputs):
            await endless(inputs)

        def timeout_batch(self, inputs):
            return [-value for value in inputs]

    stream = env.from_collection([1, 2, 3])
    calls = AsyncDataStream.ordered_wait_batch(stream, Late(), milliseconds(50), 2)
    assert results(calls) == [-1, -2, -3]


# --- results and errors ---------------------------------------------------------------------------


async def fails(value):
    await asyncio.sleep(0)
    raise ValueError(f"odd {value}")


def test_an_exception_fails_the_job_with_its_traceback(env, results):
    calls = AsyncDataStream.ordered_wait(env.from_collection([7]), Given(fails), LONG)
    with pytest.raises(JobError, match="ValueError: odd 7; the record was 7") as failed:
        results(calls.name("asks"))
    assert "asks" in str(failed.value)
    cause = failed.value.__cause__
    assert isinstance(cause, ValueError)
    assert "in fails" in str(cause.__cause__)
    assert "async_calls" not in str(cause.__cause__)
    assert "Given'>' during handling input '7'" in str(cause.__cause__)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_exceptions_of_other_kinds_fail_the_job_too(env, results, error):
    async def raises(value):
        raise error

    calls = AsyncDataStream.ordered_wait(env.from_collection([7]), Given(raises), LONG)
    with pytest.raises(JobError, match=type(error).__name__):
        results(calls)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, "The result of AsyncFunction cannot be none, please check the methods"),
        (7, "The result of AsyncFunction should be of list type, please check the methods"),
    ],
)
def test_wrong_results(env, results, result, text):
    async def gives(value):
        return result

    calls = AsyncDataStream.ordered_wait(env.from_collection([1]), Given(gives), LONG)
    with pytest.raises(JobError, match=text):
        results(calls)
    late = Given(endless, lambda value: result)
    calls = AsyncDataStream.ordered_wait(env.from_collection([1]), late, milliseconds(5))
    with pytest.raises(JobError, match="'async_invoke' and 'timeout' of class"):
        results(calls)


@pytest.mark.parametrize("made", [tuple, iter, lambda v: (i for i in v), set])
def test_any_iterable_is_a_result(env, results, made):
    async def gives(value):
        return made([value, value + 1])

    calls = AsyncDataStream.ordered_wait(env.from_collection([1, 5]), Given(gives), LONG)
    assert results(calls) == [1, 2, 5, 6]


def test_a_result_that_raises_when_it_is_read(env, results):
    async def gives(value):
        def items():
            yield 1
            raise KeyError("no more")

        return items()

    calls = AsyncDataStream.ordered_wait(env.from_collection([1]), Given(gives), LONG)
    with pytest.raises(JobError, match="no more"):
        results(calls)


def test_types_are_applied(env, results):
    async def gives(value):
        return [[value, "a"]]

    made = Types.TUPLE([Types.INT(), Types.STRING()])
    calls = AsyncDataStream.ordered_wait(
        env.from_collection([1, 2]), Given(gives), LONG, output_type=made
    )
    assert results(calls) == [(1, "a"), (2, "a")]
    wrong = AsyncDataStream.ordered_wait(
        env.from_collection([1]), Given(gives), LONG, output_type=Types.INT()
    )
    with pytest.raises(JobError, match="INT"):
        results(wrong)


def test_a_function_that_changes_what_it_got(env, results):
    async def changes(value):
        await asyncio.sleep(0)
        value.append(1)
        return [len(value)]

    stream = env.from_collection([0]).map(lambda _: []).flat_map(lambda v: [v, v, v])
    calls = AsyncDataStream.ordered_wait(stream, Given(changes), LONG)
    assert results(calls) == [1, 1, 1]


def test_open_and_close(env, results, tmp_path):
    class Framed(AsyncFunction):
        def open(self, runtime_context):
            self.task = runtime_context.get_task_name_with_subtasks()
            self.answer = asyncio.get_event_loop().run_until_complete(twice(7))

        async def async_invoke(self, value):
            return [(self.task, *self.answer)]

        def close(self):
            asyncio.get_event_loop().run_until_complete(asyncio.sleep(0))
            (tmp_path / "closed").touch()

    calls = AsyncDataStream.ordered_wait(env.from_collection([1]), Framed(), LONG).name("it")
    assert results(calls) == [("it (1/1)", 7, 7)]
    assert (tmp_path / "closed").exists()


# --- building -------------------------------------------------------------------------------------


class NotAsync(AsyncFunction):
    def async_invoke(self, value):
        return [value]


class NoPredicate(AsyncRetryStrategy):
    def can_retry(self, current_attempts):
        return False

    def get_backoff_time_millis(self, current_attempts):
        return 1

    def get_retry_predicate(self):
        return None


def build_errors():
    wait = AsyncDataStream.ordered_wait
    retry = AsyncDataStream.unordered_wait_with_retry
    batch = AsyncDataStream.ordered_wait_batch
    ok, some = Given(twice), Summing()
    zero = Time.seconds(0)
    return [
        (lambda s: wait(s, NotAsync(), LONG), Exception, "should be declared as 'async def'."),
        (lambda s: wait(s, lambda v: [v], LONG), TypeError, "an AsyncFunction is needed"),
        (lambda s: wait(s, some, LONG), TypeError, "an AsyncFunction is needed"),
        (lambda s: wait(s, Given, LONG), TypeError, "an AsyncFunction is needed"),
        (lambda s: wait(s, ok, 5), TypeError, "timeout: a Time is needed"),
        (lambda s: wait(s, ok, LONG, 0), ValueError, "Capacity must be positive, got: 0"),
        (lambda s: wait(s, ok, LONG, "9"), TypeError, "Capacity must be an int"),
        (lambda s: wait(5, ok, LONG), TypeError, "AsyncDataStream needs a DataStream, not 5"),
        (lambda s: retry(s, ok, LONG, None), Exception, "Async retry strategy should not be None."),
        (lambda s: retry(s, ok, LONG, 5), TypeError, "an AsyncRetryStrategy is needed"),
        (
            lambda s: retry(s, ok, zero, FIXED),
            Exception,
            "Timeout should be configured when do async with retry.",
        ),
        (
            lambda s: retry(s, ok, LONG, NoPredicate()),
            Exception,
            "Retry predicate of the async retry strategy '.*NoPredicate'>' is None.",
        ),
        (lambda s: batch(s, ok, LONG, 2), TypeError, "an AsyncBatchFunction is needed"),
        (lambda s: batch(s, some, LONG, 0), ValueError, "Batch size must be positive, got: 0"),
        (lambda s: batch(s, some, zero, 2), ValueError, "Timeout must be positive, got: 0 ms"),
        (
            lambda s: batch(s, some, LONG, 2, milliseconds(-1)),
            ValueError,
            "Batch timeout must not be negative, got: -1 ms",
        ),
    ]


@pytest.mark.parametrize("number", range(len(build_errors())))
def test_errors_of_building(env, number):
    build, error, text = build_errors()[number]
    with pytest.raises(error, match=text):
        build(env.from_collection([1]))


# --- async def functions --------------------------------------------------------------------------


async def three_times(value):
    await asyncio.sleep(0)
    return [value] * 3


async def sums(values):
    return [sum(values)] * len(values)


async def nothing(value):
    return None


def test_an_async_def_function_will_do(env, results):
    stream = env.from_collection([1, 2])
    assert results(AsyncDataStream.ordered_wait(stream, three_times, LONG)) == [1] * 3 + [2] * 3
    half = Time.seconds(0.5)
    shaped = AsyncDataStream.unordered_wait(stream, three_times, half, output_type=Types.DOUBLE())
    assert sorted(results(shaped)) == [1.0] * 3 + [2.0] * 3
    assert results(AsyncDataStream.ordered_wait_batch(stream, sums, LONG, 2)) == [3, 3]
    partial = functools.partial(three_times)
    assert results(AsyncDataStream.ordered_wait_with_retry(stream, partial, LONG, FIXED))


def test_errors_of_an_async_def_function_name_it(env, results):
    stream = env.from_collection([1])
    with pytest.raises(JobError) as failure:
        results(AsyncDataStream.ordered_wait(stream, nothing, LONG))
    text = "methods 'async_invoke' and 'timeout' of function 'nothing'."
    assert text in str(failure.value)
    with pytest.raises(JobError, match="TypeError") as failure:
        results(AsyncDataStream.ordered_wait(env.from_collection(["a"]), sums, LONG))
    notes = failure.value.__cause__.__notes__
    assert notes == ["Error happens inside the function 'sums' during handling input 'a'"]


def test_there_is_no_state(env, results):
    """Calls overlap, so there is no current key, though the stream has keys."""

    class Remembers(AsyncFunction):
        def open(self, runtime_context):
            self.state = runtime_context.get_state(ValueStateDescriptor("v", Types.LONG()))

        async def async_invoke(self, value):
            return [self.state.value()]

    for stream, text in [
        (env.from_collection([1]), "only accessible by functions executed on a KeyedStream"),
        (env.from_collection([1]).key_by(lambda v: v), "functions have no keyed state"),
    ]:
        with pytest.raises(JobError, match=text):
            results(AsyncDataStream.ordered_wait(stream, Remembers(), LONG))


def test_no_restart_needs_no_time_limit(env, results):
    wait = AsyncDataStream.ordered_wait_with_retry
    stream = env.from_collection([1])
    calls = wait(stream, Given(twice), Time.seconds(0), AsyncRetryStrategy.no_restart())
    assert calls.get_name() == "async wait operator"
    assert results(calls) == [1, 1]
