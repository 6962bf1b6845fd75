"""Every operator, with callables and with function objects, against plain Python."""

from __future__ import annotations

from collections import Counter

import pytest
from leat.common import Row, Types
from leat.common.errors import JobError
from leat.datastream import OutputTag
from leat.datastream.functions import (
    CoFlatMapFunction,
    CoMapFunction,
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedCoProcessFunction,
    KeyedProcessFunction,
    KeySelector,
    MapFunction,
    ProcessFunction,
    ReduceFunction,
)

PAIR = Types.TUPLE([Types.STRING(), Types.LONG()])
PARALLELISMS = (1, 2, 4)


def last_of_each(results, key=lambda pair: pair[0]):
    """The last result of each key."""
    return {key(r): r for r in results}


class Tripling(MapFunction):
    def __init__(self, by):
        self.by = by

    def map(self, value):
        return value * self.by


class Words(FlatMapFunction):
    def flat_map(self, value):
        yield from value.split()


class Longer(FilterFunction):
    def filter(self, value):
        return len(value) > 1


class First(KeySelector):
    def get_key(self, value):
        return value[0]


class Adding(ReduceFunction):
    def reduce(self, value1, value2):
        return value1[0], value1[1] + value2[1]


# --- one input ------------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_map_callable_and_function_object(make_env, results, parallelism):
    env = make_env(parallelism)
    stream = env.from_collection(range(100)).rebalance().map(lambda x: x + 1).map(Tripling(3))
    assert sorted(results(stream)) == [(x + 1) * 3 for x in range(100)]


def test_map_builtin_method_and_partial(env, results):
    from functools import partial

    stream = env.from_collection(["a", "b"]).map(str.upper).map(partial("{}{}".format, "<"))
    assert results(stream.map(len)) == [2, 2]


@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_flat_map_and_filter_callable_and_function_object(make_env, results, parallelism):
    lines = ["to be or", "not to be", "", "a question"]
    env = make_env(parallelism)
    by_callable = env.from_collection(lines).rebalance().flat_map(str.split)
    assert sorted(results(by_callable.filter(lambda w: len(w) > 1))) == sorted(
        w for line in lines for w in line.split() if len(w) > 1
    )
    by_object = env.from_collection(lines).rebalance().flat_map(Words()).filter(Longer())
    assert sorted(results(by_object)) == sorted(
        w for line in lines for w in line.split() if len(w) > 1
    )


@pytest.mark.parametrize(
    "made",
    [[], (), [1], (1, 2), range(3), {1: 2}, {5}, "ab", iter, "generator", "long", "nested"],
    ids=str,
)
def test_flat_map_any_iterable(env, results, made):
    if made == "generator":
        function, expected = (lambda x: (i for i in range(x))), list(range(7))
    elif made == "long":
        function, expected = (lambda x: list(range(10_000))), list(range(10_000))
    elif made == "nested":
        function, expected = (lambda x: ([i] for i in range(3))), [[0], [1], [2]]
    elif made is iter:
        function, expected = (lambda x: iter([4, 5])), [4, 5]
    else:
        function, expected = (lambda x: made), list(made)
    assert results(env.from_collection([7]).flat_map(function)) == expected


def test_flat_map_generator_in_generator_keeps_order(env, results):
    def below(x):
        yield from range(x)

    stream = env.from_collection(range(5))
    for _ in range(3):
        stream = stream.flat_map(below)
    expected = [d for a in range(5) for b in range(a) for c in range(b) for d in range(c)]
    assert results(stream) == expected


def test_flat_map_generator_keeps_its_state_and_its_finally(env, results):
    def framed(x):
        try:
            for i in range(3000):
                yield x, i
        finally:
            yield x, "end"

    expected = [(x, i) for x in "ab" for i in [*range(3000), "end"]]
    assert results(env.from_collection(["a", "b"]).flat_map(framed)) == expected


def test_filter_takes_any_truth(env, results):
    answers = {1: "no", 2: None, 3: [], 4: [0], 5: 0.0, 6: True}
    stream = env.from_collection(list(answers)).filter(lambda x: answers[x])
    assert results(stream) == [1, 4, 6]


def test_project(env, results):
    types = Types.TUPLE([Types.STRING(), Types.LONG(), Types.DOUBLE()])
    stream = env.from_collection([("a", 1, 2.5), ("b", 2, 3.5)], types).project(2, 0)
    assert stream.get_type() == Types.TUPLE([Types.DOUBLE(), Types.STRING()])
    assert results(stream) == [(2.5, "a"), (3.5, "b")]


def test_project_after_python(env, results):
    types = Types.TUPLE([Types.STRING(), Types.LONG()])
    stream = env.from_collection([1, 2]).map(lambda x: ("n", x), types).project(1)
    assert results(stream.map(lambda t: (type(t).__name__, t))) == [
        ("tuple", (1,)),
        ("tuple", (2,)),
    ]


def test_project_untyped_is_refused(env):
    with pytest.raises(Exception, match="Only Tuple DataStreams can be projected"):
        env.from_collection([("a", 1)]).project(0)


def test_union(make_env, results):
    env = make_env(2)
    a = env.from_collection(range(10))
    b = env.from_collection(range(10, 20)).map(lambda x: x)
    c = (
        env.from_sequence(20, 29)
        if hasattr(env, "from_sequence")
        else env.from_collection(range(20, 30))
    )
    assert sorted(results(a.union(b, c).map(lambda x: -x))) == sorted(-x for x in range(30))


def test_union_of_one_stream_with_itself(env, results):
    stream = env.from_collection([1, 2])
    assert sorted(results(stream.union(stream).map(lambda x: x))) == [1, 1, 2, 2]


@pytest.mark.parametrize("parallelism", [1, 2])
def test_fork_gives_every_branch_all_records(make_env, results, parallelism):
    env = make_env(parallelism)
    numbers = env.from_collection(range(100)).map(lambda x: x)
    even, odd = numbers.filter(lambda x: x % 2 == 0), numbers.filter(lambda x: x % 2)
    stream = even.map(lambda x: ("even", x)).union(odd.map(lambda x: ("odd", x)))
    expected = sorted(("odd" if x % 2 else "even", x) for x in range(100))
    assert sorted(results(stream)) == expected


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", PARALLELISMS)
@pytest.mark.parametrize("key_type", [None, Types.STRING()])
@pytest.mark.parametrize("output_type", [None, PAIR])
def test_reduce_counts(make_env, results, parallelism, key_type, output_type):
    words = [f"w{i * i % 31}" for i in range(1000)]
    env = make_env(parallelism)
    pairs = env.from_collection(words).rebalance().map(lambda w: (w, 1), output_type)
    stream = pairs.key_by(First(), key_type).reduce(Adding())
    found = results(stream)
    assert len(found) == len(words)
    counts = Counter(words)
    assert {k: max(n for w, n in found if w == k) for k in counts} == counts


def test_reduce_first_value_is_emitted_as_it_is(env, results):
    stream = env.from_collection([("a", 1), ("b", 9), ("a", 2), ("a", 3)])
    assert results(stream.key_by(lambda t: t[0]).reduce(lambda a, b: (a[0], a[1] * 10 + b[1]))) == [
        ("a", 1),
        ("b", 9),
        ("a", 12),
        ("a", 123),
    ]


VALUES = [("a", 3, "x"), ("b", 5, "y"), ("a", 1, "z"), ("a", 1, "q"), ("b", 7, "p"), ("a", 4, "r")]
TRIPLE_TYPES = [Types.STRING(), Types.LONG(), Types.STRING()]


def rolling(kind, values, index=1):
    """What PyFlink's table of aggregations says, for tuples."""
    state, out = {}, []
    for v in values:
        if v[0] not in state:
            state[v[0]] = v
        else:
            s = state[v[0]]
            if kind == "sum":
                s = (*s[:index], s[index] + v[index], *s[index + 1 :])
            elif kind in ("min", "max"):
                best = min(s[index], v[index]) if kind == "min" else max(s[index], v[index])
                s = (*s[:index], best, *s[index + 1 :])
            elif (v[index] < s[index]) if kind == "min_by" else (v[index] > s[index]):
                s = v
            state[v[0]] = s
        out.append(state[v[0]])
    return out


@pytest.mark.parametrize("kind", ["sum", "min", "max", "min_by", "max_by"])
@pytest.mark.parametrize("typed", [False, True])
def test_rolling_of_tuples(env, results, kind, typed):
    types = Types.TUPLE(TRIPLE_TYPES) if typed else None
    keyed = env.from_collection(VALUES, types).key_by(lambda t: t[0])
    assert results(getattr(keyed, kind)(1)) == rolling(kind, VALUES)


@pytest.mark.parametrize("kind", ["sum", "min", "max", "min_by", "max_by"])
@pytest.mark.parametrize("position", [1, "n"])
@pytest.mark.parametrize("typed", [False, True])
def test_rolling_of_rows(env, results, kind, position, typed):
    names = ["k", "n", "s"]
    types = Types.ROW_NAMED(names, TRIPLE_TYPES) if typed else None
    rows = [Row(**dict(zip(names, v, strict=True))) for v in VALUES]
    keyed = env.from_collection(rows, types).key_by(lambda r: r.k)
    expected = [Row(**dict(zip(names, v, strict=True))) for v in rolling(kind, VALUES)]
    assert results(getattr(keyed, kind)(position)) == expected


@pytest.mark.parametrize("kind", ["sum", "min", "max", "min_by", "max_by"])
def test_rolling_of_lists_and_scalars(env, results, kind):
    lists = env.from_collection([list(v) for v in VALUES]).key_by(lambda t: t[0])
    assert results(getattr(lists, kind)(1)) == [list(v) for v in rolling(kind, VALUES)]
    numbers = [5, 3, 8, 8, 1]
    keyed = env.from_collection(numbers).key_by(lambda x: 0)
    expected = [r[1] for r in rolling(kind, [(0, n) for n in numbers])]
    assert results(getattr(keyed, kind)()) == expected


def test_sum_adds_what_python_adds(env, results):
    big = 2**62
    values = [("s", "q"), ("s", "r"), ("i", big), ("i", big), ("i", big), ("f", 1), ("f", 0.5)]
    stream = env.from_collection(values).key_by(lambda t: t[0]).sum(1)
    assert last_of_each(results(stream)) == {
        "s": ("s", "qr"),
        "i": ("i", 3 * big),
        "f": ("f", 1.5),
    }


@pytest.mark.parametrize(
    ("number", "high"),
    [
        (Types.BYTE(), 2**7),
        (Types.SHORT(), 2**15),
        (Types.INT(), 2**31),
        (Types.LONG(), 2**63),
    ],
    ids=str,
)
@pytest.mark.parametrize("position", [1, "n"])
def test_sum_that_leaves_its_type_is_told(env, results, number, high, position):
    types = Types.ROW_NAMED(["k", "n"], [Types.STRING(), number])
    rows = [Row(k="a", n=high - 3), Row(k="a", n=2), Row(k="b", n=-high), Row(k="a", n=1)]
    keyed = env.from_collection(rows, types).key_by(lambda r: r.k)
    with pytest.raises(JobError, match=f"the sum leaves the range of {number._text()}"):
        results(keyed.sum(position))
    assert len(results(env.from_collection(rows[:3], types).key_by(lambda r: r.k).sum(1))) == 3


def test_sum_of_native_records_that_leaves_its_type_is_told(env, results):
    types = Types.TUPLE([Types.STRING(), Types.BYTE()])
    stream = env.from_collection([("a", 100), ("a", 100)], types).key_by(lambda t: t[0]).sum(1)
    with pytest.raises(JobError, match="the sum leaves the range of BYTE"):
        results(stream)


def test_sum_of_scalars_at_another_position_is_told(env, results):
    keyed = env.from_collection([1, 2]).key_by(lambda x: 0)
    with pytest.raises(Exception, match="The 1 field selected on a basic type"):
        results(keyed.sum(1))


@pytest.mark.parametrize("position", [None, 1.5, [1]])
@pytest.mark.parametrize("kind", ["sum", "min", "max", "min_by", "max_by"])
def test_rolling_position_of_another_kind_is_a_type_error(env, kind, position):
    keyed = env.from_collection([(1, 2)]).key_by(lambda t: t[0])
    with pytest.raises(TypeError):
        getattr(keyed, kind)(position)


def test_key_by_one_and_true_and_one_point_zero_differ(env, results):
    values = [1, 1.0, True, 1, -0.0, 0.0, 0, False]
    stream = env.from_collection([(v, 1) for v in values]).key_by(lambda t: t[0]).sum(1)
    counts = Counter()
    for key, n in results(stream):
        counts[type(key).__name__, abs(key)] = n
    assert counts == {
        ("int", 1): 2,
        ("float", 1.0): 1,
        ("bool", 1): 1,
        ("float", 0.0): 2,
        ("int", 0): 1,
        ("bool", 0): 1,
    }


@pytest.mark.parametrize("parallelism", [1, 2])
def test_key_by_things_that_have_no_hash(make_env, results, parallelism):
    keys = [[1, 2], {"a": 1, "b": [2]}, {3, 4}, (1, [2]), bytearray(b"x"), None]
    values = [(k, i) for i in range(3) for k in keys]
    stream = make_env(parallelism).from_collection(values).rebalance().map(lambda v: v)
    counts = results(
        stream.key_by(lambda v: v[0]).map(lambda v: (repr(v[0]), 1)).key_by(lambda t: t[0]).sum(1)
    )
    assert Counter(n for _, n in counts) == {1: 6, 2: 6, 3: 6}


def test_key_type_is_applied_before_the_key_counts(env, results):
    values = [1, 1.0, True, 2]
    stream = env.from_collection([(v, 1) for v in values])
    found = results(stream.key_by(lambda t: t[0], Types.DOUBLE()).sum(1))
    assert [n for _, n in found] == [1, 2, 3, 1]


def test_key_by_of_keyed_forgets_the_first_key(env, results):
    stream = env.from_collection([("a", 1), ("b", 1), ("a", 2)])
    found = results(stream.key_by(lambda t: t[0]).key_by(lambda t: t[1]).sum(0))
    assert found == [("a", 1), ("ab", 1), ("a", 2)]


def test_keyed_stream_map_flat_map_filter(env, results):
    keyed = env.from_collection([("a", 1), ("b", 2)]).key_by(lambda t: t[0])
    assert results(keyed.map(lambda t: t[1])) == [1, 2]
    assert results(keyed.flat_map(lambda t: t)) == ["a", 1, "b", 2]
    assert results(keyed.filter(lambda t: t[1] > 1)) == [("b", 2)]


def test_keyed_stream_union_takes_the_values(env, results):
    keyed = env.from_collection([("a", 1)]).key_by(lambda t: t[0])
    other = env.from_collection([("b", 2)]).key_by(lambda t: t[0])
    assert sorted(results(keyed.union(other))) == [("a", 1), ("b", 2)]


def test_keyed_stream_collects_key_and_value(env, results):
    keyed = env.from_collection([("a", 1), ("b", 2)]).key_by(lambda t: t[0])
    assert results(keyed) == [Row(f0="a", f1=("a", 1)), Row(f0="b", f1=("b", 2))]


def test_keyed_stream_print_has_values_only(env, capfd):
    env.from_collection([("a", 1)]).key_by(lambda t: t[0]).print()
    env.execute()
    assert capfd.readouterr().out == "('a', 1)\n"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda k: k.rebalance(), "Cannot override partitioning for KeyedStream."),
        (lambda k: k.broadcast(), "Cannot override partitioning for KeyedStream."),
        (lambda k: k.partition_custom(lambda k, n: 0, lambda v: v), "Cannot override partitioning"),
        (lambda k: k.set_parallelism(2), "for KeyedStream is not supported"),
        (lambda k: k.name("x"), "KeyedStream is not supported"),
        (lambda k: k.process(Tripling(1)), "KeyedProcessFunction is required for KeyedStream."),
    ],
)
def test_keyed_stream_refuses(env, call, text):
    with pytest.raises(Exception, match=text):
        call(env.from_collection([1]).key_by(lambda x: x))


# --- process --------------------------------------------------------------------------------------


class Twice(ProcessFunction):
    def process_element(self, value, ctx):
        yield value
        yield value, ctx.timestamp()


class Listing(ProcessFunction):
    def process_element(self, value, ctx):
        return [value] * value if value else None


def test_process_generator_list_and_none(env, results):
    assert results(env.from_collection([5]).process(Twice())) == [5, (5, None)]
    assert results(env.from_collection([2, 0, 1]).process(Listing())) == [2, 2, 1]


def test_process_needs_a_process_function(env):
    with pytest.raises(TypeError, match="The input must be a ProcessFunction"):
        env.from_collection([1]).process(lambda v, c: [v])


class CountPerKey(KeyedProcessFunction):
    def open(self, runtime_context):
        self.counts = Counter()

    def process_element(self, value, ctx):
        self.counts[ctx.get_current_key()] += 1
        yield ctx.get_current_key(), self.counts[ctx.get_current_key()]


@pytest.mark.parametrize("parallelism", PARALLELISMS)
def test_keyed_process_sees_all_of_its_keys(make_env, results, parallelism):
    stream = make_env(parallelism).from_collection(range(90)).rebalance().map(lambda x: x % 9)
    found = results(stream.key_by(lambda x: ("k", x)).process(CountPerKey()))
    assert sorted(found) == sorted((("k", k), n + 1) for k in range(9) for n in range(10))


def test_process_context_knows_watermark_and_time(env, results):
    class Times(KeyedProcessFunction):
        def process_element(self, value, ctx):
            service = ctx.timer_service()
            yield service.current_watermark(), service.current_processing_time() > 1.6e12

    stream = env.from_collection([1]).key_by(lambda x: x).process(Times())
    assert results(stream) == [(-(2**63), True)]


# --- two inputs -----------------------------------------------------------------------------------


class Both(CoMapFunction):
    def map1(self, value):
        return "one", value

    def map2(self, value):
        return None if value == "drop" else ("two", value)


class BothFlat(CoFlatMapFunction):
    def flat_map1(self, value):
        for _ in range(value):
            yield value

    def flat_map2(self, value):
        return value.split() if value else None


class Joined(CoProcessFunction):
    def process_element1(self, value, ctx):
        yield "one", value

    def process_element2(self, value, ctx):
        return [("two", value)]


class PerKey(KeyedCoProcessFunction):
    def open(self, runtime_context):
        self.seen = {}

    def process_element1(self, value, ctx):
        self.seen.setdefault(ctx.get_current_key(), set()).add(("one", value))
        yield ctx.get_current_key(), sorted(self.seen[ctx.get_current_key()])

    def process_element2(self, value, ctx):
        self.seen.setdefault(ctx.get_current_key(), set()).add(("two", value))
        yield ctx.get_current_key(), sorted(self.seen[ctx.get_current_key()])


@pytest.mark.parametrize("parallelism", [1, 2])
def test_co_map_drops_none(make_env, results, parallelism):
    env = make_env(parallelism)
    one, two = env.from_collection([1, 2]), env.from_collection(["a", "drop", "b"])
    expected = [("one", 1), ("one", 2), ("two", "a"), ("two", "b")]
    assert sorted(results(one.connect(two).map(Both()))) == expected


@pytest.mark.parametrize("parallelism", [1, 2])
def test_co_flat_map(make_env, results, parallelism):
    env = make_env(parallelism)
    one, two = env.from_collection([1, 2, 0]), env.from_collection(["a b", "", "c"])
    found = results(one.connect(two).flat_map(BothFlat()))
    assert Counter(found) == Counter([1, 2, 2, "a", "b", "c"])


@pytest.mark.parametrize("parallelism", [1, 2])
def test_co_process(make_env, results, parallelism):
    env = make_env(parallelism)
    one, two = env.from_collection([1, 2]), env.from_collection(["a"])
    found = results(one.connect(two).process(Joined()))
    assert sorted(found) == [("one", 1), ("one", 2), ("two", "a")]


@pytest.mark.parametrize("parallelism", PARALLELISMS)
@pytest.mark.parametrize("keyed_first", [True, False])
def test_keyed_co_process_meets_both_inputs(make_env, results, parallelism, keyed_first):
    env = make_env(parallelism)
    one = env.from_collection([(k, k) for k in range(8)]).rebalance().map(lambda t: t)
    two = env.from_collection([(k, -k) for k in range(8)]).rebalance().map(lambda t: t)
    if keyed_first:
        connected = one.key_by(lambda t: t[0]).connect(two.key_by(lambda t: t[0]))
    else:
        connected = one.connect(two).key_by(lambda t: t[0], lambda t: t[0])
    found = results(connected.process(PerKey()))
    whole = {key: seen for key, seen in found if len(seen) == 2}
    assert whole == {k: [("one", (k, k)), ("two", (k, -k))] for k in range(8)}
    assert len(found) == 16


def test_connect_of_one_stream_with_itself(env, results):
    stream = env.from_collection([1, 2])
    found = results(stream.connect(stream).process(Joined()))
    assert sorted(found) == [("one", 1), ("one", 2), ("two", 1), ("two", 2)]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: c.map(lambda x: x), "CoMapFunction"),
        (lambda c: c.flat_map(lambda x: x), "CoFlatMapFunction"),
        (lambda c: c.process(Twice()), "CoProcessFunction"),
        (lambda c: c.process(PerKey()), "keyed"),
    ],
)
def test_connected_streams_refuse(env, call, text):
    stream = env.from_collection([1])
    with pytest.raises(TypeError, match=text):
        call(stream.connect(stream))


# --- side outputs ---------------------------------------------------------------------------------

ODD = OutputTag("odd", Types.LONG())
TEXT = OutputTag("text")


class Sorting(ProcessFunction):
    def process_element(self, value, ctx):
        if value % 2:
            yield ODD, value
        else:
            yield value
        yield TEXT, str(value)


class KeyedSorting(KeyedProcessFunction):
    def process_element(self, value, ctx):
        return [(ODD, value), ctx.get_current_key()]


class CoSorting(CoProcessFunction):
    def process_element1(self, value, ctx):
        yield ODD, value

    def process_element2(self, value, ctx):
        yield value


@pytest.mark.quick
@pytest.mark.parametrize("parallelism", [1, 2])
@pytest.mark.parametrize("chaining", [True, False])
def test_side_outputs(make_env, results, parallelism, chaining):
    env = make_env(parallelism)
    if not chaining:
        env.disable_operator_chaining()
    main = env.from_collection(range(10)).rebalance().process(Sorting())
    odd = main.get_side_output(ODD).map(lambda x: ("odd", x))
    text = main.get_side_output(TEXT).map(lambda x: ("text", x))
    found = results(main.map(lambda x: ("main", x)).union(odd, text))
    assert sorted(found, key=repr) == sorted(
        [("main", x) for x in range(0, 10, 2)]
        + [("odd", x) for x in range(1, 10, 2)]
        + [("text", str(x)) for x in range(10)],
        key=repr,
    )


def test_side_output_alone(env, results):
    main = env.from_collection(range(4)).process(Sorting())
    assert results(main.get_side_output(ODD)) == [1, 3]


def test_side_output_twice(env, results):
    main = env.from_collection(range(4)).process(Sorting())
    once, again = main.get_side_output(ODD), main.get_side_output(ODD)
    assert sorted(results(once.union(again))) == [1, 1, 3, 3]


def test_side_output_nobody_asked_for_is_dropped(env, results):
    assert results(env.from_collection(range(4)).process(Sorting())) == [0, 2]


def test_side_outputs_of_keyed_and_co_process(env, results):
    keyed = env.from_collection([1, 2]).key_by(lambda x: -x).process(KeyedSorting())
    assert results(keyed.get_side_output(ODD)) == [1, 2]
    stream = env.from_collection([1, 2])
    co = stream.connect(env.from_collection(["a"])).process(CoSorting())
    assert results(co.get_side_output(ODD)) == [1, 2]


def test_two_operators_share_a_tag(env, results):
    first = env.from_collection([1]).process(Sorting())
    second = first.get_side_output(ODD).map(lambda x: x + 2).process(Sorting())
    assert results(second.get_side_output(ODD)) == [3]


def test_side_output_of_wrong_type_is_told(env, results):
    class Wrong(ProcessFunction):
        def process_element(self, value, ctx):
            yield ODD, "text"

    with pytest.raises(Exception, match="expected LONG, got str 'text'"):
        results(env.from_collection([1]).process(Wrong()).get_side_output(ODD))


def test_main_output_keeps_its_type_beside_side_outputs(env, results):
    class Rows(ProcessFunction):
        def process_element(self, value, ctx):
            yield value, str(value)
            yield ODD, value

    types = Types.ROW_NAMED(["n", "s"], [Types.LONG(), Types.STRING()])
    main = env.from_collection([1]).process(Rows(), types)
    side = main.get_side_output(ODD)
    assert results(main.map(lambda r: r.s).union(side.map(repr))) in (["1", "1"],)


def test_empty_tuple_is_an_ordinary_value_beside_side_outputs(env, results):
    class Empty(ProcessFunction):
        def process_element(self, value, ctx):
            yield ()
            yield ODD, 1

    main = env.from_collection([1]).process(Empty())
    assert results(main.map(repr).union(main.get_side_output(ODD).map(repr))) == ["()", "1"]


def test_sums_that_somebody_keeps_do_not_change(env, results):
    kept = []

    def keep(total):
        kept.append(total)
        return list(kept)

    pairs = env.from_collection([("a", i, i) for i in range(1, 5)])
    totals = pairs.map(lambda t: t).key_by(lambda t: t[0]).sum(1)
    seen = results(totals.map(keep))
    assert seen[-1] == [("a", 1, 1), ("a", 3, 1), ("a", 6, 1), ("a", 10, 1)]


@pytest.mark.parametrize("big", [2**62, 2**64])
def test_sums_beyond_64_bits_stay_integers(env, results, big):
    pairs = env.from_collection([("a", big)] * 3).key_by(lambda t: t[0]).sum(1)
    assert results(pairs) == [("a", big), ("a", 2 * big), ("a", 3 * big)]
