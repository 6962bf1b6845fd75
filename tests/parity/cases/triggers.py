"""Count and global windows, processing time, triggers, windows and triggers of users."""

import time

from parity_case import Family, paced
from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction, ProcessWindowFunction, WindowFunction
from pyflink.datastream.state import ReducingStateDescriptor, ValueStateDescriptor
from pyflink.datastream.window import (
    ContinuousEventTimeTrigger,
    CountSlidingWindowAssigner,
    CountTrigger,
    CountTumblingWindowAssigner,
    CountWindow,
    EventTimeSessionWindows,
    EventTimeTrigger,
    GlobalWindow,
    GlobalWindows,
    MergingWindowAssigner,
    NeverTrigger,
    ProcessingTimeSessionWindows,
    ProcessingTimeTrigger,
    PurgingTrigger,
    SlidingEventTimeWindows,
    SlidingProcessingTimeWindows,
    TimeWindow,
    TimeWindowSerializer,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
    WindowAssigner,
)

family = Family()
case, each = family.case, family.each

EVENTS = [("a", 1), ("b", 3), ("a", 4), ("a", 11), ("b", 12), ("a", 17), ("a", 31), ("b", 58)]
DISORDER = [("a", 5), ("a", 14), ("a", 7), ("a", 25), ("a", 8), ("a", 16), ("a", 40), ("a", 3)]


def ms(n):
    return Time.milliseconds(n)


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Lists(WindowFunction):
    def apply(self, key, window, inputs):
        yield key, repr(window), [v[1] for v in inputs]


def add(a, b):
    return a[0], a[1] + b[1]


def numbered(env):
    return env.from_collection([("a", i) for i in range(8)] + [("b", 9)]).key_by(lambda v: v[0])


def keyed(env, values=None):
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())
    stream = paced(env, EVENTS if values is None else values)
    return stream.assign_timestamps_and_watermarks(strategy).key_by(lambda v: v[0])


def plain(env):
    return env.from_collection([("a", i) for i in range(8)])


# --- Count windows --------------------------------------------------------------------------------

COUNTS = {
    "tumbling": (3, 0),
    "one": (1, 0),
    "larger_than_input": (20, 0),
    "sliding": (3, 2),
    "sliding_with_gaps": (2, 3),
    "sliding_by_one": (3, 1),
    "sliding_equal": (3, 3),
}


@each(COUNTS)
def count_window(env, argument):
    return numbered(env).count_window(*argument).apply(Lists())


@each(COUNTS)
def count_window_reduced(env, argument):
    return numbered(env).count_window(*argument).reduce(add)


@each({"tumbling": (3, 0), "sliding": (3, 2)}, batch=True)
def count_window_in_batch(env, argument):
    return numbered(env).count_window(*argument).reduce(add)


@each({"zero": (0, 0), "negative": (-1, 0), "negative_slide": (3, -1), "string": ("3", 0)})
def count_window_bad(env, argument):
    return numbered(env).count_window(*argument).reduce(add)


@each(
    {
        "tumbling": lambda: CountTumblingWindowAssigner.of(3),
        "sliding": lambda: CountSlidingWindowAssigner.of(3, 2),
    }
)
def count_window_all(env, assigner):
    from pyflink.datastream.functions import AllWindowFunction

    class All(AllWindowFunction):
        def apply(self, window, inputs):
            yield repr(window), [v[1] for v in inputs]

    return plain(env).window_all(assigner()).apply(All())


@case()
def count_window_timestamps(env):
    class Tells(ProcessFunction):
        def process_element(self, value, ctx):
            yield value, ctx.timestamp()

    return keyed(env).count_window(2).reduce(add).process(Tells())


@case()
def count_window_context(env):
    class Asks(ProcessWindowFunction):
        def process(self, key, context, elements):
            yield key, context.window().id, context.window().max_timestamp()

    return numbered(env).count_window(3).process(Asks())


# --- Global windows -------------------------------------------------------------------------------


@case()
def global_window_never_fires(env):
    return numbered(env).window(GlobalWindows.create()).reduce(add)


GLOBAL = {
    "count": lambda: CountTrigger.of(3),
    "purging_count": lambda: PurgingTrigger.of(CountTrigger.of(3)),
    "never": NeverTrigger,
    "event_time": EventTimeTrigger.create,
}


@each(GLOBAL)
def global_window(env, trigger):
    return keyed(env).window(GlobalWindows.create()).trigger(trigger()).apply(Lists())


@each({k: GLOBAL[k] for k in ("count", "purging_count")})
def global_window_reduced(env, trigger):
    return numbered(env).window(GlobalWindows.create()).trigger(trigger()).reduce(add)


# --- Triggers of time windows

TRIGGERS = {
    "event_time": EventTimeTrigger.create,
    "count": lambda: CountTrigger.of(2),
    "purging_count": lambda: PurgingTrigger.of(CountTrigger.of(2)),
    "purging_event_time": lambda: PurgingTrigger.of(EventTimeTrigger.create()),
    "continuous": lambda: ContinuousEventTimeTrigger.of(ms(4)),
    "purging_continuous": lambda: PurgingTrigger.of(ContinuousEventTimeTrigger.of(ms(4))),
    "never": NeverTrigger,
}


@each(TRIGGERS, paced=True)
def tumbling(env, trigger):
    return keyed(env).window(TumblingEventTimeWindows.of(ms(10))).trigger(trigger()).apply(Lists())


@each(TRIGGERS, paced=True)
def tumbling_reduced_late(env, trigger):
    windowed = keyed(env, DISORDER).window(TumblingEventTimeWindows.of(ms(10)))
    return windowed.allowed_lateness(12).trigger(trigger()).reduce(add)


@each({k: TRIGGERS[k] for k in ("event_time", "count", "continuous")}, paced=True)
def session(env, trigger):
    return (
        keyed(env).window(EventTimeSessionWindows.with_gap(ms(6))).trigger(trigger()).apply(Lists())
    )


@each({k: TRIGGERS[k] for k in ("count", "continuous")}, paced=True)
def sliding(env, trigger):
    windowed = keyed(env).window(SlidingEventTimeWindows.of(ms(10), ms(5)))
    return windowed.trigger(trigger()).apply(Lists())


@case()
def all_merging_with_a_trigger_that_cannot(env):
    class Cannot(NeverTrigger):
        def can_merge(self):
            return False

    windowed = plain(env).window_all(EventTimeSessionWindows.with_gap(ms(6)))
    return windowed.trigger(Cannot()).reduce(add)


@case()
def merging_with_a_trigger_that_cannot(env):
    windowed = keyed(env).window(EventTimeSessionWindows.with_gap(ms(6)))
    return windowed.trigger(TellsTrigger()).reduce(add)


@each({"count": lambda: CountTrigger.of(0), "count_string": lambda: CountTrigger.of("2")})
def trigger_bad(env, make):
    return numbered(env).window(GlobalWindows.create()).trigger(make()).reduce(add)


@case()
def trigger_of_nothing(env):
    return numbered(env).window(GlobalWindows.create()).trigger(5).reduce(add)


# --- Triggers of users ----------------------------------------------------------------------------


class TellsTrigger(Trigger):
    """Fires on even numbers, purges on 4; can't merge."""

    def on_element(self, element, timestamp, window, ctx):
        if element[1] == 4:
            return TriggerResult.PURGE
        return TriggerResult.FIRE if element[1] % 2 == 0 else TriggerResult.CONTINUE

    def on_processing_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_event_time(self, time, window, ctx):
        return TriggerResult.CONTINUE

    def on_merge(self, window, ctx):
        pass

    def clear(self, window, ctx):
        pass


class SumTrigger(TellsTrigger):
    """Fires when the sum of the window's numbers reaches ten; keeps it in its own state."""

    def __init__(self):
        self.descriptor = ReducingStateDescriptor("sum", lambda a, b: a + b, Types.LONG())

    def on_element(self, element, timestamp, window, ctx):
        state = ctx.get_partitioned_state(self.descriptor)
        state.add(element[1])
        if state.get() < 10:
            return TriggerResult.CONTINUE
        state.clear()
        return TriggerResult.FIRE_AND_PURGE

    def clear(self, window, ctx):
        ctx.get_partitioned_state(self.descriptor).clear()


class MergingSumTrigger(SumTrigger):
    def can_merge(self):
        return True

    def on_merge(self, window, ctx):
        ctx.merge_partitioned_state(self.descriptor)


class TimerTrigger(TellsTrigger):
    """Fires two milliseconds of event time after each element; tells by the count of its calls."""

    def __init__(self, delete=False):
        self.delete = delete

    def on_element(self, element, timestamp, window, ctx):
        ctx.register_event_time_timer(timestamp + 2)
        if self.delete:
            ctx.delete_event_time_timer(timestamp + 2)
        return TriggerResult.CONTINUE

    def on_event_time(self, time, window, ctx):
        return TriggerResult.FIRE

    def clear(self, window, ctx):
        ctx.delete_event_time_timer(window.max_timestamp())


@case(paced=True)
def user_trigger(env):
    return keyed(env).window(GlobalWindows.create()).trigger(TellsTrigger()).apply(Lists())


@case(paced=True)
def user_trigger_with_state(env):
    return keyed(env).window(GlobalWindows.create()).trigger(SumTrigger()).apply(Lists())


@case(paced=True)
def user_trigger_with_state_of_sessions(env):
    windowed = keyed(env).window(EventTimeSessionWindows.with_gap(ms(6)))
    return windowed.trigger(MergingSumTrigger()).apply(Lists())


@each({"": False, "deleted": True}, paced=True)
def user_trigger_with_timers(env, delete):
    windowed = keyed(env).window(TumblingEventTimeWindows.of(ms(10)))
    return windowed.trigger(TimerTrigger(delete)).apply(Lists())


@case(paced=True)
def user_trigger_with_two_states(env):
    class Two(TellsTrigger):
        def on_element(self, element, timestamp, window, ctx):
            count = ctx.get_partitioned_state(ValueStateDescriptor("count", Types.INT()))
            last = ctx.get_partitioned_state(ValueStateDescriptor("last", Types.LONG()))
            count.update((count.value() or 0) + 1)
            before = last.value()
            last.update(element[1])
            fires = count.value() == 3 or (before is not None and element[1] - before > 10)
            return TriggerResult.FIRE if fires else TriggerResult.CONTINUE

    return keyed(env).window(GlobalWindows.create()).trigger(Two()).apply(Lists())


@case()
def trigger_context(env):
    class Asks(TellsTrigger):
        def on_element(self, element, timestamp, window, ctx):
            assert abs(ctx.get_current_processing_time() / 1000 - time.time()) < 100
            raise RuntimeError(f"{timestamp} {window} {ctx.get_current_watermark() < 0}")

    return keyed(env).window(TumblingEventTimeWindows.of(ms(10))).trigger(Asks()).apply(Lists())


def raising(method):
    def raises(self, *arguments):
        raise ValueError(f"in {method}")

    return type("Raises", (TimerTrigger,), {method: raises})()


@each({m: m for m in ("on_element", "on_event_time", "clear")}, paced=True)
def trigger_raises(env, method):
    windowed = keyed(env).window(TumblingEventTimeWindows.of(ms(10)))
    return windowed.trigger(raising(method)).apply(Lists())


@each({"none": None, "string": "FIRE", "true": True})
def trigger_returns(env, result):
    class Returns(TellsTrigger):
        def on_element(self, element, timestamp, window, ctx):
            return result

    return keyed(env).window(GlobalWindows.create()).trigger(Returns()).apply(Lists())


# --- Assigners of users ---------------------------------------------------------------------------


class Tens(WindowAssigner):
    """Windows of ten milliseconds by the number in the element, no matter what time it has."""

    def assign_windows(self, element, timestamp, context):
        start = element[1] // 10 * 10
        return [TimeWindow(start, start + 10)]

    def get_default_trigger(self, env):
        return EventTimeTrigger.create()

    def get_window_serializer(self):
        return TimeWindowSerializer()

    def is_event_time(self):
        return True


class Both(Tens):
    """Into two windows, or none for the first element."""

    def assign_windows(self, element, timestamp, context):
        return [] if element[1] == 1 else [TimeWindow(0, 50), TimeWindow(50, 100)]


class Merges(MergingWindowAssigner):
    """Sessions of seven milliseconds."""

    def assign_windows(self, element, timestamp, context):
        return [TimeWindow(timestamp, timestamp + 7)]

    def get_default_trigger(self, env):
        return EventTimeTrigger.create()

    def get_window_serializer(self):
        return TimeWindowSerializer()

    def is_event_time(self):
        return True

    def merge_windows(self, windows, callback):
        TimeWindow.merge_windows(windows, callback)


@each({"tens": Tens, "both": Both, "merges": Merges}, paced=True)
def user_assigner(env, assigner):
    return keyed(env).window(assigner()).apply(Lists())


@case()
def assigner_raises(env):
    class Raises(Tens):
        def assign_windows(self, element, timestamp, context):
            raise ValueError("no window")

    return keyed(env).window(Raises()).apply(Lists())


@each({"none": None, "one": TimeWindow(0, 5), "strings": ["x"]})
def assigner_returns(env, result):
    class Returns(Tens):
        def assign_windows(self, element, timestamp, context):
            return result

    return keyed(env).window(Returns()).apply(Lists())


@case()
def assigner_context(env):
    class Asks(Tens):
        def assign_windows(self, element, timestamp, context):
            assert abs(context.get_current_processing_time() / 1000 - time.time()) < 100
            return super().assign_windows(element, timestamp, context)

    return keyed(env).window(Asks()).apply(Lists())


# --- Processing time ------------------------------------------------------------------------------

SLOW = {"python.fn-execution.bundle.size": "1"}


def slow(env):
    """A value, and time enough for its window to end; each comes after a pause."""
    values = [("a", 1), ("wait", 2), ("wait", 3)]
    stream = env.from_collection(values).filter(lambda v: time.sleep(0.5) is None)
    return stream.disable_chaining().key_by(lambda v: v[0])


@each(
    {
        "tumbling": lambda: TumblingProcessingTimeWindows.of(ms(200)),
        "session": lambda: ProcessingTimeSessionWindows.with_gap(ms(200)),
        "sliding_one_wide": lambda: SlidingProcessingTimeWindows.of(ms(200), ms(200)),
    },
    settings=SLOW,
)
def processing_time(env, assigner):
    return slow(env).window(assigner()).reduce(add).filter(lambda v: v[0] == "a")


@case(settings=SLOW)
def processing_time_global_trigger(env):
    class Soon(TellsTrigger):
        def on_element(self, element, timestamp, window, ctx):
            ctx.register_processing_time_timer(ctx.get_current_processing_time() + 100)
            return TriggerResult.CONTINUE

        def on_processing_time(self, time, window, ctx):
            return TriggerResult.FIRE_AND_PURGE

    windowed = slow(env).window(GlobalWindows.create()).trigger(Soon())
    return windowed.reduce(add).filter(lambda v: v[0] == "a")


@case()
def processing_time_at_the_end(env):
    """The window's end is an hour away when the input ends."""
    windowed = numbered(env).window(TumblingProcessingTimeWindows.of(Time.hours(1)))
    return windowed.reduce(add)


@case(batch=True)
def processing_time_in_batch(env):
    windowed = numbered(env).window(TumblingProcessingTimeWindows.of(Time.hours(1)))
    return windowed.reduce(add)


# --- The windows themselves -----------------------------------------------------------------------


@each(
    {
        "time": lambda: [repr(TimeWindow(1, 5)), TimeWindow(1, 5).max_timestamp()],
        "time_equal": lambda: [TimeWindow(1, 5) == TimeWindow(1, 5)],
        "time_order": lambda: [TimeWindow(1, 5) < TimeWindow(2, 3)],
        "time_touch": lambda: [TimeWindow(1, 5).intersects(TimeWindow(5, 7))],
        "time_apart": lambda: [TimeWindow(1, 5).intersects(TimeWindow(6, 7))],
        "time_cover": lambda: [repr(TimeWindow(1, 5).cover(TimeWindow(9, 12)))],
        "time_start": lambda: [
            TimeWindow.get_window_start_with_offset(t, o, 10)
            for t in (-11, -1, 0, 9, 10)
            for o in (0, 3, -3)
        ],
        "count": lambda: [repr(CountWindow(3)), CountWindow(3).max_timestamp()],
        "count_equal": lambda: [CountWindow(3) == CountWindow(3)],
        "global": lambda: [repr(GlobalWindow()), GlobalWindow().max_timestamp()],
        "global_equal": lambda: [GlobalWindow.get() == GlobalWindow()],
        "result": lambda: [(r.name, r.is_fire(), r.is_purge()) for r in TriggerResult],
        "tumbling": lambda: [repr(TumblingEventTimeWindows.of(ms(10), ms(3)))],
        "sliding": lambda: [repr(SlidingEventTimeWindows.of(ms(10), ms(5)))],
        "session": lambda: [repr(EventTimeSessionWindows.with_gap(ms(10)))],
        "event_time": lambda: [EventTimeSessionWindows.with_gap(ms(1)).is_event_time(),
                               TumblingProcessingTimeWindows.of(ms(1)).is_event_time()],
        "default_trigger": lambda: [
            type(a.get_default_trigger(None)).__name__
            for a in (TumblingEventTimeWindows.of(ms(1)), TumblingProcessingTimeWindows.of(ms(1)),
                      GlobalWindows.create(), CountTumblingWindowAssigner.of(2),
                      ProcessingTimeSessionWindows.with_gap(ms(1)))
        ],
        "can_merge": lambda: [
            t.can_merge()
            for t in (
                EventTimeTrigger.create(),
                ProcessingTimeTrigger.create(),
                CountTrigger.of(1),
                NeverTrigger(),
                PurgingTrigger.of(NeverTrigger()),
                ContinuousEventTimeTrigger.of(ms(1)),
            )
        ],
    }
)  # fmt: skip
def objects(env, make):
    return make()
