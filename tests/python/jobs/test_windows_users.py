"""Assigners, triggers and evictors of users, beside Leat's own; and what they do wrong."""

from __future__ import annotations

import pytest
from leat.common import Types
from leat.common.errors import JobError
from leat.datastream.functions import AggregateFunction, WindowFunction
from leat.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    ValueStateDescriptor,
)
from leat.datastream.window import (
    ContinuousEventTimeTrigger,
    CountEvictor,
    CountTrigger,
    CountTumblingWindowAssigner,
    DeltaEvictor,
    DeltaFunction,
    EventTimeSessionWindows,
    EventTimeTrigger,
    Evictor,
    GlobalWindows,
    MergingWindowAssigner,
    NeverTrigger,
    ProcessingTimeTrigger,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    TimeEvictor,
    TimeWindow,
    TimeWindowSerializer,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    WindowAssigner,
)
from window_parts import (
    CONTINUE,
    FIRE,
    PER_RECORD,
    EverySecond,
    Mean,
    Named,
    NamedSerializer,
    ShowProcess,
    Span,
    Sum,
    keyed,
    ms,
    show,
)

TUMBLING = TumblingEventTimeWindows.of(ms(10))
SESSIONS = EventTimeSessionWindows.with_gap(ms(6))
ITEMS = [("a", 1), ("b", 3), ("a", 12), ("a", 7), ("b", 25), ("a", 2)]


def same(results, env, one, other, function=show):
    """Both give the same windows of the same items."""
    found = [
        sorted(results(stream(keyed(env, ITEMS, 30)).apply(function))) for stream in (one, other)
    ]
    assert found[0] == found[1]
    return found[0]


# --- assigners ------------------------------------------------------------------------------------


class MyTumbling(TumblingEventTimeWindows):
    """A subclass runs in Python."""


class MySliding(SlidingEventTimeWindows):
    pass


class MySessions(EventTimeSessionWindows):
    pass


class MyCounts(CountTumblingWindowAssigner):
    pass


class MyGlobal(GlobalWindows):
    pass


@pytest.mark.parametrize(
    ("native", "mine"),
    [
        (TUMBLING, MyTumbling(10, 0)),
        (SlidingEventTimeWindows(10, 5, 0), MySliding(10, 5, 0)),
        (SESSIONS, MySessions(6)),
        (CountTumblingWindowAssigner(2), MyCounts(2)),
    ],
)
def test_assigners_in_python_do_what_native_ones_do(env, results, native, mine):
    assert same(results, env, lambda k: k.window(native), lambda k: k.window(mine))


def test_global_windows_in_python(env, results):
    def fired(assigner):
        return lambda k: k.window(assigner).trigger(CountTrigger.of(2))

    assert same(results, env, fired(GlobalWindows.create()), fired(MyGlobal()))


class ByName(WindowAssigner):
    """Every record goes to a window of its own name, and to one of all."""

    def __init__(self, serializer):
        self.serializer = serializer

    def assign_windows(self, element, timestamp, context):
        assert context.get_current_processing_time() > 1_600_000_000_000
        assert context.get_runtime_context().get_index_of_this_subtask() == 0
        number = timestamp // 10
        long_name = element[0] * 40
        return (Named(number, name) for name in (long_name, "all"))

    def get_default_trigger(self, env):
        return EventTimeTrigger.create()

    def get_window_serializer(self):
        return self.serializer

    def is_event_time(self):
        return True


class Names(WindowFunction):
    def apply(self, key, window, inputs):
        yield key, window.name[:3], window.number, inputs


@pytest.mark.parametrize("serializer", [None, NamedSerializer()])
@pytest.mark.parametrize("trigger", [None, EverySecond()])
def test_windows_of_own_classes(env, results, serializer, trigger):
    windowed = keyed(env, ITEMS, 30).window(ByName(serializer))
    windowed = windowed if trigger is None else windowed.trigger(trigger)
    found = results(windowed.apply(Names()))
    firsts = [("a", name, 0, [("a", 1), ("a", 7), ("a", 2)]) for name in ("aaa", "all")]
    assert all(found.count(f) == 1 for f in firsts)
    assert len(found) == (8 if trigger is None else 10)
    assert results(keyed(env, ITEMS, 30).window(ByName(serializer)).sum(1).map(len)) == [2] * 8


class PerUser(MergingWindowAssigner):
    """Windows of ten around each record, merged when they overlap; of TimeWindows."""

    def assign_windows(self, element, timestamp, context):
        return [TimeWindow(timestamp - 3, timestamp + 3)]

    def merge_windows(self, windows, callback):
        assert all(type(w) is TimeWindow for w in windows)
        TimeWindow.merge_windows(windows, callback)

    def get_default_trigger(self, env):
        return EventTimeTrigger.create()

    def get_window_serializer(self):
        return TimeWindowSerializer()

    def is_event_time(self):
        return True


def test_merging_assigners_of_users(env, results):
    stream = keyed(env, ITEMS, 30).window(PerUser())
    assert sorted(results(stream.apply(show))) == [
        ("a", "TimeWindow(start=-2, end=15)", [("a", 1), ("a", 12), ("a", 7), ("a", 2)]),
        ("b", "TimeWindow(start=0, end=6)", [("b", 3)]),
        ("b", "TimeWindow(start=22, end=28)", [("b", 25)]),
    ]
    assert sorted(results(keyed(env, ITEMS, 30).window(PerUser()).aggregate(Mean()))) == [
        3,
        5.5,
        25,
    ]


class Spans(MergingWindowAssigner):
    def assign_windows(self, element, timestamp, context):
        return [Span(timestamp, timestamp + 6)]

    def merge_windows(self, windows, callback):
        done = sorted(windows, key=lambda w: w.start)
        group = done[:1]
        for span in done[1:]:
            if span.start <= max(w.end for w in group):
                group.append(span)
        if len(group) > 1:
            callback.merge(group, Span(group[0].start, max(w.end for w in group)))

    def get_default_trigger(self, env):
        return EventTimeTrigger.create()

    def get_window_serializer(self):
        return None

    def is_event_time(self):
        return True


def test_windows_of_own_classes_merge(env, results):
    items = [("a", 1), ("a", 12), ("a", 7), ("a", 2)]
    found = results(
        keyed(env, items, 30).window(Spans()).trigger(EverySecond()).process(ShowProcess())
    )
    whole = ("a", "Span(start=1, end=18, label='span')", items)
    assert found == [whole, whole]  # with the fourth element, and at the end


# --- triggers -------------------------------------------------------------------------------------


class MyEventTime(EventTimeTrigger):
    """As Leat's own, in Python."""


class MyContinuous(ContinuousEventTimeTrigger):
    pass


class MyCount(CountTrigger):
    pass


class Delegating(Trigger):
    """Asks triggers of Leat's own from a trigger of a user's."""

    def __init__(self):
        self.end = EventTimeTrigger.create()
        self.count = CountTrigger.of(2)

    def on_element(self, element, timestamp, window, ctx):
        self.end.on_element(element, timestamp, window, ctx)
        return self.count.on_element(element, timestamp, window, ctx)

    def on_event_time(self, time, window, ctx):
        return self.end.on_event_time(time, window, ctx)

    def on_processing_time(self, time, window, ctx):
        return CONTINUE

    def can_merge(self):
        return True

    def on_merge(self, window, ctx):
        self.end.on_merge(window, ctx)
        self.count.on_merge(window, ctx)

    def clear(self, window, ctx):
        self.end.clear(window, ctx)
        self.count.clear(window, ctx)


TRIGGERS = {
    "event time": (EventTimeTrigger.create(), MyEventTime()),
    "continuous": (ContinuousEventTimeTrigger(4), MyContinuous(4)),
    "count": (CountTrigger(2), MyCount(2)),
    "purging": (PurgingTrigger.of(CountTrigger(2)), PurgingTrigger.of(MyCount(2))),
    "purging twice": (
        PurgingTrigger.of(PurgingTrigger.of(EventTimeTrigger())),
        PurgingTrigger.of(PurgingTrigger.of(MyEventTime())),
    ),
}


@pytest.mark.parametrize("assigner", [TUMBLING, SESSIONS, SlidingEventTimeWindows(10, 5, 0)])
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_triggers_in_python_do_what_native_ones_do(make_env, results, trigger, assigner):
    one, other = TRIGGERS[trigger]
    items = [("a", 1), ("a", 3), ("b", 2), ("a", 9), ("a", 14), ("b", 21), ("a", 4), ("a", 30)]
    found = [
        results(
            keyed(make_env(1, **PER_RECORD), items)
            .window(assigner)
            .trigger(t)
            .allowed_lateness(15)
            .apply(show)
        )
        for t in (one, other)
    ]
    assert found[0] == found[1] and found[0]


def test_triggers_of_users_ask_native_ones(env, results):
    one, other = EverySecond(), Delegating()
    assert same(
        results,
        env,
        lambda k: k.window(TUMBLING).trigger(one),
        lambda k: k.window(TUMBLING).trigger(other),
    )


class Moving(Trigger):
    """Deletes its timers again, but for one; keeps a list and a value of the window."""

    def on_element(self, element, timestamp, window, ctx):
        assert ctx.get_current_processing_time() > 1_600_000_000_000
        for time in (timestamp + 1, timestamp + 2, window.max_timestamp()):
            ctx.register_event_time_timer(time)
        ctx.register_processing_time_timer(2**62)
        ctx.delete_processing_time_timer(2**62)
        ctx.delete_event_time_timer(timestamp + 2)
        ctx.delete_event_time_timer(12345)
        seen = ctx.get_partitioned_state(ListStateDescriptor("seen", Types.LONG()))
        seen.add(timestamp)
        total = ctx.get_partitioned_state(ValueStateDescriptor("total", Types.LONG()))
        total.update(sum(seen.get()))
        return CONTINUE

    def on_event_time(self, time, window, ctx):
        total = ctx.get_partitioned_state(ValueStateDescriptor("total", Types.LONG()))
        assert total.value() == time - 1 or time == window.max_timestamp(), time
        return FIRE

    def on_processing_time(self, time, window, ctx):
        raise AssertionError(time)

    def on_merge(self, window, ctx):
        raise AssertionError(window)

    def clear(self, window, ctx):
        for descriptor in (ListStateDescriptor("seen", Types.LONG()),):
            ctx.get_partitioned_state(descriptor).clear()
        ctx.get_partitioned_state(ValueStateDescriptor("total", Types.LONG())).clear()


def test_timers_and_state_of_triggers(make_env, results):
    items = keyed(make_env(1, **PER_RECORD), [("a", 3), ("a", 15), ("b", 22), ("b", 40)])
    found = results(items.window(TUMBLING).trigger(Moving()).apply(lambda k, w, e: [(k, w.start)]))
    assert sorted(found) == [("a", 0)] * 2 + [("a", 10)] * 2 + [("b", 20)] * 2 + [("b", 40)] * 2


class Longest(AggregateFunction):
    def create_accumulator(self):
        return 0

    def add(self, value, accumulator):
        return max(value, accumulator)

    def get_result(self, accumulator):
        return accumulator

    def merge(self, acc_a, acc_b):
        return max(acc_a, acc_b)


class MergesAll(EverySecond):
    """Merges list and aggregating state, and may not merge a value."""

    def on_element(self, element, timestamp, window, ctx):
        ctx.get_partitioned_state(ListStateDescriptor("list", Types.LONG())).add(timestamp)
        ctx.get_partitioned_state(AggregatingStateDescriptor("top", Longest(), Types.LONG())).add(
            timestamp
        )
        ctx.register_event_time_timer(window.max_timestamp())
        return CONTINUE

    def on_merge(self, window, ctx):
        ctx.merge_partitioned_state(ListStateDescriptor("list", Types.LONG()))
        ctx.merge_partitioned_state(AggregatingStateDescriptor("top", Longest(), Types.LONG()))
        with pytest.raises(TypeError, match="cannot be merged"):
            ctx.merge_partitioned_state(ValueStateDescriptor("value", Types.LONG()))
        ctx.register_event_time_timer(window.max_timestamp())

    def on_event_time(self, time, window, ctx):
        listed = ctx.get_partitioned_state(ListStateDescriptor("list", Types.LONG())).get()
        top = ctx.get_partitioned_state(AggregatingStateDescriptor("top", Longest(), Types.LONG()))
        assert sorted(listed) == [1, 2, 7, 12] and top.get() == 12
        return FIRE

    def clear(self, window, ctx):
        pass


def test_state_of_triggers_merges(env, results):
    items = [("a", 1), ("a", 12), ("a", 7), ("a", 2)]
    stream = keyed(env, items, 30).window(SESSIONS).trigger(MergesAll())
    assert results(stream.sum(1)) == [("a", 22)]


class AtOnce(ProcessingTimeTrigger):
    """A timer of processing time that is due."""

    def on_element(self, element, timestamp, window, ctx):
        ctx.register_processing_time_timer(ctx.get_current_processing_time())
        return CONTINUE


def test_triggers_of_processing_time(env):
    from test_windows import Ticks

    windowed = env.add_source(Ticks()).key_by(lambda v: v[0]).window(GlobalWindows.create())
    counts = windowed.trigger(PurgingTrigger.of(AtOnce())).count()
    assert all(c >= 1 for c in counts.execute_and_collect("at once", limit=3))


def test_a_trigger_that_never_fires(env, results):
    assert results(keyed(env, ITEMS).window(TUMBLING).trigger(NeverTrigger()).sum(1)) == []


class PurgesOnly(EverySecond):
    def on_element(self, element, timestamp, window, ctx):
        ctx.register_event_time_timer(window.max_timestamp())
        return TriggerResult.PURGE if element[1] == 7 else CONTINUE


def test_purging_without_firing(env, results):
    stream = keyed(env, ITEMS, 30).window(TUMBLING).trigger(PurgesOnly()).apply(show)
    assert ("a", "TimeWindow(start=0, end=10)", [("a", 2)]) in results(stream)


# --- evictors -------------------------------------------------------------------------------------


class RemovesOdd(Evictor):
    """Changes the list."""

    def evict_before(self, elements, size, window, evictor_context):
        assert size == len(elements) and window.end - window.start == 10
        assert evictor_context.get_current_watermark() >= -(2**63)
        assert evictor_context.get_current_processing_time() > 0
        for element in list(elements):
            if element.get_timestamp() % 2:
                elements.remove(element)

    def evict_after(self, elements, size, window, evictor_context):
        pass


class KeepsEven(Evictor):
    """Yields what stays."""

    def evict_before(self, elements, size, window, evictor_context):
        return (e for e in elements if e.get_value()[1] % 2 == 0)

    def evict_after(self, elements, size, window, evictor_context):
        return elements


@pytest.mark.parametrize("evictor", [RemovesOdd(), KeepsEven()])
def test_evictors_of_users(env, results, evictor):
    windowed = keyed(env, ITEMS, 30).window(TUMBLING).evictor(evictor)
    assert sorted(results(windowed.apply(show))) == [
        ("a", "TimeWindow(start=0, end=10)", [("a", 2)]),
        ("a", "TimeWindow(start=10, end=20)", [("a", 12)]),
        ("b", "TimeWindow(start=0, end=10)", []),
        ("b", "TimeWindow(start=20, end=30)", []),
    ]


@pytest.mark.parametrize(
    ("evictor", "kept"),
    [
        (CountEvictor.of(2), [[1, 2], [3, 4], [4, 5]]),
        (CountEvictor.of(1, do_evict_after=True), [[1, 2], [2, 3, 4], [4, 5, 6]]),
        (TimeEvictor.of(ms(2)), [[1, 2], [3, 4], [5, 6]]),
        (DeltaEvictor.of(2, lambda old, new: new[1] - old[1]), [[1, 2], [3, 4], [5, 6]]),
    ],
)
def test_native_evictors(env, results, evictor, kept):
    items = [("a", i) for i in range(1, 7)]
    windowed = keyed(env, items).window(GlobalWindows.create()).trigger(CountTrigger.of(2))
    found = results(windowed.evictor(evictor).apply(lambda k, w, e: [[v[1] for v in e]]))
    if isinstance(evictor, CountEvictor) and not evictor._after:
        kept = [[1, 2], [3, 4], [5, 6]]
    assert found == kept


class Distance(DeltaFunction):
    def get_delta(self, old_data_point, new_data_point):
        return abs(new_data_point[1] - old_data_point[1])


def test_evictors_with_reducers_and_aggregates(env, results):
    windowed = keyed(env, ITEMS, 30).window(TUMBLING).evictor(DeltaEvictor.of(4, Distance()))
    assert sorted(results(windowed.reduce(Sum()))) == [("a", 3), ("a", 12), ("b", 3), ("b", 25)]
    assert sorted(results(windowed.aggregate(Mean()))) == [1.5, 3, 12, 25]
    counted = keyed(env, ITEMS, 30).window(TUMBLING).evictor(CountEvictor.of(2)).count()
    assert sorted(results(counted)) == [1, 1, 1, 2]


class Gap(SessionWindowTimeGapExtractor):
    """As long as the second item."""

    def __call__(self, element):
        raise AssertionError("extract is meant")

    def extract(self, element):
        return element[1]


def test_gaps_of_sessions(env, results):
    dynamic = EventTimeSessionWindows.with_dynamic_gap(Gap())
    items = [("a", 3), ("a", 5), ("a", 11), ("a", 4)]
    assert results(keyed(env, items, 30).window(dynamic).apply(show)) == [
        ("a", "TimeWindow(start=3, end=10)", [("a", 3), ("a", 5), ("a", 4)]),
        ("a", "TimeWindow(start=11, end=22)", [("a", 11)]),
    ]


# --- what goes wrong ------------------------------------------------------------------------------


class Raises(Exception):
    pass


def raising(base, method):
    """An object of a subclass whose method raises."""

    def fail(self, *arguments):
        raise Raises(method)

    return type("Broken", (base,), {method: fail})


def windowed_wrongly(stream, what):
    windowed = stream.window(TUMBLING)
    if what == "trigger.on_element":
        return windowed.trigger(raising(EverySecond, "on_element")()).sum(1)
    if what == "trigger.on_event_time":
        return windowed.trigger(raising(EverySecond, "on_event_time")()).sum(1)
    if what == "trigger.clear":
        return windowed.trigger(raising(EverySecond, "clear")()).sum(1)
    if what == "trigger.on_merge":
        return stream.window(SESSIONS).trigger(raising(EverySecond, "on_merge")()).sum(1)
    if what == "trigger result":
        return windowed.trigger(NoResult()).sum(1)
    if what == "assigner":
        return stream.window(raising(MyTumbling, "assign_windows")(10, 0)).sum(1)
    if what == "assigner result":
        return stream.window(NoWindows(10, 0)).sum(1)
    if what == "assigner items":
        return stream.window(Numbers(10, 0)).sum(1)
    if what == "merge_windows":
        return stream.window(raising(PerUser, "merge_windows")()).sum(1)
    if what == "serializer":
        return stream.window(ByName(raising(NamedSerializer, "serialize")())).sum(1)
    if what == "evictor":
        return windowed.evictor(raising(RemovesOdd, "evict_before")()).sum(1)
    if what == "evictor result":
        return windowed.evictor(Strangers()).sum(1)
    if what == "gap":
        return stream.window(EventTimeSessionWindows.with_dynamic_gap(lambda e: "a")).sum(1)
    if what == "zero gap":
        return stream.window(EventTimeSessionWindows.with_dynamic_gap(lambda e: 0)).sum(1)
    if what == "delta":
        return windowed.evictor(DeltaEvictor.of(1, lambda a, b: None)).sum(1)
    if what == "add":
        return windowed.aggregate(raising(Mean, "add")())
    if what == "accumulator":
        return windowed.aggregate(Mean(), accumulator_type=Types.STRING())
    if what == "result type":
        return windowed.aggregate(Mean(), output_type=Types.STRING())
    if what == "process":
        return windowed.process(raising(ShowProcess, "process")())
    if what == "close":
        return windowed.process(raising(ShowProcess, "clear")())
    assert what == "results"
    return windowed.apply(lambda k, w, e: 5)


class NoResult(EverySecond):
    def on_element(self, element, timestamp, window, ctx):
        return None


class NoWindows(TumblingEventTimeWindows):
    def assign_windows(self, element, timestamp, context):
        return None


class Numbers(TumblingEventTimeWindows):
    def assign_windows(self, element, timestamp, context):
        return [timestamp]


class Strangers(KeepsEven):
    def evict_before(self, elements, size, window, evictor_context):
        return [object()]


WRONG = {
    "trigger.on_element": "Raises: on_element",
    "trigger.on_event_time": "Raises: on_event_time",
    "trigger.clear": "Raises: clear",
    "trigger.on_merge": "Raises: on_merge",
    "trigger result": r"on_element\(\) returned None; it must return a TriggerResult",
    "assigner": "Raises: assign_windows",
    "assigner result": "returned None; it must return the record's windows",
    "assigner items": "is not a Window",
    "merge_windows": "Raises: merge_windows",
    "serializer": "Raises: serialize",
    "evictor": "Raises: evict_before",
    "evictor result": "what is no element of the window",
    "gap": "the gap of a session is an int, in milliseconds, not str",
    "zero gap": "Dynamic session time gap must satisfy 0 < gap",
    "delta": "must be real number",
    "add": "Raises: add",
    "accumulator": "a str is needed|STRING|not a",
    "result type": "STRING|str",
    "process": "Raises: process",
    "close": "Raises: clear",
    "results": "must return an iterable",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_goes_wrong_is_told(env, results, what):
    stream = windowed_wrongly(keyed(env, [("a", 1), ("a", 3), ("a", 8)], 9), what)
    with pytest.raises(JobError, match=WRONG[what]) as caught:
        results(stream)
    assert stream.get_name() in str(caught.value)


@pytest.mark.parametrize("assigner", [TUMBLING, SESSIONS, MyTumbling(10, 0), MySessions(6)])
def test_records_without_event_time(env, results, assigner):
    stream = env.from_collection([("a", 1)]).key_by(lambda v: v[0]).window(assigner).sum(1)
    with pytest.raises(JobError, match="did you forget to call"):
        results(stream)
