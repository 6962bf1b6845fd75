"""The forms of objects: on the wire and back, native, as text, as private copies."""

import datetime
import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leat import _leat
from leat.common import Row
from leat.common.time import Instant

pytestmark = pytest.mark.quick

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False),
    st.dates(),
    st.times(),
    st.datetimes(),
)
rows = st.lists(scalars, min_size=1, max_size=4).map(lambda v: Row(*v))
values = st.recursive(
    scalars | rows | st.frozensets(st.integers(), max_size=3),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal, and of equal types all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(map(repr, a)) == list(map(repr, b)) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, Row):
        return a._fields == b._fields and a._kind == b._kind and same(list(a), list(b))
    return repr(a) == repr(b) if isinstance(a, (float, Decimal)) else a == b


@given(values)
def test_roundtrip_any_value_comes_back(value):
    assert same(_leat._roundtrip(value, None), value)


@given(values)
def test_native_any_value_comes_back(value):
    assert same(_leat._native(value, None)[1], value)


@given(values)
def test_cut_any_value_is_copied(value):
    assert same(_leat._cut(value, None), value)


@given(st.tuples(st.text(), st.integers(-(2**31), 2**31 - 1), st.lists(st.floats(allow_nan=False))))
def test_roundtrip_typed_tuple_comes_back(value):
    text = "TUPLE<STRING,INT,LIST<DOUBLE>>"
    assert same(_leat._roundtrip(value, text), value)
    assert same(_leat._native(value, text)[1], value)


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("INSTANT", Instant(-5, 1_000_000), "timestamp"),
        ("SQL_TIMESTAMP", datetime.datetime(1903, 2, 28, 23, 59, 59, 999999), "timestamp"),
        ("SQL_TIMESTAMP", datetime.datetime(2400, 2, 29), "timestamp"),
        ("SQL_DATE", datetime.date(1, 1, 1), "date"),
        ("SQL_TIME", datetime.time(23, 59, 59, 1), "time"),
        ("BIG_DEC", Decimal("-12345678901234567890.123456789012345678"), "decimal"),
        ("BIG_INT", 2**63, "object"),
        ("ROW<LONG,STRING>", Row(f0=1, f1=None), "row"),
        ('ROW<"a" LONG>', Row(a=1), "row"),
        ("PRIMITIVE_ARRAY<BYTE>", b"\x00\xff", "bytes"),
    ],
)
def test_typed_value_has_its_native_kind_and_comes_back(text, value, kind):
    assert _leat._native(value, text) == (kind, value)
    assert same(_leat._roundtrip(value, text), value)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("1E+3"), Decimal(10) ** 40])
def test_decimal_without_native_form_stays_an_object(value):
    kind, back = _leat._native(value, None)
    assert kind == "object"
    assert back is value


def test_decimal_minus_zero_comes_back():
    assert str(_leat._roundtrip(Decimal("-0.0"), None)) == "-0.0"


def test_subclass_stays_what_it_is():
    value = threading.TIMEOUT_MAX, datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    assert _leat._roundtrip(value, None) == value
    assert _leat._native(True, None) == ("bool", True)


def test_roundtrip_deep_and_recursive_values_come_back():
    deep = []
    for _ in range(200):
        deep = [deep]
    assert _leat._roundtrip(deep, None) == deep
    loop = []
    loop.append(loop)
    back = _leat._roundtrip(loop, None)
    assert back[0] is back


def test_roundtrip_what_cannot_be_pickled_is_refused():
    with pytest.raises(TypeError):
        _leat._roundtrip(threading.Lock(), None)


def test_cut_shares_nothing_mutable():
    inner, row = [1], Row([1])
    value = (inner, {"k": inner}, row, "text")
    copy = _leat._cut(value, None)
    assert copy == value
    assert copy[0] is not inner
    assert copy[1]["k"] is not inner
    assert copy[2][0] is not row[0]
    assert copy[3] is value[3]


def test_cut_immutable_is_the_same_object():
    value = ("a", 1, (2.0, b"x", None))
    assert _leat._cut(value, None) is value


@pytest.mark.parametrize(
    ("text", "value", "printed", "written"),
    [
        (None, ("a", None), "('a', None)", "('a', None)"),
        (None, "plain", "plain", "plain"),
        (None, Row(a=1), "Row(a=1)", "Row(a=1)"),
        ("TUPLE<STRING,BOOLEAN>", ("a", True), "(a,true)", "(a,true)"),
        ("TUPLE<STRING,LONG>", ("a", None), "(a,null)", "(a,null)"),
        ('ROW<"a" LONG,"b" STRING>', Row(a=1, b=None), "+I[1,None]", "+I[1, null]"),
        ("BIG_INT", 2**70, str(2**70), str(2**70)),
    ],
)
def test_text_follows_pyflink(text, value, printed, written):
    assert _leat._text(value, text) == (printed, written)
