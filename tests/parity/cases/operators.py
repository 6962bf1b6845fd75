"""Operators without state: map, flat_map, filter, project, process, union, names."""

from parity_case import Behind, Collected, Family
from pyflink.common import Row, Types
from pyflink.datastream import (
    FilterFunction,
    FlatMapFunction,
    MapFunction,
    ProcessFunction,
)

family = Family()
case, each = family.case, family.each
PAIR = Types.TUPLE([Types.STRING(), Types.INT()])


class Plus(MapFunction):
    def __init__(self, n):
        self.n = n
        self.opened = 0

    def open(self, runtime_context):
        self.opened += 1

    def map(self, value):
        return value + self.n, self.opened


class Twice(FlatMapFunction):
    def flat_map(self, value):
        yield value
        yield value


class Odd(FilterFunction):
    def filter(self, value):
        return value % 2


class Told(ProcessFunction):
    def open(self, runtime_context):
        self.subtasks = runtime_context.get_number_of_parallel_subtasks()

    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), self.subtasks


@case(parallelism=(1, 3), ordered=True, batch=None)
def map_lambda(env):
    return env.from_collection([1, 2, 3]).map(lambda v: v * 10)


@case(parallelism=(1, 3), batch=None)
def map_function(env):
    return env.from_collection([1, 2, 3]).map(Plus(5))


@case(ordered=True)
def map_none(env):
    return env.from_collection([1, 2]).map(lambda v: None)


@case(ordered=True)
def map_none_typed(env):
    return env.from_collection([1, 2]).map(lambda v: None, output_type=Types.INT())


@case(ordered=True)
def map_generator_is_a_value(env):
    return env.from_collection([1]).map(lambda v: [v, v])


@case(ordered=True)
def map_bound_method(env):
    return env.from_collection(["a b", "c"]).map(str.upper)


@case(ordered=True)
def map_closure_sees_the_value_of_the_call(env):
    stream = env.from_collection([1])
    for i in (2, 3):
        stream = stream.map(lambda x: x * i)
    return stream


@case(ordered=True)
def map_keeps_the_clients_object(env):
    function = Plus(1)
    stream = env.from_collection([1]).map(function)
    function.n = 100
    return stream


@case()
def map_no_function(env):
    return env.from_collection([1]).map(5)


@case()
def map_wrong_kind_of_function(env):
    return env.from_collection([1]).map(Odd())


@case(ordered=True)
def map_output_type_list(env):
    types = [Types.INT(), Types.STRING()]
    return Behind(env.from_collection([1]).map(lambda v: (v, "x"), output_type=types))


@case(ordered=True)
def map_list_type_of_rows(env):
    rows = env.from_collection([(1, "a")], type_info=Types.ROW([Types.INT(), Types.STRING()]))
    return rows.map(lambda r: (r[0], r.f1, type(r).__name__))


@case(parallelism=(1, 3), ordered=True, batch=None)
def flat_map_lambda(env):
    return env.from_collection(["a b", "c"]).flat_map(lambda s: s.split())


@case(ordered=True)
def flat_map_function(env):
    return env.from_collection([1, 2]).flat_map(Twice())


@case(ordered=True)
def flat_map_of_a_string(env):
    return env.from_collection(["ab", "c"]).flat_map(lambda s: s, output_type=Types.STRING())


@case(ordered=True)
def flat_map_empty(env):
    return env.from_collection([1, 2]).flat_map(lambda v: [])


@case()
def flat_map_none(env):
    return env.from_collection([1, 2]).flat_map(lambda v: None)


@case()
def flat_map_no_iterable(env):
    return env.from_collection([1, 2]).flat_map(lambda v: v)


@case(ordered=True)
def flat_map_dict(env):
    return env.from_collection([1, 2]).flat_map(lambda v: {v: "x", -v: "y"})


@case()
def flat_map_generator_raises(env):
    def some(v):
        yield v
        raise LookupError(f"after {v}")

    return env.from_collection([1]).flat_map(some)


@case(parallelism=(1, 3), batch=None)
def filter_lambda(env):
    return env.from_collection(range(6)).filter(lambda v: v > 2)


@case(ordered=True)
def filter_function(env):
    return env.from_collection([1, 2, 3, 4]).filter(Odd())


@each(
    {"string": "no", "empty": "", "none": None, "zero": 0, "list": [0], "nan": float("nan")},
    ordered=True,
)
def filter_truth(env, truth):
    return env.from_collection([1]).filter(lambda v: truth)


@case(ordered=True)
def filter_keeps_the_type(env):
    pairs = env.from_collection([("a", 1), ("b", 2)], type_info=PAIR)
    return Collected(pairs.filter(lambda p: p[1] > 1))


@case(ordered=True)
def project(env):
    types = Types.TUPLE([Types.INT(), Types.STRING(), Types.DOUBLE()])
    return Collected(env.from_collection([(1, "a", 0.5)], type_info=types).project(2, 0))


@case()
def project_of_no_tuples(env):
    return env.from_collection([(1, "a")]).project(0)


@case()
def project_outside(env):
    return env.from_collection([("a", 1)], type_info=PAIR).project(2)


@case(parallelism=(1, 3), batch=None)
def process(env):
    return env.from_collection([1, 2]).process(Told())


@case()
def process_no_process_function(env):
    return env.from_collection([1, 2]).process(lambda v: v)


@each({"none": None, "list": [1, 2], "empty": [], "string": "ab"})
def process_answers(env, result):
    class Answers(ProcessFunction):
        def process_element(self, value, ctx):
            return result

    return env.from_collection([1]).process(Answers())


@case()
def process_answers_a_number(env):
    class Answers(ProcessFunction):
        def process_element(self, value, ctx):
            return 5

    return env.from_collection([1]).process(Answers())


@case()
def process_yields_none(env):
    class Yields(ProcessFunction):
        def process_element(self, value, ctx):
            yield None
            yield value

    return env.from_collection([1]).process(Yields())


@case(parallelism=(1, 3), batch=None)
def union(env):
    a, b, c = (env.from_collection([i, i + 10]) for i in (1, 2, 3))
    return a.union(b, c).map(lambda v: v + 100)


@case()
def union_with_itself(env):
    a = env.from_collection([1, 2])
    return a.union(a)


@case()
def union_of_nothing(env):
    return env.from_collection([1, 2]).union()


@case()
def union_of_different_types(env):
    return env.from_collection([1], Types.INT()).union(env.from_collection(["a"], Types.STRING()))


@case()
def union_of_keyed_streams(env):
    a, b = (env.from_collection([i]).key_by(lambda v: v) for i in (1, 2))
    return a.union(b)


@case()
def a_stream_used_twice(env):
    a = env.from_collection([1, 2]).map(lambda v: v * 10)
    return a.map(lambda v: v + 1).union(a.map(lambda v: v + 2))


@case()
def a_branch_does_not_see_the_others_changes(env):
    a = env.from_collection([1]).map(lambda v: [v])
    return a.map(lambda v: v.append("left") or v).union(a.map(lambda v: v.append("right") or v))


@case(ordered=True)
def names_and_types(env):
    stream = env.from_collection([1], type_info=Types.INT()).map(lambda v: v).name("mine")
    return [stream.get_name(), stream.get_type(), env.from_collection([1]).get_type()]


@case(ordered=True)
def sequence(env):
    from pyflink.common import WatermarkStrategy
    from pyflink.datastream.connectors.number_seq import NumberSequenceSource

    source = NumberSequenceSource(3, 6)
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "s", Types.LONG())


@case(ordered=True)
def collection_of_rows(env):
    return env.from_collection([Row(1, "a"), Row(x=2, y="b")])


@case()
def collection_empty(env):
    return env.from_collection([])


@case(ordered=True)
def collection_typed_tuples_as_rows(env):
    named = Types.ROW_NAMED(["k", "n"], [Types.STRING(), Types.INT()])
    return env.from_collection([("a", 1), Row("b", 2)], type_info=named)


@case(parallelism=3)
def force_non_parallel(env):
    stream = env.from_collection(range(4)).rebalance().process(Told())
    return stream.force_non_parallel()


@case()
def job_parameters(env):
    class Parameter(MapFunction):
        def open(self, runtime_context):
            self.found = (
                runtime_context.get_job_parameter("name", "none"),
                runtime_context.get_job_parameter("other", "none"),
            )

        def map(self, value):
            return self.found

    env.get_config().set_global_job_parameters({"name": "value"})
    return env.from_collection([1]).map(Parameter())


@case(ordered=True)
def runtime_context(env):
    class Context(MapFunction):
        def open(self, c):
            self.c = (
                c.get_task_name(),
                c.get_task_name_with_subtasks(),
                c.get_number_of_parallel_subtasks(),
                c.get_max_number_of_parallel_subtasks(),
                c.get_index_of_this_subtask(),
                c.get_attempt_number(),
            )

        def map(self, value):
            return self.c

    return env.from_collection([1]).map(Context()).name("asker")
