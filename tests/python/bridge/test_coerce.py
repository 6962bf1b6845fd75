"""Declared types applied to what functions give."""

import datetime
from decimal import Decimal
from enum import IntEnum

import pytest
from leat import _leat
from leat.common import Row
from leat.common.time import Instant

pytestmark = pytest.mark.quick

NAMED = 'ROW<"a" LONG,"b" STRING>'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, object()),
        ("PICKLED", {1, 2}),
        ("STRING", "a"),
        ("STRING", None),
        ("BYTE", -128),
        ("INT", 2**31 - 1),
        ("LONG", -(2**63)),
        ("BIG_INT", 2**100),
        ("DOUBLE", 0.1),
        ("FLOAT", 0.5),
        ("BOOLEAN", True),
        ("BIG_DEC", Decimal("1.50")),
        ("INSTANT", Instant(1, 2)),
        ("SQL_DATE", datetime.date(2020, 1, 2)),
        ("SQL_TIME", datetime.time(1, 2, 3)),
        ("SQL_TIMESTAMP", datetime.datetime(2020, 1, 2, 3)),
        ("TUPLE<STRING,INT>", ("a", 1)),
        ("TUPLE<STRING,INT>", (None, None)),
        ("LIST<LONG>", [1, None]),
        ("MAP<STRING,LIST<LONG>>", {"a": [1]}),
        (NAMED, Row(a=1, b="x")),
        ("PRIMITIVE_ARRAY<BYTE>", b"ab"),
    ],
)
def test_coerce_what_fits_is_the_same_object(text, value):
    assert _leat._coerce(value, text) is value


class Color(IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()


class Thing:
    def __init__(self):
        self.a = 7


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("INT", True, 1),
        ("INT", Color.RED, 1),
        ("STRING", Text("a"), "a"),
        ("DOUBLE", 3, 3.0),
        ("FLOAT", 0.1, 0.10000000149011612),
        ("BIG_DEC", 3, Decimal(3)),
        ("BIG_DEC", 0.1, Decimal("0.1")),
        ("SQL_DATE", datetime.datetime(2020, 1, 2, 3), datetime.date(2020, 1, 2)),
        ("TUPLE<STRING,INT>", ["a", 1], ("a", 1)),
        ("TUPLE<STRING,INT>", Row("a", 1), ("a", 1)),
        ("TUPLE<STRING,TUPLE<INT>>", ("a", [True]), ("a", (1,))),
        (NAMED, (1, "x"), Row(a=1, b="x")),
        (NAMED, Row(1, "x"), Row(a=1, b="x")),
        (NAMED, Row(b="x", a=1), Row(a=1, b="x")),
        (NAMED, Row(c=1, d="x"), Row(a=1, b="x")),
        (NAMED, {"b": "x"}, Row(a=None, b="x")),
        (NAMED, Thing(), Row(a=7, b=None)),
        ("ROW<LONG,DOUBLE>", [1, 2], Row(f0=1, f1=2.0)),
        ("LIST<DOUBLE>", (1, 2), [1.0, 2.0]),
        ("BASIC_ARRAY<STRING>", ("a",), ["a"]),
        ("PRIMITIVE_ARRAY<BYTE>", [1, -1], b"\x01\xff"),
        ("PRIMITIVE_ARRAY<BYTE>", bytearray(b"x"), b"x"),
        ("MAP<LONG,DOUBLE>", {True: 1}, {1: 1.0}),
    ],
)
def test_coerce_converts_as_pyflink_does(text, value, expected):
    made = _leat._coerce(value, text)
    assert made == expected
    assert type(made) is type(expected)


def test_coerce_row_keeps_its_kind():
    from leat.common import RowKind

    row = Row.of_kind(RowKind.DELETE, 1, "x")
    assert _leat._coerce(row, NAMED).get_row_kind() is RowKind.DELETE


def test_coerce_aware_datetime_becomes_local_time():
    aware = datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.UTC)
    assert _leat._coerce(aware, "SQL_TIMESTAMP") == aware.astimezone().replace(tzinfo=None)


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        ("INT", "1", "expected INT, got str '1'"),
        ("INT", 1.0, "expected INT, got float 1.0"),
        ("BYTE", 128, "expected BYTE, got int 128 (out of range)"),
        ("LONG", 2**63, f"expected LONG, got int {2**63} (out of range)"),
        ("STRING", b"a", "expected STRING, got bytes b'a'"),
        ("CHAR", "ab", "expected CHAR, got str 'ab' (of another length than 1)"),
        ("DOUBLE", "1", "expected DOUBLE, got str '1'"),
        ("BOOLEAN", "x", "expected BOOLEAN, got str 'x'"),
        ("LIST<LONG>", "abc", "expected LIST<LONG>, got str 'abc'"),
        ("MAP<LONG,LONG>", [1], "expected MAP<LONG,LONG>, got list [1]"),
        (
            "TUPLE<STRING,INT>",
            ("a", ["a"]),
            "expected INT, got list ['a'] at field 1 of TUPLE<STRING,INT>",
        ),
        (
            "TUPLE<STRING,INT>",
            ("a",),
            "expected TUPLE<STRING,INT>, got tuple ('a',) (1 fields, not 2)",
        ),
        (
            "LIST<TUPLE<LONG>>",
            [(1,), ("x",)],
            "expected LONG, got str 'x' at field 0 of TUPLE<LONG> at item 1 of LIST<TUPLE<LONG>>",
        ),
        (
            "MAP<STRING,LONG>",
            {"a": "b"},
            "expected LONG, got str 'b' as a value of MAP<STRING,LONG>",
        ),
    ],
)
def test_coerce_what_does_not_fit_is_named(text, value, message):
    with pytest.raises(TypeError) as error:
        _leat._coerce(value, text)
    assert str(error.value) == message


def test_coerce_does_not_change_its_argument():
    value = [["a", True]]
    assert _leat._coerce(value, "LIST<TUPLE<STRING,INT>>") == [("a", 1)]
    assert value == [["a", True]]


def test_encode_error_names_the_item():
    with pytest.raises(TypeError, match="item 1: expected LONG, got str 'x'"):
        _leat.encode([1, "x"], "LONG")


def test_encode_unknown_type_is_an_error():
    with pytest.raises((TypeError, ValueError)):
        _leat.encode([1], "TUPLE<WHAT>")
