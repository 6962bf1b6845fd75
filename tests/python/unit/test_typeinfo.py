import datetime
import decimal

import pytest
from leat.common import Row, RowKind, Types
from leat.common.typeinfo import (
    BasicTypeInfo,
    ExternalTypeInfo,
    RowTypeInfo,
    SqlTimeTypeInfo,
    _as_output_type,
)

T = Types

REPR_AND_TEXT = [
    (T.STRING(), "String", "STRING"),
    (T.BYTE(), "Byte", "BYTE"),
    (T.BOOLEAN(), "Boolean", "BOOLEAN"),
    (T.SHORT(), "Short", "SHORT"),
    (T.INT(), "Integer", "INT"),
    (T.LONG(), "Long", "LONG"),
    (T.FLOAT(), "Float", "FLOAT"),
    (T.DOUBLE(), "Double", "DOUBLE"),
    (T.CHAR(), "Char", "CHAR"),
    (T.BIG_INT(), "BigInteger", "BIG_INT"),
    (T.BIG_DEC(), "BigDecimal", "BIG_DEC"),
    (T.INSTANT(), "Instant", "INSTANT"),
    (T.SQL_DATE(), "DateTypeInfo", "SQL_DATE"),
    (T.SQL_TIME(), "TimeTypeInfo", "SQL_TIME"),
    (T.SQL_TIMESTAMP(), "TimestampTypeInfo", "SQL_TIMESTAMP"),
    (T.PICKLED_BYTE_ARRAY(), "PickledByteArrayTypeInfo", "PICKLED"),
    (T.ROW([T.STRING(), T.INT()]), "RowTypeInfo(String, Integer)", "ROW<STRING,INT>"),
    (
        T.ROW_NAMED(["a", "b c"], [T.STRING(), T.INT()]),
        "RowTypeInfo(a: String, b c: Integer)",
        'ROW<"a" STRING,"b c" INT>',
    ),
    (T.TUPLE([T.STRING(), T.INT()]), "TupleTypeInfo(String, Integer)", "TUPLE<STRING,INT>"),
    (T.TUPLE([]), "TupleTypeInfo()", "TUPLE<>"),
    (T.PRIMITIVE_ARRAY(T.INT()), "PrimitiveArrayTypeInfo<Integer>", "PRIMITIVE_ARRAY<INT>"),
    (T.BASIC_ARRAY(T.STRING()), "BasicArrayTypeInfo<String>", "BASIC_ARRAY<STRING>"),
    (T.OBJECT_ARRAY(T.SQL_DATE()), "ObjectArrayTypeInfo<DateTypeInfo>", "OBJECT_ARRAY<SQL_DATE>"),
    (T.LIST(T.LIST(T.LONG())), "ListTypeInfo<ListTypeInfo<Long>>", "LIST<LIST<LONG>>"),
    (T.MAP(T.STRING(), T.INT()), "MapTypeInfo<String, Integer>", "MAP<STRING,INT>"),
    (ExternalTypeInfo(T.ROW([T.INT()])), "ExternalTypeInfo<RowTypeInfo(Integer)>", "ROW<INT>"),
]


@pytest.mark.parametrize(("made", "shown", "text"), REPR_AND_TEXT)
def test_repr_and_text(made, shown, text):
    assert repr(made) == shown
    assert made._text() == text


def test_every_type_equals_only_itself():
    for i, (a, _, _) in enumerate(REPR_AND_TEXT):
        for j, (b, _, _) in enumerate(REPR_AND_TEXT):
            rows = isinstance(a, RowTypeInfo) and isinstance(b, RowTypeInfo)
            assert (a == b) == (i == j or rows)
            if a == b:
                assert hash(a) == hash(b)


def test_names_of_a_row_type_are_quoted():
    made = T.ROW_NAMED(['a"b', "c\\d"], [T.INT(), T.INT()])
    assert made._text() == r'ROW<"a\"b" INT,"c\\d" INT>'


def test_row_type_equality_ignores_names():
    assert T.ROW_NAMED(["a"], [T.INT()]) == T.ROW([T.INT()])
    assert T.ROW_NAMED(["a"], [T.INT()]) != T.ROW([T.LONG()])


def test_row_type_names_and_indexes():
    unnamed, named = T.ROW([T.INT(), T.INT()]), T.ROW_NAMED(["a", "b"], [T.INT(), T.INT()])
    assert unnamed.get_field_names() == ["f0", "f1"]
    assert unnamed.get_field_index("f1") == 1
    assert named.get_field_index("b") == 1
    with pytest.raises(ValueError, match=r"'c'.*\['a', 'b'\]"):
        named.get_field_index("c")


class Point:
    def __init__(self):
        self.a = 1
        self.b = 2


@pytest.mark.parametrize(
    "value",
    [{"b": 2, "a": 1}, Row(b=2, a=1), Row(1, 2), (1, 2), [1, 2], Point()],
)
def test_row_type_takes(value):
    made = T.ROW_NAMED(["a", "b"], [T.INT(), T.INT()])
    assert made.from_internal_type(made.to_internal_type(value)) == Row(a=1, b=2)


def test_row_type_keeps_the_kind_and_refuses_other_values():
    made = T.ROW_NAMED(["a"], [T.INT()])
    stored = made.to_internal_type(Row.of_kind(RowKind.DELETE, 1))
    assert made.from_internal_type(stored) == Row.of_kind(RowKind.DELETE, a=1)
    with pytest.raises(ValueError, match="Unexpected tuple"):
        made.to_internal_type(3)
    with pytest.raises(ValueError):
        made.to_internal_type((1, 2))


def test_array_types_check_their_elements():
    with pytest.raises(TypeError):
        T.PRIMITIVE_ARRAY(T.STRING())
    with pytest.raises(TypeError):
        T.BASIC_ARRAY(T.BIG_DEC())
    with pytest.raises(TypeError):
        T.LIST(int)


def test_row_type_needs_a_name_per_type():
    with pytest.raises(ValueError):
        T.ROW_NAMED(["a"], [T.INT(), T.INT()])
    with pytest.raises(ValueError):
        T.ROW_NAMED(["a", "a"], [T.INT(), T.INT()])


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (T.SQL_DATE(), datetime.date(1969, 12, 31)),
        (T.SQL_TIME(), datetime.time(23, 59, 59, 999999)),
        (T.SQL_TIMESTAMP(), datetime.datetime(2021, 1, 9, 12, 0, 0, 11000)),
        (T.LIST(T.SQL_DATE()), [datetime.date(2020, 2, 29), None]),
        (T.MAP(T.STRING(), T.SQL_DATE()), {"a": datetime.date(2000, 1, 1)}),
        (T.TUPLE([T.INT(), T.SQL_DATE()]), (1, datetime.date(2000, 1, 1))),
        (T.BIG_DEC(), decimal.Decimal("1.20")),
    ],
)
def test_conversion_there_and_back(made, value):
    assert made.from_internal_type(made.to_internal_type(value)) == value
    assert made.to_internal_type(None) is None


def test_stored_forms_of_dates():
    assert T.SQL_DATE().to_internal_type(datetime.date(1970, 1, 2)) == 1
    assert T.SQL_TIME().to_internal_type(datetime.time(0, 0, 1)) == 1_000_000


def test_factories_of_the_classes():
    assert BasicTypeInfo.STRING_TYPE_INFO() == T.STRING()
    assert SqlTimeTypeInfo.DATE() == T.SQL_DATE()


def test_output_type_argument():
    assert _as_output_type(None) is None
    assert _as_output_type([T.INT()]) == T.ROW([T.INT()])
    with pytest.raises(TypeError, match="output_type must be None, list or TypeInformation"):
        _as_output_type(int)


def test_there_is_no_java_type():
    with pytest.raises(NotImplementedError, match="no Java"):
        T.INT().get_java_type_info()
