"""Keyed state of user functions: all kinds, in every function of a keyed stream."""

from __future__ import annotations

import time

import pytest
from leat.common import Row, Types
from leat.common.errors import JobError
from leat.common.time import Time
from leat.datastream.functions import (
    AggregateFunction,
    CoMapFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    MapFunction,
    ReduceFunction,
)
from leat.datastream.state import (
    AggregatingState,
    AggregatingStateDescriptor,
    ListState,
    ListStateDescriptor,
    MapState,
    MapStateDescriptor,
    ReducingState,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueState,
    ValueStateDescriptor,
)

ANY = Types.PICKLED_BYTE_ARRAY()
PAIR = Types.TUPLE([Types.LONG(), Types.DOUBLE()])


class Keeping(KeyedProcessFunction):
    """Calls `step(state, value)` for each value and yields what it answers."""

    def __init__(self, getter, descriptor, step):
        self.getter = getter
        self.descriptor = descriptor
        self.step = step

    def open(self, runtime_context):
        self.state = getattr(runtime_context, self.getter)(self.descriptor)

    def process_element(self, value, ctx):
        yield self.step(self.state, value)


def parity(value):
    return value % 2


def run(env, results, function, items=range(6), key=parity):
    return results(env.from_collection(list(items)).key_by(key).process(function))


@pytest.mark.parametrize("kind", [PAIR, ANY], ids=["native", "live"])
def test_value_state(env, results, kind):
    def step(state, value):
        assert isinstance(state, ValueState)
        count, total = state.value() or (0, 0.0)
        if count == 2:
            state.clear()
            assert state.value() is None
            state.clear()
        else:
            state.update((count + 1, total + value))
        return state.value()

    found = run(env, results, Keeping("get_state", ValueStateDescriptor("v", kind), step))
    assert found == [(1, 0.0), (1, 1.0), (2, 2.0), (2, 4.0), None, None]


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Types.STRING(), "häh", "häh"),
        (Types.DOUBLE(), 3, 3.0),
        (Types.TUPLE([Types.STRING(), Types.LIST(Types.INT())]), ["a", [1, 2]], ("a", [1, 2])),
        (Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()]), (1, "x"), Row(a=1, b="x")),
        (Types.MAP(Types.STRING(), Types.LONG()), {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        (Types.BIG_INT(), 2**100, 2**100),
        (ANY, {1, 2}, {1, 2}),
        (ANY, 2**100, 2**100),
    ],
    ids=str,
)
def test_value_state_converts_to_its_type(env, results, kind, value, read):
    def step(state, number):
        if number == 0:
            state.update(value)
        return state.value(), type(state.value()).__name__

    descriptor = ValueStateDescriptor("v", kind)
    found = run(env, results, Keeping("get_state", descriptor, step), [0, 2])
    assert found == [(read, type(read).__name__)] * 2


def test_none_forgets_a_value(env, results):
    def step(state, value):
        state.update(None if value == 2 else value)
        return state.value()

    descriptor = ValueStateDescriptor("v", Types.LONG())
    assert run(env, results, Keeping("get_state", descriptor, step)) == [0, 1, None, 3, 4, 5]


@pytest.mark.parametrize("element", [Types.LONG(), ANY], ids=["typed", "live"])
def test_list_state(env, results, element):
    def step(state, value):
        assert isinstance(state, ListState)
        before = state.get()
        assert list(before) == list(state)
        if value >= 8:
            state.update([value])
            state.update([])
            assert list(state.get()) == []
        elif value >= 6:
            state.update(iter([value, value + 1]))
            state.add_all([])
            state.add_all(v for v in (7, 9))
        else:
            state.add(value)
        return list(before), list(state.get())

    descriptor = ListStateDescriptor("l", element)
    found = run(env, results, Keeping("get_list_state", descriptor, step), range(10))
    assert [f for f in found if 0 in f[1] or f[0][:1] == [0] or 6 in f[0]] == [
        ([], [0]),
        ([0], [0, 2]),
        ([0, 2], [0, 2, 4]),
        ([0, 2, 4], [6, 7, 7, 9]),
        ([6, 7, 7, 9], []),
    ]


@pytest.mark.parametrize(
    "kinds", [(Types.STRING(), Types.LONG()), (ANY, ANY)], ids=["typed", "live"]
)
def test_map_state(env, results, kinds):
    def step(state, value):
        assert isinstance(state, MapState)
        assert state.is_empty() == (value == 0)
        assert state.get("nobody") is None
        assert state["nobody"] is None
        state.put(str(value), value)
        state["last"] = value
        state.put_all({"a": 1, "b": 2})
        assert "a" in state and state.contains("b") and "c" not in state
        for key in state:
            if key == "a":
                del state["b"]
                state.remove("a")
                state.remove("a")
        return sorted(state.items()), sorted(state.keys()), sorted(state.values())

    descriptor = MapStateDescriptor("m", *kinds)
    found = run(env, results, Keeping("get_map_state", descriptor, step), [0, 2])
    second = {"0": 0, "2": 2, "last": 2}
    assert found[0] == ([("0", 0), ("last", 0)], ["0", "last"], [0, 0])
    assert found[1] == (sorted(second.items()), sorted(second), sorted(second.values()))


def test_map_state_clears(env, results):
    def step(state, value):
        state[(value,)] = [value]
        if value == 2:
            state.clear()
        if value == 3:
            del state[(1,)], state[(3,)]
        return state.is_empty(), list(state.values())

    descriptor = MapStateDescriptor("m", ANY, ANY)
    found = run(env, results, Keeping("get_map_state", descriptor, step), range(4))
    assert found == [(False, [[0]]), (False, [[1]]), (True, []), (True, [])]


class Larger(ReduceFunction):
    def reduce(self, value1, value2):
        return max(value1, value2)


def add(a, b):
    return a + b


@pytest.mark.parametrize(("function", "last"), [(add, 4), (Larger(), 4)], ids=["callable", "class"])
@pytest.mark.parametrize("kind", [Types.LONG(), ANY], ids=["native", "live"])
def test_reducing_state(env, results, function, last, kind):
    def step(state, value):
        assert isinstance(state, ReducingState)
        before = state.get()
        state.add(value)
        return before, state.get()

    descriptor = ReducingStateDescriptor("r", function, kind)
    found = run(env, results, Keeping("get_reducing_state", descriptor, step), [1, 3, 0, 4])
    first = function if callable(function) else function.reduce
    assert found == [(None, 1), (1, first(1, 3)), (None, 0), (0, last)]


class Mean(AggregateFunction):
    def create_accumulator(self):
        return 0, 0.0

    def add(self, value, accumulator):
        return accumulator[0] + 1, accumulator[1] + value

    def get_result(self, accumulator):
        return accumulator[1] / accumulator[0]

    def merge(self, acc_a, acc_b):
        return acc_a[0] + acc_b[0], acc_a[1] + acc_b[1]


@pytest.mark.parametrize("kind", [PAIR, ANY], ids=["native", "live"])
def test_aggregating_state(env, results, kind):
    def step(state, value):
        assert isinstance(state, AggregatingState)
        before = state.get()
        state.add(value)
        if value == 5:
            state.clear()
        return before, state.get()

    descriptor = AggregatingStateDescriptor("a", Mean(), kind)
    found = run(env, results, Keeping("get_aggregating_state", descriptor, step))
    want = [(None, 0.0), (None, 1.0), (0.0, 1.0), (1.0, 2.0), (1.0, 2.0), (2.0, None)]
    assert found == want


# --- where state is ----------------------------------------------------------------------------


class Counting:
    """Counts per key."""

    def open(self, runtime_context):
        descriptor = ValueStateDescriptor("count", Types.LONG())
        self.state = runtime_context.get_state(descriptor)
        self.same = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def count(self):
        self.state.update((self.state.value() or 0) + 1)
        return self.same.value()


class CountingMap(Counting, MapFunction):
    def map(self, value):
        return value, self.count()


class CountingFlatMap(Counting, FlatMapFunction):
    def flat_map(self, value):
        yield value, self.count()


class CountingFilter(Counting, FilterFunction):
    def filter(self, value):
        return self.count() == 2


class CountingReduce(Counting, ReduceFunction):
    def reduce(self, value1, value2):
        return 100 * self.count() + value2


class CountingCoMap(Counting, CoMapFunction):
    def map1(self, value):
        return value, self.count()

    def map2(self, value):
        return value, self.count()


@pytest.mark.parametrize("parallelism", [1, 3])
def test_every_function_of_a_keyed_stream_has_state(make_env, results, parallelism):
    def keyed():
        return make_env(parallelism).from_collection(list(range(6))).key_by(lambda v: v % 3)

    counted = [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]
    assert sorted(results(keyed().map(CountingMap()))) == counted
    assert sorted(results(keyed().flat_map(CountingFlatMap()))) == counted
    assert sorted(results(keyed().filter(CountingFilter()))) == [3, 4, 5]
    assert sorted(results(keyed().reduce(CountingReduce()))) == [0, 1, 2, 103, 104, 105]


def test_two_inputs_share_their_state(env, results):
    one = env.from_collection([0, 1]).key_by(lambda v: v % 2)
    two = env.from_collection([2, 3]).key_by(lambda v: v % 2)
    counts = [count for _, count in results(one.connect(two).map(CountingCoMap()))]
    assert sorted(counts) == [1, 1, 2, 2]


def test_timers_see_the_state_of_their_key(env, results):
    class Late(KeyedCoProcessFunction):
        def open(self, runtime_context):
            self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", Types.LONG()))

        def process_element1(self, value, ctx):
            self.seen.add(value)
            ctx.timer_service().register_event_time_timer(100)

        def process_element2(self, value, ctx):
            return self.process_element1(value, ctx)

        def on_timer(self, timestamp, ctx):
            yield ctx.get_current_key(), sorted(self.seen)
            self.seen.clear()

    one, two = env.from_collection([1, 2, 3]), env.from_collection([4, 5])
    stream = one.connect(two).key_by(parity, parity).process(Late())
    assert sorted(results(stream)) == [(0, [2, 4]), (1, [1, 3, 5])]


@pytest.mark.parametrize("key", [lambda v: (v % 2, "k"), lambda v: f"k{v % 2}", lambda v: [v % 2]])
def test_keys_of_all_kinds(env, results, key):
    found = results(env.from_collection(list(range(4))).key_by(key).map(CountingMap()))
    assert found == [(0, 1), (1, 1), (2, 2), (3, 2)]


def test_a_generator_keeps_its_key(env, results):
    class Slow(Counting, KeyedProcessFunction):
        def process_element(self, value, ctx):
            for _ in range(3):
                yield value, self.count(), ctx.get_current_key()

    found = results(env.from_collection([7, 8, 7]).key_by(lambda v: v).process(Slow()))
    numbers = [(7, n, 7) for n in (1, 2, 3)] + [(8, n, 8) for n in (1, 2, 3)]
    assert found == numbers + [(7, n, 7) for n in (4, 5, 6)]


# --- errors --------------------------------------------------------------------------------------


def failure(results, stream):
    with pytest.raises(JobError) as failed:
        results(stream)
    return str(failed.value)


def test_without_keys_there_is_no_state(env, results):
    text = failure(results, env.from_collection([1]).map(CountingMap()))
    assert "This state is only accessible by functions executed on a KeyedStream." in text


def test_a_name_stands_for_one_kind_and_type(env, results):
    class Twice(CountingMap):
        def open(self, runtime_context):
            super().open(runtime_context)
            runtime_context.get_list_state(ListStateDescriptor("count", Types.LONG()))

    text = failure(results, env.from_collection([1]).key_by(parity).map(Twice()))
    assert "State name corrupted: count" in text
    assert "value state of LONG" in text


def test_in_open_there_is_no_key(env, results):
    class Early(CountingMap):
        def open(self, runtime_context):
            super().open(runtime_context)
            self.count()

    text = failure(results, env.from_collection([1]).key_by(parity).map(Early()))
    assert "no record or timer is being processed" in text


def test_a_value_of_another_type_fails(env, results):
    def step(state, value):
        state.update("not a number")

    descriptor = ValueStateDescriptor("v", Types.LONG())
    stream = env.from_collection([1]).key_by(parity)
    text = failure(results, stream.process(Keeping("get_state", descriptor, step)))
    assert "expected LONG, got str 'not a number'" in text


def test_descriptors_are_checked(env, results):
    with pytest.raises(TypeError, match=r"Types\.LONG"):
        ValueStateDescriptor("v", int)
    with pytest.raises(TypeError, match=r"Types\.LONG"):
        ListStateDescriptor("v", None)
    with pytest.raises(TypeError, match="ReduceFunction or a callable"):
        ReducingStateDescriptor("v", 1, Types.LONG())
    with pytest.raises(TypeError, match="AggregateFunction"):
        AggregatingStateDescriptor("v", add, Types.LONG())
    descriptor = ListStateDescriptor("v", Types.LONG())
    stream = env.from_collection([1]).key_by(parity)
    text = failure(results, stream.process(Keeping("get_state", descriptor, add)))
    assert "get_state needs a ValueStateDescriptor, not a ListStateDescriptor" in text


def test_a_list_state_takes_lists(env, results):
    def step(state, value):
        state.update(value)

    descriptor = ListStateDescriptor("v", Types.LONG())
    stream = env.from_collection([1]).key_by(parity)
    text = failure(results, stream.process(Keeping("get_list_state", descriptor, step)))
    assert "update() and add_all() of a list state take a list, not 1" in text


# --- state that expires --------------------------------------------------------------------------

LONG = Types.LONG()
EXPIRING = {
    "get_state": lambda: ValueStateDescriptor("s", PAIR),
    "get_list_state": lambda: ListStateDescriptor("s", LONG),
    "get_map_state": lambda: MapStateDescriptor("s", LONG, LONG),
    "get_reducing_state": lambda: ReducingStateDescriptor("s", add, LONG),
    "get_aggregating_state": lambda: AggregatingStateDescriptor("s", Mean(), PAIR),
}


def write(state, value):
    if isinstance(state, ValueState):
        state.update((value, float(value)))
    elif isinstance(state, MapState):
        state.put(value, value)
    else:
        state.add(value)


def read(state):
    if isinstance(state, ValueState):
        return state.value()
    if isinstance(state, MapState):
        seen = sorted(k for k in state)
        assert seen == sorted(state.values()) and state.is_empty() == (not seen)
        assert [k for k in range(9) if k in state] == seen
        return seen or None
    if isinstance(state, ListState):
        return list(state) or None
    return state.get()


class Expiring(KeyedProcessFunction):
    """Writes 1, waits, reads, and writes 2 for a time and then another."""

    def __init__(self, getter, config):
        self.getter = getter
        self.config = config

    def open(self, runtime_context):
        descriptor = EXPIRING[self.getter]()
        descriptor.enable_time_to_live(self.config)
        self.state = getattr(runtime_context, self.getter)(descriptor)

    def process_element(self, value, ctx):
        write(self.state, 1)
        yield read(self.state)
        time.sleep(0.6)
        yield read(self.state)
        write(self.state, 2)
        yield read(self.state)


@pytest.mark.parametrize("getter", EXPIRING)
def test_state_expires(env, results, getter):
    config = StateTtlConfig.new_builder(Time.milliseconds(500)).build()
    first, second, third = run(env, results, Expiring(getter, config), [1])
    ones = {"get_state": (1, 1.0), "get_list_state": [1], "get_map_state": [1]}
    twos = {"get_state": (2, 2.0), "get_list_state": [2], "get_map_state": [2]}
    assert first == ones.get(getter, 1)
    assert second is None
    assert third == twos.get(getter, 2)


@pytest.mark.parametrize("getter", EXPIRING)
def test_state_of_a_long_life_stays(env, results, getter):
    builder = StateTtlConfig.new_builder(Time.hours(1)).update_ttl_on_read_and_write()
    first, second, third = run(env, results, Expiring(getter, builder.build()), [1])
    assert first == second
    both = {"get_state": (2, 2.0), "get_reducing_state": 3, "get_aggregating_state": 1.5}
    assert third == both.get(getter, [1, 2])


def test_expired_state_may_show_once(env, results):
    builder = StateTtlConfig.new_builder(Time.milliseconds(1))
    config = builder.return_expired_if_not_cleaned_up().build()

    class Reading(Expiring):
        def process_element(self, value, ctx):
            write(self.state, 1)
            time.sleep(0.01)
            yield self.state.value() if isinstance(self.state, ValueState) else list(self.state)
            yield self.state.value() if isinstance(self.state, ValueState) else list(self.state)

    assert run(env, results, Reading("get_state", config), [1]) == [(1, 1.0), None]
    assert run(env, results, Reading("get_list_state", config), [1]) == [[1], []]


def test_elements_expire_one_by_one(env, results):
    config = StateTtlConfig.new_builder(Time.milliseconds(1000)).build()

    class Growing(Expiring):
        def process_element(self, value, ctx):
            write(self.state, 1)
            time.sleep(0.6)
            write(self.state, 2)
            time.sleep(0.6)
            yield read(self.state)

    assert run(env, results, Growing("get_list_state", config), [1]) == [[2]]
    assert run(env, results, Growing("get_map_state", config), [1]) == [[2]]


def test_one_state_expires_in_one_way(env, results):
    class Two(CountingMap):
        def open(self, runtime_context):
            super().open(runtime_context)
            descriptor = ValueStateDescriptor("count", Types.LONG())
            descriptor.enable_time_to_live(StateTtlConfig.new_builder(Time.seconds(1)).build())
            runtime_context.get_state(descriptor)

    text = failure(results, env.from_collection([1]).key_by(parity).map(Two()))
    assert "it expires in another way" in text


PLACE = Types.TUPLE([Types.STRING(), Types.DOUBLE(), Types.LONG()])


class SameForAllTypes(KeyedProcessFunction):
    """Does the same to state that is stored natively, to live objects, and to a dict and a list."""

    def open(self, runtime_context):
        maps = [
            MapStateDescriptor("native", Types.INT(), PLACE),
            MapStateDescriptor("live", Types.PICKLED_BYTE_ARRAY(), Types.PICKLED_BYTE_ARRAY()),
        ]
        lists = [
            ListStateDescriptor("native list", PLACE),
            ListStateDescriptor("live list", Types.PICKLED_BYTE_ARRAY()),
        ]
        self.maps = [runtime_context.get_map_state(d) for d in maps]
        self.lists = [runtime_context.get_list_state(d) for d in lists]
        self.dicts, self.plain = {}, {}

    def process_element(self, value, ctx):
        import random

        expected = self.dicts.setdefault(ctx.get_current_key(), {})
        elements = self.plain.setdefault(ctx.get_current_key(), [])
        chance = random.Random(value)
        for _ in range(60):
            key = chance.randrange(20)
            place = (str(key), chance.random(), None if key == 3 else chance.randrange(9))
            action = chance.choice(["put", "put", "remove", "add", "add_all", "update", "clear"])
            if action == "put":
                expected[key] = place
            elif action == "remove":
                expected.pop(key, None)
            elif action == "add":
                elements.append(place)
            elif action == "add_all":
                elements.extend([place, place])
            elif action == "update":
                elements[:] = [place] * key
            elif key == 0:
                expected.clear()
                elements.clear()
            for state in self.maps:
                if action == "put":
                    state.put(key, place)
                elif action == "remove":
                    state.remove(key)
                elif action == "clear" and key == 0:
                    state.clear()
                assert list(state.items()) == list(expected.items())
                assert list(state.keys()) == list(expected)
                assert state.get(key) == expected.get(key)
                assert (key in state) == state.contains(key) == (key in expected)
                assert state.is_empty() == (not expected)
            for state in self.lists:
                if action == "add":
                    state.add(place)
                elif action == "add_all":
                    state.add_all([place, place])
                elif action == "update":
                    state.update([place] * key)
                elif action == "clear" and key == 0:
                    state.clear()
                assert list(state.get()) == list(state) == elements
        yield value


def test_native_lists_and_maps_are_as_live_ones(env, results):
    stream = env.from_collection(list(range(12))).key_by(lambda v: v % 3)
    assert results(stream.process(SameForAllTypes())) == list(range(12))


def test_native_maps_take_what_their_type_takes(env, results):
    class Odd(KeyedProcessFunction):
        def open(self, runtime_context):
            by_int = MapStateDescriptor("by int", Types.INT(), Types.STRING())
            by_text = MapStateDescriptor("by text", Types.STRING(), Types.LONG())
            self.by_int = runtime_context.get_map_state(by_int)
            self.by_text = runtime_context.get_map_state(by_text)

        def process_element(self, value, ctx):
            self.by_int[True] = "one"
            self.by_int[1] = "same"
            self.by_int[None] = "none"
            self.by_text.put("none", None)
            del self.by_int[7]
            yield list(self.by_int.items()), list(self.by_text.items()), "none" in self.by_text
            for wrong in (2**40, "text"):
                try:
                    self.by_int.put(wrong, "x")
                except TypeError:
                    yield "refused"
            yield len(list(self.by_int))

    found = results(env.from_collection([1]).key_by(lambda v: v).process(Odd()))
    pairs = [(1, "same"), (None, "none")]
    assert found == [(pairs, [("none", None)], True), "refused", "refused", 2]


def test_lists_in_lists_stay_live(env, results):
    class Deep(KeyedProcessFunction):
        def open(self, runtime_context):
            descriptor = ListStateDescriptor("deep", Types.LIST(Types.INT()))
            self.state = runtime_context.get_list_state(descriptor)

        def process_element(self, value, ctx):
            self.state.add([value])
            for inner in self.state:
                inner.append(0)
            yield list(self.state)

    found = results(env.from_collection([1, 2]).key_by(lambda v: 0).process(Deep()))
    assert found == [[[1, 0]], [[1, 0, 0], [2, 0]]]
