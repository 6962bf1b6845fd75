"""Keyed state: every kind, scopes, clear, types, time to live, and what is refused."""

import time

from parity_case import Family
from pyflink.common import Row, Time, Types
from pyflink.datastream import (
    AggregateFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
)
from pyflink.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)

family = Family()
case, each = family.case, family.each
INT = Types.INT()


class Mean(AggregateFunction):
    def create_accumulator(self):
        return 0, 0

    def add(self, value, accumulator):
        return accumulator[0] + value, accumulator[1] + 1

    def get_result(self, accumulator):
        return accumulator[0] / accumulator[1]

    def merge(self, a, b):
        return a[0] + b[0], a[1] + b[1]


KINDS = {
    "value": (lambda c: c.get_state, lambda: ValueStateDescriptor("s", INT)),
    "value_pickled": (
        lambda c: c.get_state,
        lambda: ValueStateDescriptor("s", Types.PICKLED_BYTE_ARRAY()),
    ),
    "list": (lambda c: c.get_list_state, lambda: ListStateDescriptor("s", INT)),
    "list_pickled": (
        lambda c: c.get_list_state,
        lambda: ListStateDescriptor("s", Types.PICKLED_BYTE_ARRAY()),
    ),
    "map": (lambda c: c.get_map_state, lambda: MapStateDescriptor("s", Types.STRING(), INT)),
    "map_pickled": (
        lambda c: c.get_map_state,
        lambda: MapStateDescriptor("s", Types.PICKLED_BYTE_ARRAY(), Types.PICKLED_BYTE_ARRAY()),
    ),
    "reducing": (
        lambda c: c.get_reducing_state,
        lambda: ReducingStateDescriptor("s", lambda a, b: a + b, INT),
    ),
    "aggregating": (
        lambda c: c.get_aggregating_state,
        lambda: AggregatingStateDescriptor("s", Mean(), Types.TUPLE([INT, INT])),
    ),
    "aggregating_pickled": (
        lambda c: c.get_aggregating_state,
        lambda: AggregatingStateDescriptor("s", Mean(), Types.PICKLED_BYTE_ARRAY()),
    ),
}


class Uses(KeyedProcessFunction):
    """Calls `use(state, value)` with a state of that kind, for pairs of a key and a value."""

    def __init__(self, kind, use, ttl=None):
        self.kind = kind
        self.use = use
        self.ttl = ttl

    def open(self, runtime_context):
        getter, descriptor = KINDS[self.kind]
        made = descriptor()
        if self.ttl is not None:
            made.enable_time_to_live(self.ttl)
        self.state = getter(runtime_context)(made)

    def process_element(self, value, ctx):
        yield value, self.use(self.state, value[1])


def used(env, kind, use, values=(("a", 1), ("b", 2), ("a", 3)), ttl=None):
    stream = env.from_collection(list(values))
    return stream.key_by(lambda v: v[0]).process(Uses(kind, use, ttl))


def value_add(s, v):
    before = s.value()
    s.update((before or 0) + v)
    return before, s.value()


def list_add(s, v):
    before = list(s.get())
    s.add(v)
    s.add_all([v, -v])
    return before, list(s.get()), list(s)


def list_update(s, v):
    s.add(99)
    s.update([v])
    return list(s.get())


def map_put(s, v):
    before = sorted(s.keys()), s.is_empty()
    s.put(str(v), v)
    s.put_all({"x": v, "y": 0})
    s.remove("y")
    return before, sorted(s.items()), sorted(s.values()), s.get("x"), s.get("y"), s.contains("x")


def map_items(s, v):
    s["n"] = v
    s["m"] = v
    del s["m"]
    return "n" in s, "m" in s, s["n"], sorted(s), len(list(s.items()))


def adds(s, v):
    before = s.get()
    s.add(v)
    s.add(10)
    return before, s.get()


USES = {
    "value": ("value", value_add),
    "value_pickled": ("value_pickled", value_add),
    "list": ("list", list_add),
    "list_pickled": ("list_pickled", list_add),
    "list_update": ("list", list_update),
    "map": ("map", map_put),
    "map_pickled": ("map_pickled", map_put),
    "map_items": ("map", map_items),
    "reducing": ("reducing", adds),
    "aggregating": ("aggregating", adds),
    "aggregating_pickled": ("aggregating_pickled", adds),
}


@each(USES, ordered=True)
def of_one(env, argument):
    return used(env, *argument)


@each(USES, parallelism=3)
def of_three(env, argument):
    return used(env, *argument)


def clear_between(read):
    def use(s, v):
        if v == 3:
            s.clear()
        return read(s, v)

    return use


@each({k: USES[k] for k in USES if "pickled" not in k}, ordered=True)
def cleared(env, argument):
    kind, use = argument
    return used(env, kind, clear_between(use))


@each({k: USES[k] for k in ("value", "list", "map", "reducing", "aggregating")}, batch=True)
def in_batch(env, argument):
    return used(env, *argument)


READS = {
    "value": lambda s: s.value(),
    "value_pickled": lambda s: s.value(),
    "list": lambda s: list(s.get()),
    "map": lambda s: [list(s.items()), s.get("a"), s.is_empty()],
    "reducing": lambda s: s.get(),
    "aggregating": lambda s: s.get(),
}


@each(READS)
def never_written(env, argument):
    kind = next(k for k, read in READS.items() if read is argument)
    return used(env, kind, lambda s, v: argument(s), [("a", 1)])


NONES = {
    "value_update": ("value", lambda s, v: (s.update(None), s.value())),
    "value_pickled_update": ("value_pickled", lambda s, v: (s.update(None), s.value())),
    "list_add": ("list_pickled", lambda s, v: (s.add(None), list(s.get()))),
    "list_update_empty": ("list", lambda s, v: (s.add(1), s.update([]), list(s.get()))),
    "list_add_all_empty": ("list", lambda s, v: (s.add_all([]), list(s.get()))),
    "map_put": ("map_pickled", lambda s, v: (s.put("a", None), s.get("a"), s.contains("a"))),
    "map_put_none_key": ("map_pickled", lambda s, v: (s.put(None, 1), s.get(None))),
    "map_remove_missing": ("map", lambda s, v: s.remove("zz")),
    "map_del_missing": ("map", lambda s, v: s.__delitem__("zz")),
    "map_get_missing": ("map", lambda s, v: s["zz"]),
    "reducing_add": ("reducing", lambda s, v: (s.add(None), s.get())),
    "aggregating_add": ("aggregating_pickled", lambda s, v: (s.add(None), s.get())),
    "wrong_type": ("value", lambda s, v: s.update("text")),
    "wrong_list_type": ("list", lambda s, v: s.add("text")),
    "wrong_key_type": ("map", lambda s, v: s.put(1, 1)),
    "pickled_wrong_nothing": ("value_pickled", lambda s, v: (s.update({1: [2]}), s.value())),
}


@each(NONES)
def edge(env, argument):
    kind, use = argument
    return used(env, kind, use, [("a", 1)])


@case(ordered=True)
def live_object_is_a_copy_or_not(env):
    def use(s, v):
        found = s.value()
        if found is None:
            s.update([v])
        else:
            found.append(v)
        return s.value()

    return used(env, "value_pickled", use, [("a", 1), ("a", 2), ("a", 3)])


@case(ordered=True)
def map_changed_while_read(env):
    def use(s, v):
        for i in range(5):
            s[str(i)] = i
        for key in list(s.keys()):
            if int(key) % 2:
                s.remove(key)
        return sorted(s.items())

    return used(env, "map", use, [("a", 1)])


@case(ordered=True)
def state_of_map_function(env):
    class Counts(MapFunction):
        def open(self, c):
            self.n = c.get_state(ValueStateDescriptor("n", INT))

        def map(self, value):
            self.n.update((self.n.value() or 0) + 1)
            return value, self.n.value()

    return env.from_collection([1, 2, 1]).key_by(lambda v: v).map(Counts())


@case(ordered=True)
def state_of_flat_map_function(env):
    class Counts(FlatMapFunction):
        def open(self, c):
            self.n = c.get_list_state(ListStateDescriptor("n", INT))

        def flat_map(self, value):
            self.n.add(value)
            yield list(self.n.get())

    return env.from_collection([1, 2, 3]).key_by(lambda v: v % 2).flat_map(Counts())


@case(ordered=True)
def states_of_two_names(env):
    class Two(KeyedProcessFunction):
        def open(self, c):
            self.a = c.get_state(ValueStateDescriptor("a", INT))
            self.b = c.get_state(ValueStateDescriptor("b", Types.STRING()))

        def process_element(self, value, ctx):
            yield self.a.value(), self.b.value()
            self.a.update(value)
            self.b.update(str(value))

    return env.from_collection([1, 2]).key_by(lambda v: 0).process(Two())


@case(ordered=True)
def one_name_in_two_operators(env):
    keyed = env.from_collection([("a", 1)]).key_by(lambda v: v[0])
    once = keyed.process(Uses("value", value_add))
    return once.map(lambda v: v[0]).key_by(lambda v: v[0]).process(Uses("value", value_add))


# --- Refused --------------------------------------------------------------------------------------


def opened(env, open_function, keyed=True):
    class Opens(KeyedProcessFunction if keyed else ProcessFunction):
        def open(self, c):
            self.found = open_function(c)

        def process_element(self, value, ctx):
            yield self.found

    stream = env.from_collection([1])
    return (stream.key_by(lambda v: v) if keyed else stream).process(Opens())


def same_name(first, second):
    def use(c):
        first(c), second(c)
        return "both"

    return use


@each(
    {
        "same_type": same_name(
            lambda c: c.get_state(ValueStateDescriptor("s", INT)),
            lambda c: c.get_state(ValueStateDescriptor("s", INT)),
        ),
        "other_type": same_name(
            lambda c: c.get_state(ValueStateDescriptor("s", INT)),
            lambda c: c.get_state(ValueStateDescriptor("s", Types.STRING())),
        ),
        "other_kind": same_name(
            lambda c: c.get_state(ValueStateDescriptor("s", INT)),
            lambda c: c.get_list_state(ListStateDescriptor("s", INT)),
        ),
    }
)
def one_name_twice(env, use):
    return opened(env, use)


@each(
    {
        "value": lambda c: c.get_state(ValueStateDescriptor("s", INT)),
        "list": lambda c: c.get_list_state(ListStateDescriptor("s", INT)),
        "map": lambda c: c.get_map_state(MapStateDescriptor("s", INT, INT)),
    }
)
def without_a_key(env, use):
    return opened(env, use, keyed=False)


@each(
    {
        "list_for_value": lambda c: c.get_state(ListStateDescriptor("s", INT)).value(),
        "string": lambda c: c.get_state("s"),
        "none": lambda c: c.get_map_state(None),
    }
)
def wrong_descriptor(env, use):
    return opened(env, use)


@each(
    {
        "value_type": lambda: ValueStateDescriptor("s", int),
        "value_type_none": lambda: ValueStateDescriptor("s", None),
        "reduce": lambda: ReducingStateDescriptor("s", 5, INT),
        "aggregate": lambda: AggregatingStateDescriptor("s", lambda a: a, INT),
        "name": lambda: ValueStateDescriptor(None, INT).get_name(),
        "map_type": lambda: MapStateDescriptor("s", INT, int),
    }
)
def descriptor(env, make):
    return [type(make()).__name__]


@case()
def state_is_used_in_open(env):
    def use(c):
        return c.get_state(ValueStateDescriptor("s", INT)).value()

    return opened(env, use)


@case()
def state_function_raises(env):
    def bad(a, b):
        raise ValueError("no reducing")

    class Reduces(KeyedProcessFunction):
        def open(self, c):
            self.s = c.get_reducing_state(ReducingStateDescriptor("s", bad, INT))

        def process_element(self, value, ctx):
            self.s.add(value)
            yield value

    return env.from_collection([1, 2]).key_by(lambda v: 0).process(Reduces())


# --- Time to live ---------------------------------------------------------------------------------


def ttl(change=lambda b: b, ms=300):
    return change(StateTtlConfig.new_builder(Time.milliseconds(ms))).build()


class Waits(KeyedProcessFunction):
    """Reads, and after a number in the record's place as seconds once more."""

    def __init__(self, kind, config, write, read, waits):
        self.uses = Uses(kind, None, config)
        self.write = write
        self.read = read
        self.waits = waits

    def open(self, runtime_context):
        self.uses.open(runtime_context)

    def process_element(self, value, ctx):
        state = self.uses.state
        self.write(state)
        found = [self.read(state)]
        for wait in self.waits:
            time.sleep(wait)
            found.append(self.read(state))
        yield found


def expires(env, kind, config, write, read, waits=(0.2, 0.2)):
    stream = env.from_collection(["a"]).key_by(lambda v: v)
    return stream.process(Waits(kind, config, write, read, waits))


WRITES = {
    "value": lambda s: s.update(1),
    "list": lambda s: s.add_all([1, 2]),
    "map": lambda s: s.put("a", 1),
    "reducing": lambda s: s.add(5),
    "aggregating": lambda s: s.add(5),
}
READ = {
    "value": lambda s: s.value(),
    "list": lambda s: list(s.get()),
    "map": lambda s: [sorted(s.items()), s.get("a"), s.contains("a")],
    "reducing": lambda s: s.get(),
    "aggregating": lambda s: s.get(),
}


@each({k: k for k in WRITES})
def ttl_expires(env, kind):
    return expires(env, kind, ttl(), WRITES[kind], READ[kind])


@each({k: k for k in WRITES})
def ttl_read_keeps(env, kind):
    config = ttl(lambda b: b.update_ttl_on_read_and_write())
    return expires(env, kind, config, WRITES[kind], READ[kind])


@each({"zero": 0, "negative": -1})
def ttl_of(env, ms):
    return expires(env, "value", ttl(ms=ms), WRITES["value"], READ["value"])


@case()
def ttl_longer_than_the_job(env):
    return expires(env, "value", ttl(ms=60000), WRITES["value"], READ["value"])


@each(
    {
        "defaults": lambda b: b,
        "read_and_write": lambda b: b.update_ttl_on_read_and_write(),
        "return_expired": lambda b: b.return_expired_if_not_cleaned_up(),
        "incremental": lambda b: b.cleanup_incrementally(7, True),
        "full_snapshot": lambda b: b.cleanup_full_snapshot(),
        "no_background": lambda b: b.disable_cleanup_in_background(),
        "rocksdb": lambda b: b.cleanup_in_rocksdb_compact_filter(9),
        "disabled": lambda b: b.set_update_type(StateTtlConfig.UpdateType.Disabled),
    }
)
def ttl_config(env, change):
    c = ttl(change, 1500)
    strategies = c.get_cleanup_strategies()
    incremental = strategies.get_incremental_cleanup_strategy()
    rocksdb = strategies.get_rocksdb_compact_filter_cleanup_strategy()
    return [
        f"{c.get_ttl()} {c.get_update_type()} {c.get_state_visibility()} {c.is_enabled()}",
        f"{c.get_ttl_time_characteristic()}",
        f"{strategies.is_cleanup_in_background()} {strategies.in_full_snapshot()}",
        incremental
        and f"{incremental.get_cleanup_size()} {incremental.run_cleanup_for_every_record()}",
        rocksdb and f"{rocksdb.get_query_time_after_num_entries()}",
    ]


@case()
def rows_in_state(env):
    named = Types.ROW_NAMED(["a", "b"], [INT, Types.STRING()])

    class Keeps(KeyedProcessFunction):
        def open(self, c):
            self.s = c.get_state(ValueStateDescriptor("s", named))
            self.l = c.get_list_state(ListStateDescriptor("l", Types.TUPLE([INT, INT])))

        def process_element(self, value, ctx):
            self.s.update(Row(value, "x"))
            self.l.add((value, -value))
            yield repr(self.s.value()), list(self.l.get())

    return env.from_collection([1, 2]).key_by(lambda v: 0).process(Keeps())
