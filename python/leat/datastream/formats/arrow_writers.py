"""What `ParquetBulkWriters`, `AvroParquetWriters` and `OrcBulkWriters` write, by pyarrow.

Rows are gathered, turned into Arrow's columns a thousand at a time, and written as a block of the
file when these are large enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from leat.common.serialization import BulkWriter, BulkWriterFactory
from leat.datastream.formats.libraries import library
from leat.datastream.formats.row_values import RowValues, digits_of
from leat.table import types as t

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.common.configuration import Configuration

__all__ = ["OrcWriterFactory", "ParquetWriterFactory"]

_ROWS = 1024  # that become columns together
_BLOCK = 128 << 20  # bytes of columns that are written together; Flink's

_UNITS = {3: "ms", 6: "us", 9: "ns"}

_PARQUET_CODECS = {n: n for n in ("SNAPPY", "GZIP", "BROTLI", "LZ4", "ZSTD")} | {
    "UNCOMPRESSED": "NONE"
}
_ORC_CODECS = {n: n.lower() for n in ("ZLIB", "SNAPPY", "LZ4", "ZSTD")} | {"NONE": "uncompressed"}

# Hadoop's keys, pyarrow's options, and how values are read.
Keys = dict[str, tuple[str, "Callable[[str], Any]"]]
_PARQUET_KEYS: Keys = {
    "parquet.compression": ("compression", lambda text: _PARQUET_CODECS[text.upper()]),
    "parquet.enable.dictionary": ("use_dictionary", lambda text: text.lower() == "true"),
    "parquet.page.size": ("data_page_size", int),
    "parquet.block.size": ("block", int),
}
_ORC_KEYS: Keys = {
    "orc.compress": ("compression", lambda text: _ORC_CODECS[text.upper()]),
    "orc.stripe.size": ("stripe_size", int),
}


class _ArrowWriterFactory(BulkWriterFactory):
    """`options` are those of pyarrow's writer, and `block`."""

    _module = ""

    def __init__(
        self, row_type: t.RowType, name: str, options: dict[str, Any], local: bool = False
    ) -> None:
        super().__init__((name, row_type))
        if not isinstance(row_type, t.RowType):
            raise TypeError(f"{name}: a row type such as DataTypes.ROW([...]), not {row_type!r}")
        if not len(row_type):
            raise ValueError(f"{name}: a file has at least one column")
        self._row_type, self._name, self._local = row_type, name, local
        self._options = options

    def _check(self) -> None:
        pa = library("pyarrow", self._name)
        library(self._module, self._name)
        self._schema(pa)

    def create(self, stream: BinaryIO) -> BulkWriter:
        """A writer of a file."""
        pa = library("pyarrow", self._name)
        options = dict(self._options)
        block = options.pop("block", _BLOCK)
        schema = self._schema(pa)
        values = RowValues(self._row_type, self._local)
        return _ArrowWriter(pa, schema, values, self._writer(stream, schema, options), block)

    def _schema(self, pa: Any) -> Any:
        return pa.schema([self._field(pa, field) for field in self._row_type])

    def _field(self, pa: Any, field: t.RowField) -> Any:
        return pa.field(field.name, self._type(pa, field.data_type), field.data_type._nullable)

    def _type(self, pa: Any, data_type: t.DataType) -> Any:
        match data_type:
            case t.TimeType():
                return pa.time32("ms")
            case t.TimestampType() | t.LocalZonedTimestampType():
                return pa.timestamp(_UNITS[digits_of(data_type.precision)])
            case t.DecimalType():
                return pa.decimal128(data_type.precision, data_type.scale)
            case t.MultisetType():
                return pa.map_(self._type(pa, data_type.element_type), pa.int32())
            case t.ArrayType():
                element = t.RowField("element", data_type.element_type)
                return pa.list_(self._field(pa, element))
            case t.MapType():
                value = self._field(pa, t.RowField("value", data_type.value_type))
                return pa.map_(self._type(pa, data_type.key_type), value)
            case t.RowType():
                return pa.struct([self._field(pa, field) for field in data_type])
        return getattr(pa, _PLAIN[type(data_type)])()

    def _writer(self, stream: BinaryIO, schema: Any, options: dict[str, Any]) -> Any:
        raise NotImplementedError


_PLAIN = {
    t.BooleanType: "bool_",
    t.TinyIntType: "int8",
    t.SmallIntType: "int16",
    t.IntType: "int32",
    t.BigIntType: "int64",
    t.FloatType: "float32",
    t.DoubleType: "float64",
    t.CharType: "string",
    t.VarCharType: "string",
    t.BinaryType: "binary",
    t.VarBinaryType: "binary",
    t.DateType: "date32",
}


class ParquetWriterFactory(_ArrowWriterFactory):
    """Makes writers of Parquet files."""

    _module = "pyarrow.parquet"

    def _writer(self, stream: BinaryIO, schema: Any, options: dict[str, Any]) -> Any:
        return library(self._module, self._name).ParquetWriter(stream, schema, **options)


class OrcWriterFactory(_ArrowWriterFactory):
    """Makes writers of ORC files."""

    _module = "pyarrow.orc"

    def _type(self, pa: Any, data_type: t.DataType) -> Any:
        if isinstance(data_type, t.TimeType):
            from leat.common.errors import NotSupportedError

            raise NotSupportedError("ORC has no times of day", "write milliseconds as an INT")
        return super()._type(pa, data_type)

    def _writer(self, stream: BinaryIO, schema: Any, options: dict[str, Any]) -> Any:
        return library(self._module, self._name).ORCWriter(stream, **options)


class _ArrowWriter(BulkWriter):
    def __init__(self, pa: Any, schema: Any, values: RowValues, writer: Any, block: int) -> None:
        self._pa, self._schema, self._writer, self._block = pa, schema, writer, block
        self._values = values.of
        self._rows: list[list[Any]] = []
        self._batches: list[Any] = []
        self._size = 0

    def add_element(self, element: Any) -> None:
        self._rows.append(self._values(element))
        if len(self._rows) >= _ROWS:
            self._pack()
            if self._size >= self._block:
                self._write()

    def flush(self) -> None:
        self._pack()
        self._write()

    def finish(self) -> None:
        self._writer.close()

    def _pack(self) -> None:
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [
            self._pa.array(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        batch = self._pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        self._rows.clear()
        self._batches.append(batch)
        self._size += batch.nbytes

    def _write(self) -> None:
        if self._batches:
            table = self._pa.Table.from_batches(self._batches, self._schema)
            self._writer.write(table)
            self._batches.clear()
            self._size = 0


def parquet_options(configuration: Configuration | None, compression: str) -> dict[str, Any]:
    """pyarrow's, from Hadoop's keys. A NotSupportedError for others."""
    return {"compression": compression} | _options(configuration, _PARQUET_KEYS)


def orc_options(*configurations: Configuration | None) -> dict[str, Any]:
    """The same of ORC. ZLIB is the default, as Flink's."""
    options: dict[str, Any] = {"compression": "zlib"}
    for configuration in configurations:
        options |= _options(configuration, _ORC_KEYS)
    return options


def _options(configuration: Configuration | None, known: Keys) -> dict[str, Any]:
    options = {}
    for key, text in (configuration.to_dict() if configuration else {}).items():
        if key not in known:
            from leat.common.errors import NotSupportedError

            raise NotSupportedError(f"{key!r} plays no part here", f"there are {sorted(known)}")
        option, read = known[key]
        try:
            options[option] = read(text)
        except (KeyError, ValueError):
            raise ValueError(f"{key}: {text!r} is not understood") from None
    return options
