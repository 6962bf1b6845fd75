"""Broadcast state: a stream beside one that every subtask gets all of."""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from job_records import Key
from leat.common import Duration, Types, WatermarkStrategy
from leat.common.errors import JobError
from leat.common.types import Row
from leat.common.watermark_strategy import TimestampAssigner
from leat.datastream import OutputTag, SourceFunction, TimeDomain
from leat.datastream.connectors.number_seq import NumberSequenceSource
from leat.datastream.functions import BroadcastProcessFunction, KeyedBroadcastProcessFunction
from leat.datastream.state import (
    BroadcastState,
    MapStateDescriptor,
    ReadOnlyBroadcastState,
    ValueStateDescriptor,
)

RULES = MapStateDescriptor("rules", Types.STRING(), Types.LONG())
ANY = MapStateDescriptor("any", Types.PICKLED_BYTE_ARRAY(), Types.PICKLED_BYTE_ARRAY())
NOTE = OutputTag("note", Types.STRING())


class Told(SourceFunction):
    """Emits its values once `count` files are in the folder."""

    def __init__(self, folder, count, values):
        super().__init__()
        self.folder, self.count, self.values = folder, count, values
        self.running = True

    def run(self, ctx):
        while self.running and len(list(self.folder.iterdir())) < self.count:
            time.sleep(0.001)
        for value in self.values:
            ctx.collect(value)

    def cancel(self):
        self.running = False


class Priced(BroadcastProcessFunction):
    """Emits the price of what it knows; each subtask tells when it knows `count` prices."""

    def __init__(self, folder, count):
        self.folder, self.count = folder, count

    def open(self, runtime_context):
        self.subtask = runtime_context.get_index_of_this_subtask()

    def process_element(self, value, ctx):
        yield value, ctx.get_broadcast_state(RULES).get(value)

    def process_broadcast_element(self, value, ctx):
        state = ctx.get_broadcast_state(RULES)
        state.put(*value)
        if len(list(state.keys())) == self.count:
            (self.folder / str(self.subtask)).touch()


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [1, 3])
def test_elements_see_what_was_broadcast(make_env, results, tmp_path, parallelism):
    env = make_env(parallelism)
    words = env.add_source(Told(tmp_path, parallelism, ["a", "b", "c", "a"] * 3)).rebalance()
    prices = env.from_collection([("a", 1), ("b", 2), ("a", 3)]).broadcast(RULES)
    found = results(words.connect(prices).process(Priced(tmp_path, 2)))
    assert Counter(found) == {("a", 3): 6, ("b", 2): 3, ("c", None): 3}


class Echo(BroadcastProcessFunction):
    """Emits what the broadcast side gets, and who got it."""

    def open(self, runtime_context):
        self.subtask = runtime_context.get_index_of_this_subtask()

    def process_element(self, value, ctx):
        return None

    def process_broadcast_element(self, value, ctx):
        yield self.subtask, value


@pytest.mark.parametrize("parallelism", [1, 3])
def test_every_subtask_gets_every_broadcast_element_once(make_env, results, parallelism):
    env = make_env(parallelism)
    one = env.from_source(NumberSequenceSource(1, 50), WatermarkStrategy.no_watermarks(), "one")
    two = env.from_collection(list(range(51, 60))).rebalance()
    two = two.map(lambda v: v, Types.LONG())
    found = results(
        env.from_collection([]).connect(one.union(two).broadcast(RULES)).process(Echo())
    )
    assert Counter(found) == {(s, v): 1 for s in range(parallelism) for v in range(1, 60)}


class Keyed(KeyedBroadcastProcessFunction):
    """Counts per key, and tells at the end by the rules."""

    def open(self, runtime_context):
        self.seen = runtime_context.get_state(ValueStateDescriptor("rules", Types.LONG()))

    def process_element(self, value, ctx):
        self.seen.update((self.seen.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(value[1])
        assert ctx.get_current_key() == value[0]

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(RULES).put_all(dict([value]))

    def on_timer(self, timestamp, ctx):
        rule = ctx.get_broadcast_state(RULES)[ctx.get_current_key()]
        yield ctx.get_current_key(), self.seen.value(), rule, timestamp
        yield NOTE, str(ctx.time_domain() is TimeDomain.EVENT_TIME)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_keyed_state_and_timers_of_the_keyed_side(make_env, results, parallelism):
    env = make_env(parallelism)
    items = env.from_collection([("a", 1), ("b", 2), ("a", 5), ("c", 3)] * 2).rebalance()
    rules = env.from_collection([("a", 10), ("b", 20)]).broadcast(RULES)
    out = items.key_by(lambda v: v[0], Types.STRING()).connect(rules).process(Keyed())
    found = results(out)
    assert sorted(found, key=str) == [("a", 4, 10, 1), ("a", 4, 10, 5), ("b", 2, 20, 2),
                                      ("c", 2, None, 3)]  # fmt: skip
    assert results(out.get_side_output(NOTE)) == ["True"] * 4


class Second(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Times(KeyedBroadcastProcessFunction):
    """Emits times, of both sides and of timers."""

    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(ctx.timestamp() + 1)
        yield "element", ctx.timestamp()

    def process_broadcast_element(self, value, ctx):
        assert ctx.current_processing_time() > 1_600_000_000_000
        yield "broadcast", ctx.timestamp()

    def on_timer(self, timestamp, ctx):
        yield "timer", ctx.timestamp(), ctx.current_watermark()


def test_time_is_the_slower_sides(make_env, results):
    env = make_env(1, **{"pipeline.watermark-per-record": "true"})
    timed = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(0))
    timed = timed.with_timestamp_assigner(Second())
    items = env.from_collection([("a", 5)]).assign_timestamps_and_watermarks(timed)
    rules = env.from_collection([("r", 3)]).assign_timestamps_and_watermarks(timed)
    keyed = items.key_by(lambda v: v[0])
    found = results(keyed.connect(rules.broadcast(RULES)).process(Times()))
    assert sorted(found) == [("broadcast", 3), ("element", 5), ("timer", 6, 2**63 - 1)]


class Walk(BroadcastProcessFunction):
    """Does all that can be done to a state; a generator, so between its yields, too."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def process_element(self, value, ctx):
        return None

    def process_broadcast_element(self, value, ctx):
        first, second, third, old, new = value
        state = ctx.get_broadcast_state(self.descriptor)
        assert isinstance(state, BroadcastState) and isinstance(state, ReadOnlyBroadcastState)
        assert state.is_empty() and list(state) == [] and state.get(first) is None
        yield "began"
        state.put(first, old)
        state[first] = new
        state.put_all({second: old} if not isinstance(second, list) else [(second, old)])
        state[third] = None
        again = ctx.get_broadcast_state(
            MapStateDescriptor(self.descriptor.name, *self.types(self.descriptor))
        )
        assert again is state
        yield state[first], state.get(second), state[third], third in state, state.contains(third)
        del state[third]
        state.remove(third)
        yield sorted(state.items(), key=str), sorted(state.keys(), key=str), len(list(state))
        for key in state:
            state.remove(key)
        yield list(state.values()), third in state
        state[first] = old
        state.clear()
        yield state.is_empty()

    @staticmethod
    def types(descriptor):
        return descriptor.type_info._key_type_info, descriptor.type_info._value_type_info


ROW = Types.ROW_NAMED(["n", "s"], [Types.LONG(), Types.STRING()])


@pytest.mark.parametrize(
    ("types", "value"),
    [
        ((Types.STRING(), Types.LONG()), ("k", "l", "m", 1, 2)),
        ((Types.LONG(), Types.STRING()), (7, -7, 2**62, "old", "né" * 100)),
        ((Types.TUPLE([Types.STRING(), Types.LONG()]), Types.LIST(Types.LONG())),
         (("a", 1), ("a", 2), ("b", 1), [1], [1, 2, 3])),
        ((Types.STRING(), ROW), ("k", "l", "m", Row(n=1, s="one"), Row(n=2, s="two"))),
        ((Types.PICKLED_BYTE_ARRAY(), Types.PICKLED_BYTE_ARRAY()),
         (Key("a"), Key("a", (1,)), None, {"x": [1]}, {1, 2})),
        ((Types.PICKLED_BYTE_ARRAY(), Types.PICKLED_BYTE_ARRAY()), (1, 1.0, True, "o", 2**70)),
    ],
)  # fmt: skip
def test_states_of_all_types(env, results, types, value):
    descriptor = MapStateDescriptor("all", *types)
    first, second, _, old, new = value
    main, rules = env.from_collection([]), env.from_collection([0]).map(lambda _: value)
    found = results(main.connect(rules.broadcast(descriptor)).process(Walk(descriptor)))
    pairs = sorted([(first, new), (second, old)], key=str)
    keys = sorted([first, second], key=str)
    assert found == ["began", (new, old, None, True, True), (pairs, keys, 2), ([], False), True]


class Endless(SourceFunction):
    """Emits until the job ends."""

    running = True

    def run(self, ctx):
        while self.running:
            ctx.collect("a")
            time.sleep(0.001)

    def cancel(self):
        self.running = False


class Refused(KeyedBroadcastProcessFunction):
    """Does one thing that is refused."""

    def __init__(self, what):
        self.what = what

    def open(self, runtime_context):
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.LONG()))
        self.timers = self.kept = None

    def process_element(self, value, ctx):
        self.timers = ctx.timer_service()
        self.reader = ctx
        if self.what == "kept" and self.kept is not None:
            self.kept.put("b", 1)
        if self.what == "read only":
            ctx.get_broadcast_state(RULES).put("b", 1)
        if self.what == "read only item":
            ctx.get_broadcast_state(RULES)["b"] = 1

    def process_broadcast_element(self, value, ctx):
        self.kept = ctx.get_broadcast_state(RULES)
        if self.what == "state":
            yield self.seen.value()
        if self.what == "timer" and self.timers is not None:
            self.timers.register_event_time_timer(5)
        if self.what == "descriptor":
            ctx.get_broadcast_state(ValueStateDescriptor("rules", Types.LONG()))
        if self.what == "undeclared":
            ctx.get_broadcast_state(MapStateDescriptor("roles", Types.STRING(), Types.LONG()))
        if self.what == "undeclared, for reading" and self.timers is not None:
            self.reader.get_broadcast_state(MapStateDescriptor("r", Types.STRING(), Types.LONG()))
        if self.what == "type":
            ctx.get_broadcast_state(MapStateDescriptor("rules", Types.STRING(), Types.STRING()))
        if self.what == "value":
            self.kept.put("b", "no number")
        if self.what == "key":
            ctx.get_broadcast_state(ANY).put(lambda: 1, 1)
        if self.what == "raise":
            raise LookupError("no such rule")


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("state", "elements of the broadcast side have none; use it in process_element"),
        ("timer", "timers belong to a key, and elements of the broadcast side have none"),
        ("kept", "can only be changed in process_broadcast_element"),
        ("read only", "has no attribute 'put'"),
        ("read only item", "does not support item assignment"),
        ("descriptor", "get_broadcast_state needs a MapStateDescriptor"),
        (
            "undeclared",
            "broadcast state 'roles' is not declared; give its descriptor to broadcast(), which "
            "was given ('rules', 'any')",
        ),
        ("undeclared, for reading", "broadcast state 'r' is not declared"),
        ("type", "the state 'rules' is a map state of MAP<STRING,LONG>"),
        ("value", "LONG"),
        ("key", "function"),
        ("raise", "LookupError: no such rule"),
    ],
)
def test_what_is_refused_says_why(env, results, what, why):
    items, rules = env.add_source(Endless()), env.add_source(Endless()).broadcast(RULES, ANY)
    with pytest.raises(JobError, match=re.escape(why)):
        results(items.key_by(lambda v: v).connect(rules).process(Refused(what)))
