"""Where records go: all partitioners, parallelism of operators, order within a partition."""

from parity_case import Family, Printed
from pyflink.common import Types
from pyflink.datastream import MapFunction, Partitioner

family = Family()
case, each = family.case, family.each


class Subtask(MapFunction):
    """The subtask that the value came to."""

    def open(self, runtime_context):
        self.index = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        return self.index, value


class Modulo(Partitioner):
    def partition(self, key, num_partitions):
        return key % num_partitions


@each(
    {
        "shuffle": lambda s: s.shuffle(),
        "rebalance": lambda s: s.rebalance(),
        "rescale": lambda s: s.rescale(),
        "broadcast": lambda s: s.broadcast(),
        "custom": lambda s: s.partition_custom(Modulo(), lambda v: v),
        "custom_lambda": lambda s: s.partition_custom(lambda k, n: n - 1, lambda v: v),
    },
    parallelism=3,
    batch=None,
)
def values(env, partitioned):
    return partitioned(env.from_collection(range(9))).map(lambda v: v * 10)


@each(
    {
        "custom": lambda s: s.partition_custom(Modulo(), lambda v: v),
        "custom_last": lambda s: s.partition_custom(lambda k, n: n - 1, lambda v: v),
        "broadcast": lambda s: s.broadcast(),
    },
    parallelism=3,
)
def subtasks(env, partitioned):
    return partitioned(env.from_collection(range(9))).map(Subtask())


@case(parallelism=3)
def key_groups(env):
    stream = env.from_collection(range(40), Types.INT())
    return stream.key_by(lambda v: v, key_type=Types.INT()).map(Subtask())


@case(parallelism=3)
def rebalance_is_even(env):
    counted = env.from_collection(range(9)).rebalance().map(Subtask())
    return counted.key_by(lambda v: v[0]).reduce(lambda a, b: (a[0], 0)).map(lambda v: v[1] * 0)


@case(parallelism=3)
def forward_from_one_to_three(env):
    return env.from_collection([1, 2]).forward().map(lambda v: v)


@case(parallelism=3)
def forward(env):
    return env.from_collection(range(5)).rebalance().map(lambda v: v).forward().map(lambda v: v + 1)


@case(parallelism=3)
def custom_outside(env):
    stream = env.from_collection([1]).partition_custom(lambda k, n: n, lambda v: v)
    return stream.map(lambda v: v)


@case(parallelism=3)
def custom_negative(env):
    stream = env.from_collection([1]).partition_custom(lambda k, n: -1, lambda v: v)
    return stream.map(lambda v: v)


@case(parallelism=3)
def custom_raises(env):
    def bad(key, n):
        raise ArithmeticError("no partition")

    return env.from_collection([1]).partition_custom(bad, lambda v: v).map(lambda v: v)


@case()
def custom_no_partitioner(env):
    return env.from_collection([1]).partition_custom(5, lambda v: v).map(lambda v: v)


@case()
def custom_no_selector(env):
    return env.from_collection([1]).partition_custom(Modulo(), 5).map(lambda v: v)


@case(parallelism=3)
def parallelism_of_an_operator(env):
    stream = env.from_collection(range(6)).map(Subtask()).set_parallelism(2)
    return stream.map(lambda v: v[0] < 2)


@each({"zero": 0, "negative": -5, "string": "2", "float": 1.5})
def parallelism_refused(env, parallelism):
    return env.from_collection([1]).map(lambda v: v).set_parallelism(parallelism)


@each({"zero": 0, "too_large": 32768, "less_than_parallelism": 1}, parallelism=3)
def max_parallelism_refused(env, n):
    return env.from_collection([1]).map(lambda v: v).set_max_parallelism(n)


@case()
def source_of_parallelism_two(env):
    return env.from_collection([1]).set_parallelism(2)


@case(parallelism=3)
def printed_by_one_of_three(env):
    env.from_collection([1, 2, 3]).map(lambda v: v).set_parallelism(1).print().set_parallelism(1)
    return Printed()
