"""Window joins and co-groups: pairs and sides, every kind of function, settings, wrong use; random
streams against a naive reference."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leat.common import Duration, Time, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import CoGroupFunction, FlatJoinFunction, JoinFunction, OutputTag
from leat.datastream.functions import ProcessFunction, ReduceFunction
from leat.datastream.window import (
    CountEvictor,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindows,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    WindowAssigner,
)

TRIPLE = Types.TUPLE([Types.STRING(), Types.LONG(), Types.STRING()])
NAMED = Types.ROW_NAMED(["key", "time", "name"], [Types.STRING(), Types.LONG(), Types.STRING()])

LEFT = [("a", 1, "l1"), ("b", 2, "l2"), ("a", 8, "l3"), ("a", 12, "l4"), ("c", 3, "l5")]
RIGHT = [("a", 3, "r1"), ("a", 9, "r2"), ("b", 15, "r3"), ("a", 13, "r4"), ("d", 4, "r5")]


class Second(TimestampAssigner):
    """The second item is the time."""

    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def first(value):
    return value[0]


def timed(env, values, type_info=None, bound=1000):
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(bound))
    stream = env.from_collection(values, type_info)
    return stream.assign_timestamps_and_watermarks(strategy.with_timestamp_assigner(Second()))


def tens():
    return TumblingEventTimeWindows.of(Time.milliseconds(10))


def joined(env, assigner=None, left=LEFT, right=RIGHT, type_info=None):
    streams = timed(env, left, type_info).join(timed(env, right, type_info))
    return streams.where(first).equal_to(first).window(assigner or tens())


def grouped(env, assigner=None, left=LEFT, right=RIGHT):
    streams = timed(env, left).co_group(timed(env, right))
    return streams.where(first).equal_to(first).window(assigner or tens())


def names(values):
    return [v[2] for v in values]


def both(left, right):
    return left[2] + right[2]


# --- joins ----------------------------------------------------------------------------------------

PAIRS = ["l1r1", "l1r2", "l3r1", "l3r2", "l4r4"]


class One(JoinFunction):
    def open(self, runtime_context):
        self.opened = True

    def join(self, first, second):
        assert self.opened
        return both(first, second)


class Several(FlatJoinFunction):
    def join(self, first, second):
        yield both(first, second)
        yield both(second, first)


class Listed(FlatJoinFunction):
    def join(self, first, second):
        return [both(first, second)] * 2


def test_each_kind_of_function(env, results):
    assert sorted(results(joined(env).apply(both))) == PAIRS
    assert sorted(results(joined(env).apply(One(), Types.STRING()))) == PAIRS
    twice = results(joined(env).apply(Several()))
    assert sorted(twice) == sorted([*PAIRS, *(p[2:] + p[:2] for p in PAIRS)])
    assert sorted(results(joined(env).apply(Listed()))) == sorted(PAIRS * 2)


def test_callables_give_one_result_or_yield_several_and_none_is_none(env, results):
    assert sorted(results(joined(env).apply(lambda a, b: [a[2], b[2]])))[0] == ["l1", "r1"]
    some = joined(env).apply(lambda a, b: both(a, b) if a[2] == "l1" else None)
    assert sorted(results(some)) == ["l1r1", "l1r2"]

    def yields(a, b):
        yield a[2]
        yield b[2]

    assert len(results(joined(env).apply(yields))) == 2 * len(PAIRS)


def test_results_have_the_last_time_of_the_window(env, results):
    found = results(joined(env).apply(both).process(Times()))
    assert sorted(found) == [(p, 19 if p == "l4r4" else 9) for p in PAIRS]


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("type_info", [None, TRIPLE, NAMED])
def test_types_and_parallelism(make_env, results, parallelism, type_info):
    stream = joined(make_env(parallelism), type_info=type_info).apply(both, Types.STRING())
    assert sorted(results(stream)) == PAIRS


def test_streams_of_different_types(env, results):
    left, right = timed(env, LEFT, TRIPLE), timed(env, RIGHT, NAMED)
    streams = left.join(right).where(lambda t: t[0]).equal_to(lambda row: row.key)
    pairs = streams.window(tens()).trigger(CountsRows()).apply(lambda t, row: t[2] + row.name)
    assert sorted(results(pairs)) == PAIRS


class CountsRows(Trigger):
    """Event time's, but looks what it is given."""

    def on_element(self, element, timestamp, window, ctx):
        assert type(element).__name__ == ("tuple" if element[2].startswith("l") else "Row")
        return EventTimeTrigger.create().on_element(element, timestamp, window, ctx)

    def on_event_time(self, time, window, ctx):
        return TriggerResult.FIRE if time == window.max_timestamp() else TriggerResult.CONTINUE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_merge(self, window, ctx):
        pass

    def clear(self, window, ctx):
        ctx.delete_event_time_timer(window.max_timestamp())


def test_side_outputs(env, results):
    tag = OutputTag("left", Types.STRING())

    class Aside(FlatJoinFunction):
        def join(self, first, second):
            yield tag, first[2]

    pairs = joined(env).apply(Aside())
    assert sorted(results(pairs.get_side_output(tag))) == sorted(p[:2] for p in PAIRS)


def test_evictors_see_both_sides(env, results):
    pairs = joined(env, left=LEFT[:1], right=RIGHT[:2]).evictor(CountEvictor.of(2))
    assert results(pairs.apply(both)) == []  # the left one was evicted


def test_late_records_fire_again_within_the_lateness(env, results):
    left = [("a", 1, "l1"), ("a", 14, "l2"), ("a", 2, "l3"), ("a", 40, "l4"), ("a", 3, "l5")]
    right = [("a", 4, "r1"), ("a", 40, "r2")]
    streams = timed(env, left, bound=0).join(timed(env, right, bound=0))
    pairs = streams.where(first).equal_to(first).window(tens())
    with_time = pairs.allowed_lateness(Time.milliseconds(10))
    assert set(results(with_time.apply(both))) >= {"l1r1", "l4r2"}
    with pytest.raises(TypeError, match="allowed_lateness"):
        pairs.allowed_lateness("soon")


def test_keyed_streams_are_joined_by_the_keys_of_where(env, results):
    left = timed(env, LEFT).key_by(lambda v: v[2])
    pairs = left.join(timed(env, RIGHT)).where(first).equal_to(first).window(tens())
    assert sorted(results(pairs.apply(both))) == PAIRS


# --- co-groups ------------------------------------------------------------------------------------

GROUPS = [
    (["l1", "l3"], ["r1", "r2"]),
    (["l2"], []),
    (["l4"], ["r4"]),
    (["l5"], []),
    ([], ["r3"]),
    ([], ["r5"]),
]


class Sides(CoGroupFunction):
    def co_group(self, first, second):
        assert type(first) is list
        yield names(first), names(second)


def test_co_groups_have_both_sides_either_of_which_may_be_empty(env, results):
    def by_names(groups):
        return sorted(groups, key=lambda g: (g[0] or ["m"], g[1]))

    assert by_names(results(grouped(env).apply(Sides()))) == by_names(GROUPS)
    plain = grouped(env).apply(lambda a, b: [(names(a), names(b))])
    assert by_names(results(plain)) == by_names(GROUPS)


def test_co_groups_of_sessions(env, results):
    gap = EventTimeSessionWindows.with_gap(Time.milliseconds(5))
    left = [("a", 0, "l1"), ("a", 8, "l2"), ("a", 30, "l3")]
    right = [("a", 4, "r1"), ("a", 20, "r2")]
    found = results(grouped(env, gap, left, right).apply(Sides()).process(Times()))
    assert found == [((["l1", "l2"], ["r1"]), 12), (([], ["r2"]), 24), ((["l3"], []), 34)]


def test_co_groups_of_sessions_with_a_gap_of_their_own(env, results):
    class Gap(SessionWindowTimeGapExtractor):
        def extract(self, element):
            return 20 if element[2].startswith("r") else 5

    windows = EventTimeSessionWindows.with_dynamic_gap(Gap())
    left, right = [("a", 0, "l1"), ("a", 25, "l2")], [("a", 4, "r1")]
    found = results(grouped(env, windows, left, right).apply(Sides()))
    assert found == [(["l1"], ["r1"]), (["l2"], [])]


# --- wrong use ------------------------------------------------------------------------------------


def test_wrong_use_is_refused(env):
    stream = timed(env, LEFT)
    with pytest.raises(TypeError, match=r"join\(\) needs a DataStream"):
        stream.join("b")
    with pytest.raises(TypeError, match=r"co_group\(\) needs a DataStream"):
        stream.co_group(None)
    with pytest.raises(TypeError, match="WindowAssigner is needed"):
        stream.join(stream).where(first).equal_to(first).window(10)
    window = stream.join(stream).where(first).equal_to(first).window(tens())
    with pytest.raises(TypeError, match="JoinFunction or FlatJoinFunction"):
        window.apply(Sides())
    with pytest.raises(TypeError, match="JoinFunction or FlatJoinFunction"):
        window.apply(5)
    with pytest.raises(TypeError, match="CoGroupFunction"):
        grouped(env).apply(One())
    with pytest.raises(TypeError, match="give an instance"):
        window.apply(One)
    for steps, text in [
        (stream.join(stream), r"where\(key\), the key of the first"),
        (stream.co_group(stream).where(first), r"equal_to\(key\), the key of the second"),
    ]:
        with pytest.raises(AttributeError, match=f"'window'; what comes next here is {text}"):
            steps.window(tens())
    with pytest.raises(AttributeError, match=r"'apply'; what comes next here is window\("):
        stream.join(stream).where(first).equal_to(first).apply(both)
    with pytest.raises(TypeError, match="same type"):
        stream.join(stream).where(first, Types.STRING()).equal_to(first, Types.LONG())


def test_streams_of_two_environments_are_refused(env, make_env):
    with pytest.raises(ValueError, match="two environments"):
        timed(env, LEFT).join(timed(make_env(), RIGHT))


def test_functions_that_raise_are_named(env, results):
    with pytest.raises(JobError, match=r"Window Join \(1/1\): ZeroDivisionError"):
        results(joined(env).apply(lambda a, b: 1 / 0))
    with pytest.raises(JobError, match=r"Window CoGroup \(1/1\): ZeroDivisionError"):
        results(grouped(env).apply(lambda a, b: 1 / 0))
    with pytest.raises(JobError, match=r"Window CoGroup \(1/1\): TypeError: .*iterable"):
        results(grouped(env).apply(lambda a, b: 5))


def test_records_without_a_time_are_refused(env, results):
    stream = env.from_collection(LEFT)
    pairs = stream.join(stream).where(first).equal_to(first).window(tens()).apply(both)
    with pytest.raises(JobError, match="timestamp"):
        results(pairs)


def test_global_windows_never_fire_by_themselves(env, results):
    assert results(joined(env, GlobalWindows.create()).apply(both)) == []


# --- against a naive reference --------------------------------------------------------------------


def windows_of(assigner, time):
    """The starts of the windows that a time belongs to: tumbling of 10, or sliding by 4."""
    if assigner == "tumbling":
        return [time - time % 10]
    return list(range(time - time % 4, time - 10, -4))


def naive(assigner, left, right):
    sides = defaultdict(lambda: ([], []))
    for side, values in enumerate((left, right)):
        for v in values:
            for start in windows_of(assigner, v[1]):
                sides[v[0], start][side].append(v)
    groups = [(start, a, b) for (_, start), (a, b) in sides.items()]
    return groups, [(a[2], b[2]) for _, first, second in groups for a in first for b in second]


records = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), min_size=1, max_size=25)


@pytest.mark.parametrize("assigner", ["tumbling", "sliding"])
@pytest.mark.parametrize("parallelism", [1, 3])
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(left=records, right=records)
def test_random_streams_against_a_naive_join(make_env, results, assigner, parallelism, left, right):
    left = [(k, t, f"l{i}") for i, (k, t) in enumerate(left)]
    right = [(k, t, f"r{i}") for i, (k, t) in enumerate(right)]
    made: dict[str, WindowAssigner] = {
        "tumbling": tens(),
        "sliding": SlidingEventTimeWindows.of(Time.milliseconds(10), Time.milliseconds(4)),
    }
    groups, pairs = naive(assigner, left, right)
    stream = joined(make_env(parallelism), made[assigner], left, right)
    assert sorted(results(stream.apply(lambda a, b: (a[2], b[2])))) == sorted(pairs)
    if assigner == "sliding" and parallelism == 1:
        found = results(grouped(make_env(), made[assigner], left, right).apply(Sides()))
        assert sorted(found) == sorted((names(a), names(b)) for _, a, b in groups)


def test_reduce_functions_do_not_join(env):
    class Add(ReduceFunction):
        def reduce(self, value1, value2):
            return value1

    with pytest.raises(TypeError, match="must be a JoinFunction"):
        joined(env).apply(Add())
