"""Bulk formats of file sinks. Of these a PyFlink without further JARs has CSV alone."""

import tempfile
from decimal import Decimal
from pathlib import Path

from parity_case import Family
from pyflink.common import Row, Types
from pyflink.datastream.connectors.file_system import BucketAssigner, FileSink, RollingPolicy
from pyflink.datastream.formats.csv import CsvBulkWriters, CsvSchema
from pyflink.table import DataTypes

family = Family()
case, each = family.case, family.each

STRINGS = Types.ROW([Types.STRING(), Types.STRING()])
ROWS = [
    Row("a", "b"),
    Row("c|d", 'e"f'),
    Row("g,h", None),
    Row("i'j", "k\\l"),
    Row("", "m\nn"),
    Row("#a", "#b"),
    Row(None, None),
]
TEXTS = [
    *[
        "plain",
        "a,b",
        'q"uote',
        "",
        " lead",
        "trail ",
        "new\nline",
        "cr\rx",
        "tab\t",
        "ä€",
        "#hash",
    ],
    *["'", "a;b", "null", "x.y", "123", "a-b_c", "+", "a\\b", "~", "\x7f"],
    *["a" * 24, "a" * 25, "\U0001f600" * 12, "\U0001f600" * 13],
]


def two():
    return CsvSchema.builder().add_string_column("s").add_string_column("t")


def written(env, schema, rows, types):
    """The text of the file."""
    folder = tempfile.mkdtemp()
    builder = FileSink.for_bulk_format(folder, CsvBulkWriters.for_schema(schema))
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    builder.with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
    env.set_parallelism(1)
    env.from_collection(rows, types).sink_to(builder.build())
    env.execute("case")
    return [file.read_bytes().decode() for file in Path(folder).glob("part-*")]


@case(ordered=True)
def csv_texts(env):
    schema = CsvSchema.builder().add_string_column("s").add_number_column("n").build()
    rows = [Row(text, i) for i, text in enumerate(TEXTS)] + [Row(None, 1), Row("x", None)]
    return written(env, schema, rows, Types.ROW([Types.STRING(), Types.LONG()]))


def with_null(schema):
    schema.set_null_value("NIL")
    return schema


@each(
    {
        "plain": lambda: two(),
        "separator": lambda: two().set_column_separator("|"),
        "header": lambda: two().set_use_header(),
        "quote": lambda: two().set_quote_char("'"),
        "no_quote": lambda: two().disable_quote_char(),
        "escape": lambda: two().set_escape_char("\\"),
        "other_escape": lambda: two().set_escape_char("!"),
        "no_quote_escape": lambda: two().disable_quote_char().set_escape_char("\\"),
        "line": lambda: two().set_line_separator("\r\n"),
        "null": lambda: with_null(two()),
        "comments": lambda: two().set_allow_comments(),
        "header_names": lambda: (
            CsvSchema.builder()
            .add_string_column("a b")
            .add_string_column("y" * 25)
            .set_use_header()
        ),
    },
    ordered=True,
)
def csv_settings(env, schema):
    return written(env, schema().build(), ROWS, STRINGS)


@case(ordered=True)
def csv_doubles(env):
    schema = CsvSchema.builder().add_number_column("d", DataTypes.DOUBLE()).build()
    values = [0.0, -0.0, 1.0, -1.5, 0.001, 0.00099, 1e7, 9999999.5, 12345678.9, 1e20, 1e-7, 1.1e300]
    values += [float("nan"), float("inf"), float("-inf"), 100.0, 123456.0, 0.1 + 0.2, 5e-324]
    return written(env, schema, [Row(v) for v in values], Types.ROW([Types.DOUBLE()]))


@case(ordered=True)
def csv_floats(env):
    schema = CsvSchema.builder().add_number_column("f", DataTypes.FLOAT()).build()
    values = [0.1, 1.5, 1e10, 3.4e38, 1e-5, 16777216.0, 0.33333334]
    return written(env, schema, [Row(v) for v in values], Types.ROW([Types.FLOAT()]))


@case(ordered=True)
def csv_numbers(env):
    schema = CsvSchema.builder().add_number_column("i", DataTypes.INT())
    schema.add_number_column("s", DataTypes.SMALLINT()).add_boolean_column("b")
    types = Types.ROW([Types.INT(), Types.SHORT(), Types.BOOLEAN()])
    rows = [Row(1, 2, True), Row(-3, 0, False), Row(None, None, None)]
    return written(env, schema.build(), rows, types)


@case(ordered=True)
def csv_decimals(env):
    schema = CsvSchema.builder().add_number_column("a", DataTypes.DECIMAL(10, 3))
    schema.add_number_column("b", DataTypes.DECIMAL(20, 10))
    rows = [
        Row(Decimal("1.50"), Decimal("0.0000000001")),
        Row(Decimal("100"), Decimal("1000000")),
        Row(Decimal("0.0005"), Decimal("0")),
        Row(Decimal("-0.0025"), Decimal("1234567890.0123456789")),
    ]
    return written(env, schema.build(), rows, Types.ROW([Types.BIG_DEC(), Types.BIG_DEC()]))


@case(ordered=True)
def csv_arrays(env):
    schema = CsvSchema.builder().add_array_column("a")
    schema.add_array_column("b", "|", DataTypes.INT()).add_array_column(
        "c", " ", DataTypes.DOUBLE()
    )
    strings, ints = Types.OBJECT_ARRAY(Types.STRING()), Types.OBJECT_ARRAY(Types.INT())
    types = Types.ROW([strings, ints, Types.OBJECT_ARRAY(Types.DOUBLE())])
    rows = [
        Row(["x", "y z"], [1, 2], [1.0, 2.5e10]),
        Row([], [], []),
        Row(["a;b", "c,d", None], [3], [0.1] * 9),
        Row(None, None, None),
        Row(['"'], [None, 1], [1.0]),
    ]
    return written(env, schema.build(), rows, types)


@case(ordered=True)
def csv_places_count_and_not_names(env):
    types = Types.ROW_NAMED(["t", "s"], [Types.STRING(), Types.STRING()])
    return written(env, two().build(), [Row("1", "2")], types)
