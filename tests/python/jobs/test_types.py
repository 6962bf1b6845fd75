"""Values of every type and of none on their way through operators, borders, keys and sources."""

from __future__ import annotations

import datetime
import math
from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from job_records import Colour, Key, Place, Point, Unpicklable
from leat.common import Row, RowKind, Types
from leat.common.errors import JobError
from leat.common.time import Instant
from leat.datastream.functions import KeyedProcessFunction, ProcessFunction

UTC = datetime.timezone.utc  # noqa: UP017 - the old name, too
DAY = datetime.date(2024, 2, 29)
TIME = datetime.time(23, 59, 59, 999_000)
STAMP = datetime.datetime(2024, 2, 3, 4, 5, 6, 789_123)


class Same(ProcessFunction):
    def process_element(self, value, ctx):
        yield value


class SameKeyed(KeyedProcessFunction):
    def process_element(self, value, ctx):
        yield value


def row(*values, kind=RowKind.INSERT, names=None):
    made = Row(*values)
    made.set_row_kind(kind)
    if names:
        made.set_field_names(names)
    return made


# Type, values that fit, and what they become where that is something else.
TYPED = [
    (Types.STRING(), ["", "a", "ä€𝄞", "a\0b", "x" * 100_000, None], None),
    (Types.BYTE(), [-128, 0, 127, None], None),
    (Types.BOOLEAN(), [True, False, None], None),
    (Types.SHORT(), [-(2**15), 2**15 - 1, None], None),
    (Types.INT(), [-(2**31), 2**31 - 1, None], None),
    (Types.LONG(), [-(2**63), 2**63 - 1, 0, None], None),
    (Types.FLOAT(), [0.5, -0.0, math.inf, None], None),
    (Types.FLOAT(), [0.1], [0.10000000149011612]),
    (Types.DOUBLE(), [0.1, 1e300, -math.inf, 5e-324, None], None),
    (Types.DOUBLE(), [1, True], [1.0, 1.0]),
    (Types.CHAR(), ["a", "€", "𝄞", None], None),
    (Types.BIG_INT(), [2**200, -(2**63) - 1, 0, None], None),
    (Types.BIG_DEC(), [Decimal("1.50"), Decimal("-1E+40"), Decimal("0." + "3" * 60), None], None),
    (Types.INSTANT(), [Instant(1, 2_000_000), Instant.of_epoch_milli(-1), None], None),
    (Types.SQL_DATE(), [DAY, datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None], None),
    (Types.SQL_TIME(), [TIME, datetime.time(0, 0), None], None),
    (Types.SQL_TIMESTAMP(), [STAMP, datetime.datetime(1, 1, 1), None], None),
    (
        Types.PICKLED_BYTE_ARRAY(),
        [{"a": {1, 2}}, (1, [2]), Point(1), 2**70, 1 + 2j, None, b"\xff", bytearray(b"x")],
        None,
    ),
    (Types.TUPLE([Types.STRING(), Types.LONG()]), [("a", 1), (None, None), None], None),
    (Types.TUPLE([Types.STRING(), Types.LONG()]), [["a", 1], Row("b", 2)], [("a", 1), ("b", 2)]),
    (
        Types.ROW([Types.STRING(), Types.LONG()]),
        [Row(f0="a", f1=1), row("b", 2, kind=RowKind.DELETE, names=["f0", "f1"]), None],
        None,
    ),
    (
        Types.ROW_NAMED(["s", "n"], [Types.STRING(), Types.LONG()]),
        [("a", 1), ["b", 2], {"n": 3, "s": "c"}, {"n": 4}, Row("d", 5), Row(n=6, s="e"), None],
        [
            *(Row(s=s, n=n) for s, n in [("a", 1), ("b", 2), ("c", 3), (None, 4), ("d", 5)]),
            Row(s="e", n=6),
            None,
        ],
    ),
    (
        Types.ROW([Types.PICKLED_BYTE_ARRAY(), Types.ROW([Types.LONG()])]),
        [Row({1: {2}}, Row(3))],
        [Row(f0={1: {2}}, f1=Row(f0=3))],
    ),
    (Types.PRIMITIVE_ARRAY(Types.INT()), [[1, 2], [], None], None),
    (Types.PRIMITIVE_ARRAY(Types.BOOLEAN()), [[True, False]], None),
    (Types.PRIMITIVE_ARRAY(Types.DOUBLE()), [[1.5, math.inf]], None),
    (Types.BASIC_ARRAY(Types.STRING()), [["a", None, "b"], []], None),
    (
        Types.OBJECT_ARRAY(Types.TUPLE([Types.STRING(), Types.LONG()])),
        [[("a", 1), None], []],
        None,
    ),
    (Types.LIST(Types.LONG()), [[1, 2], [], None], None),
    (
        Types.MAP(Types.STRING(), Types.LIST(Types.LONG())),
        [{"a": [1], "b": []}, {}, None],
        None,
    ),
    (
        Types.MAP(Types.LONG(), Types.ROW_NAMED(["x"], [Types.STRING()])),
        [{1: Row(x="a"), 2: None}],
        None,
    ),
]

UNTYPED = [
    None,
    True,
    0,
    2**63,
    -(2**200),
    1.5,
    "text",
    "a\udc80lone",
    b"\x00\xff",
    bytearray(b"xy"),
    (1, "a", None),
    (),
    [],
    [1, [2, [3, None]]],
    {"k": {"n": [1]}},
    {1: 2, None: 3, (1, 2): 4},
    {1, 2},
    frozenset({1}),
    range(5),
    1 + 2j,
    Decimal("1.50"),
    Decimal("1E-40"),
    Fraction(1, 3),
    DAY,
    TIME,
    datetime.time(1, 2, 3, tzinfo=UTC),
    STAMP,
    STAMP.replace(tzinfo=UTC),
    datetime.timedelta(days=3, microseconds=1),
    Instant(1, 999_999_999),
    UUID(int=7),
    Colour.RED,
    Place("a", 1),
    Point(1, 2, ["t"]),
    Key("k", (1, 2)),
    Row(1, "a"),
    Row(a=1, b=Row(c=[Row(2)])),
    row(1, kind=RowKind.UPDATE_BEFORE),
    OrderedDict([("b", 1), ("a", 2)]),
    Counter("aab"),
    deque([1, 2]),
    int,
    len,
    Ellipsis,
    ValueError,
]


def shown(values):
    """Values with what == does not tell: classes, the order of dicts, kinds and names of rows."""
    return [show(v) for v in values]


def show(v):
    if isinstance(v, Row):
        names = getattr(v, "_fields", None)
        return ("Row", str(v.get_row_kind()), names and list(names), shown(list(v)))
    if isinstance(v, (list, tuple)):
        return (type(v).__name__, shown(v))
    if isinstance(v, dict):
        return (type(v).__name__, [(show(k), show(x)) for k, x in v.items()])
    if isinstance(v, Instant):
        return ("Instant", v.seconds, v.nanos)
    if isinstance(v, (set, frozenset)):
        return (type(v).__name__, sorted(map(repr, v)))
    return (type(v).__name__, repr(v))


each_type = pytest.mark.parametrize(
    ("type_info", "values", "become"),
    [pytest.param(t, values, become or values, id=str(t)[:60]) for t, values, become in TYPED],
)


@each_type
@pytest.mark.parametrize("parallelism", [1, 2])
def test_typed_values_through_a_source(make_env, results, type_info, values, become, parallelism):
    stream = make_env(parallelism).from_collection(values, type_info)
    assert shown(results(stream)) == shown(become)
    assert shown(results(stream.map(lambda x: x).set_parallelism(1))) == shown(become)


@each_type
@pytest.mark.parametrize("chaining", [True, False])
def test_typed_values_through_python(make_env, results, type_info, values, become, chaining):
    env = make_env(1)
    if not chaining:
        env.disable_operator_chaining()
    wrapped = env.from_collection([[v] for v in values], Types.PICKLED_BYTE_ARRAY())
    stream = wrapped.map(lambda x: x[0], type_info).filter(lambda x: True)
    stream = stream.process(Same(), type_info)
    assert shown(results(stream)) == shown(become)
    stream = stream.map(lambda x: (x, 1)).key_by(lambda x: str(x[0])).process(SameKeyed())
    assert shown(results(stream.map(lambda x: x[0]))) == shown(become)


@each_type
def test_typed_keys(make_env, results, type_info, values, become):
    values, become = values[:4], become[:4]
    pairs = make_env(2).from_collection([[v, i] for i in range(2) for v in values])
    keyed = pairs.rebalance().map(lambda x: x).key_by(lambda x: x[0], type_info)

    class CountKeys(KeyedProcessFunction):
        def open(self, runtime_context):
            self.counts = Counter()

        def process_element(self, value, ctx):
            key = ctx.get_current_key()
            self.counts[repr(key)] += 1
            yield key, self.counts[repr(key)]

    last = {repr(k): n for k, n in sorted(results(keyed.process(CountKeys())), key=lambda f: f[1])}
    assert last == {key: 2 * n for key, n in Counter(map(repr, become)).items()}


def is_refused(value):
    """Code, text that has no bytes, and classes of containers: they are no keys."""
    lone = isinstance(value, str) and "\udc80" in value
    return lone or isinstance(value, (type, OrderedDict, deque)) or value in (len, Ellipsis)


KEYS = [v for v in UNTYPED if not is_refused(v)]


def test_untyped_values(make_env, results):
    env = make_env(2)
    stream = env.from_collection(UNTYPED)
    assert shown(results(stream)) == shown(UNTYPED)
    stream = stream.rebalance().map(lambda x: [x]).rebalance().flat_map(iter)
    stream = stream.rebalance().process(Same()).filter(lambda x: True)
    assert sorted(shown(results(stream)), key=repr) == sorted(shown(UNTYPED), key=repr)


def test_untyped_values_as_keys(make_env, results):
    stream = make_env(2).from_collection([(v, 1) for v in KEYS * 4]).rebalance().map(lambda x: x)
    stream = stream.key_by(lambda x: x[0]).reduce(lambda a, b: (a[0], a[1] + b[1]))
    found = results(stream)
    for n in (1, 2, 3, 4):
        keys = [v for v, count in found if count == n]
        assert sorted(shown(keys), key=repr) == sorted(shown(KEYS), key=repr)


def test_untyped_values_alone(env, results):
    for value in (None, (), [], {}, "", b"", 0, Row()):
        assert shown(results(env.from_collection([value]).map(lambda x: x))) == shown([value])


@pytest.mark.parametrize("value", [v for v in UNTYPED if is_refused(v)], ids=ascii)
def test_values_that_are_no_keys_are_told(make_env, results, value):
    keyed = make_env(2).from_collection([value]).key_by(lambda x: x)
    with pytest.raises(JobError, match=r"KeyBy \(1/1\): .* can't be a key: "):
        results(keyed.map(lambda x: 1))


def test_deep_nesting(env, results):
    deep = None
    for _ in range(200):
        deep = [deep]
    wide = {"k": [(i, {"n": [i]}) for i in range(1000)]}
    stream = env.from_collection([deep, wide]).map(lambda x: x).rebalance().map(lambda x: x)
    assert results(stream) == [deep, wide]


def test_nesting_deeper_than_pickle_can_is_told(make_env, results):
    def dig(x):
        deep = None
        for _ in range(100_000):
            deep = [deep]
        return deep

    stream = make_env(2).from_collection([1]).map(dig).name("Dig").rebalance().map(lambda x: 1)
    with pytest.raises(JobError, match="Dig"):
        results(stream)


def test_megabytes_in_one_record(make_env, results):
    stream = make_env(2).from_collection([b"x" * (40 << 20), "ä" * (5 << 20)]).rebalance()
    stream = stream.map(lambda x: x).rebalance().map(lambda x: (type(x).__name__, len(x)))
    assert sorted(results(stream)) == [("bytes", 40 << 20), ("str", 5 << 20)]


def test_subclasses_keep_their_class_without_a_type(env, results):
    values = [Place("a", 1), OrderedDict(b=1), Counter("a"), Colour.BLUE, True]
    stream = env.from_collection(values).rebalance().map(lambda x: x)
    assert shown(results(stream)) == shown(values)


def test_classes_of_functions_in_the_test_travel(env, results):
    class Local:
        def __init__(self, n):
            self.n = n

        def __eq__(self, other):
            return self.n == other.n

        __hash__ = None

    stream = env.from_collection([1, 2]).map(Local).rebalance().map(lambda o: o.n + 1)
    assert results(stream) == [2, 3]


def test_range_of_numbers_is_checked(env, results):
    for type_info, bad in [
        (Types.BYTE(), 128),
        (Types.SHORT(), -(2**15) - 1),
        (Types.INT(), 2**31),
        (Types.LONG(), 2**63),
    ]:
        stream = env.from_collection([bad]).map(lambda x: x, type_info).name("Number")
        text = rf"Number \(1/1\).*expected {type_info._text()}, got int {bad} \(out of range\)"
        with pytest.raises(JobError, match=text):
            results(stream)


@pytest.mark.parametrize(
    ("type_info", "value", "text"),
    [
        (Types.INT(), "1", "expected INT, got str '1'"),
        (Types.INT(), 1.5, "expected INT, got float 1.5"),
        (Types.STRING(), 1, "expected STRING, got int 1"),
        (Types.STRING(), b"x", "expected STRING, got bytes b'x'"),
        (Types.BOOLEAN(), "yes", "expected BOOLEAN, got str 'yes'"),
        (Types.DOUBLE(), "1.0", "expected DOUBLE, got str '1.0'"),
        (Types.CHAR(), "ab", r"expected CHAR, got str 'ab' \(of another length than 1\)"),
        (Types.BIG_INT(), 1.0, "expected BIG_INT, got float 1.0"),
        (Types.BIG_DEC(), "1", "expected BIG_DEC, got str '1'"),
        (Types.SQL_DATE(), "2024-01-01", "expected SQL_DATE, got str"),
        (Types.SQL_TIME(), DAY, "expected SQL_TIME, got datetime.date"),
        (Types.SQL_TIMESTAMP(), DAY, "expected SQL_TIMESTAMP, got datetime.date"),
        (Types.INSTANT(), 5, "expected INSTANT, got int 5"),
        (Types.TUPLE([Types.INT()]), 5, "expected TUPLE<INT>, got int 5"),
        (Types.TUPLE([Types.INT()]), (1, 2), r"got tuple \(1, 2\) \(2 fields, not 1\)"),
        (
            Types.TUPLE([Types.STRING(), Types.TUPLE([Types.INT()])]),
            ("a", ("b",)),
            "expected INT, got str 'b' at field 0 of TUPLE<INT> at field 1 of TUPLE",
        ),
        (Types.ROW([Types.INT()]), (1, 2), "fields, not 1"),
        (Types.LIST(Types.INT()), [1, "a"], "expected INT, got str 'a' at item 1 of LIST<INT>"),
        (Types.LIST(Types.INT()), "ab", "expected LIST<INT>, got str 'ab'"),
        (Types.MAP(Types.STRING(), Types.INT()), {1: 1}, "expected STRING, got int 1 as a key of"),
        (Types.MAP(Types.STRING(), Types.INT()), {"a": "b"}, "got str 'b' as a value of MAP"),
        (Types.MAP(Types.STRING(), Types.INT()), [1], "expected MAP<STRING,INT>, got list"),
        (Types.BASIC_ARRAY(Types.STRING()), [1], "expected STRING, got int 1 at item 0"),
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_told(env, results, type_info, value, text):
    with pytest.raises(JobError, match=rf"(?s)Typed \(1/1\): .*{text}"):
        results(env.from_collection([[value]]).map(lambda x: x[0], type_info).name("Typed"))
    with pytest.raises(TypeError, match=text):
        env.from_collection([value], type_info)


def test_long_values_are_cut_in_messages(env, results):
    stream = env.from_collection(["x" * 10_000]).map(lambda x: x, Types.INT())
    with pytest.raises(JobError) as failure:
        results(stream)
    assert len(str(failure.value)) < 1000


def test_unpicklable_records_are_told(make_env, results, mode):
    stream = make_env(2).from_collection([1]).map(lambda x: Unpicklable()).name("Maker")
    with pytest.raises(JobError, match="it stays here") as failure:
        results(stream.rebalance().map(lambda x: 1))
    assert "Maker" in str(failure.value)
    assert type(failure.value.__cause__) is TypeError


def test_unpicklable_records_pass_inside_a_chain(env, results):
    stream = env.from_collection([1]).map(lambda x: Unpicklable()).map(repr)
    assert results(stream) == ["Unpicklable()"]


def test_unpicklable_item_of_a_collection_is_told(env):
    with pytest.raises(TypeError, match="it stays here"):
        env.from_collection([Unpicklable()])


def test_lists_of_types_stand_for_rows(env, results):
    stream = env.from_collection([(1, "a")], [Types.LONG(), Types.STRING()])
    assert shown(results(stream)) == shown([Row(f0=1, f1="a")])
    stream = stream.map(lambda r: (r.f1, r.f0), [Types.STRING(), Types.LONG()])
    assert shown(results(stream)) == shown([Row(f0="a", f1=1)])


def test_row_objects_are_rows(env, results):
    types = Types.ROW_NAMED(["x", "y"], [Types.LONG(), Types.LONG()])
    stream = env.from_collection([Point(1, 2)]).map(lambda p: p, types)
    assert shown(results(stream)) == shown([Row(x=1, y=2)])


def test_timestamp_with_a_zone_is_local_time(env, results):
    aware = STAMP.replace(tzinfo=UTC)
    stream = env.from_collection([aware]).map(lambda x: x, Types.SQL_TIMESTAMP())
    assert results(stream) == [aware.astimezone().replace(tzinfo=None)]


# --- objects and who may change them --------------------------------------------------------------


@pytest.mark.parametrize("partitioned", [True, False])
def test_object_changed_after_it_was_yielded(make_env, results, partitioned):
    def growing(n):
        shared = []
        for i in range(n):
            shared.append(i)
            yield shared

    env = make_env(1)
    env.disable_operator_chaining()
    stream = env.from_collection([4]).flat_map(growing)
    stream = stream.rebalance() if partitioned else stream
    assert results(stream.map(lambda x: x)) == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]


def test_object_changed_after_it_was_collected(env, results):
    def growing(n):
        shared = {"n": 0}
        for i in range(n):
            shared["n"] = i
            yield shared

    assert results(env.from_collection([3]).flat_map(growing)) == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_branches_do_not_see_each_others_changes(env, results):
    def grow(x):
        x.append("grown")
        return x

    source = env.from_collection([["a"]]).map(lambda x: x)
    found = results(source.map(grow).union(source.map(grow), source.map(lambda x: x)))
    assert sorted(map(len, found)) == [1, 2, 2]


def test_reduce_that_changes_its_argument(env, results):
    def add(a, b):
        a[1] += b[1]
        return a

    stream = env.from_collection([["a", 1], ["a", 2], ["a", 3]]).key_by(lambda x: x[0])
    assert results(stream.reduce(add)) == [["a", 1], ["a", 3], ["a", 6]]


def test_one_key_that_pickle_would_see_as_two(make_env, results):
    part = "shared part"
    same, equal = (part, part), ("".join(["shared", " part"]), "shared " + "part"[:])
    mapping = ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    sets = ({"x", "y", "z"}, {"z", "y", "x"})
    keys = [*((k, "text") for k in (same, equal)), *((k, "map") for k in mapping)]
    keys += [(k, "set") for k in sets] + [(Key("a", same), "class"), (Key("a", equal), "class")]
    stream = make_env(4).from_collection(keys).rebalance().map(lambda x: x)
    found = results(stream.key_by(lambda x: x[0]).map(lambda x: x[1]))
    stream = stream.key_by(lambda x: x[0]).reduce(lambda a, b: (a[0], a[1] + "+" + b[1]))
    both = [name for _, name in results(stream) if "+" in name]
    assert sorted(found) == ["class"] * 2 + ["map"] * 2 + ["set"] * 2 + ["text"] * 2
    assert sorted(both) == ["class+class", "map+map", "set+set", "text+text"]
