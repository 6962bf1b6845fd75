"""Windows, assigners, triggers and evictors as Python objects."""

import io
import pickle
import types

import pytest
from leat.common import Duration, Time
from leat.datastream.evictors import TimestampedValue
from leat.datastream.window import (
    ContinuousEventTimeTrigger,
    ContinuousProcessingTimeTrigger,
    CountEvictor,
    CountSlidingWindowAssigner,
    CountTrigger,
    CountTumblingWindowAssigner,
    CountWindow,
    CountWindowSerializer,
    DeltaEvictor,
    DynamicEventTimeSessionWindows,
    DynamicProcessingTimeSessionWindows,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindow,
    GlobalWindows,
    GlobalWindowSerializer,
    NeverTrigger,
    ProcessingTimeSessionWindows,
    ProcessingTimeTrigger,
    PurgingTrigger,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TimeEvictor,
    TimeWindow,
    TimeWindowSerializer,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)
from leat.datastream.window_assigners import RecordedMerges
from leat.datastream.window_kinds import builtin_spec, read_window, write_window

CONTINUE, FIRE = TriggerResult.CONTINUE, TriggerResult.FIRE
LAST, LOWEST = 2**63 - 1, -(2**63)


def ms(count):
    return Time.milliseconds(count)


# --- windows --------------------------------------------------------------------------------------


def test_time_windows():
    w = TimeWindow(5, 10)
    assert (w.start, w.end, w.max_timestamp()) == (5, 10, 9)
    assert repr(w) == "TimeWindow(start=5, end=10)"
    assert w == TimeWindow(5, 10) != TimeWindow(5, 11)
    assert hash(w) == hash(TimeWindow(5, 10))
    assert w < TimeWindow(6, 7) and w <= TimeWindow(5, 10) and w > TimeWindow(5, 9)
    assert w != (5, 10)
    assert w.intersects(TimeWindow(10, 12)) and w.intersects(TimeWindow(0, 5))
    assert not w.intersects(TimeWindow(11, 12))
    assert w.cover(TimeWindow(8, 20)) == TimeWindow(5, 20)
    assert pickle.loads(pickle.dumps(w)) == w


@pytest.mark.parametrize(
    ("time", "offset", "size", "start"),
    [(7, 0, 5, 5), (-1, 0, 5, -5), (-5, 0, 5, -5), (7, 3, 5, 3), (7, -1, 5, 4), (2, 4, 5, -1)],
)
def test_starts_of_windows(time, offset, size, start):
    assert TimeWindow.get_window_start_with_offset(time, offset, size) == start


def test_merging_of_windows():
    callback = RecordedMerges()
    windows = [TimeWindow(20, 25), TimeWindow(3, 6), TimeWindow(1, 3), TimeWindow(24, 30)]
    TimeWindow.merge_windows([*windows, TimeWindow(40, 41)], callback)
    assert callback.merges == [
        ([TimeWindow(1, 3), TimeWindow(3, 6)], TimeWindow(1, 6)),
        ([TimeWindow(20, 25), TimeWindow(24, 30)], TimeWindow(20, 30)),
    ]
    TimeWindow.merge_windows([], RecordedMerges())


def test_other_windows():
    assert CountWindow(3) == CountWindow(3) != CountWindow(4)
    assert repr(CountWindow(3)) == "CountWindow(id=3)"
    assert len({CountWindow(3), CountWindow(3)}) == 1
    assert CountWindow(3).max_timestamp() == GlobalWindow().max_timestamp() == LAST
    assert GlobalWindow.get() == GlobalWindow() and repr(GlobalWindow()) == "GlobalWindow"
    assert len({GlobalWindow(), GlobalWindow()}) == 1


@pytest.mark.parametrize(
    ("serializer", "window", "size"),
    [
        (TimeWindowSerializer(), TimeWindow(-1, 2**62), 16),
        (CountWindowSerializer(), CountWindow(7), 8),
        (GlobalWindowSerializer(), GlobalWindow(), 1),
    ],
)
def test_serializers(serializer, window, size):
    stream = io.BytesIO()
    serializer.serialize(window, stream)
    assert len(stream.getvalue()) == size
    assert serializer.deserialize(io.BytesIO(stream.getvalue())) == window
    assert read_window(serializer, write_window(serializer, window)) == window


class Named(TimeWindow):
    def __init__(self, start, end, name, label):
        super().__init__(start, end)
        self.name = name
        self.label = label


def test_windows_of_own_classes_are_pickled_without_regard_to_identity():
    name = "".join(["a", "b", "c"])
    one = write_window(None, Named(1, 2, name, name))
    other = write_window(None, Named(1, 2, name, "".join(["ab", "c"])))
    assert one == other
    assert read_window(None, one).label == "abc"


# --- assigners ------------------------------------------------------------------------------------


class AssignerContext:
    """A clock, and one value state."""

    def __init__(self, now=0):
        self.now = now
        self.count = None

    def get_current_processing_time(self):
        return self.now

    def get_runtime_context(self):
        return self

    def get_state(self, descriptor):
        return self

    def value(self):
        return self.count

    def update(self, count):
        self.count = count


def assigned(assigner, time=0, now=0):
    return list(assigner.assign_windows("x", time, AssignerContext(now)))


def test_tumbling_windows():
    assert assigned(TumblingEventTimeWindows.of(ms(10)), 25) == [TimeWindow(20, 30)]
    assert assigned(TumblingEventTimeWindows.of(ms(10), ms(3)), 2) == [TimeWindow(-7, 3)]
    assert assigned(TumblingProcessingTimeWindows.of(ms(10)), 3, 25) == [TimeWindow(20, 30)]
    assert assigned(TumblingEventTimeWindows.of(Duration.of_millis(10)), 5) == [TimeWindow(0, 10)]


def test_sliding_windows():
    expected = [TimeWindow(4, 9), TimeWindow(2, 7), TimeWindow(0, 5)]
    assert assigned(SlidingEventTimeWindows.of(ms(5), ms(2)), 4) == expected
    assert assigned(SlidingProcessingTimeWindows.of(ms(5), ms(2)), 0, 4) == expected
    assert assigned(SlidingEventTimeWindows.of(ms(2), ms(5)), 4) == []  # between two windows
    assert assigned(SlidingEventTimeWindows.of(ms(5), ms(5), ms(1)), 0) == [TimeWindow(-4, 1)]


def test_sessions():
    assert assigned(EventTimeSessionWindows.with_gap(ms(5)), 7) == [TimeWindow(7, 12)]
    assert assigned(ProcessingTimeSessionWindows.with_gap(ms(5)), 7, 9) == [TimeWindow(9, 14)]
    dynamic = EventTimeSessionWindows.with_dynamic_gap(len)
    assert isinstance(dynamic, DynamicEventTimeSessionWindows)
    assert assigned(dynamic, 7) == [TimeWindow(7, 8)]

    class Gap(SessionWindowTimeGapExtractor):
        def extract(self, element):
            return 4

    dynamic = ProcessingTimeSessionWindows.with_dynamic_gap(Gap())
    assert isinstance(dynamic, DynamicProcessingTimeSessionWindows)
    assert assigned(dynamic, 7, 9) == [TimeWindow(9, 13)]
    with pytest.raises(Exception, match="Dynamic session time gap must satisfy 0 < gap"):
        assigned(EventTimeSessionWindows.with_dynamic_gap(lambda e: 0), 7)
    with pytest.raises(TypeError, match="SessionWindowTimeGapExtractor or a callable"):
        EventTimeSessionWindows.with_dynamic_gap(5)


def test_count_windows():
    def run(assigner, count):
        context = AssignerContext()
        return [[w.id for w in assigner.assign_windows("x", 0, context)] for _ in range(count)]

    assert run(CountTumblingWindowAssigner.of(2), 5) == [[0], [0], [1], [1], [2]]
    assert run(CountSlidingWindowAssigner.of(3, 2), 5) == [[0], [0], [0, 1], [1], [1, 2]]
    assert run(CountSlidingWindowAssigner.of(2, 3), 4) == [[0], [0], [], [1]]


def test_global_windows():
    assert assigned(GlobalWindows.create()) == [GlobalWindow()]


@pytest.mark.parametrize(
    ("assigner", "text", "trigger", "serializer", "event_time"),
    [
        (
            TumblingEventTimeWindows.of(Time.seconds(5)),
            "TumblingEventTimeWindows(5000, 0)",
            EventTimeTrigger,
            TimeWindowSerializer,
            True,
        ),
        (
            TumblingProcessingTimeWindows.of(Time.seconds(5), ms(1)),
            "TumblingProcessingTimeWindows(5000, 1)",
            ProcessingTimeTrigger,
            TimeWindowSerializer,
            False,
        ),
        (
            SlidingEventTimeWindows.of(Time.seconds(5), Time.seconds(1)),
            "SlidingEventTimeWindows(5000, 1000, 0)",
            EventTimeTrigger,
            TimeWindowSerializer,
            True,
        ),
        (
            SlidingProcessingTimeWindows.of(Time.seconds(5), Time.seconds(1)),
            "SlidingProcessingTimeWindows(5000, 1000, 0)",
            ProcessingTimeTrigger,
            TimeWindowSerializer,
            False,
        ),
        (
            EventTimeSessionWindows.with_gap(ms(3)),
            "EventTimeSessionWindows(3)",
            EventTimeTrigger,
            TimeWindowSerializer,
            True,
        ),
        (
            ProcessingTimeSessionWindows.with_gap(ms(3)),
            "ProcessingTimeSessionWindows(3)",
            ProcessingTimeTrigger,
            TimeWindowSerializer,
            False,
        ),
        (
            CountTumblingWindowAssigner.of(3),
            "CountTumblingWindowAssigner(3)",
            CountTrigger,
            CountWindowSerializer,
            False,
        ),
        (
            CountSlidingWindowAssigner.of(3, 1),
            "CountSlidingWindowAssigner(3, 1)",
            CountTrigger,
            CountWindowSerializer,
            False,
        ),
        (GlobalWindows.create(), "GlobalWindows()", NeverTrigger, GlobalWindowSerializer, False),
    ],
)
def test_what_assigners_say_of_themselves(assigner, text, trigger, serializer, event_time):
    assert repr(assigner) == text
    assert type(assigner.get_default_trigger(None)) is trigger
    assert type(assigner.get_window_serializer()) is serializer
    assert assigner.is_event_time() is event_time


BAD_ASSIGNERS = [
    (lambda: TumblingEventTimeWindows.of(ms(5), ms(5)), r"abs\(offset\) < size"),
    (lambda: TumblingProcessingTimeWindows.of(ms(0)), r"abs\(offset\) < size"),
    (lambda: SlidingEventTimeWindows.of(ms(5), ms(5), ms(-5)), r"abs\(offset\) < slide and size"),
    (lambda: SlidingProcessingTimeWindows.of(ms(0), ms(5)), r"abs\(offset\) < slide and size"),
    (lambda: EventTimeSessionWindows.with_gap(ms(0)), "must satisfy 0 < size"),
    (lambda: ProcessingTimeSessionWindows.with_gap(ms(-1)), "must satisfy 0 < size"),
    (lambda: TumblingEventTimeWindows.of(5), "a Time is needed"),
    (lambda: TumblingEventTimeWindows.of(Time.seconds(0.0001)), "a Time is needed"),
    (lambda: TumblingEventTimeWindows(5.5, 0), "milliseconds as an int"),
    (lambda: CountTumblingWindowAssigner.of(0), "at least 1"),
    (lambda: CountSlidingWindowAssigner.of(1, "a"), "an int is needed"),
]


@pytest.mark.parametrize(("make", "message"), BAD_ASSIGNERS)
def test_bad_assigners(make, message):
    with pytest.raises(Exception, match=message):
        make()


@pytest.mark.parametrize(
    "assigner",
    [
        TumblingEventTimeWindows.of(ms(5)),
        SlidingEventTimeWindows.of(ms(5), ms(1)),
        EventTimeSessionWindows.with_gap(ms(5)),
    ],
)
def test_records_without_time(assigner):
    with pytest.raises(Exception, match="did you forget to call"):
        assigned(assigner, LOWEST)


# --- triggers -------------------------------------------------------------------------------------


class TriggerContext:
    """Remembers timers; state by the descriptor's name, for one window."""

    def __init__(self, watermark=LOWEST, now=0):
        self.watermark = watermark
        self.now = now
        self.timers = set()
        self.states = {}
        self.merged = []

    def get_current_watermark(self):
        return self.watermark

    def get_current_processing_time(self):
        return self.now

    def register_event_time_timer(self, time):
        self.timers.add(("event", time))

    def register_processing_time_timer(self, time):
        self.timers.add(("processing", time))

    def delete_event_time_timer(self, time):
        self.timers.discard(("event", time))

    def delete_processing_time_timer(self, time):
        self.timers.discard(("processing", time))

    def get_partitioned_state(self, descriptor):
        return self.states.setdefault(descriptor.get_name(), Reducing(descriptor))

    def merge_partitioned_state(self, descriptor):
        self.merged.append(descriptor.get_name())


class Reducing:
    def __init__(self, descriptor):
        self.reduce = descriptor.get_reduce_function()
        self.clear()

    def get(self):
        return self.value

    def add(self, value):
        self.value = value if self.value is None else self.reduce(self.value, value)

    def clear(self):
        self.value = None


W = TimeWindow(0, 10)


def test_event_time_trigger():
    trigger, ctx = EventTimeTrigger.create(), TriggerContext()
    assert trigger.on_element("x", 3, W, ctx) is CONTINUE
    assert ctx.timers == {("event", 9)}
    assert trigger.on_event_time(8, W, ctx) is CONTINUE
    assert trigger.on_event_time(9, W, ctx) is FIRE
    assert trigger.on_processing_time(9, W, ctx) is CONTINUE
    assert trigger.can_merge()
    trigger.clear(W, ctx)
    assert ctx.timers == set()
    trigger.on_merge(W, ctx)
    assert ctx.timers == {("event", 9)}
    late = TriggerContext(watermark=9)
    assert trigger.on_element("x", 3, W, late) is FIRE
    trigger.on_merge(W, late)
    assert late.timers == set()


def test_processing_time_trigger():
    trigger, ctx = ProcessingTimeTrigger.create(), TriggerContext()
    assert trigger.on_element("x", 3, W, ctx) is CONTINUE
    assert ctx.timers == {("processing", 9)}
    assert trigger.on_event_time(9, W, ctx) is CONTINUE
    assert trigger.on_processing_time(9, W, ctx) is FIRE
    trigger.clear(W, ctx)
    trigger.on_merge(W, ctx)
    assert ctx.timers == {("processing", 9)} and trigger.can_merge()


def test_continuous_event_time_trigger():
    trigger, ctx = ContinuousEventTimeTrigger.of(ms(4)), TriggerContext()
    assert trigger.on_element("x", 5, W, ctx) is CONTINUE
    assert ctx.timers == {("event", 8), ("event", 9)}
    assert trigger.on_event_time(7, W, ctx) is CONTINUE
    assert trigger.on_event_time(8, W, ctx) is FIRE
    assert ctx.states["fire_timestamp"].value == 9  # not beyond the window
    assert trigger.on_event_time(9, W, ctx) is FIRE
    trigger.on_merge(W, ctx)
    assert ctx.merged == ["fire_timestamp"] and trigger.can_merge()
    trigger.clear(W, ctx)
    assert ctx.timers == {("event", 8)} and ctx.states["fire_timestamp"].value is None
    assert trigger.on_element("x", 5, W, TriggerContext(watermark=20)) is FIRE
    assert trigger.on_processing_time(5, W, ctx) is CONTINUE


def test_continuous_processing_time_trigger():
    trigger, ctx = ContinuousProcessingTimeTrigger.of(ms(4)), TriggerContext(now=5)
    assert trigger.on_element("x", 0, W, ctx) is CONTINUE
    assert ("processing", 8) in ctx.timers
    assert trigger.on_processing_time(8, W, ctx) is FIRE
    assert trigger.on_processing_time(7, W, ctx) is CONTINUE
    assert trigger.on_event_time(8, W, ctx) is CONTINUE
    trigger.on_merge(W, ctx)
    trigger.clear(W, ctx)
    assert ctx.states["fire_timestamp"].value is None and trigger.can_merge()


def test_count_trigger():
    trigger, ctx = CountTrigger.of(2), TriggerContext()
    assert [trigger.on_element("x", 0, W, ctx) for _ in range(4)] == [CONTINUE, FIRE] * 2
    trigger.on_element("x", 0, W, ctx)
    trigger.clear(W, ctx)
    assert trigger.on_element("x", 0, W, ctx) is CONTINUE
    trigger.on_merge(W, ctx)
    assert ctx.merged and trigger.can_merge()
    assert trigger.on_event_time(1, W, ctx) is trigger.on_processing_time(1, W, ctx) is CONTINUE


def test_purging_trigger():
    trigger, ctx = PurgingTrigger.of(CountTrigger.of(2)), TriggerContext()
    results = [trigger.on_element("x", 0, W, ctx) for _ in range(2)]
    assert results == [CONTINUE, TriggerResult.FIRE_AND_PURGE]
    assert PurgingTrigger.of(EventTimeTrigger()).on_event_time(9, W, ctx).is_purge()
    assert PurgingTrigger.of(ProcessingTimeTrigger()).on_processing_time(9, W, ctx).is_fire()
    assert trigger.can_merge() and not PurgingTrigger.of(NeverTrigger()).can_merge()
    trigger.on_merge(W, ctx)
    trigger.clear(W, ctx)
    assert ctx.states["trigger_counter"].value is None
    with pytest.raises(TypeError, match="needs a Trigger"):
        PurgingTrigger.of(3)


def test_never_trigger():
    trigger, ctx = NeverTrigger(), TriggerContext()
    assert trigger.on_element("x", 0, W, ctx) is trigger.on_event_time(9, W, ctx) is CONTINUE
    assert trigger.on_processing_time(9, W, ctx) is CONTINUE
    trigger.on_merge(W, ctx)
    trigger.clear(W, ctx)


def test_trigger_results():
    assert [r.name for r in TriggerResult if r.is_fire()] == ["FIRE_AND_PURGE", "FIRE"]
    assert [r.name for r in TriggerResult if r.is_purge()] == ["FIRE_AND_PURGE", "PURGE"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: CountTrigger.of(0),
        lambda: CountTrigger.of("2"),
        lambda: ContinuousEventTimeTrigger.of(5),
        lambda: ContinuousProcessingTimeTrigger.of(ms(0)),
    ],
)
def test_bad_triggers(make):
    with pytest.raises((TypeError, ValueError), match="is needed"):
        make()


# --- evictors -------------------------------------------------------------------------------------


def evicted(evictor, times, after=False):
    elements = [TimestampedValue(t, t) for t in times]
    (evictor.evict_after if after else evictor.evict_before)(elements, len(elements), W, None)
    return [e.get_value() for e in elements]


def test_evictors():
    assert evicted(CountEvictor.of(2), [1, 2, 3]) == [2, 3]
    assert evicted(CountEvictor.of(5), [1, 2, 3]) == [1, 2, 3]
    assert evicted(CountEvictor.of(1, True), [1, 2]) == [1, 2]
    assert evicted(CountEvictor.of(1, True), [1, 2], after=True) == [2]
    assert evicted(TimeEvictor.of(ms(2)), [5, 3, 4, 1]) == [5, 4]
    assert evicted(TimeEvictor.of(ms(2)), [None, 5, 3]) == [None, 5]
    assert evicted(DeltaEvictor.of(2, lambda a, b: b - a), [1, 4, 5]) == [4, 5]
    for make in (
        lambda: CountEvictor.of("a"),
        lambda: TimeEvictor.of(5),
        lambda: DeltaEvictor.of("a", len),
        lambda: DeltaEvictor.of(1, 2),
    ):
        with pytest.raises(TypeError):
            make()


# --- what the library does itself -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("component", "spec"),
    [
        (TumblingEventTimeWindows.of(ms(5), ms(1)), "tumbling_event_time 5 1"),
        (EventTimeSessionWindows.with_gap(ms(5)), "session_event_time 5"),
        (EventTimeSessionWindows.with_dynamic_gap(len), "session_event_time"),
        (CountSlidingWindowAssigner.of(3, 1), "count_sliding 3 1"),
        (GlobalWindows.create(), "global"),
        (CountTrigger.of(3), "count 3"),
        (PurgingTrigger.of(EventTimeTrigger()), None),
        (CountEvictor.of(3, True), "count 3 1"),
        (DeltaEvictor.of(1, len), "delta 1.0 0"),
    ],
)
def test_specs(component, spec):
    assert builtin_spec(component) == spec


def test_subclasses_run_in_python():
    class Mine(CountTrigger):
        pass

    assert builtin_spec(Mine(3)) is None


def test_bases_take_types_in_brackets():
    from leat.common.serializer import TypeSerializer
    from leat.datastream import ProcessWindowFunction, TimeWindow, Trigger, WindowAssigner

    for base in (
        ProcessWindowFunction,
        ProcessWindowFunction.Context,
        Trigger,
        WindowAssigner,
        TypeSerializer,
    ):
        assert issubclass(type("Own", (base,), {}), base)
        assert types.new_class("Own", (base[tuple, TimeWindow],)).__mro__[1] is base
