"""Windows: each assigner with each kind of function, lateness, state, and the ends of windows."""

from __future__ import annotations

import threading
import time

import pytest
from leat.common import Row, Types
from leat.common.errors import JobError
from leat.datastream import OutputTag, SourceFunction
from leat.datastream.functions import ProcessWindowFunction
from leat.datastream.state import ListStateDescriptor, ValueStateDescriptor
from leat.datastream.window import (
    CountTrigger,
    EventTimeSessionWindows,
    GlobalWindows,
    ProcessingTimeSessionWindows,
    PurgingTrigger,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)
from window_parts import (
    PER_RECORD,
    Mean,
    MergeableMean,
    Show,
    ShowAll,
    ShowProcess,
    ShowProcessAll,
    Sum,
    WithTime,
    keyed,
    ms,
    show,
    timed,
)

ITEMS = [("a", 1), ("b", 3), ("a", 12), ("a", 7), ("b", 25)]
TUMBLING = TumblingEventTimeWindows.of(ms(10))
SLIDING = SlidingEventTimeWindows.of(ms(10), ms(5))
SESSIONS = EventTimeSessionWindows.with_gap(ms(6))
COUNTED = PurgingTrigger.of(CountTrigger.of(2))

# By assigner: key, window and elements, in the order of the windows' ends.
EXPECTED = {
    "tumbling": [
        ("a", "TimeWindow(start=0, end=10)", [("a", 1), ("a", 7)]),
        ("a", "TimeWindow(start=10, end=20)", [("a", 12)]),
        ("b", "TimeWindow(start=0, end=10)", [("b", 3)]),
        ("b", "TimeWindow(start=20, end=30)", [("b", 25)]),
    ],
    "sliding": [
        ("a", "TimeWindow(start=-5, end=5)", [("a", 1)]),
        ("a", "TimeWindow(start=0, end=10)", [("a", 1), ("a", 7)]),
        ("a", "TimeWindow(start=10, end=20)", [("a", 12)]),
        ("a", "TimeWindow(start=5, end=15)", [("a", 12), ("a", 7)]),
        ("b", "TimeWindow(start=-5, end=5)", [("b", 3)]),
        ("b", "TimeWindow(start=0, end=10)", [("b", 3)]),
        ("b", "TimeWindow(start=20, end=30)", [("b", 25)]),
        ("b", "TimeWindow(start=25, end=35)", [("b", 25)]),
    ],
    "session": [
        ("a", "TimeWindow(start=1, end=18)", [("a", 1), ("a", 12), ("a", 7)]),
        ("b", "TimeWindow(start=25, end=31)", [("b", 25)]),
        ("b", "TimeWindow(start=3, end=9)", [("b", 3)]),
    ],
    "global": [
        ("a", "GlobalWindow", [("a", 1), ("a", 12)]),
        ("b", "GlobalWindow", [("b", 3), ("b", 25)]),
    ],
    "count": [
        ("a", "CountWindow(id=0)", [("a", 1), ("a", 12)]),
        ("b", "CountWindow(id=0)", [("b", 3), ("b", 25)]),
    ],
    "count sliding": [
        ("a", "CountWindow(id=0)", [("a", 1), ("a", 12)]),
        ("a", "CountWindow(id=1)", [("a", 12), ("a", 7)]),
        ("b", "CountWindow(id=0)", [("b", 3), ("b", 25)]),
    ],
}


def windows_of(stream, assigner):
    if assigner == "count":
        return stream.count_window(2)
    if assigner == "count sliding":
        return stream.count_window(2, 1)
    if assigner == "global":
        return stream.window(GlobalWindows.create()).trigger(COUNTED)
    return stream.window({"tumbling": TUMBLING, "sliding": SLIDING, "session": SESSIONS}[assigner])


FUNCTIONS = {
    "apply": (lambda w: w.apply(Show()), lambda k, w, e: (k, w, e)),
    "callable": (lambda w: w.apply(show), lambda k, w, e: (k, w, e)),
    "process": (lambda w: w.process(ShowProcess()), lambda k, w, e: (k, w, e)),
    "reduce": (lambda w: w.reduce(Sum()), lambda k, w, e: (k, sum(v for _, v in e))),
    "reduce and apply": (
        lambda w: w.reduce(lambda a, b: (a[0], a[1] + b[1]), Show()),
        lambda k, w, e: (k, w, [(k, sum(v for _, v in e))]),
    ),
    "aggregate": (lambda w: w.aggregate(Mean()), lambda k, w, e: sum(v for _, v in e) / len(e)),
    "mergeable": (
        lambda w: w.aggregate(MergeableMean(), ShowProcess()),
        lambda k, w, e: (k, w, [sum(v for _, v in e) / len(e)]),
    ),
    "typed accumulators": (
        lambda w: w.aggregate(Mean(), ShowProcess(), accumulator_type=Types.LIST(Types.LONG())),
        lambda k, w, e: (k, w, [sum(v for _, v in e) / len(e)]),
    ),
    "sum": (lambda w: w.sum(1), lambda k, w, e: (k, sum(v for _, v in e))),
    "min": (lambda w: w.min(1), lambda k, w, e: (k, min(v for _, v in e))),
    "max": (lambda w: w.max(1), lambda k, w, e: (k, max(v for _, v in e))),
    "min_by": (lambda w: w.min_by(1), lambda k, w, e: min(e, key=lambda v: v[1])),
    "max_by": (lambda w: w.max_by(1), lambda k, w, e: max(e, key=lambda v: v[1])),
    "count": (lambda w: w.count(), lambda k, w, e: len(e)),
}


@pytest.mark.parametrize("assigner", EXPECTED)
def test_each_assigner_with_each_function(env, results, assigner):
    windowed = [windows_of(keyed(env, ITEMS, bound=30), assigner) for _ in FUNCTIONS]
    streams = [
        call(w).map(lambda v, name=name: (name, v))
        for w, (name, (call, _)) in zip(windowed, FUNCTIONS.items(), strict=True)
    ]
    found = results(streams[0].union(*streams[1:]))
    for name, (_, answer) in FUNCTIONS.items():
        expected = sorted((answer(*e) for e in EXPECTED[assigner]), key=repr)
        assert sorted((v for n, v in found if n == name), key=repr) == expected, name


@pytest.mark.parametrize("typed", [False, True])
def test_all_kinds_of_window_all(env, results, typed):
    pair = Types.TUPLE([Types.STRING(), Types.LONG()]) if typed else None
    items = timed(env.from_collection(ITEMS, pair), 30)
    expected = [
        (None, "TimeWindow(start=0, end=10)", [("a", 1), ("b", 3), ("a", 7)]),
        (None, "TimeWindow(start=10, end=20)", [("a", 12)]),
        (None, "TimeWindow(start=20, end=30)", [("b", 25)]),
    ]
    assert results(items.window_all(TUMBLING).apply(ShowAll())) == expected
    assert results(items.key_by(len).window_all(TUMBLING).process(ShowProcessAll())) == expected
    assert results(items.window_all(TUMBLING).sum(1)) == [("a", 11), ("a", 12), ("b", 25)]
    assert results(items.window_all(TUMBLING).aggregate(Mean())) == [11 / 3, 12, 25]
    summed = results(items.window_all(TUMBLING).reduce(Sum(), ShowProcessAll()))
    assert [e for _, _, e in summed] == [[("a", 11)], [("a", 12)], [("b", 25)]]
    assert results(items.window_all(TUMBLING).apply(lambda window, e: [len(e)])) == [3, 1, 1]


def test_results_have_the_end_of_their_window_as_time(make_env, results):
    items = keyed(make_env(1, **PER_RECORD), [("a", 1), ("a", 2), ("a", 14), ("a", 3), ("a", 50)])
    windowed = items.window(TUMBLING).allowed_lateness(100)
    found = results(windowed.count().process(WithTime()))
    assert found == [(2, 9), (3, 9), (1, 19), (1, 59)]
    early = items.window(TUMBLING).trigger(CountTrigger.of(1)).apply(lambda k, w, e: iter([len(e)]))
    assert results(early.process(WithTime())) == [(1, 9), (2, 9), (1, 19), (1, 59)]
    last = items.window(GlobalWindows.create()).trigger(CountTrigger.of(5)).count()
    assert results(last.process(WithTime())) == [(5, 2**63 - 1)]


# --- lateness -------------------------------------------------------------------------------------

LATE = [("a", 1), ("a", 14), ("a", 2), ("a", 26), ("a", 3), ("a", 4)]


def test_late_records_fire_their_window_again(make_env, results):
    items = keyed(make_env(1, **PER_RECORD), LATE)
    found = results(items.window(TUMBLING).allowed_lateness(10).apply(show))
    assert found == [
        ("a", "TimeWindow(start=0, end=10)", [("a", 1)]),
        ("a", "TimeWindow(start=0, end=10)", [("a", 1), ("a", 2)]),
        ("a", "TimeWindow(start=10, end=20)", [("a", 14)]),
        ("a", "TimeWindow(start=20, end=30)", [("a", 26)]),
    ]


@pytest.mark.parametrize("typed", [None, Types.TUPLE([Types.STRING(), Types.LONG()])])
def test_what_is_too_late_goes_to_a_side_output(make_env, results, typed):
    tag = OutputTag("late", typed)
    items = keyed(make_env(1, **PER_RECORD), LATE)
    main = items.window(TUMBLING).allowed_lateness(10).side_output_late_data(tag).sum(1)
    assert results(main.get_side_output(tag)) == [("a", 3), ("a", 4)]


def test_late_records_have_the_type_of_their_tag(make_env, results):
    names = Types.ROW_NAMED(["k", "n"], [Types.STRING(), Types.INT()])
    bytes_ = Types.TUPLE([Types.STRING(), Types.BYTE()])
    items = keyed(make_env(1, **PER_RECORD), LATE)
    tag = OutputTag("late", names)
    main = items.window(TUMBLING).allowed_lateness(10).side_output_late_data(tag).sum(1)
    late = main.get_side_output(tag)
    assert late.get_type() == names
    assert results(late.filter(lambda row: row.n > 0)) == [Row(k="a", n=3), Row(k="a", n=4)]
    tag = OutputTag("late", bytes_)
    items = keyed(make_env(1, **PER_RECORD), [*LATE, ("a", -500)])
    main = items.window(TUMBLING).side_output_late_data(tag).sum(1)
    with pytest.raises(JobError, match=r"Late .*: expected BYTE, got int -500 \(out of range\)"):
        results(main.get_side_output(tag))


def test_late_records_in_sessions(make_env, results):
    tag = OutputTag("late")
    items = keyed(make_env(1, **PER_RECORD), [("a", 1), ("a", 10), ("a", 2), ("a", 12)])
    stream = items.window(SESSIONS).side_output_late_data(tag).apply(show)
    assert results(stream) == [
        ("a", "TimeWindow(start=1, end=7)", [("a", 1)]),
        ("a", "TimeWindow(start=10, end=18)", [("a", 10), ("a", 12)]),
    ]
    assert results(stream.get_side_output(tag)) == [("a", 2)]


# --- state ----------------------------------------------------------------------------------------


class Counting(ProcessWindowFunction):
    """Counts its calls per window and per key, under one name with two types."""

    def open(self, runtime_context):
        self.calls = ValueStateDescriptor("calls", Types.LONG())
        self.per_key = runtime_context.get_state(self.calls)

    def process(self, key, context, elements):
        text = ValueStateDescriptor("calls", Types.STRING())
        state = context.window_state().get_state(text)
        state.update((state.value() or "") + "x")
        total = context.global_state().get_state(self.calls)
        total.update((total.value() or 0) + 1)
        yield context.window().start, len(elements), state.value(), total.value()
        assert self.per_key.value() == total.value()

    def clear(self, context):
        state = context.window_state().get_state(ValueStateDescriptor("calls", Types.STRING()))
        assert state.value()
        state.clear()
        assert state.value() is None


def test_state_of_windows_and_of_keys(make_env, results):
    items = keyed(make_env(1, **PER_RECORD), LATE)
    found = results(items.window(TUMBLING).allowed_lateness(10).process(Counting()))
    assert found == [(0, 1, "x", 1), (0, 2, "xx", 2), (10, 1, "x", 3), (20, 1, "x", 4)]


class Lists(ProcessWindowFunction):
    def process(self, key, context, elements):
        kept = context.window_state().get_list_state(ListStateDescriptor("kept", Types.LONG()))
        kept.add_all([v for _, v in elements])
        yield list(kept.get())


def test_every_window_has_its_own_state(env, results):
    stream = keyed(env, ITEMS, 30).window(SLIDING).process(Lists())
    found = sorted(results(stream))
    assert found == sorted([[1], [1, 7], [12], [12, 7], [3], [3], [25], [25]])


class AsksForWindowState(ProcessWindowFunction):
    def process(self, key, context, elements):
        try:
            context.window_state()
        except Exception as e:
            yield str(e)
        count = context.global_state().get_state(ValueStateDescriptor("n", Types.LONG()))
        count.update((count.value() or 0) + len(elements))
        yield count.value()


def test_windows_that_merge_have_no_state(env, results):
    found = results(
        keyed(env, [("a", 1), ("a", 3)], 9).window(SESSIONS).process(AsksForWindowState())
    )
    assert found == ["Per-window state is not allowed when using merging windows.", 2]


class Watermarks(ProcessWindowFunction):
    def process(self, key, context, elements):
        assert context.current_processing_time() > 1_600_000_000_000
        return [context.current_watermark()]


def test_time_in_window_functions(make_env, results):
    items = keyed(make_env(1, **PER_RECORD), [("a", 1), ("a", 21)])
    assert results(items.window(TUMBLING).process(Watermarks())) == [20, 2**63 - 1]


class Escapes(ProcessWindowFunction):
    """Uses its context after the call."""

    def process(self, key, context, elements):
        self.context = context
        return [1]

    def close(self):
        with pytest.raises(RuntimeError, match="valid during its calls only"):
            self.context.window()


def test_contexts_end(env, results):
    assert results(keyed(env, [("a", 1)]).window(TUMBLING).process(Escapes())) == [1]


# --- results --------------------------------------------------------------------------------------


class Endless(ProcessWindowFunction):
    def process(self, key, context, elements):
        number = 0
        while True:
            number += 1
            yield number


def test_an_endless_result(env):
    stream = keyed(env, [("a", 1), ("a", 2)]).window(TUMBLING).process(Endless())
    assert stream.execute_and_collect("endless", limit=5000) == list(range(1, 5001))


class Sides(ProcessWindowFunction):
    tag = OutputTag("sizes", Types.LONG())

    def process(self, key, context, elements):
        yield self.tag, len(elements)
        yield key


def test_side_outputs_of_window_functions(env, results):
    stream = keyed(env, ITEMS, 30).window(TUMBLING).process(Sides(), Types.STRING())
    assert sorted(results(stream)) == ["a", "a", "b", "b"]
    assert sorted(results(stream.get_side_output(Sides.tag))) == [1, 1, 1, 2]


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_results_may_be_none(env, results, nothing):
    assert results(keyed(env, ITEMS).window(TUMBLING).apply(lambda k, w, e: nothing)) == []


def test_output_types_are_applied(env, results):
    windowed = keyed(env, [("a", 1), ("a", 2)], 9).window(TUMBLING)
    row = Types.ROW_NAMED(["key", "size"], [Types.STRING(), Types.LONG()])
    applied = windowed.apply(lambda k, w, e: [(k, len(e))], row)
    assert results(applied) == [Row(key="a", size=2)]
    assert results(windowed.aggregate(Mean(), output_type=Types.DOUBLE())) == [1.5]
    assert results(windowed.reduce(Sum(), output_type=row)) == [Row(key="a", size=3)]


def test_elements_are_a_fresh_list(make_env, results):
    def spoil(key, window, elements):
        size = len(elements)
        elements.clear()
        return [size]

    items = keyed(make_env(1, **PER_RECORD), LATE)
    found = results(items.window(TUMBLING).allowed_lateness(10).apply(spoil))
    assert found == [1, 2, 1, 1]


def test_keys_come_as_they_were(env, results):
    items = timed(env.from_collection([("a", 1), ("b", 2)])).key_by(
        lambda v: (v[0], [v[1]]), Types.TUPLE([Types.STRING(), Types.LIST(Types.LONG())])
    )
    found = results(items.window(TUMBLING).apply(lambda key, w, e: [key]))
    assert sorted(found) == [("a", [1]), ("b", [2])]


@pytest.mark.parametrize("parallelism", [1, 3])
def test_parallel_windows(make_env, results, parallelism):
    items = [(i % 17, i) for i in range(500)]
    stream = keyed(make_env(parallelism), items, 10).window(TUMBLING).sum(1)
    expected: dict[tuple[int, int], int] = {}
    for key, at in items:
        expected[key, at // 10] = expected.get((key, at // 10), 0) + at
    assert sorted(results(stream)) == sorted((k, s) for (k, _), s in expected.items())


class Ticks(SourceFunction):
    """Emits until it is cancelled."""

    def __init__(self):
        super().__init__()
        self.stopped = threading.Event()

    def __reduce__(self):
        return Ticks, ()

    def run(self, ctx):
        while not self.stopped.wait(0.002):
            ctx.collect(("a", 1))

    def cancel(self):
        self.stopped.set()


@pytest.mark.parametrize(
    "assigner",
    [
        TumblingProcessingTimeWindows.of(ms(20)),
        SlidingProcessingTimeWindows.of(ms(20), ms(10)),
    ],
)
def test_windows_of_processing_time_close_by_the_clock(env, assigner):
    windowed = env.add_source(Ticks()).key_by(lambda v: v[0]).window(assigner)
    for size, start, end in windowed.apply(
        lambda k, w, e: [(len(e), w.start, w.end)]
    ).execute_and_collect("ticks", limit=3):
        assert size >= 1 and end - start == 20


def test_sessions_of_processing_time(env):
    pauses = env.add_source(Ticks()).map(lambda v: time.sleep(0.03) or v)
    windowed = pauses.key_by(lambda v: v[0]).window(ProcessingTimeSessionWindows.with_gap(ms(5)))
    found = windowed.apply(lambda k, w, e: [(len(e), w.end - w.start)])
    for size, length in found.execute_and_collect("pauses", limit=2):
        assert size >= 1 and length >= 5
