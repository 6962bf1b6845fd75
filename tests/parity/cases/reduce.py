"""Running results: reduce, sum, min, max, min_by, max_by, and what they refuse."""

from parity_case import Behind, Collected, Family, Printed
from pyflink.common import Row, Types
from pyflink.datastream import ReduceFunction
from pyflink.datastream.state import ValueStateDescriptor

family = Family()
case, each = family.case, family.each

PAIR = Types.TUPLE([Types.STRING(), Types.INT()])
NAMED = Types.ROW_NAMED(["k", "n"], [Types.STRING(), Types.INT()])
TRIPLE = Types.TUPLE([Types.STRING(), Types.INT(), Types.STRING()])
PAIRS = [("a", 1), ("b", 2), ("a", 3), ("a", 5), ("b", 2)]
TRIPLES = [("a", 3, "x"), ("a", 1, "y"), ("a", 1, "z"), ("a", 7, "w"), ("a", 7, "v")]


def first(value):
    return value[0]


def untyped(env):
    return env.from_collection(PAIRS).key_by(first)


def typed(env):
    return env.from_collection(PAIRS, PAIR).key_by(first, key_type=Types.STRING())


class Adds(ReduceFunction):
    def reduce(self, value1, value2):
        return value1[0], value1[1] + value2[1]


class Counts(ReduceFunction):
    """Knows how often it was called for a key."""

    def open(self, runtime_context):
        self.calls = runtime_context.get_state(ValueStateDescriptor("calls", Types.INT()))

    def reduce(self, value1, value2):
        calls = (self.calls.value() or 0) + 1
        self.calls.update(calls)
        return value1[0], calls


@case(parallelism=(1, 3), ordered=True, batch=None)
def reduce(env):
    return untyped(env).reduce(lambda a, b: (a[0], a[1] + b[1]))


@case(ordered=True, batch=None)
def reduce_function(env):
    return Behind(typed(env).reduce(Adds()))


@case(ordered=True)
def reduce_with_state(env):
    return untyped(env).reduce(Counts())


@case()
def reduce_no_function(env):
    return untyped(env).reduce(5)


@case()
def reduce_raises(env):
    def bad(a, b):
        raise ZeroDivisionError("no reduction")

    return untyped(env).reduce(bad)


@case()
def reduce_raises_never_for_single_values(env):
    def bad(a, b):
        raise ZeroDivisionError("no reduction")

    return env.from_collection([("a", 1), ("b", 1)]).key_by(first).reduce(bad)


@case()
def reduce_to_the_wrong_type(env):
    return Behind(typed(env).reduce(lambda a, b: "text"))


@case(ordered=True)
def reduce_changes_its_argument(env):
    def add(a, b):
        a.append(b[1])
        return a

    return env.from_collection([["a", 1], ["a", 2], ["a", 3]]).key_by(first).reduce(add)


@case(ordered=True)
def reduce_to_none(env):
    return untyped(env).reduce(lambda a, b: None)


KINDS = {
    "tuples": (PAIRS, None, 1),
    "tuples_typed": (PAIRS, PAIR, 1),
    "lists": ([list(p) for p in PAIRS], None, 1),
    "rows": ([Row(*p) for p in PAIRS], None, 1),
    "rows_typed": ([Row(*p) for p in PAIRS], NAMED, 1),
    "rows_by_name": ([Row(*p) for p in PAIRS], NAMED, "n"),
    "strings": ([("a", "q"), ("a", "r"), ("a", "b")], None, 1),
    "floats": ([("a", 0.1), ("a", 0.2), ("a", -1.5)], None, 1),
    "mixed_numbers": ([("a", 1), ("a", 0.5), ("a", True)], None, 1),
    "booleans": ([("a", True), ("a", True)], None, 1),
    "first_field": (PAIRS, None, 0),
    "negative_position": (PAIRS, None, -1),
    "triples": (TRIPLES, TRIPLE, 1),
}


@each(KINDS, ordered=True)
def sum(env, argument):
    values, type_info, position = argument
    return env.from_collection(values, type_info).key_by(first).sum(position)


@each(KINDS, ordered=True)
def min(env, argument):
    values, type_info, position = argument
    return env.from_collection(values, type_info).key_by(first).min(position)


@each({k: KINDS[k] for k in ("tuples", "lists", "rows_by_name", "triples")}, ordered=True)
def max(env, argument):
    values, type_info, position = argument
    return env.from_collection(values, type_info).key_by(first).max(position)


@each({k: KINDS[k] for k in ("tuples", "rows_by_name", "triples")}, ordered=True)
def min_by(env, argument):
    values, type_info, position = argument
    return env.from_collection(values, type_info).key_by(first).min_by(position)


@each({k: KINDS[k] for k in ("tuples_typed", "lists", "triples")}, ordered=True)
def max_by(env, argument):
    values, type_info, position = argument
    return env.from_collection(values, type_info).key_by(first).max_by(position)


@each(
    {
        "sum": lambda s: s.sum(1),
        "min": lambda s: s.min(1),
        "max": lambda s: s.max(1),
        "min_by": lambda s: s.min_by(1),
        "max_by": lambda s: s.max_by(1),
    },
    parallelism=3,
    batch=None,
)
def of_pairs(env, call):
    return call(typed(env))


@each(
    {
        "sum": lambda s: s.sum(),
        "min": lambda s: s.min(),
        "max": lambda s: s.max(),
        "min_by": lambda s: s.min_by(),
        "max_by": lambda s: s.max_by(),
        "sum_of_field_1": lambda s: s.sum(1),
        "min_of_field_1": lambda s: s.min(1),
    },
    ordered=True,
)
def of_scalars(env, call):
    return call(env.from_collection([3, 1, 2]).key_by(lambda v: 0))


@each(
    {
        "sum_float": lambda s: s.sum(1.5),
        "sum_none": lambda s: s.sum(None),
        "max_list": lambda s: s.max([1]),
        "min_by_float": lambda s: s.min_by(1.5),
        "sum_outside": lambda s: s.sum(7),
        "sum_negative": lambda s: s.sum(-3),
        "sum_name_of_tuple": lambda s: s.sum("n"),
    }
)
def position(env, call):
    return call(untyped(env))


@case()
def sum_of_what_has_no_plus(env):
    return env.from_collection([("a", None), ("a", None)]).key_by(first).sum(1)


@case()
def min_of_what_has_no_order(env):
    return env.from_collection([("a", 1), ("a", "x")]).key_by(first).min(1)


@case()
def sum_unknown_name(env):
    return env.from_collection([Row("a", 1), Row("a", 2)], NAMED).key_by(first).sum("q")


@case(ordered=True)
def sum_overflows_int(env):
    return Behind(env.from_collection([("a", 2**31 - 1), ("a", 1)], PAIR).key_by(first).sum(1))


@case(ordered=True)
def sum_overflows_long(env):
    type_info = Types.TUPLE([Types.STRING(), Types.LONG()])
    values = [("a", 2**63 - 1), ("a", 1)]
    return Behind(env.from_collection(values, type_info).key_by(first).sum(1))


@case(ordered=True)
def collected(env):
    return Collected(typed(env).sum(1))


@case(ordered=True)
def printed(env):
    typed(env).sum(1).print()
    return Printed()
