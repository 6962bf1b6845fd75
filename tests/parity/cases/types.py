"""Every `Types.*`: what a function behind a border between tasks sees, and what comes back."""

import datetime
import decimal

from parity_case import Behind, Collected, Family, Printed
from pyflink.common import Instant, Row, RowKind, Types
from pyflink.common.typeinfo import RowTypeInfo
from pyflink.datastream import MapFunction

family = Family()
case, each = family.case, family.each

D = decimal.Decimal
INT, STRING, DOUBLE = Types.INT(), Types.STRING(), Types.DOUBLE()
NAMED = Types.ROW_NAMED(["k", "n"], [STRING, INT])

VALUES = {
    "string": (STRING, ["", "a", "äöü€😀", "a\x00b", None]),
    "boolean": (Types.BOOLEAN(), [True, False, None]),
    "byte": (Types.BYTE(), [0, 127, -128, None]),
    "short": (Types.SHORT(), [0, 32767, -32768, None]),
    "int": (INT, [0, 2**31 - 1, -(2**31), None]),
    "long": (Types.LONG(), [0, 2**63 - 1, -(2**63), None]),
    "float": (Types.FLOAT(), [0.0, 1.5, 0.1, -3.0e38, float("inf"), float("nan"), None]),
    "double": (DOUBLE, [0.0, -0.0, 0.1, 1e308, 5e-324, float("-inf"), float("nan"), None]),
    "char": (Types.CHAR(), ["a", "ä", None]),
    "big_int": (Types.BIG_INT(), [0, 2**63, -(2**200), None]),
    "big_dec": (Types.BIG_DEC(), [D("0"), D("1.50"), D("-12345678901234567890.123456789"), None]),
    "instant": (Types.INSTANT(), [Instant.of_epoch_milli(0), Instant.of_epoch_milli(1500), None]),
    "date": (Types.SQL_DATE(), [datetime.date(1970, 1, 1), datetime.date(2024, 2, 29), None]),
    "time": (Types.SQL_TIME(), [datetime.time(0, 0), datetime.time(23, 59, 59, 999000), None]),
    "timestamp": (
        Types.SQL_TIMESTAMP(),
        [datetime.datetime(1970, 1, 1), datetime.datetime(2024, 2, 29, 1, 2, 3, 456789), None],
    ),
    "pickled": (Types.PICKLED_BYTE_ARRAY(), [None, 1, 1.0, True, "x", (1, [2]), {"a": {3}}, 2**70]),
    "primitive_array_byte": (Types.PRIMITIVE_ARRAY(Types.BYTE()), [b"", b"a\xff\x00"]),
    "primitive_array_int": (Types.PRIMITIVE_ARRAY(INT), [[], [1, -2]]),
    "primitive_array_long": (Types.PRIMITIVE_ARRAY(Types.LONG()), [[2**62]]),
    "primitive_array_short": (Types.PRIMITIVE_ARRAY(Types.SHORT()), [[1, 2]]),
    "primitive_array_boolean": (Types.PRIMITIVE_ARRAY(Types.BOOLEAN()), [[True, False]]),
    "primitive_array_float": (Types.PRIMITIVE_ARRAY(Types.FLOAT()), [[1.5]]),
    "primitive_array_double": (Types.PRIMITIVE_ARRAY(DOUBLE), [[0.1]]),
    "primitive_array_char": (Types.PRIMITIVE_ARRAY(Types.CHAR()), [["a", "b"]]),
    "basic_array_string": (Types.BASIC_ARRAY(STRING), [[], ["a", None]]),
    "basic_array_int": (Types.BASIC_ARRAY(INT), [[1, None, 2]]),
    "basic_array_boolean": (Types.BASIC_ARRAY(Types.BOOLEAN()), [[True, None]]),
    "object_array": (Types.OBJECT_ARRAY(Types.TUPLE([INT, STRING])), [[(1, "a")], []]),
    "object_array_of_dates": (Types.OBJECT_ARRAY(Types.SQL_DATE()), [[datetime.date(2024, 1, 2)]]),
    "list": (Types.LIST(INT), [[], [1, 2]]),
    "list_of_lists": (Types.LIST(Types.LIST(STRING)), [[["a"], []]]),
    "list_of_none": (Types.LIST(INT), [[1, None]]),
    "map": (Types.MAP(STRING, INT), [{}, {"a": 1, "b": 2}]),
    "map_of_none": (Types.MAP(STRING, INT), [{"a": None}]),
    "map_of_lists": (Types.MAP(INT, Types.LIST(DOUBLE)), [{1: [0.5]}]),
    "tuple": (Types.TUPLE([INT, STRING]), [(1, "a"), (None, None)]),
    "tuple_from_list": (Types.TUPLE([INT, STRING]), [[1, "a"]]),
    "tuple_from_row": (Types.TUPLE([INT, STRING]), [Row(1, "a")]),
    "tuple_of_one": (Types.TUPLE([INT]), [(1,)]),
    "tuple_nested": (
        Types.TUPLE([Types.TUPLE([INT, DOUBLE]), Types.LIST(INT)]),
        [((1, 2.5), [3])],
    ),
    "row": (Types.ROW([INT, STRING]), [Row(1, "a"), Row(None, None)]),
    "row_from_tuple": (Types.ROW([INT, STRING]), [(1, "a")]),
    "row_from_list": (Types.ROW([INT, STRING]), [[1, "a"]]),
    "row_named": (NAMED, [Row(k="a", n=1), Row("b", 2), ("c", 3)]),
    "row_named_other_order": (NAMED, [Row(n=1, k="a")]),
    "row_from_dict": (NAMED, [{"n": 1, "k": "a"}, {"k": "b"}]),
    "row_kinds": (NAMED, [Row.of_kind(kind, "a", 1) for kind in RowKind]),
    "row_nested": (
        Types.ROW([NAMED, Types.LIST(NAMED), Types.MAP(STRING, Types.SQL_DATE())]),
        [Row(Row("a", 1), [Row("b", 2)], {"d": datetime.date(2024, 3, 4)})],
    ),
    "row_of_everything": (
        Types.ROW([Types.BIG_DEC(), Types.SQL_TIME(), Types.SQL_TIMESTAMP(), Types.BYTE()]),
        [Row(D("1.0"), datetime.time(1, 2, 3), datetime.datetime(2024, 1, 2, 3, 4, 5), 7)],
    ),
    "row_wide": (Types.ROW([INT] * 70), [Row(*[None if i % 9 == 0 else i for i in range(70)])]),
}


def without_none(values):
    return [v for v in values if v is not None]


@each(VALUES, ordered=True)
def of_map(env, argument):
    type_info, values = argument[0], without_none(argument[1])
    stream = env.from_collection(range(len(values))).map(lambda i: values[i], type_info)
    return Behind(stream, printed=True)


@each(VALUES, ordered=True)
def of_source(env, argument):
    type_info, values = argument
    return env.from_collection(without_none(values), type_info)


WITH_NONE = {k: v for k, v in VALUES.items() if None in v[1]}


@each(WITH_NONE, ordered=True)
def none_of_map(env, argument):
    type_info, values = argument
    pair = [values[1], None]
    return Behind(env.from_collection(range(2)).map(lambda i: pair[i], type_info))


@each(WITH_NONE, ordered=True)
def none_of_source(env, argument):
    type_info, values = argument
    return env.from_collection([values[1], None], type_info)


TOLD_APART = ("instant", "date", "time", "timestamp", "big_dec", "pickled", "list", "map", "tuple",
              "row", "object_array", "basic_array_string", "primitive_array_int", "row_kinds",
              "row_nested", "row_named", "tuple_nested")  # fmt: skip


@each({k: VALUES[k] for k in TOLD_APART}, ordered=True)
def collected(env, argument):
    type_info, values = argument
    stream = env.from_collection(range(len(values))).map(lambda i: values[i], type_info)
    return Collected(stream)


ANY = [
    (1, "a"),
    [1, "q"],
    {"k": 1},
    "s",
    b"ab\xff",
    bytearray(b"xy"),
    None,
    True,
    1.0,
    1e20,
    1e-7,
    float("nan"),
    2**70,
    D("1.50"),
    datetime.date(2024, 2, 3),
    datetime.time(4, 5, 6, 789),
    datetime.datetime(2024, 2, 3, 4, 5, 6, 700000),
    datetime.timedelta(seconds=3),
    Row(1, "b"),
    Row(x=1, y="c"),
    1 + 2j,
    frozenset([1]),
    range(3),
    Ellipsis,
]


@case(ordered=True)
def printed_without_a_type(env):
    env.from_collection(range(len(ANY))).map(lambda i: ANY[i]).print()
    return Printed()


@case(ordered=True)
def objects_without_a_type(env):
    return Behind(env.from_collection(range(len(ANY))).map(lambda i: ANY[i]))


WRONG = {
    "string_as_int": (INT, "1"),
    "float_as_int": (INT, 1.7),
    "bool_as_int": (INT, True),
    "int_as_string": (STRING, 1),
    "int_as_double": (DOUBLE, 1),
    "int_as_boolean": (Types.BOOLEAN(), 1),
    "none_as_boolean": (Types.BOOLEAN(), None),
    "string_as_double": (DOUBLE, "x"),
    "too_large_for_byte": (Types.BYTE(), 128),
    "too_large_for_short": (Types.SHORT(), 43878),
    "too_large_for_int": (INT, 9147483648),
    "too_large_for_long": (Types.LONG(), 2**63),
    "long_char": (Types.CHAR(), "ab"),
    "tuple_too_long": (Types.TUPLE([INT, INT]), (1, 2, 3)),
    "tuple_too_short": (Types.TUPLE([INT, INT]), (1,)),
    "tuple_of_int": (Types.TUPLE([INT, INT]), 1),
    "row_too_long": (Types.ROW([INT, INT]), Row(1, 2, 3)),
    "row_too_short": (Types.ROW([INT, INT]), Row(1)),
    "row_of_int": (Types.ROW([INT, INT]), 1),
    "row_of_other_names": (NAMED, Row(a=1, b=2)),
    "list_of_int": (Types.LIST(INT), 1),
    "list_of_strings": (Types.LIST(INT), ["a"]),
    "list_from_tuple": (Types.LIST(INT), (1, 2)),
    "map_of_list": (Types.MAP(STRING, INT), [1]),
    "date_of_string": (Types.SQL_DATE(), "2024-01-01"),
    "date_of_datetime": (Types.SQL_DATE(), datetime.datetime(2024, 1, 2, 3, 4)),
    "decimal_of_float": (Types.BIG_DEC(), 1.5),
    "decimal_of_int": (Types.BIG_DEC(), 1),
    "instant_of_int": (Types.INSTANT(), 1),
}


@each(WRONG, ordered=True)
def wrong_result(env, argument):
    type_info, value = argument
    return Behind(env.from_collection([0]).map(lambda i: value, type_info))


@each(WRONG, ordered=True)
def wrong_source(env, argument):
    type_info, value = argument
    return env.from_collection([value], type_info)


ALL_TYPES = {name: type_info for name, (type_info, _) in VALUES.items()}


@case(ordered=True)
def texts(env):
    return [f"{name}: {type_info}" for name, type_info in ALL_TYPES.items()]


@case(ordered=True)
def equality(env):
    return [
        Types.INT() == Types.INT(),
        Types.INT() == Types.LONG(),
        Types.ROW([INT]) == Types.ROW([INT]),
        Types.ROW_NAMED(["a"], [INT]) == Types.ROW_NAMED(["b"], [INT]),
        Types.TUPLE([INT]) == Types.ROW([INT]),
        Types.LIST(INT) == Types.LIST(STRING),
        Types.MAP(INT, INT) == Types.MAP(INT, INT),
        Types.PICKLED_BYTE_ARRAY() == Types.PICKLED_BYTE_ARRAY(),
    ]


@case(ordered=True)
def row_type_fields(env):
    unnamed = Types.ROW([INT, STRING])
    return [
        NAMED.get_field_names(),
        NAMED.get_field_types(),
        NAMED.get_field_index("n"),
        NAMED.get_field_index("x"),
        unnamed.get_field_names(),
        unnamed.get_field_index("f1"),
        isinstance(NAMED, RowTypeInfo),
    ]


@each(
    {
        "primitive_array_of_string": lambda: Types.PRIMITIVE_ARRAY(STRING),
        "basic_array_of_row": lambda: Types.BASIC_ARRAY(NAMED),
        "row_names_too_few": lambda: Types.ROW_NAMED(["a"], [INT, INT]),
        "row_names_double": lambda: Types.ROW_NAMED(["a", "a"], [INT, INT]),
        "row_of_nothing": lambda: Types.ROW([]),
        "tuple_of_nothing": lambda: Types.TUPLE([]),
    }
)
def refused(env, make):
    return [make()]


@each(
    {
        "mixed": lambda: Row(1, a=2),
        "repr": lambda: Row(1, "x"),
        "repr_named": lambda: Row(b=1, a="x"),
        "as_dict": lambda: Row(a=1, b=Row(c=2)).as_dict(),
        "as_dict_recursive": lambda: Row(a=1, b=Row(c=2)).as_dict(True),
        "as_dict_unnamed": lambda: Row(1).as_dict(),
        "factory": lambda: Row("name", "age")("A", 1),
        "factory_wrong": lambda: Row("name", "age")("A"),
        "kind": lambda: Row.of_kind(RowKind.DELETE, 1).get_row_kind(),
        "kind_text": lambda: [str(k) for k in RowKind],
        "equal": lambda: [Row(1) == Row(1), Row(a=1) == Row(1), Row(a=1, b=2) == Row(b=2, a=1)],
        "unequal_kinds": lambda: Row.of_kind(RowKind.DELETE, 1) == Row(1),
        "item": lambda: [Row(a=1)["a"], Row(a=1)[0], Row(1, 2, 3)[1:], Row(a=1).a],
        "no_item": lambda: Row(a=1)["x"],
        "no_attribute": lambda: Row(a=1).x,
        "contains": lambda: ["a" in Row(a=1), 1 in Row(a=1), 1 in Row(1)],
        "len": lambda: [len(Row()), len(Row(1, 2))],
        "hash": lambda: hash(Row(1, 2)) == hash(Row(1, 2)),
        "fields": lambda: Row(a=1, b=2).get_fields_by_names(["b", "a"]),
    }
)
def row(env, make):
    return [make()]


@case(ordered=True)
def row_in_a_function(env):
    class Change(MapFunction):
        def map(self, value):
            value["n"] = value.n + 1
            value[0] = value[0] * 2
            return value

    return Behind(env.from_collection([("a", 1)], NAMED).map(Change(), NAMED))


@case(ordered=True)
def kinds_travel(env):
    rows = env.from_collection([Row.of_kind(RowKind.UPDATE_BEFORE, "a", 1)], NAMED)
    return Behind(rows.map(lambda r: r, NAMED).map(lambda r: str(r.get_row_kind())))
