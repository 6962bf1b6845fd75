"""Keys: what is one key and what is not, with and without a type."""

import datetime
import decimal

from parity_case import Collected, Family
from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, KeySelector
from pyflink.datastream.state import ValueStateDescriptor

family = Family()
case, each = family.case, family.each


class Counting(KeyedProcessFunction):
    """The how-manieth value of its key each is."""

    def open(self, runtime_context):
        self.seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.INT()))

    def process_element(self, value, ctx):
        n = (self.seen.value() or 0) + 1
        self.seen.update(n)
        yield value, ctx.get_current_key(), n


class First(KeySelector):
    def get_key(self, value):
        return value[0]


KEYS = {
    "ints": [1, 2, 1],
    "int_float_bool": [1, 1.0, True, 1],
    "zeros": [0.0, -0.0, 0, False],
    "nans": [float("nan"), float("nan")],
    "strings": ["a", "b", "a", ""],
    "none": [None, None, 0],
    "tuples": [(1, "a"), (1, "a"), (1, "b")],
    "tuples_of_floats": [(1,), (1.0,), (1,)],
    "lists": [[1], [1], (1,)],
    "dicts": [{"a": 1, "b": 2}, {"a": 1, "b": 2}],
    "rows": [Row(1, "a"), Row(1, "a"), Row(2, "a")],
    "bytes": [b"a", b"a", "a"],
    "dates": [datetime.date(2024, 1, 1), datetime.date(2024, 1, 1)],
    "decimals": [decimal.Decimal("1.0"), decimal.Decimal("1.0")],
    "big": [2**70, 2**70, -(2**70)],
    "long_strings": ["x" * 1000, "x" * 1000, "x" * 999],
}


@each(KEYS)
def without_a_type(env, keys):
    return env.from_collection(keys).key_by(lambda v: v).process(Counting())


TYPED = {
    "int": (Types.INT(), [1, 2, 1]),
    "long": (Types.LONG(), [2**40, 2**40, 1]),
    "string": (Types.STRING(), ["a", "b", "a"]),
    "double": (Types.DOUBLE(), [0.5, 0.5, 1.5]),
    "double_zeros": (Types.DOUBLE(), [0.0, -0.0]),
    "double_nans": (Types.DOUBLE(), [float("nan"), float("nan")]),
    "boolean": (Types.BOOLEAN(), [True, False, True]),
    "tuple": (Types.TUPLE([Types.INT(), Types.STRING()]), [(1, "a"), (1, "a"), (2, "a")]),
    "row": (Types.ROW([Types.INT(), Types.STRING()]), [Row(1, "a"), Row(1, "a"), Row(2, "a")]),
    "list": (Types.LIST(Types.INT()), [[1, 2], [1, 2], [1]]),
    "date": (Types.SQL_DATE(), [datetime.date(2024, 1, 1), datetime.date(2024, 1, 1)]),
    "big_dec": (Types.BIG_DEC(), [decimal.Decimal("1.0"), decimal.Decimal("1.0")]),
    "pickled": (Types.PICKLED_BYTE_ARRAY(), [1, 1.0, 1]),
}


@each(TYPED)
def with_a_type(env, argument):
    key_type, keys = argument
    return env.from_collection(keys).key_by(lambda v: v, key_type=key_type).process(Counting())


@case()
def selector_class(env):
    return env.from_collection([("a", 1), ("b", 2), ("a", 3)]).key_by(First()).process(Counting())


@case()
def selector_is_no_function(env):
    return env.from_collection([1]).key_by(5).process(Counting())


@case()
def selector_raises(env):
    def bad(v):
        raise KeyError("no key here")

    return env.from_collection([1]).key_by(bad).process(Counting())


@case()
def key_of_the_wrong_type(env):
    return env.from_collection(["a"]).key_by(lambda v: v, key_type=Types.INT()).process(Counting())


@case()
def none_with_a_type(env):
    stream = env.from_collection([None, None])
    return stream.key_by(lambda v: v, key_type=Types.STRING()).process(Counting())


@case()
def keyed_again(env):
    stream = env.from_collection([(1, "a"), (2, "a")])
    return stream.key_by(lambda v: v[0]).key_by(lambda v: v[1]).process(Counting())


@case()
def keyed_map_flat_map_filter(env):
    stream = env.from_collection([1, 2, 3]).key_by(lambda v: v % 2)
    return stream.map(lambda v: v).union(
        stream.flat_map(lambda v: [v + 10]), stream.filter(lambda v: v > 2)
    )


@case()
def keyed_collected(env):
    return Collected(env.from_collection([1, 2]).key_by(lambda v: v))


@case()
def keyed_collected_typed(env):
    stream = env.from_collection([1, 2], Types.INT())
    return Collected(stream.key_by(str, key_type=Types.STRING()))


@case()
def keyed_process_of_plain_function(env):
    from pyflink.datastream import ProcessFunction

    class Plain(ProcessFunction):
        def process_element(self, value, ctx):
            yield value

    return env.from_collection([1]).key_by(lambda v: v).process(Plain())


@each(
    {
        "name": lambda s: s.name("x"),
        "get_name": lambda s: s.get_name(),
        "uid": lambda s: s.uid("x"),
        "set_uid_hash": lambda s: s.set_uid_hash("0" * 32),
        "set_parallelism": lambda s: s.set_parallelism(2),
        "set_max_parallelism": lambda s: s.set_max_parallelism(2),
        "force_non_parallel": lambda s: s.force_non_parallel(),
        "set_buffer_timeout": lambda s: s.set_buffer_timeout(5),
        "start_new_chain": lambda s: s.start_new_chain(),
        "disable_chaining": lambda s: s.disable_chaining(),
        "slot_sharing_group": lambda s: s.slot_sharing_group("x"),
        "cache": lambda s: s.cache(),
        "shuffle": lambda s: s.shuffle(),
        "rebalance": lambda s: s.rebalance(),
        "rescale": lambda s: s.rescale(),
        "forward": lambda s: s.forward(),
        "broadcast": lambda s: s.broadcast(),
        "partition_custom": lambda s: s.partition_custom(lambda k, n: 0, lambda v: v),
    }
)
def keyed_refuses(env, call):
    return [call(env.from_collection([1]).key_by(lambda v: v))]


@case(parallelism=3, batch=None)
def all_keys_at_once(env):
    keys = [key for some in KEYS.values() for key in some]
    return env.from_collection(keys).key_by(lambda v: v).process(Counting())
