"""Interval joins: bounds, times, side outputs, wrong use; random streams against a naive join."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leat.common import Duration, Time, Types, WatermarkStrategy
from leat.common.errors import JobError, NotSupportedError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import OutputTag, ProcessJoinFunction, SourceFunction
from leat.datastream.functions import KeyedProcessFunction, ProcessFunction

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])


class Second(TimestampAssigner):
    """The second item is the time."""

    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def bounded(milliseconds):
    bound = Duration.of_millis(milliseconds)
    return WatermarkStrategy.for_bounded_out_of_orderness(bound).with_timestamp_assigner(Second())


def first(value):
    return value[0]


def keyed(stream, bound=1000, key_type=None):
    return stream.assign_timestamps_and_watermarks(bounded(bound)).key_by(first, key_type)


def interval(lower, upper):
    return Time.milliseconds(lower), Time.milliseconds(upper)


class Tell(ProcessJoinFunction):
    def process_element(self, left, right, ctx):
        times = ctx.get_left_timestamp(), ctx.get_right_timestamp(), ctx.get_timestamp()
        yield ctx.get_current_key(), left[1:], right[1:], times


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


LEFT = [("a", 100, "l1"), ("b", 100, "l2"), ("a", 120, "l3")]
RIGHT = [("a", 90, "r1"), ("a", 95, "r2"), ("b", 105, "r3"), ("a", 110, "r4"), ("c", 100, "r5")]


def ids(pairs):
    return sorted((left[2], right[2]) for left, right in pairs)


def both(env, bound=1000):
    return keyed(env.from_collection(LEFT), bound), keyed(env.from_collection(RIGHT), bound)


def test_pairs_within_the_bounds(env, results):
    left, right = both(env)
    joined = left.interval_join(right).between(*interval(-5, 10))
    assert ids(results(joined.process(lambda a, b: (a, b)))) == [
        ("l1", "r2"),
        ("l1", "r4"),
        ("l2", "r3"),
    ]


def test_bounds_that_do_not_belong(env, results):
    left, right = both(env)
    joined = left.interval_join(right).between(*interval(-5, 10)).lower_bound_exclusive()
    assert ids(results(joined.process(lambda a, b: (a, b)))) == [("l1", "r4"), ("l2", "r3")]
    left, right = both(env)
    joined = left.interval_join(right).between(Duration.of_millis(-5), Duration.of_millis(10))
    joined = joined.lower_bound_exclusive().upper_bound_exclusive()
    assert ids(results(joined.process(lambda a, b: (a, b)))) == [("l2", "r3")]


def test_the_context_tells_times_and_key(env, results):
    left, right = both(env)
    joined = left.interval_join(right).in_event_time().between(*interval(0, 10)).process(Tell())
    assert sorted(results(joined.process(Times()))) == [
        (("a", (100, "l1"), (110, "r4"), (100, 110, 110)), 110),
        (("b", (100, "l2"), (105, "r3"), (100, 105, 105)), 105),
    ]


def test_a_generator_sees_its_own_pair(env, results):
    class Slow(ProcessJoinFunction):
        def process_element(self, left, right, ctx):
            for _ in range(3):
                yield left[2], right[2], ctx.get_left_timestamp(), ctx.get_right_timestamp()

    left, right = both(env)
    found = results(left.interval_join(right).between(*interval(-100, 100)).process(Slow()))
    times = {v[2]: v[1] for v in LEFT + RIGHT}
    assert len(found) == 3 * (2 * 3 + 1)
    assert all((times[a], times[b]) == (x, y) for a, b, x, y in found)


def test_declared_types(env, results):
    left = keyed(env.from_collection([("a", 1), ("a", 2)], PAIR), key_type=Types.STRING())
    right = keyed(env.from_collection([("a", 1)], PAIR), key_type=Types.STRING())
    joined = left.interval_join(right).between(*interval(-1, 1))
    total = joined.process(lambda a, b: a[1] + b[1], output_type=Types.LONG())
    assert sorted(results(total.map(lambda v: v * 10, output_type=Types.LONG()))) == [20, 30]


def test_callables_give_one_result_or_yield_several(env, results):
    def several(a, b):
        yield a[2]
        yield b[2]

    def some(a, b):
        return (a[2], b[2]) if b[2] == "r4" else None

    def joined():
        left, right = both(env)
        return left.interval_join(right).between(*interval(0, 10))

    assert sorted(results(joined().process(several))) == ["l1", "l2", "r3", "r4"]
    assert results(joined().process(some)) == [("l1", "r4")]


def test_side_outputs_of_the_function(env):
    tag = OutputTag("right", Types.STRING())

    class Aside(ProcessJoinFunction):
        def process_element(self, left, right, ctx):
            yield left[2]
            yield tag, right[2]

    left, right = both(env)
    joined = left.interval_join(right).between(*interval(0, 10)).process(Aside())
    with joined.get_side_output(tag).execute_and_collect() as aside:
        assert sorted(aside) == ["r3", "r4"]


class Ticket(SourceFunction):
    """Gives a late value once the watermark has passed it, which the file says."""

    def __init__(self, path):
        super().__init__(None)
        self.path = path
        self.cancelled = False

    def run(self, ctx):
        ctx.collect(("a", 100))
        ctx.collect(("a", 300))
        deadline = time.monotonic() + 30
        while not self.path.exists() and not self.cancelled and time.monotonic() < deadline:
            time.sleep(0.01)
        ctx.collect(("a", 50))

    def cancel(self):
        self.cancelled = True


class Passed(KeyedProcessFunction):
    """Makes the file when the watermark has passed the join."""

    def __init__(self, path):
        self.path = path

    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(200)
        yield value

    def on_timer(self, timestamp, ctx):
        self.path.write_text("passed")


@pytest.mark.parametrize("side", ["left", "right"])
def test_late_values_go_aside(make_env, side, tmp_path):
    env = make_env(1, **{"pipeline.watermark-per-record": "true"})
    tag, other = OutputTag("late", PAIR), OutputTag("other", PAIR)
    path = tmp_path / "passed"
    slow = keyed(env.add_source(Ticket(path), "ticket"), 0)
    fast = keyed(env.from_collection([("a", 100)]), 0)
    left, right = (slow, fast) if side == "left" else (fast, slow)
    tags = (tag, other) if side == "left" else (other, tag)
    joined = (
        left.interval_join(right)
        .between(*interval(-500, 500))
        .side_output_left_late_data(tags[0])
        .side_output_right_late_data(tags[1])
        .process(lambda a, b: (a[0], a[1], b[1]))
    )
    joined.key_by(first).process(Passed(path)).print()
    with joined.get_side_output(tag).execute_and_collect() as late:
        assert list(late) == [("a", 50)]


def test_values_without_a_time_are_refused(env, results):
    left, right = env.from_collection(LEFT).key_by(first), keyed(env.from_collection(RIGHT))
    joined = left.interval_join(right).between(*interval(0, 1)).process(lambda a, b: a)
    with pytest.raises(JobError, match=r"Long.MIN_VALUE timestamp: Elements used in interval"):
        results(joined)


def test_functions_that_raise_are_named(env, results):
    def fail(a, b):
        raise ValueError("not these two")

    left, right = both(env)
    with pytest.raises(JobError, match="not these two"):
        results(left.interval_join(right).between(*interval(0, 10)).process(fail))


def test_wrong_use(env):
    left, right = both(env)
    join = left.interval_join(right)
    with pytest.raises(TypeError, match=r"needs a KeyedStream, not .*; call key_by\(\)"):
        left.interval_join(env.from_collection(RIGHT))
    with pytest.raises(ValueError, match="the lower bound, 6 ms, is above the upper bound, 5 ms"):
        join.between(*interval(6, 5))
    with pytest.raises(TypeError, match=r"upper bound: a Time is needed, such as .*, not 5"):
        join.between(Time.milliseconds(1), 5)
    with pytest.raises(AttributeError, match=r"'process'; what comes next here is between\("):
        join.process(lambda a, b: a)
    with pytest.raises(NotSupportedError, match="only supported in event time"):
        join.in_processing_time()
    joined = join.between(*interval(0, 1))
    with pytest.raises(TypeError, match="an OutputTag is needed, not 'late'"):
        joined.side_output_left_late_data("late")
    with pytest.raises(TypeError, match="ProcessJoinFunction is required"):
        joined.process(Times())
    with pytest.raises(TypeError, match="give an instance"):
        joined.process(Tell)
    with pytest.raises(TypeError, match="ProcessJoinFunction or a callable"):
        joined.process(5)


# What comes is at most so much older than the newest before it, so that nothing is late.
DISORDER = 20


def stream_of(side):
    steps = st.tuples(st.sampled_from("abc"), st.integers(0, 15), st.integers(0, DISORDER))

    def times(found):
        now, values = 100, []
        for number, (key, step, back) in enumerate(found):
            now += step
            values.append((key, now - back, f"{side}{number}"))
        return values

    return st.lists(steps, max_size=25).map(times)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stream_of("l"), stream_of("r"), st.integers(-30, 30), st.integers(0, 40), st.data())
def test_random_streams_join_as_a_naive_loop_does(make_env, left, right, lower, width, data):
    upper = lower + width
    exclusive = data.draw(st.tuples(st.booleans(), st.booleans()))
    low, high = lower + exclusive[0], upper - exclusive[1]
    env = make_env(data.draw(st.sampled_from([1, 3])), **{"pipeline.watermark-per-record": "true"})
    joined = (
        keyed(env.from_collection(left), DISORDER)
        .interval_join(keyed(env.from_collection(right), DISORDER))
        .between(*interval(lower, upper))
    )
    if exclusive[0]:
        joined = joined.lower_bound_exclusive()
    if exclusive[1]:
        joined = joined.upper_bound_exclusive()
    with joined.process(lambda a, b: (a, b)).process(Times()).execute_and_collect() as found:
        got = sorted((a[2], b[2], at) for (a, b), at in found)
    assert got == sorted(
        (a[2], b[2], max(a[1], b[1]))
        for a in left
        for b in right
        if a[0] == b[0] and low <= b[1] - a[1] <= high
    )
