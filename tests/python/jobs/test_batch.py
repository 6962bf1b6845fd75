"""Batch execution. What results are is what PyFlink 2.3.0 gives in BATCH; where its two modes
differ, what its THREAD mode does, whose operators are Flink's own."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leat.common import Duration, Time, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import RuntimeExecutionMode, SourceFunction
from leat.datastream.functions import (
    BroadcastProcessFunction,
    CoMapFunction,
    KeyedBroadcastProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    ProcessFunction,
    ProcessWindowFunction,
)
from leat.datastream.state import MapStateDescriptor, ValueStateDescriptor
from leat.datastream.window import (
    EventTimeSessionWindows,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)

LOW, HIGH = -(2**63), 2**63 - 1
SMALL = {"execution.sorted-inputs.memory": "2kb"}
TRIPLE = Types.TUPLE([Types.STRING(), Types.LONG(), Types.INT()])
DATA = [
    ("b", 30, 1),
    ("a", 20, 2),
    ("b", 10, 3),
    ("a", 25, 4),
    ("c", 5, 5),
    ("a", 5, 6),
    ("b", 10, 7),
]


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def timed(env, data, type_info=TRIPLE):
    bound = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(5))
    stream = env.from_collection(data, type_info=type_info)
    return stream.assign_timestamps_and_watermarks(bound.with_timestamp_assigner(Second()))


@pytest.fixture(params=[{}, SMALL], ids=["memory", "files"])
def batch(make_env, request):
    """Makes environments of batch jobs, with memory enough and with hardly any."""

    def make(parallelism=1, **more):
        env = make_env(parallelism, **request.param, **more)
        return env.set_runtime_mode(RuntimeExecutionMode.BATCH)

    return make


def first(value):
    return value[0]


class Stamp(ProcessFunction):
    """What comes, with its time, and the watermark of somebody behind it."""

    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


# --- one result per key ---------------------------------------------------------------------------


def test_reduce_gives_one_result_per_key(batch, results):
    folded = (
        timed(batch(), DATA)
        .key_by(first)
        .reduce(lambda a, b: (a[0], a[1] * 100 + b[1], a[2] * 10 + b[2]))
    )
    assert results(folded.process(Stamp())) == [
        (("a", 52025, 624), HIGH, LOW),
        (("b", 101030, 371), HIGH, LOW),
        (("c", 5, 5), HIGH, LOW),
    ]


@pytest.mark.parametrize(
    ("verb", "want"),
    [
        ("sum", [("a", 5, 12), ("b", 10, 11), ("c", 5, 5)]),
        ("min", [("a", 5, 2), ("b", 10, 1), ("c", 5, 5)]),
        ("max", [("a", 5, 6), ("b", 10, 7), ("c", 5, 5)]),
        ("min_by", [("a", 20, 2), ("b", 30, 1), ("c", 5, 5)]),
        ("max_by", [("a", 5, 6), ("b", 10, 7), ("c", 5, 5)]),
    ],
)
def test_aggregations_give_one_result_per_key(batch, results, verb, want):
    assert results(getattr(timed(batch(), DATA).key_by(first), verb)(2)) == want


def test_reduce_may_be_followed_by_another(batch, results):
    env = batch(3)
    numbers = env.from_collection(list(range(3000)), type_info=Types.INT())
    by_hundred = numbers.map(
        lambda i: (i % 100, i), Types.TUPLE([Types.INT(), Types.INT()])
    ).key_by(first)
    by_ten = by_hundred.sum(1).map(lambda p: (p[0] % 10, 1)).key_by(first).sum(1)
    assert sorted(results(by_ten)) == [(i, 10) for i in range(10)]


WORDS = st.lists(st.text("abcde", max_size=3), max_size=300)
ONCE = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@given(words=WORDS, parallelism=st.sampled_from([1, 3]))
@settings(max_examples=12, **ONCE)
def test_word_count_is_a_counter(batch, results, words, parallelism):
    counted = (
        batch(parallelism)
        .from_collection(words)
        .map(lambda w: (w, 1))
        .key_by(first)
        .reduce(lambda a, b: (a[0], a[1] + b[1]))
    )
    assert Counter(dict(results(counted))) == Counter(words)


@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(-1000, 1000)), max_size=200))
@settings(max_examples=10, **ONCE)
def test_sums_are_the_last_rolling_sums(make_env, batch, results, pairs):
    kind = Types.TUPLE([Types.INT(), Types.LONG()])

    def sums(env):
        return results(env.from_collection(pairs, type_info=kind).key_by(first).sum(1))

    assert dict(sums(batch())) == dict(sums(make_env()))


# --- order ----------------------------------------------------------------------------------------


class Seen(KeyedProcessFunction):
    def process_element(self, value, ctx):
        yield ctx.get_current_key(), ctx.timestamp(), value[2]


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(-50, 50)), max_size=200)


@given(events=EVENTS, parallelism=st.sampled_from([1, 3]))
@settings(max_examples=12, **ONCE)
def test_keys_come_one_after_the_other_in_order_of_time(batch, results, events, parallelism):
    data = [(f"k{key}", time, i) for i, (key, time) in enumerate(events)]
    found = results(timed(batch(parallelism), data).key_by(first).process(Seen()))
    assert sorted(found) == sorted(data)
    if parallelism == 1:
        assert found == sorted(data)
    for key in {k for k, _, _ in data}:
        times = [time for k, time, _ in found if k == key]
        assert times == sorted(times)


@pytest.mark.parametrize(
    ("keys", "type_info", "want"),
    [
        ([5, -1, 300, 2], Types.INT(), [-1, 2, 5, 300]),
        ([2.5, -1.0, 1e300, float("-inf")], Types.DOUBLE(), [float("-inf"), -1.0, 2.5, 1e300]),
        (["bb", "a", "ccc", "", "Z"], Types.STRING(), ["", "Z", "a", "bb", "ccc"]),
        ([(2, "x"), (1, "z"), (1, "y")], None, [(1, "y"), (1, "z"), (2, "x")]),
    ],
)
def test_order_of_keys(batch, results, keys, type_info, want):
    stream = batch().from_collection(keys, type_info=type_info)
    assert results(stream.key_by(lambda k: k, type_info).reduce(lambda a, b: a)) == want


class Point:
    def __init__(self, x):
        self.x = x


def test_objects_as_keys_and_values(batch, results):
    class Gather(KeyedProcessFunction):
        def process_element(self, value, ctx):
            yield ctx.get_current_key().x, value["n"], type(value["p"]).__name__

    stream = batch().from_collection([{"p": Point(i % 3), "n": i} for i in range(60)])
    found = results(stream.key_by(lambda v: v["p"]).process(Gather()))
    assert sorted(found) == sorted((i % 3, i, "Point") for i in range(60))
    assert [x for x, _, _ in found] == sorted(x for x, _, _ in found)


def test_records_without_time_keep_their_order(batch, results):
    found = results(
        batch().from_collection([(i % 3, i) for i in range(300)]).key_by(first).map(lambda v: v)
    )
    assert found == sorted((i % 3, i) for i in range(300))


# --- timers and state -----------------------------------------------------------------------------


class Everything(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        timers.register_event_time_timer(value[1] + 7)
        timers.register_event_time_timer(100)
        timers.register_processing_time_timer(1)
        timers.register_processing_time_timer(HIGH)
        yield "record", value, ctx.timestamp(), timers.current_watermark(), count

    def on_timer(self, timestamp, ctx):
        timers = ctx.timer_service()
        timers.register_event_time_timer(timestamp + 1 if timestamp < HIGH else 200)
        timers.register_processing_time_timer(2)
        domain = ctx.time_domain().name
        yield (
            domain,
            timestamp,
            ctx.get_current_key(),
            ctx.timestamp(),
            timers.current_watermark(),
            self.count.value(),
        )


def everything(key, records, timers):
    """What PyFlink's THREAD mode gives for a key: timers that timers set are not taken."""
    rows = [("record", r, r[1], LOW, i + 1) for i, r in enumerate(records)]
    domains = [("EVENT_TIME", timers), ("PROCESSING_TIME", [1, HIGH])]
    for domain, times in domains:
        rows += [(domain, t, key, t, HIGH, len(records)) for t in times]
    return rows


def test_timers_fire_at_the_end_of_their_key(batch, results):
    assert results(timed(batch(), DATA).key_by(first).process(Everything())) == [
        *everything("a", [("a", 5, 6), ("a", 20, 2), ("a", 25, 4)], [12, 27, 32, 100]),
        *everything("b", [("b", 10, 3), ("b", 10, 7), ("b", 30, 1)], [17, 37, 100]),
        *everything("c", [("c", 5, 5)], [12, 100]),
    ]


def test_state_belongs_to_its_key(batch, results):
    class Counting(KeyedProcessFunction):
        def open(self, runtime_context):
            self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

        def process_element(self, value, ctx):
            self.count.update((self.count.value() or 0) + 1)
            yield value, self.count.value()

    found = results(
        batch(3)
        .from_collection([i % 50 for i in range(2000)])
        .key_by(lambda i: i)
        .process(Counting())
    )
    assert sorted(found) == sorted((i, n + 1) for i in range(50) for n in range(40))


def test_watermarks_do_not_go_on_but_the_last(batch, results):
    found = results(timed(batch(), DATA).process(Stamp()))
    assert found == [(v, v[1], LOW) for v in DATA]


# --- windows --------------------------------------------------------------------------------------


class Tell(ProcessWindowFunction):
    def process(self, key, context, elements):
        window = context.window()
        numbers = [e[2] for e in elements]
        yield key, window.start, window.end, numbers, context.current_watermark()


def tell(key, *rows):
    return [(key, start, end, list(numbers), HIGH) for start, end, *numbers in rows]


@pytest.mark.parametrize(
    ("assigner", "want"),
    [
        (
            TumblingEventTimeWindows.of(Time.milliseconds(10)),
            [
                *tell("a", (0, 10, 6), (20, 30, 2, 4)),
                *tell("b", (10, 20, 3, 7), (30, 40, 1)),
                *tell("c", (0, 10, 5)),
            ],
        ),
        (
            SlidingEventTimeWindows.of(Time.milliseconds(20), Time.milliseconds(10)),
            [
                *tell("a", (-10, 10, 6), (0, 20, 6), (10, 30, 2, 4), (20, 40, 2, 4)),
                *tell("b", (0, 20, 3, 7), (10, 30, 3, 7), (20, 40, 1), (30, 50, 1)),
                *tell("c", (-10, 10, 5), (0, 20, 5)),
            ],
        ),
        (
            EventTimeSessionWindows.with_gap(Time.milliseconds(6)),
            [
                *tell("a", (5, 11, 6), (20, 31, 2, 4)),
                *tell("b", (10, 16, 3, 7), (30, 36, 1)),
                *tell("c", (5, 11, 5)),
            ],
        ),
    ],
)
def test_windows_fire_at_the_end_of_their_key(batch, results, assigner, want):
    windowed = timed(batch(), DATA).key_by(first).window(assigner)
    assert results(windowed.process(Tell())) == want


def test_windows_of_processing_time_end_with_their_key(batch, results):
    hours = TumblingProcessingTimeWindows.of(Time.hours(24 * 365 * 1000))
    windowed = timed(batch(), DATA).key_by(first).window(hours)
    found = [row[3] for row in results(windowed.process(Tell()))]
    assert found == [[6, 2, 4], [3, 7, 1], [5]]


def test_windows_of_counts_that_are_not_full_are_dropped(batch, results):
    counted = timed(batch(), DATA).key_by(first).count_window(2)
    assert results(counted.reduce(lambda a, b: (a[0], a[1], a[2] * 10 + b[2]))) == [
        ("a", 5, 62),
        ("b", 10, 37),
    ]


def test_one_window_over_all(batch, results):
    whole = timed(batch(3), DATA).window_all(TumblingEventTimeWindows.of(Time.milliseconds(15)))
    found = results(whole.reduce(lambda a, b: (a[0], a[1], a[2] + b[2])))
    assert sorted(total for _, _, total in found) == sorted([5 + 6 + 3 + 7, 2 + 4, 1])


# --- two inputs -----------------------------------------------------------------------------------

OTHER = [
    ("a", 20, -1),
    ("b", 15, -2),
    ("d", 1, -3),
    ("a", 22, -4),
    ("b", 30, -5),
    ("b", 10, -6),
]


class Both(KeyedCoProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def take(self, number, value, ctx):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        if number == 1:
            ctx.timer_service().register_event_time_timer(value[1])
        return number, value, count, ctx.timer_service().current_watermark()

    def process_element1(self, value, ctx):
        yield self.take(1, value, ctx)

    def process_element2(self, value, ctx):
        yield self.take(2, value, ctx)

    def on_timer(self, timestamp, ctx):
        yield "timer", ctx.get_current_key(), timestamp, self.count.value()


def test_two_inputs_are_merged_by_key_and_time(batch, results):
    env = batch()
    both = timed(env, DATA[:6]).connect(timed(env, OTHER)).key_by(first, first)
    rows = [
        (1, ("a", 5, 6)),
        (1, ("a", 20, 2)),
        (2, ("a", 20, -1)),
        (2, ("a", 22, -4)),
        (1, ("a", 25, 4)),
        *[("timer", "a", t, 5) for t in (5, 20, 25)],
        (1, ("b", 10, 3)),
        (2, ("b", 10, -6)),
        (2, ("b", 15, -2)),
        (1, ("b", 30, 1)),
        (2, ("b", 30, -5)),
        *[("timer", "b", t, 5) for t in (10, 30)],
        (1, ("c", 5, 5)),
        ("timer", "c", 5, 1),
        (2, ("d", 1, -3)),
    ]
    want, count, key = [], 0, None
    for row in rows:
        if row[0] != "timer":
            count, key = (count + 1 if row[1][0] == key else 1), row[1][0]
        want.append(row if row[0] == "timer" else (*row, count, LOW))
    assert results(both.process(Both())) == want


def test_two_inputs_without_time_come_one_after_the_other(batch, results):
    class Tell(CoMapFunction):
        def map1(self, value):
            return 1, value

        def map2(self, value):
            return 2, value

    env = batch()
    one, two = env.from_collection([3, 1, 3]), env.from_collection([3, 2, 1])
    found = results(one.connect(two).key_by(lambda v: v, lambda v: v).map(Tell()))
    assert found == [(1, 1), (2, 1), (2, 2), (1, 3), (1, 3), (2, 3)]


def test_a_union_is_one_input(batch, results):
    env = batch()
    folded = (
        timed(env, DATA[:6])
        .union(timed(env, OTHER))
        .key_by(first)
        .reduce(lambda a, b: (a[0], a[1], a[2] + b[2]))
    )
    assert results(folded) == [("a", 5, 7), ("b", 10, -9), ("c", 5, 5), ("d", 1, -3)]


# --- a broadcast input ----------------------------------------------------------------------------

RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())


def note_rule(value, ctx):
    ctx.get_broadcast_state(RULES).put(f"{value[0]}{value[1]}", value[2])
    return "rule", value


def rules(ctx):
    return len(list(ctx.get_broadcast_state(RULES).items()))


class Ruled(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield "record", value, rules(ctx), ctx.current_watermark()

    def process_broadcast_element(self, value, ctx):
        yield note_rule(value, ctx)


class RuledByKey(KeyedBroadcastProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value[1])
        yield "record", value, rules(ctx), ctx.current_watermark()

    def process_broadcast_element(self, value, ctx):
        yield note_rule(value, ctx)

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp, ctx.get_current_key()


def test_a_broadcast_input_comes_first(batch, results):
    env = batch()
    both = timed(env, DATA[:6]).connect(timed(env, OTHER).broadcast(RULES))
    assert results(both.process(Ruled())) == [
        *[("rule", value) for value in OTHER],
        *[("record", value, 6, LOW) for value in DATA[:6]],
    ]


def test_a_broadcast_input_comes_before_all_keys(batch, results):
    env = batch()
    keyed = timed(env, DATA[:6]).key_by(first)
    both = keyed.connect(timed(env, OTHER).broadcast(RULES))
    want = [("rule", value) for value in OTHER]
    for key in "abc":
        own = sorted((value for value in DATA[:6] if value[0] == key), key=lambda v: v[1])
        want += [("record", value, 6, LOW) for value in own]
        want += [("timer", value[1], key) for value in own]
    assert results(both.process(RuledByKey())) == want


@pytest.mark.parametrize("keyed", [False, True])
def test_one_stream_may_be_both_inputs(batch, results, keyed):
    """Its records wait for its own end, and nothing may lock up."""
    count = 20000
    numbers = batch(3, **{"pipeline.channel.capacity": "64"}).from_collection(
        [("n", i, i) for i in range(count)], type_info=TRIPLE
    )
    main = numbers.key_by(lambda v: v[1] % 10) if keyed else numbers.rebalance()
    both = main.connect(numbers.broadcast(RULES))

    class Last(KeyedBroadcastProcessFunction if keyed else BroadcastProcessFunction):
        def process_element(self, value, ctx):
            yield value[1], ctx.get_broadcast_state(RULES).get("last")

        def process_broadcast_element(self, value, ctx):
            ctx.get_broadcast_state(RULES).put("last", value[1])

    assert sorted(results(both.process(Last()))) == [(i, count - 1) for i in range(count)]


# --- modes ----------------------------------------------------------------------------------------


class Three(SourceFunction):
    def run(self, ctx):
        for i in range(3):
            ctx.collect(i)

    def cancel(self):
        pass


def running(stream):
    return stream.key_by(lambda v: 0).reduce(lambda a, b: a + b)


def test_automatic_is_batch_for_bounded_sources(make_env, results):
    env = make_env().set_runtime_mode(RuntimeExecutionMode.AUTOMATIC)
    assert results(running(env.from_collection([1, 2, 3]))) == [6]
    assert results(running(env.add_source(Three()))) == [0, 1, 3]
    both = env.from_collection([5]).union(env.add_source(Three()))
    assert len(results(running(both))) == 4


def test_batch_refuses_unbounded_sources(make_env, results):
    env = make_env().set_runtime_mode(RuntimeExecutionMode.BATCH)
    with pytest.raises(ValueError, match=r"Custom Source.*unbounded source.*AUTOMATIC"):
        results(running(env.add_source(Three())))


def test_a_python_source_may_be_bounded(make_env, results):
    env = make_env().set_runtime_mode(RuntimeExecutionMode.BATCH)
    assert results(running(env.add_source(Three(), bounded=True))) == [3]


def test_the_mode_may_come_from_the_configuration(make_env, results):
    env = make_env(1, **{"execution.runtime-mode": "batch"})
    assert results(running(env.from_collection([1, 2, 3]))) == [6]


def test_the_plan_shows_mode_and_sorts(make_env):
    env = make_env(2).set_runtime_mode(RuntimeExecutionMode.BATCH)
    running(env.from_collection([1, 2])).print()
    plan = json.loads(env.get_execution_plan())
    assert plan["runtime_mode"] == "BATCH"
    sorts = [task.get("input") for task in plan["leat"]]
    assert sorts.count("sorted by key") == 1


def test_the_plan_shows_who_waits_for_a_broadcast_input(make_env):
    env = make_env(2).set_runtime_mode(RuntimeExecutionMode.BATCH)
    one, two = (env.from_collection(DATA, type_info=TRIPLE) for _ in range(2))
    one.connect(two.broadcast(RULES)).process(Ruled()).print()
    plan = json.loads(env.get_execution_plan())
    assert [t["input"] for t in plan["leat"] if "input" in t] == ["behind the broadcast input"]


def test_a_mode_is_needed(make_env):
    with pytest.raises(TypeError, match="RuntimeExecutionMode"):
        make_env().set_runtime_mode("BATCH")


# --- failures -------------------------------------------------------------------------------------


def test_a_function_that_raises_names_its_record(batch, results):
    def add(a, b):
        if b == 13:
            raise ValueError("unlucky")
        return a + b

    stream = batch().from_collection(list(range(20)), type_info=Types.INT())
    with pytest.raises(JobError, match="unlucky") as failed:
        results(stream.key_by(lambda v: 0).reduce(add).name("adding"))
    assert isinstance(failed.value.__cause__, ValueError)
    assert "adding" in str(failed.value)


def test_a_folder_that_is_missing_is_named(make_env, results, tmp_path):
    missing = tmp_path / "missing"
    env = make_env(1, **SMALL, **{"io.tmp.dirs": str(missing)})
    env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    with pytest.raises(JobError, match=r"io\.tmp\.dirs") as failed:
        results(running(env.from_collection(list(range(5000)))))
    assert str(missing) in str(failed.value)


def test_values_that_cannot_be_pickled_are_named(make_env, results):
    env = make_env().set_runtime_mode(RuntimeExecutionMode.BATCH)
    stream = env.from_collection([1, 2]).map(lambda v: (v, (i for i in range(v))))
    with pytest.raises(JobError, match="pickle"):
        results(stream.key_by(first).reduce(lambda a, b: a))
