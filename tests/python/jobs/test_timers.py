"""Timers of keyed process functions, in event and in processing time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from leat.common.errors import JobError
from leat.datastream import OutputTag, SourceFunction, TimeDomain
from leat.datastream.functions import KeyedCoProcessFunction, KeyedProcessFunction

LAST = 2**63 - 1
LATE = OutputTag("late")


class Timed(KeyedProcessFunction):
    """Sets a timer at each value; those below 100 set another one 100 later."""

    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        timers.register_event_time_timer(value)
        timers.register_event_time_timer(value)
        timers.register_event_time_timer(50)
        timers.delete_event_time_timer(50)
        timers.delete_event_time_timer(51)

    def on_timer(self, timestamp, ctx):
        if timestamp < 100:
            ctx.timer_service().register_event_time_timer(timestamp + 100)
        yield timestamp, ctx.get_current_key(), ctx.timestamp(), ctx.time_domain()
        yield LATE, ctx.timer_service().current_watermark()


@pytest.mark.parametrize("parallelism", [1, 3])
def test_the_end_fires_all_in_order(make_env, results, parallelism):
    stream = make_env(parallelism).from_collection([5, 9, 5, 2])
    found = results(stream.key_by(lambda v: v % 2).process(Timed()))
    event = TimeDomain.EVENT_TIME
    want = [(t, t % 2, t, event) for t in (2, 5, 9, 102, 105, 109)]
    assert sorted(found, key=str) == sorted(want, key=str)
    for key in (0, 1):
        assert [f for f in found if f[1] == key] == [w for w in want if w[1] == key]


def test_timers_write_to_side_outputs(env, results):
    stream = env.from_collection([5]).key_by(lambda v: None).process(Timed())
    assert results(stream.get_side_output(LATE)) == [LAST, LAST]


def test_none_is_nothing_and_lists_are_fine(env, results):
    class Listing(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value)
            yield ctx.timestamp()

        def on_timer(self, timestamp, ctx):
            return [timestamp] if timestamp > 1 else None

    found = results(env.from_collection([1, 2]).key_by(lambda v: v).process(Listing()))
    assert found == [None, None, 2]


def test_on_timer_need_not_be_written(env, results):
    class Silent(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value)

    assert results(env.from_collection([1, 2]).key_by(lambda v: v).process(Silent())) == []


def test_two_inputs(env, results):
    class Both(KeyedCoProcessFunction):
        def process_element1(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value)

        def process_element2(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value)

        def on_timer(self, timestamp, ctx):
            yield timestamp, ctx.get_current_key(), ctx.time_domain()

    one, two = env.from_collection([1, 4]), env.from_collection([3, 4])
    stream = one.connect(two).key_by(lambda v: v % 2, lambda v: v % 2).process(Both())
    assert results(stream) == [(t, t % 2, TimeDomain.EVENT_TIME) for t in (1, 3, 4)]


def test_an_exception_in_on_timer_fails_the_job(env, results):
    class Failing(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value)

        def on_timer(self, timestamp, ctx):
            raise KeyError(f"timer {timestamp}")

    stream = env.from_collection([7]).key_by(lambda v: "k").process(Failing()).name("clock")
    with pytest.raises(JobError, match="clock") as failed:
        results(stream)
    assert isinstance(failed.value.__cause__, KeyError)
    assert "timer 7" in str(failed.value)


class UntilFile(SourceFunction):
    """Gives a value and ends when somebody has written the file."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    def run(self, ctx):
        ctx.collect("a")
        ends = time.monotonic() + 20
        while not self.path.exists() and time.monotonic() < ends:
            time.sleep(0.005)


class Ticking(KeyedProcessFunction):
    """Ticks three times, then writes the file."""

    def __init__(self, path: Path):
        self.path = path

    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        self.ticks = 0
        self.set = timers.current_processing_time() + 20
        timers.register_processing_time_timer(self.set)
        timers.register_processing_time_timer(self.set - 10)
        timers.delete_processing_time_timer(self.set - 10)

    def on_timer(self, timestamp, ctx):
        timers = ctx.timer_service()
        late = timers.current_processing_time() >= self.set == timestamp
        self.ticks += 1
        yield self.ticks, ctx.get_current_key(), ctx.time_domain(), late
        if self.ticks == 3:
            self.path.touch()
        else:
            self.set = timestamp + 5
            timers.register_processing_time_timer(self.set)


def test_processing_time(env, results, tmp_path):
    done = tmp_path / "done"
    stream = env.add_source(UntilFile(done)).key_by(lambda v: v).process(Ticking(done))
    want = [(n, "a", TimeDomain.PROCESSING_TIME, True) for n in (1, 2, 3)]
    assert results(stream) == want


class At(KeyedProcessFunction):
    """Sets a timer at a time that may be none, and fails when one fires."""

    def __init__(self, at):
        self.at = at

    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(self.at)
        yield value

    def on_timer(self, timestamp, ctx):
        raise ValueError("in a timer")


@pytest.mark.parametrize("at", [2**63, -(2**63) - 1, 10**30])
def test_timers_beyond_64_bits_are_refused(env, results, at):
    timers = env.from_collection([1]).key_by(lambda x: x).process(At(at))
    text = f"the time of a timer is in milliseconds and must fit in 64 bits, not {at}"
    with pytest.raises(JobError, match=text):
        results(timers)


def test_failing_timer_is_named(env, results):
    timers = env.from_collection(["a"]).key_by(lambda x: x).process(At(5))
    with pytest.raises(JobError) as failure:
        results(timers)
    text = "KEYED PROCESS (1/1): ValueError: in a timer; it was the timer at 5, its key 'a'"
    assert str(failure.value) == text


class Sleeps(KeyedProcessFunction):
    """Sets timers while it is slow, and tells how many records began between due and fired."""

    def open(self, runtime_context):
        self.began = []

    def process_element(self, value, ctx):
        service = ctx.timer_service()
        self.began.append(service.current_processing_time())
        if value % 20 == 0:
            service.register_processing_time_timer(service.current_processing_time() + 12)
        time.sleep(0.005)

    def on_timer(self, timestamp, ctx):
        yield sum(began > timestamp for began in self.began)


def test_timers_of_the_clock_do_not_wait_for_a_batch_of_slow_records(env, results):
    """Two hundred of them come in one."""
    numbers = env.from_collection(list(range(200)))
    told = results(numbers.key_by(lambda v: 0).process(Sleeps()))
    assert len(told) >= 9  # the last one may be due behind the end
    assert max(told) <= 3
