"""Two inputs: connect, co_map, co_flat_map, co-process, keyed or not; side outputs."""

from parity_case import Collected, Family
from pyflink.common import Types
from pyflink.datastream import (
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    OutputTag,
    ProcessFunction,
)
from pyflink.datastream.state import ValueStateDescriptor

family = Family()
case, each = family.case, family.each


class Maps(CoMapFunction):
    def map1(self, value):
        return "one", value

    def map2(self, value):
        return "two", value


class MapsToNone(CoMapFunction):
    def map1(self, value):
        return None if value == 1 else value

    def map2(self, value):
        return 0


class FlatMaps(CoFlatMapFunction):
    def flat_map1(self, value):
        yield value
        yield value + 100

    def flat_map2(self, value):
        return [] if value == "a" else [value]


class FlatMapsNone(CoFlatMapFunction):
    def flat_map1(self, value):
        return None

    def flat_map2(self, value):
        yield value


class Processes(CoProcessFunction):
    def open(self, runtime_context):
        self.ones = self.twos = 0

    def process_element1(self, value, ctx):
        self.ones += 1
        yield "one", value, ctx.timestamp()

    def process_element2(self, value, ctx):
        self.twos += 1
        yield "two", value, ctx.timestamp()


class Shared(KeyedCoProcessFunction):
    """Both inputs add to one state; the end tells it."""

    def open(self, runtime_context):
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.LONG()))

    def add(self, n, ctx):
        self.sum.update((self.sum.value() or 0) + n)
        ctx.timer_service().register_event_time_timer(10**15)

    def process_element1(self, value, ctx):
        self.add(value[1], ctx)

    def process_element2(self, value, ctx):
        self.add(value[1] * 100, ctx)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), self.sum.value()


def two(env):
    return env.from_collection([1, 2]), env.from_collection(["a", "b"])


def pairs(env):
    one = env.from_collection([("a", 1), ("b", 2), ("a", 3)])
    return one, env.from_collection([("a", 4), ("c", 5)])


def first(value):
    return value[0]


@case(parallelism=(1, 3), batch=None)
def co_map(env):
    one, other = two(env)
    return one.connect(other).map(Maps())


@case()
def co_map_none_is_nothing(env):
    one, other = two(env)
    return one.connect(other).map(MapsToNone())


@case()
def co_map_typed(env):
    one, other = two(env)
    types = Types.TUPLE([Types.STRING(), Types.PICKLED_BYTE_ARRAY()])
    return one.connect(other).map(Maps(), output_type=types)


@case(parallelism=(1, 3), batch=None)
def co_flat_map(env):
    one, other = two(env)
    return one.connect(other).flat_map(FlatMaps())


@case()
def co_flat_map_none(env):
    one, other = two(env)
    return one.connect(other).flat_map(FlatMapsNone())


@case(parallelism=(1, 3), batch=None)
def co_process(env):
    one, other = two(env)
    return one.connect(other).process(Processes())


@case(parallelism=(1, 3), batch=None)
def keyed_co_process(env):
    one, other = pairs(env)
    return one.connect(other).key_by(first, first).process(Shared())


@case(parallelism=3)
def keyed_first_then_connected(env):
    one, other = pairs(env)
    return one.key_by(first).connect(other.key_by(first)).process(Shared())


@case()
def keyed_with_a_type(env):
    one, other = pairs(env)
    return one.connect(other).key_by(first, first, key_type=Types.STRING()).process(Shared())


@case()
def keyed_co_map_and_flat_map(env):
    class FlatPairs(CoFlatMapFunction):
        def flat_map1(self, value):
            yield "one", value

        def flat_map2(self, value):
            yield "two", value

    one, other = pairs(env)
    keyed = one.connect(other).key_by(first, first)
    return keyed.map(Maps()).union(keyed.flat_map(FlatPairs()))


@case()
def keyed_co_map_with_state(env):
    class Numbers(CoMapFunction):
        def open(self, runtime_context):
            self.n = runtime_context.get_state(ValueStateDescriptor("n", Types.INT()))

        def map1(self, value):
            self.n.update((self.n.value() or 0) + 1)
            return value[0], self.n.value()

        def map2(self, value):
            return None

    one, other = pairs(env)
    return one.connect(other).key_by(first, first).map(Numbers())


@case()
def co_process_keyed_function_on_plain(env):
    one, other = pairs(env)
    return one.connect(other).process(Shared())


@case()
def co_process_plain_function_on_keyed(env):
    one, other = pairs(env)
    return one.connect(other).key_by(first, first).process(Processes())


@each({"map": "map", "flat_map": "flat_map", "process": "process"})
def co_no_function(env, verb):
    one, other = two(env)
    return getattr(one.connect(other), verb)(lambda v: v)


@case()
def connect_nothing(env):
    return env.from_collection([1]).connect(5)


@case()
def co_raises(env):
    class Raises(CoMapFunction):
        def map1(self, value):
            return value

        def map2(self, value):
            raise ValueError(f"not {value}")

    one, other = two(env)
    return one.connect(other).map(Raises())


# --- Side outputs ---------------------------------------------------------------------------------

BIG = OutputTag("big", Types.INT())
ANY = OutputTag("any")


class Splits(ProcessFunction):
    def process_element(self, value, ctx):
        if value > 2:
            yield BIG, value * 100
        if value == 2:
            yield ANY, ("two", value)
        yield value


@case(parallelism=(1, 3), batch=None)
def side_output(env):
    return env.from_collection([1, 2, 3, 4]).process(Splits()).get_side_output(BIG)


@case()
def side_output_untyped(env):
    return env.from_collection([1, 2, 3]).process(Splits()).get_side_output(ANY)


@case()
def side_output_main(env):
    split = env.from_collection([1, 2, 3]).process(Splits(), output_type=Types.INT())
    return split.union(split.get_side_output(BIG))


@case()
def side_output_twice(env):
    split = env.from_collection([1, 2, 3]).process(Splits())
    other = split.get_side_output(BIG).map(lambda v: -v, Types.INT())
    return split.get_side_output(BIG).union(other)


@case()
def side_output_nobody_wants(env):
    return env.from_collection([1, 3]).process(Splits())


@case()
def side_output_of_another_tag(env):
    return env.from_collection([1, 3]).process(Splits()).get_side_output(OutputTag("none"))


@case()
def side_output_by_equal_tag(env):
    stream = env.from_collection([1, 3]).process(Splits())
    return stream.get_side_output(OutputTag("big", Types.INT()))


@case()
def side_output_of_the_wrong_type(env):
    class Wrong(ProcessFunction):
        def process_element(self, value, ctx):
            yield BIG, "text"

    return env.from_collection([1]).process(Wrong()).get_side_output(BIG)


@case()
def side_output_collected(env):
    return Collected(env.from_collection([1, 3]).process(Splits()).get_side_output(BIG))


@case()
def side_output_empty_tuple(env):
    class Empty(ProcessFunction):
        def process_element(self, value, ctx):
            yield ()
            yield (1,)
            yield ANY, 5

    split = env.from_collection([1]).process(Empty())
    return split.union(split.get_side_output(ANY))


@case()
def side_output_of_a_tag_alone(env):
    class Alone(ProcessFunction):
        def process_element(self, value, ctx):
            yield (BIG,)

    return env.from_collection([1]).process(Alone()).get_side_output(BIG)


@case()
def side_output_of_keyed_process(env):
    class Keyed(KeyedProcessFunction):
        def process_element(self, value, ctx):
            yield BIG, ctx.get_current_key()

    keyed = env.from_collection([1, 2]).key_by(lambda v: v + 10)
    return keyed.process(Keyed()).get_side_output(BIG)


@case()
def side_output_of_co_process(env):
    class Both(CoProcessFunction):
        def process_element1(self, value, ctx):
            yield BIG, value

        def process_element2(self, value, ctx):
            yield value

    one, other = two(env)
    split = one.connect(other).process(Both())
    return split.get_side_output(BIG)


@case()
def side_output_of_map(env):
    return env.from_collection([1]).map(lambda v: (BIG, v)).get_side_output(BIG)


@case()
def side_output_behind_other_operators(env):
    split = env.from_collection([1, 3]).process(Splits()).map(lambda v: v)
    return split.get_side_output(BIG)


@each(
    {
        "none": lambda: OutputTag(None),
        "empty": lambda: OutputTag(""),
        "wrong_type": lambda: OutputTag("x", 5),
        "list": lambda: OutputTag("x", [Types.INT()]).type_info,
    }
)
def tag(env, make):
    return [make()]


@case()
def side_output_no_tag(env):
    return env.from_collection([1]).process(Splits()).get_side_output("big")
