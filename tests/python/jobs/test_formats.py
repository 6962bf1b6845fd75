"""Ready bulk formats in jobs: Parquet, ORC, Avro and CSV, read back by libraries of others."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal

import fastavro
import pyarrow.orc
import pyarrow.parquet
import pytest
from leat.common import Configuration, Instant, Row, Types
from leat.common.errors import JobError
from leat.datastream.connectors.file_system import BucketAssigner, FileSink, StreamingFileSink
from leat.datastream.formats.avro import AvroBulkWriters, AvroSchema, GenericRecordAvroTypeInfo
from leat.datastream.formats.csv import CsvBulkWriters, CsvSchema
from leat.datastream.formats.orc import OrcBulkWriters
from leat.datastream.formats.parquet import AvroParquetWriters, ParquetBulkWriters
from leat.table import DataTypes as D

ROW_TYPE = D.ROW(
    [
        D.FIELD("i", D.INT(False)),
        D.FIELD("s", D.STRING()),
        D.FIELD("d", D.DECIMAL(10, 2)),
        D.FIELD("t", D.TIMESTAMP(3)),
        D.FIELD("z", D.TIMESTAMP_LTZ(6)),
        D.FIELD("l", D.ARRAY(D.DOUBLE())),
        D.FIELD("m", D.MAP(D.STRING(), D.BIGINT())),
        D.FIELD("r", D.ROW([D.FIELD("b", D.BOOLEAN()), D.FIELD("y", D.BYTES())])),
        D.FIELD("day", D.DATE()),
    ]
)
ROWS = [
    Row(
        1,
        "ä",
        Decimal("1.005"),
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6000),
        Instant(1, 5000),
        [1.5, None],
        {"k": 2},
        Row(True, b"\0"),
        datetime.date(2020, 2, 3),
    ),
    Row(2, *[None] * 8),
]
READ = [
    {
        "i": 1,
        "s": "ä",
        "d": Decimal("1.01"),
        "t": datetime.datetime(2020, 1, 2, 3, 4, 5, 6000),
        "z": datetime.datetime(1970, 1, 1, 0, 0, 1, 5),
        "l": [1.5, None],
        "m": [("k", 2)],
        "r": {"b": True, "y": b"\0"},
        "day": datetime.date(2020, 2, 3),
    },
    {"i": 2} | dict.fromkeys(["s", "d", "t", "z", "l", "m", "r", "day"]),
]
AVRO = AvroSchema.parse_string(
    """{"type": "record", "name": "R", "fields": [
        {"name": "n", "type": "long"},
        {"name": "s", "type": ["null", "string"]},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["X", "Y"]}},
        {"name": "l", "type": {"type": "array", "items": "E"}},
        {"name": "m", "type": {"type": "map", "values": "double"}}]}"""
)


def write(env, stream, path, factory, kind=FileSink):
    """The whole files that a job leaves, in any order."""
    base = BucketAssigner.base_path_bucket_assigner()
    sink = kind.for_bulk_format(str(path), factory).with_bucket_assigner(base).build()
    if kind is FileSink:
        stream.sink_to(sink)
    else:
        stream.add_sink(sink)
    env.execute()
    assert not list(path.rglob(".*"))
    return [io.BytesIO(file.read_bytes()) for file in path.glob("part-*")]


def parquet(file):
    return pyarrow.parquet.read_table(file).to_pylist()


def orc(file):
    return pyarrow.orc.read_table(file).to_pylist()


def record(n):
    names = ("X", "Y")
    return {
        "n": n,
        "s": str(n) if n % 2 else None,
        "e": names[n % 2],
        "l": list(names[: n % 3]),
        "m": {"half": n / 2},
    }


@pytest.mark.parametrize(
    ("factory", "read"),
    [
        (ParquetBulkWriters.for_row_type(ROW_TYPE, utc_timestamp=True), parquet),
        (OrcBulkWriters.for_row_type(ROW_TYPE), orc),
    ],
    ids=["parquet", "orc"],
)
def test_rows_of_all_types(env, tmp_path, factory, read):
    (file,) = write(env, env.from_collection(ROWS), tmp_path, factory)
    assert read(file) == READ


@pytest.mark.parametrize("kind", [FileSink, StreamingFileSink])
def test_parquet_of_many_rows(make_env, tmp_path, kind):
    env = make_env(3)
    row_type = D.ROW([D.FIELD("n", D.BIGINT()), D.FIELD("t", D.STRING())])
    types = Types.ROW_NAMED(["a", "b"], [Types.LONG(), Types.STRING()])
    rows = env.from_collection(list(range(20_000)), Types.LONG()).rebalance()
    rows = rows.map(lambda n: Row(n, f"text {n}"), types)
    small = Configuration().set_string("parquet.block.size", "50000")
    small.set_string("parquet.compression", "gzip")
    found = write(env, rows, tmp_path, ParquetBulkWriters.for_row_type(row_type, small), kind)
    assert len(found) == 3
    meta = pyarrow.parquet.ParquetFile(found[0]).metadata
    assert meta.num_row_groups > 1
    assert meta.row_group(0).column(0).compression == "GZIP"
    both = sorted((row["n"], row["t"]) for file in found for row in parquet(file))
    assert both == [(n, f"text {n}") for n in range(20_000)]


def test_timestamps_are_of_the_systems_zone(env, tmp_path):
    row_type = D.ROW([D.FIELD("t", D.TIMESTAMP(3))])
    local = datetime.datetime(2020, 7, 1, 12)
    rows = env.from_collection([Row(local)], Types.ROW([Types.SQL_TIMESTAMP()]))
    (file,) = write(env, rows, tmp_path, ParquetBulkWriters.for_row_type(row_type))
    assert pyarrow.parquet.ParquetFile(file).schema.column(0).physical_type == "INT96"
    expected = local.astimezone(datetime.UTC).replace(tzinfo=None)
    assert parquet(file) == [{"t": expected}]


@pytest.mark.parametrize("kind", [FileSink, StreamingFileSink])
def test_avro(make_env, tmp_path, kind):
    env = make_env(2)
    numbers = env.from_collection(list(range(3000)), Types.LONG()).rebalance()
    records = numbers.map(record, GenericRecordAvroTypeInfo(AVRO))
    found = write(env, records, tmp_path, AvroBulkWriters.for_generic_record(AVRO), kind)
    assert len(found) == 2
    both = [r for file in found for r in fastavro.reader(file)]
    assert sorted(both, key=lambda r: r["n"]) == [record(n) for n in range(3000)]


def test_avro_in_parquet(make_env, tmp_path):
    env = make_env(2)
    numbers = env.from_collection(list(range(3000)), Types.LONG()).rebalance()
    records = numbers.map(record, GenericRecordAvroTypeInfo(AVRO))
    found = write(env, records, tmp_path, AvroParquetWriters.for_generic_record(AVRO))
    both = [r | {"m": dict(r["m"])} for file in found for r in parquet(file)]
    assert sorted(both, key=lambda r: r["n"]) == [record(n) for n in range(3000)]
    schema = pyarrow.parquet.ParquetFile(found[0]).schema_arrow
    assert [schema.field(n).nullable for n in ("n", "s", "e", "l", "m")] == [False, True] + [
        False
    ] * 3


def test_rows_are_records_of_avro(env, tmp_path):
    schema = AvroSchema.parse_string(
        '{"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}'
    )
    rows = env.from_collection([Row(n=1)], Types.ROW_NAMED(["n"], [Types.INT()]))
    (file,) = write(env, rows, tmp_path, AvroBulkWriters.for_generic_record(schema))
    assert list(fastavro.reader(file)) == [{"n": 1}]


def test_csv_in_checkpoints(make_env, tmp_path):
    env = make_env(2)
    env.enable_checkpointing(10)
    schema = CsvSchema.builder().add_number_column("n").add_string_column("t").set_use_header()
    types = Types.ROW([Types.LONG(), Types.STRING()])
    rows = env.from_collection(list(range(2000)), Types.LONG()).rebalance()
    rows = rows.map(lambda n: Row(n, f"text {n}"), types)
    found = write(env, rows, tmp_path, CsvBulkWriters.for_schema(schema.build()))
    lines = []
    for file in found:
        header, *rest = file.read().decode().splitlines()
        assert header == "n,t"
        lines += rest
    assert sorted(lines) == sorted(f'{n},"text {n}"' for n in range(2000))


@pytest.mark.parametrize(
    ("factory", "value", "why"),
    [
        (
            ParquetBulkWriters.for_row_type(D.ROW([D.FIELD("n", D.INT())])),
            Row("x"),
            r"TypeError: field 'n': an int is needed, and this is a str: 'x' \(while writing '.*'\)"
            r"; the record was <Row\('x'\)>",
        ),
        (
            CsvBulkWriters.for_schema(CsvSchema.builder().add_number_column("n").build()),
            Row(1, 2),
            r"ValueError: 2 values for the 1 fields \['n'\] \(while writing '.*'\); the record was",
        ),
        (
            AvroBulkWriters.for_generic_record(AVRO),
            {"n": "x"},
            r"R.n is <x> of type <class 'str'> expected long(.|\n)*\(while writing '.*'\); the re",
        ),
    ],
    ids=["parquet", "csv", "avro"],
)
def test_what_does_not_fit_is_named(env, tmp_path, factory, value, why):
    with pytest.raises(JobError, match=why):
        write(env, env.from_collection([value]), tmp_path, factory)
    assert not list(tmp_path.glob("part-*"))
