"""Windows in event time: every assigner with every kind of function, lateness, late side output."""

from parity_case import Collected, Family, paced
from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import OutputTag
from pyflink.datastream.functions import (
    AggregateFunction,
    AllWindowFunction,
    ProcessAllWindowFunction,
    ProcessFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
)
from pyflink.datastream.window import (
    EventTimeSessionWindows,
    SessionWindowTimeGapExtractor,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)

family = Family()
case, each = family.case, family.each

EVENTS = [("a", 1), ("b", 3), ("a", 4), ("a", 11), ("b", 12), ("a", 17), ("a", 31), ("b", 58)]
TYPED = Types.TUPLE([Types.STRING(), Types.LONG()])
LATE = OutputTag("late")


def ms(n):
    return Time.milliseconds(n)


class SecondField(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Gap(SessionWindowTimeGapExtractor):
    def extract(self, element):
        return 5 if element[0] == "a" else 20


def timed(env, values=None, type_info=None):
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    stream = paced(env, EVENTS if values is None else values, type_info)
    strategy = strategy.with_timestamp_assigner(SecondField())
    return stream.assign_timestamps_and_watermarks(strategy)


def keyed(env, values=None):
    return timed(env, values).key_by(lambda v: v[0])


class Adds(ReduceFunction):
    def reduce(self, value1, value2):
        return value1[0], value1[1] + value2[1]


class Count(AggregateFunction):
    def create_accumulator(self):
        return 0

    def add(self, value, accumulator):
        return accumulator + 1

    def get_result(self, accumulator):
        return "count", accumulator

    def merge(self, a, b):
        return a + b


class Applies(WindowFunction):
    def apply(self, key, window, inputs):
        yield key, window.start, window.end, list(inputs)


class Processes(ProcessWindowFunction):
    def process(self, key, context, elements):
        window = context.window()
        yield key, window.start, window.end, list(elements)


class AppliesAll(AllWindowFunction):
    def apply(self, window, inputs):
        yield window.start, window.end, list(inputs)


class ProcessesAll(ProcessAllWindowFunction):
    def process(self, context, elements):
        window = context.window()
        yield window.start, window.max_timestamp(), list(elements)


ASSIGNERS = {
    "tumbling": lambda: TumblingEventTimeWindows.of(ms(10)),
    "tumbling_offset": lambda: TumblingEventTimeWindows.of(ms(10), ms(3)),
    "tumbling_negative_offset": lambda: TumblingEventTimeWindows.of(ms(10), ms(-3)),
    "sliding": lambda: SlidingEventTimeWindows.of(ms(10), ms(5)),
    "sliding_offset": lambda: SlidingEventTimeWindows.of(ms(10), ms(5), ms(2)),
    "sliding_with_gaps": lambda: SlidingEventTimeWindows.of(ms(5), ms(10)),
    "session": lambda: EventTimeSessionWindows.with_gap(ms(6)),
    "session_dynamic": lambda: EventTimeSessionWindows.with_dynamic_gap(Gap()),
}
FUNCTIONS = {
    "reduce": lambda w: w.reduce(Adds()),
    "reduce_lambda": lambda w: w.reduce(lambda a, b: (a[0], max(a[1], b[1]))),
    "reduce_apply": lambda w: w.reduce(Adds(), window_function=Applies()),
    "reduce_process": lambda w: w.reduce(Adds(), window_function=Processes()),
    "aggregate": lambda w: w.aggregate(Count()),
    "aggregate_apply": lambda w: w.aggregate(Count(), window_function=Applies()),
    "aggregate_process": lambda w: w.aggregate(Count(), window_function=Processes()),
    "apply": lambda w: w.apply(Applies()),
    "process": lambda w: w.process(Processes()),
}
ALL = {
    "reduce": lambda w: w.reduce(Adds()),
    "reduce_apply": lambda w: w.reduce(Adds(), window_function=AppliesAll()),
    "reduce_process": lambda w: w.reduce(Adds(), window_function=ProcessesAll()),
    "aggregate": lambda w: w.aggregate(Count()),
    "aggregate_apply": lambda w: w.aggregate(Count(), window_function=AppliesAll()),
    "aggregate_process": lambda w: w.aggregate(Count(), window_function=ProcessesAll()),
    "apply": lambda w: w.apply(AppliesAll()),
    "process": lambda w: w.process(ProcessesAll()),
}


@each(ASSIGNERS)
def applied(env, assigner):
    return keyed(env).window(assigner()).apply(Applies())


@each(FUNCTIONS)
def tumbling(env, function):
    return function(keyed(env).window(ASSIGNERS["tumbling"]()))


@each({k: FUNCTIONS[k] for k in ("reduce", "reduce_process", "aggregate_apply", "process")})
def sliding(env, function):
    return function(keyed(env).window(ASSIGNERS["sliding"]()))


@each(FUNCTIONS)
def session(env, function):
    return function(keyed(env).window(ASSIGNERS["session"]()))


@each({k: FUNCTIONS[k] for k in ("reduce", "aggregate_process", "process")}, batch=True)
def tumbling_in_batch(env, function):
    return function(keyed(env).window(ASSIGNERS["tumbling"]()))


@each({k: FUNCTIONS[k] for k in ("reduce", "aggregate_process", "process")}, batch=True)
def session_in_batch(env, function):
    return function(keyed(env).window(ASSIGNERS["session"]()))


@each({k: FUNCTIONS[k] for k in ("reduce", "aggregate_process")}, parallelism=3)
def tumbling_of_three(env, function):
    return function(keyed(env).window(ASSIGNERS["tumbling"]()))


@each(ALL)
def all_tumbling(env, function):
    return function(timed(env).window_all(ASSIGNERS["tumbling"]()))


@each({k: ALL[k] for k in ("reduce", "aggregate", "process")})
def all_session(env, function):
    return function(timed(env).window_all(ASSIGNERS["session"]()))


@each({k: ALL[k] for k in ("reduce_process", "aggregate")}, parallelism=3, batch=None)
def all_of_three(env, function):
    return function(timed(env).window_all(ASSIGNERS["tumbling"]()))


# --- Late records: a watermark after each ---------------------------------------------------------

DISORDER = [("a", 5), ("a", 14), ("a", 7), ("a", 25), ("a", 8), ("a", 16), ("a", 40), ("a", 3)]


@each(FUNCTIONS, paced=True)
def late_tumbling(env, function):
    return function(keyed(env, DISORDER).window(ASSIGNERS["tumbling"]()))


@each({k: FUNCTIONS[k] for k in ("reduce", "aggregate", "apply", "process")}, paced=True)
def late_allowed(env, function):
    windowed = keyed(env, DISORDER).window(ASSIGNERS["tumbling"]()).allowed_lateness(12)
    return function(windowed)


@each({k: FUNCTIONS[k] for k in ("reduce", "process")}, paced=True)
def late_allowed_sliding(env, function):
    windowed = keyed(env, DISORDER).window(ASSIGNERS["sliding"]()).allowed_lateness(12)
    return function(windowed)


SESSIONS = [("a", 5), ("a", 30), ("a", 8), ("a", 25), ("a", 60), ("a", 2), ("a", 33), ("a", 100)]


@each({k: FUNCTIONS[k] for k in ("reduce", "aggregate", "process")}, paced=True)
def late_allowed_session(env, function):
    windowed = keyed(env, SESSIONS).window(ASSIGNERS["session"]()).allowed_lateness(25)
    return function(windowed)


@each({"tumbling": "tumbling", "sliding": "sliding", "session": "session"}, paced=True)
def late_side_output(env, name):
    windowed = keyed(env, DISORDER).window(ASSIGNERS[name]()).side_output_late_data(LATE)
    return windowed.process(Processes()).get_side_output(LATE)


@case(paced=True)
def late_side_output_and_lateness(env):
    windowed = keyed(env, DISORDER).window(ASSIGNERS["tumbling"]())
    windowed = windowed.allowed_lateness(12).side_output_late_data(LATE)
    return windowed.reduce(Adds()).get_side_output(LATE)


@case(paced=True)
def late_side_output_typed(env):
    tag = OutputTag("typed", TYPED)
    windowed = timed(env, DISORDER, TYPED).key_by(lambda v: v[0]).window(ASSIGNERS["tumbling"]())
    stream = windowed.side_output_late_data(tag).aggregate(Count())
    return Collected(stream.get_side_output(tag))


@case(paced=True)
def late_of_all_windows(env):
    windowed = timed(env, DISORDER).window_all(ASSIGNERS["tumbling"]()).side_output_late_data(LATE)
    return windowed.process(ProcessesAll()).get_side_output(LATE)


@each({"negative": -1, "none": None, "time": Time.seconds(1), "large": 2**62})
def lateness(env, value):
    windowed = keyed(env).window(ASSIGNERS["tumbling"]()).allowed_lateness(value)
    return windowed.reduce(Adds())


# --- Contexts, timestamps, types ------------------------------------------------------------------


class Tells(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


@each({"reduce": FUNCTIONS["reduce"], "process": FUNCTIONS["process"]}, paced=True)
def timestamps_behind(env, function):
    return function(keyed(env).window(ASSIGNERS["tumbling"]())).process(Tells())


@each({"reduce": FUNCTIONS["reduce"], "process": FUNCTIONS["process"]}, paced=True)
def timestamps_behind_late(env, function):
    windowed = keyed(env, DISORDER).window(ASSIGNERS["tumbling"]()).allowed_lateness(100)
    return function(windowed).process(Tells())


@case(paced=True)
def windows_of_windows(env):
    small = keyed(env).window(TumblingEventTimeWindows.of(ms(10))).reduce(Adds())
    return small.key_by(lambda v: 0).window(TumblingEventTimeWindows.of(ms(20))).apply(Applies())


@case(paced=True)
def context(env):
    class Asks(ProcessWindowFunction):
        def process(self, key, context, elements):
            window = context.window()
            yield (
                repr(window),
                window.max_timestamp(),
                context.current_watermark(),
                context.current_processing_time() > 10**12,
            )

    return (
        keyed(env, [("a", 1), ("a", 12), ("a", 30)]).window(ASSIGNERS["tumbling"]()).process(Asks())
    )


def count_in(state):
    before = state.value() or 0
    state.update(before + 1)
    return before + 1


class Remembers(ProcessWindowFunction):
    """Counts its calls per window and per key."""

    def __init__(self, name_of_window="w", name_of_key="g"):
        self.names = name_of_window, name_of_key

    def process(self, key, context, elements):
        from pyflink.datastream.state import ValueStateDescriptor

        own = context.window_state().get_state(ValueStateDescriptor(self.names[0], Types.INT()))
        shared = context.global_state().get_state(ValueStateDescriptor(self.names[1], Types.INT()))
        yield key, context.window().start, count_in(own), count_in(shared)

    def clear(self, context):
        from pyflink.datastream.state import ValueStateDescriptor

        own = context.window_state().get_state(ValueStateDescriptor(self.names[0], Types.INT()))
        own.clear()


@each({"": ("w", "g"), "one_name": ("s", "s")}, paced=True)
def window_and_global_state(env, names):
    windowed = keyed(env, DISORDER).window(ASSIGNERS["tumbling"]()).allowed_lateness(20)
    return windowed.process(Remembers(*names))


@case(paced=True)
def window_state_of_sessions(env):
    return keyed(env).window(ASSIGNERS["session"]()).process(Remembers())


@case(paced=True)
def global_state_of_sessions(env):
    from pyflink.datastream.state import ValueStateDescriptor

    class Global(ProcessWindowFunction):
        def process(self, key, context, elements):
            state = context.global_state().get_state(ValueStateDescriptor("g", Types.INT()))
            yield key, context.window().start, count_in(state)

    return keyed(env).window(ASSIGNERS["session"]()).process(Global())


@case(paced=True)
def state_in_open(env):
    from pyflink.datastream.state import ValueStateDescriptor

    class Opened(ProcessWindowFunction):
        def open(self, c):
            self.state = c.get_state(ValueStateDescriptor("o", Types.INT()))

        def process(self, key, context, elements):
            yield key, context.window().start, count_in(self.state)

    return keyed(env).window(ASSIGNERS["tumbling"]()).process(Opened())


@case(paced=True)
def clear_is_called(env):
    class Clears(ProcessWindowFunction):
        def process(self, key, context, elements):
            yield "x"

        def clear(self, context):
            raise RuntimeError(f"cleared {context.window().start}")

    return keyed(env, [("a", 1), ("a", 50)]).window(ASSIGNERS["tumbling"]()).process(Clears())


@case()
def output_types(env):
    windowed = keyed(env).window(ASSIGNERS["tumbling"]())
    applied = windowed.apply(
        Applies(), Types.TUPLE([Types.STRING(), Types.LONG(), Types.LONG(), Types.LIST(TYPED)])
    )
    return Collected(applied)


@case()
def accumulator_type(env):
    stream = (
        keyed(env)
        .window(ASSIGNERS["tumbling"]())
        .aggregate(
            Count(),
            accumulator_type=Types.LONG(),
            output_type=Types.ROW([Types.STRING(), Types.INT()]),
        )
    )
    return Collected(stream)


@case()
def reduce_keeps_the_type(env):
    stream = timed(env, None, TYPED).key_by(lambda v: v[0]).window(ASSIGNERS["tumbling"]())
    return Collected(stream.reduce(Adds()))


@each({"none": None, "list": [1, 2], "empty": []})
def function_returns(env, result):
    class Returns(WindowFunction):
        def apply(self, key, window, inputs):
            return result

    return keyed(env).window(ASSIGNERS["tumbling"]()).apply(Returns())


@case()
def function_reads_twice(env):
    class Twice(WindowFunction):
        def apply(self, key, window, inputs):
            yield key, len(list(inputs)), len(list(inputs))

    return keyed(env).window(ASSIGNERS["tumbling"]()).apply(Twice())


@case()
def side_output_of_a_window_function(env):
    class Side(ProcessWindowFunction):
        def process(self, key, context, elements):
            yield LATE, (key, context.window().end)

    return keyed(env).window(ASSIGNERS["tumbling"]()).process(Side()).get_side_output(LATE)


# --- Refused --------------------------------------------------------------------------------------


@each(
    {
        "tumbling_size": lambda: TumblingEventTimeWindows.of(ms(0)),
        "tumbling_offset": lambda: TumblingEventTimeWindows.of(ms(10), ms(10)),
        "sliding_size": lambda: SlidingEventTimeWindows.of(ms(0), ms(5)),
        "sliding_slide": lambda: SlidingEventTimeWindows.of(ms(10), ms(0)),
        "sliding_offset": lambda: SlidingEventTimeWindows.of(ms(10), ms(5), ms(5)),
        "session_gap": lambda: EventTimeSessionWindows.with_gap(ms(0)),
        "size_int": lambda: TumblingEventTimeWindows.of(10),
    }
)
def refused(env, make):
    return keyed(env).window(make()).apply(Applies())


@each({"zero": 0, "negative": -4, "string": "5"})
def bad_gap(env, gap):
    class Bad(SessionWindowTimeGapExtractor):
        def extract(self, element):
            return gap

    return keyed(env).window(EventTimeSessionWindows.with_dynamic_gap(Bad())).apply(Applies())


@each({"tumbling": "tumbling", "sliding": "sliding", "session": "session"})
def without_timestamps(env, name):
    stream = env.from_collection(EVENTS).key_by(lambda v: v[0])
    return stream.window(ASSIGNERS[name]()).apply(Applies())


@each(
    {
        "reduce": lambda w: w.reduce(5),
        "reduce_window_function": lambda w: w.reduce(Adds(), window_function=AppliesAll()),
        "aggregate": lambda w: w.aggregate(Adds()),
        "apply": lambda w: w.apply(Processes()),
        "process": lambda w: w.process(Applies()),
        "apply_lambda": lambda w: w.apply(lambda k, w, i: []),
    }
)
def wrong_function(env, call):
    return call(keyed(env).window(ASSIGNERS["tumbling"]()))


@each(
    {
        "apply": lambda w: w.apply(Applies()),
        "process": lambda w: w.process(Processes()),
        "reduce": lambda w: w.reduce(lambda a: a),
    }
)
def wrong_function_of_all(env, call):
    return call(timed(env).window_all(ASSIGNERS["tumbling"]()))


@case()
def window_of_nothing(env):
    return keyed(env).window(5).apply(Applies())


def raising(base, method):
    def raises(self, *arguments):
        raise ValueError(f"in {method}")

    return type("Raises", (base,), {method: raises})()


@each(
    {
        "reduce": lambda w: w.reduce(raising(Adds, "reduce")),
        "create_accumulator": lambda w: w.aggregate(raising(Count, "create_accumulator")),
        "add": lambda w: w.aggregate(raising(Count, "add")),
        "get_result": lambda w: w.aggregate(raising(Count, "get_result")),
        "merge": lambda w: w.aggregate(raising(Count, "merge")),
        "apply": lambda w: w.apply(raising(Applies, "apply")),
        "process": lambda w: w.process(raising(Processes, "process")),
    },
    paced=True,
)
def function_raises(env, call):
    return call(keyed(env, SESSIONS).window(ASSIGNERS["session"]()))


@case()
def extractor_raises(env):
    class Bad(SessionWindowTimeGapExtractor):
        def extract(self, element):
            raise ValueError("no gap")

    return keyed(env).window(EventTimeSessionWindows.with_dynamic_gap(Bad())).apply(Applies())
