"""Types of columns, and what values of rows are taken for bulk formats; what is refused."""

from __future__ import annotations

import datetime
import io
import pickle
import sys
from decimal import Decimal

import pytest
from leat.common import Configuration, Instant, Row
from leat.common.errors import NotSupportedError
from leat.datastream.connectors.file_system import FileSink
from leat.datastream.formats.avro import AvroBulkWriters, AvroSchema
from leat.datastream.formats.csv import CsvBulkWriters, CsvSchema
from leat.datastream.formats.orc import OrcBulkWriters
from leat.datastream.formats.parquet import AvroParquetWriters, ParquetBulkWriters
from leat.datastream.formats.row_values import RowValues, take_of
from leat.part_stream import PartStream
from leat.table import DataTypes as D
from leat.table.types import RowType

ONE = D.ROW([D.FIELD("a", D.INT())])


def test_types_are_compared_by_all_parts():
    assert D.ARRAY(D.INT()) == D.ARRAY(D.INT()) != D.ARRAY(D.INT(False))
    assert D.STRING() == D.VARCHAR(0x7FFFFFFF) != D.CHAR(3)
    assert D.INT().not_null() == D.INT(False) and D.INT(False).nullable() == D.INT()
    assert len({D.DECIMAL(3, 1), D.DECIMAL(3, 1), D.DECIMAL(3, 2)}) == 2
    assert repr(D.ARRAY(D.INT(False))) == "ArrayType(IntType(false), true)"
    assert str(D.TIMESTAMP_WITH_LOCAL_TIME_ZONE()) == "TIMESTAMP_LTZ"
    assert pickle.loads(pickle.dumps(ONE)) == ONE


def test_rows_are_looked_through():
    row = D.ROW([D.FIELD("a", D.INT()), D.FIELD("b", D.STRING(), "text")])
    assert row.field_names() == row.names == ["a", "b"]
    assert row.field_types() == [D.INT(), D.STRING()]
    assert row["b"] == row[1] == D.FIELD("b", D.STRING(), "text")
    assert len(row) == 2 and [f.name for f in row] == ["a", "b"]
    with pytest.raises(KeyError, match="No field 'c'"):
        row["c"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: D.DECIMAL(39, 0),
        lambda: D.DECIMAL(3, 4),
        lambda: D.TIMESTAMP(10),
        lambda: D.CHAR(0),
        lambda: D.ROW([D.FIELD("a", D.INT()), D.FIELD("a", D.INT())]),
        lambda: D.ARRAY("INT"),
        lambda: D.FIELD(1, D.INT()),
        lambda: RowType([D.INT()]),
    ],
)
def test_types_that_make_no_sense(wrong):
    with pytest.raises((TypeError, ValueError)):
        wrong()


@pytest.mark.parametrize(
    ("data_type", "value", "taken"),
    [
        (D.TINYINT(), -128, -128),
        (D.BIGINT(), 2**63 - 1, 2**63 - 1),
        (D.INT(), True, 1),
        (D.DOUBLE(), 1, 1.0),
        (D.FLOAT(), Decimal("0.5"), 0.5),
        (D.BYTES(), bytearray(b"x"), b"x"),
        (D.DECIMAL(4, 2), 3, Decimal("3.00")),
        (D.DECIMAL(4, 2), Decimal("-1.235"), Decimal("-1.24")),
        (D.TIME(), datetime.time(1), datetime.time(1)),
        (D.TIMESTAMP_LTZ(3), Instant(-1, 999_999_999), -1),
        (D.TIMESTAMP_LTZ(9), Instant(1, 5), 10**9 + 5),
        (D.TIMESTAMP_LTZ(), datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.UTC), 3600 * 10**6),
        (D.ARRAY(D.INT()), (1, None), [1, None]),
        (D.MAP(D.STRING(), D.INT()), {"a": None}, [("a", None)]),
        (D.MULTISET(D.STRING()), {"a": 2}, [("a", 2)]),
        (ONE, (7,), {"a": 7}),
        (ONE, {}, {"a": None}),
        (D.INT(), None, None),
    ],
)
def test_values_that_are_taken(data_type, value, taken):
    found = take_of(data_type)(value)
    assert found == taken and type(found) is type(taken)


@pytest.mark.parametrize(
    ("data_type", "value", "why"),
    [
        (D.TINYINT(), 128, "128 does not fit into 8 bits"),
        (D.INT(), 1.0, "an int is needed, and this is a float"),
        (D.INT(), [], "an int is needed, and this is a list"),
        (D.INT(False), None, "None, where the type has no None"),
        (D.ARRAY(D.INT(False)), [None], "None, where the type has no None"),
        (D.DOUBLE(), "1", "a float is needed"),
        (D.DOUBLE(), [], "a float is needed"),
        (D.STRING(), b"x", "a str is needed, and this is a bytes"),
        (D.BYTES(), "x", "bytes is needed"),
        (D.DECIMAL(4, 2), 100, r"100 is no DECIMAL\(4, 2\)"),
        (D.DECIMAL(4, 2), 1.0, "a decimal.Decimal is needed"),
        (D.DATE(), datetime.datetime(2020, 1, 1), "a datetime.date is needed"),
        (D.TIME(), 1, "a datetime.time is needed"),
        (D.TIMESTAMP(), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), "without a zone"),
        (D.TIMESTAMP_LTZ(), datetime.datetime(2020, 1, 1), "with a zone is needed"),
        (D.ARRAY(D.INT()), "ab", "a list is needed"),
        (D.MAP(D.STRING(), D.INT()), [("a", 1)], "a dict is needed"),
        (ONE, 7, "a row is needed, and this is an int: 7"),
        (ONE, (1, 2), r"2 values for the 1 fields \['a'\]"),
        (ONE, {"b": 1}, r"no field is called 'b'; there are \['a'\]"),
    ],
)
def test_values_that_are_refused(data_type, value, why):
    with pytest.raises((TypeError, ValueError, OverflowError), match=why):
        take_of(data_type)(value)


def test_fields_are_named():
    values = RowValues(D.ROW([D.FIELD("o", ONE), D.FIELD("t", D.TIMESTAMP())]))
    with pytest.raises(TypeError, match="field 'o': field 'a': an int is needed"):
        values.of(Row(Row("x"), None))


def test_part_stream():
    stream = PartStream("/x")
    assert stream.writable() and not stream.readable() and not stream.seekable()
    assert stream.write(b"abc") == 3 and stream.write(memoryview(b"de")) == 2
    assert stream.tell() == 5 and stream._bytes == b"abcde" and stream.name == "/x"
    with pytest.raises(TypeError):
        stream.write("text")
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.write(b"x")


@pytest.mark.parametrize(
    ("module", "package", "factory"),
    [
        ("pyarrow", "pyarrow", lambda: ParquetBulkWriters.for_row_type(ONE)),
        ("pyarrow.orc", "pyarrow", lambda: OrcBulkWriters.for_row_type(ONE)),
        ("fastavro", "fastavro", lambda: AvroBulkWriters.for_generic_record(avro('"int"'))),
        ("pyarrow", "pyarrow", lambda: AvroParquetWriters.for_generic_record(record('"int"'))),
    ],
)
def test_library_that_is_missing(monkeypatch, module, package, factory):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotSupportedError, match=f"needs {package}, .*; pip install {package}, or"):
        FileSink.for_bulk_format("/x", factory())


def avro(schema):
    return AvroSchema.parse_string(schema)


def record(field):
    return avro(f'{{"type": "record", "name": "R", "fields": [{{"name": "f", "type": {field}}}]}}')


@pytest.mark.parametrize(
    ("make", "error", "why"),
    [
        (lambda: ParquetBulkWriters.for_row_type(None), TypeError, "a row type such as"),
        (lambda: ParquetBulkWriters.for_row_type(D.ROW()), ValueError, "at least one column"),
        (lambda: OrcBulkWriters.for_row_type("x"), TypeError, "a row type such as"),
        (
            lambda: ParquetBulkWriters.for_row_type(ONE, conf("parquet.odd", "1")),
            NotSupportedError,
            "'parquet.odd' plays no part here; there are",
        ),
        (
            lambda: ParquetBulkWriters.for_row_type(ONE, conf("parquet.compression", "zip")),
            ValueError,
            "'zip' is not understood",
        ),
        (
            lambda: OrcBulkWriters.for_row_type(ONE, conf("orc.stripe.size", "big")),
            ValueError,
            "'big' is not understood",
        ),
        (lambda: AvroParquetWriters.for_generic_record(ONE), TypeError, "An AvroSchema"),
        (lambda: AvroParquetWriters.for_generic_record(avro('"int"')), ValueError, "is a record"),
        (
            lambda: AvroParquetWriters.for_generic_record(record('["int", "string"]')),
            NotSupportedError,
            "only a union of null and one type",
        ),
        (
            lambda: AvroParquetWriters.for_generic_record(record('["null", "R"]')),
            NotSupportedError,
            "'R' within itself",
        ),
        (
            lambda: AvroParquetWriters.for_generic_record(
                record('{"type": "int", "logicalType": "date"}')
            ),
            NotSupportedError,
            "the logical type 'date'",
        ),
        (lambda: AvroParquetWriters.for_generic_record(record('"no"')), ValueError, "'no'"),
        (lambda: AvroParquetWriters.for_generic_record(record("7")), ValueError, "no type of Avro"),
        (lambda: CsvBulkWriters.for_schema(ONE), TypeError, "A CsvSchema"),
        (
            lambda: CsvBulkWriters.for_schema(
                CsvSchema.builder().add_number_column("n", ONE).build()
            ).create(io.BytesIO()),
            NotSupportedError,
            "CSV: no column of the type",
        ),
    ],
)
def test_descriptions_that_are_refused(make, error, why):
    with pytest.raises(error, match=why):
        make()


def conf(key, value):
    return Configuration().set_string(key, value)


@pytest.mark.parametrize(
    ("factory", "error", "why"),
    [
        (
            lambda: OrcBulkWriters.for_row_type(D.ROW([D.FIELD("t", D.TIME())])),
            NotSupportedError,
            "ORC has no times of day",
        ),
        (
            lambda: AvroBulkWriters.for_generic_record(avro('{"type": "recor"}')),
            ValueError,
            "the schema is not understood",
        ),
    ],
)
def test_what_shows_when_the_sink_is_described(factory, error, why):
    made = factory()
    with pytest.raises(error, match=why):
        FileSink.for_bulk_format("/x", made)
