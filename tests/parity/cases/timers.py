"""Timers and event time: registering, deleting, the end of input, watermark strategies."""

import time

from parity_case import Family, paced
from pyflink.common import Duration, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import (
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
    TimeDomain,
)
from pyflink.datastream.state import ValueStateDescriptor

family = Family()
case, each = family.case, family.each
LAST = 2**63 - 1
FIRST = -(2**63)


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def monotonous():
    return WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(SecondField())


def bounded(ms):
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(ms))
    return strategy.with_timestamp_assigner(SecondField())


def timed(env, values, strategy=None):
    stream = paced(env, values)
    return stream.assign_timestamps_and_watermarks(strategy or monotonous())


class Tells(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


class Timers(KeyedProcessFunction):
    """Does `register(timers, value)` for each value; tells the timers that fire."""

    def __init__(self, register, again=None):
        self.register = register
        self.again = again

    def process_element(self, value, ctx):
        self.register(ctx.timer_service(), value)
        yield "in", value, ctx.timestamp(), ctx.timer_service().current_watermark()

    def on_timer(self, timestamp, ctx):
        if self.again is not None:
            self.again(ctx.timer_service(), timestamp)
        yield (
            "timer",
            timestamp,
            ctx.get_current_key(),
            ctx.timestamp(),
            ctx.time_domain() == TimeDomain.EVENT_TIME,
            ctx.timer_service().current_watermark(),
        )


def keyed(stream):
    return stream.key_by(lambda v: v[0])


EVENTS = [("a", 10), ("b", 20), ("a", 30), ("b", 15), ("a", 40)]


@case(paced=True, parallelism=(1, 3))
def watermarks(env):
    return timed(env, EVENTS).process(Tells())


@case(ordered=True)
def without_a_strategy(env):
    return env.from_collection(EVENTS).process(Tells())


@each({"monotonous": monotonous, "bounded": lambda: bounded(7)}, paced=True)
def strategy(env, make):
    return timed(env, EVENTS, make()).process(Tells())


@case(paced=True)
def no_watermarks(env):
    strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(SecondField())
    return timed(env, EVENTS, strategy).process(Tells())


@case(paced=True)
def strategy_without_an_assigner(env):
    return timed(env, EVENTS, WatermarkStrategy.for_monotonous_timestamps()).process(Tells())


@case(paced=True)
def idleness_loses_the_assigner(env):
    return timed(env, EVENTS, monotonous().with_idleness(Duration.of_seconds(5))).process(Tells())


@each({"zero": 0, "negative": -1})
def idleness_of(env, ms):
    return timed(env, EVENTS, monotonous().with_idleness(Duration.of_millis(ms))).process(Tells())


@case(paced=True)
def assigner_after_idleness(env):
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_idleness(Duration.of_seconds(5))
    return timed(env, EVENTS, strategy.with_timestamp_assigner(SecondField())).process(Tells())


@case(paced=True)
def alignment(env):
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    strategy = strategy.with_watermark_alignment("group", Duration.of_seconds(10))
    return timed(env, EVENTS, strategy.with_timestamp_assigner(SecondField())).process(Tells())


@case(paced=True)
def assigned_twice(env):
    class Later(TimestampAssigner):
        def extract_timestamp(self, value, record_timestamp):
            return record_timestamp + 1000

    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Later())
    return timed(env, EVENTS).assign_timestamps_and_watermarks(strategy).process(Tells())


@case()
def assigner_sees_no_timestamp(env):
    class Asks(TimestampAssigner):
        def extract_timestamp(self, value, record_timestamp):
            return 5 if record_timestamp == FIRST else 6

    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Asks())
    return env.from_collection([1]).assign_timestamps_and_watermarks(strategy).process(Tells())


@each({"negative": -5, "zero": 0, "largest": LAST, "smallest": FIRST}, paced=True)
def timestamps(env, timestamp):
    return timed(env, [("a", timestamp)]).process(Tells())


@each({"none": None, "string": "5", "float": 1.5, "too_large": 2**63}, paced=True)
def bad_timestamps(env, timestamp):
    return timed(env, [("a", timestamp)]).process(Tells())


@case()
def assigner_raises(env):
    class Raises(TimestampAssigner):
        def extract_timestamp(self, value, record_timestamp):
            raise LookupError("no time")

    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Raises())
    return env.from_collection([1]).assign_timestamps_and_watermarks(strategy).process(Tells())


@case()
def assign_nothing(env):
    return env.from_collection([1]).assign_timestamps_and_watermarks(5).process(Tells())


@case(paced=True)
def timestamps_survive_operators(env):
    stream = timed(env, EVENTS).map(lambda v: v).filter(lambda v: True).flat_map(lambda v: [v, v])
    return stream.process(Tells()).map(lambda t: t[:2])


@case(paced=True)
def watermark_of_a_union(env):
    one, other = timed(env, [("a", 10)]), timed(env, [("b", 90)])
    return one.union(other).process(Tells()).map(lambda t: t[:2])


# --- Event time timers ----------------------------------------------------------------------------


def at_value(timers, value):
    timers.register_event_time_timer(value[1] + 5)


@case(paced=True, ordered=True, batch=None)
def event_timers(env):
    return keyed(timed(env, EVENTS)).process(Timers(at_value))


@case(paced=True, parallelism=3)
def event_timers_of_three(env):
    return keyed(timed(env, EVENTS)).process(Timers(at_value)).map(lambda t: t[:3])


@case(paced=True)
def event_timers_of_one_time(env):
    def register(timers, value):
        timers.register_event_time_timer(100)
        timers.register_event_time_timer(100)

    return keyed(timed(env, EVENTS)).process(Timers(register))


@case(paced=True)
def event_timers_deleted(env):
    def register(timers, value):
        timers.register_event_time_timer(100)
        timers.register_event_time_timer(200)
        timers.delete_event_time_timer(100)
        timers.delete_event_time_timer(300)

    return keyed(timed(env, EVENTS)).process(Timers(register))


@case(paced=True)
def event_timers_in_the_past(env):
    def register(timers, value):
        timers.register_event_time_timer(0)

    return keyed(timed(env, EVENTS)).process(Timers(register))


@each({"first": FIRST, "negative": -1, "last": LAST, "last_but_one": LAST - 1}, paced=True)
def event_timers_at(env, at):
    def register(timers, value):
        timers.register_event_time_timer(at)

    return keyed(timed(env, [("a", 5)])).process(Timers(register))


@each({"too_large": 2**63, "string": "5", "none": None, "float": 1.5})
def event_timers_bad(env, at):
    def register(timers, value):
        timers.register_event_time_timer(at)

    return keyed(env.from_collection([("a", 5)])).process(Timers(register))


@case()
def event_timers_without_watermarks_fire_at_the_end(env):
    return keyed(env.from_collection(EVENTS)).process(Timers(at_value))


def again(timers, timestamp):
    if timestamp < 300:
        timers.register_event_time_timer(timestamp + 100)


@case(paced=True, batch=None)
def event_timers_from_timers(env):
    """The later ones are registered while the last watermark, the largest, fires the first."""
    return keyed(timed(env, [("a", 10), ("b", 20)])).process(Timers(at_value, again))


@case(paced=True)
def event_timers_from_timers_before_the_end(env):
    events = [("a", 10), ("a", 150), ("a", 1000)]
    return keyed(timed(env, events)).process(Timers(at_value, again))


@case(paced=True)
def a_timer_deletes_another(env):
    def register(timers, value):
        timers.register_event_time_timer(50)
        timers.register_event_time_timer(60)

    def delete(timers, timestamp):
        timers.delete_event_time_timer(60)

    return keyed(timed(env, [("a", 1), ("a", 55), ("a", 100)])).process(Timers(register, delete))


@case(paced=True)
def a_timer_registers_its_own_time(env):
    seen = []

    def once(timers, timestamp):
        if not seen:
            seen.append(1)
            timers.register_event_time_timer(timestamp)

    return keyed(timed(env, [("a", 1), ("a", 100)])).process(Timers(at_value, once))


@case(paced=True)
def state_in_timers(env):
    class Sums(KeyedProcessFunction):
        def open(self, c):
            self.sum = c.get_state(ValueStateDescriptor("sum", Types.LONG()))

        def process_element(self, value, ctx):
            self.sum.update((self.sum.value() or 0) + value[1])
            ctx.timer_service().register_event_time_timer(10**6)

        def on_timer(self, timestamp, ctx):
            yield ctx.get_current_key(), self.sum.value()
            self.sum.clear()
            yield ctx.get_current_key(), self.sum.value()

    return keyed(timed(env, EVENTS)).process(Sums())


@case(paced=True)
def timestamps_behind_timers(env):
    return keyed(timed(env, EVENTS)).process(Timers(at_value)).process(Tells())


LATE = OutputTag("late", Types.STRING())


@case(paced=True)
def side_output_of_timers(env):
    class Side(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value[1])

        def on_timer(self, timestamp, ctx):
            yield LATE, f"{ctx.get_current_key()} {timestamp}"

    return keyed(timed(env, EVENTS)).process(Side()).get_side_output(LATE)


@case()
def timer_without_on_timer(env):
    class Silent(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(5)
            yield value

    return keyed(env.from_collection(EVENTS)).process(Silent())


@each({"none": None, "list": ["x", "y"], "empty": []})
def on_timer_returns(env, result):
    class Returns(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(5)

        def on_timer(self, timestamp, ctx):
            return result

    return keyed(env.from_collection([("a", 1)])).process(Returns())


@case()
def on_timer_raises(env):
    class Raises(KeyedProcessFunction):
        def process_element(self, value, ctx):
            ctx.timer_service().register_event_time_timer(5)

        def on_timer(self, timestamp, ctx):
            raise RuntimeError(f"timer {timestamp}")

    return keyed(env.from_collection([("a", 1)])).process(Raises())


@case(paced=True)
def timers_of_two_inputs(env):
    class Both(KeyedCoProcessFunction):
        def process_element1(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value[1])

        def process_element2(self, value, ctx):
            ctx.timer_service().register_event_time_timer(value[1] + 1)

        def on_timer(self, timestamp, ctx):
            yield timestamp, ctx.get_current_key()

    one, other = timed(env, [("a", 10), ("b", 20)]), timed(env, [("a", 30)])
    return one.connect(other).key_by(lambda v: v[0], lambda v: v[0]).process(Both())


def call(name):
    class Calls(ProcessFunction):
        def process_element(self, value, ctx):
            getattr(ctx.timer_service(), name)(5)
            yield value

    return Calls()


VERBS = (
    "register_event_time_timer",
    "delete_event_time_timer",
    "register_processing_time_timer",
    "delete_processing_time_timer",
)


@each({n: n for n in VERBS})
def without_a_key(env, name):
    return env.from_collection([1]).process(call(name))


# --- Processing time ------------------------------------------------------------------------------


class Clock(KeyedProcessFunction):
    """Sets a timer some milliseconds ahead; tells whether it came in time."""

    def __init__(self, ahead, times=1):
        self.ahead = ahead
        self.times = times

    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        if value == "set":
            self.left = self.times
            self.at = timers.current_processing_time() + self.ahead
            timers.register_processing_time_timer(self.at)
        yield value

    def on_timer(self, timestamp, ctx):
        timers = ctx.timer_service()
        in_time = timestamp == self.at <= timers.current_processing_time()
        yield in_time, ctx.get_current_key(), ctx.time_domain() == TimeDomain.PROCESSING_TIME
        self.left -= 1
        if self.left:
            self.at += self.ahead
            timers.register_processing_time_timer(self.at)


def slow(env, values, seconds=0.4):
    """The values, each after a pause, in which timers may fire."""
    return env.from_collection(values).filter(lambda v: time.sleep(seconds) is None)


SLOW = {"python.fn-execution.bundle.size": "1"}


@each({"one": (50, 1), "three": (50, 3), "now": (0, 1), "past": (-500, 1)}, settings=SLOW)
def processing_timers(env, argument):
    stream = slow(env, ["set", "wait", "wait"]).disable_chaining()
    return stream.key_by(lambda v: "k").process(Clock(*argument))


@case(settings=SLOW)
def processing_timers_deleted(env):
    class Deletes(KeyedProcessFunction):
        def process_element(self, value, ctx):
            timers = ctx.timer_service()
            if value == "set":
                at = timers.current_processing_time() + 50
                timers.register_processing_time_timer(at)
                timers.register_processing_time_timer(at + 1)
                timers.delete_processing_time_timer(at)

        def on_timer(self, timestamp, ctx):
            yield "fired"

    stream = slow(env, ["set", "wait", "wait"]).disable_chaining()
    return stream.key_by(lambda v: "k").process(Deletes())


@case()
def processing_timers_at_the_end(env):
    """An hour ahead, when the input ends."""
    return env.from_collection(["set"]).key_by(lambda v: "k").process(Clock(3600000))


@case(batch=True)
def processing_timers_in_batch(env):
    return env.from_collection(["set"]).key_by(lambda v: "k").process(Clock(50))


@case()
def processing_time_is_now(env):
    class Now(KeyedProcessFunction):
        def process_element(self, value, ctx):
            yield abs(ctx.timer_service().current_processing_time() / 1000 - time.time()) < 10

    return env.from_collection([1]).key_by(lambda v: v).process(Now())
