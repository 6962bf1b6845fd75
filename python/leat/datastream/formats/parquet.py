"""Parquet files, as PyFlink's `pyflink.datastream.formats.parquet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.serialization import BulkWriterFactory
from leat.datastream.connectors.file_system import BulkFormat, StreamFormat

if TYPE_CHECKING:
    from leat.common.configuration import Configuration
    from leat.datastream.formats.avro import AvroSchema
    from leat.table.types import RowType

__all__ = [
    "AvroParquetReaders",
    "AvroParquetWriters",
    "ParquetBulkWriters",
    "ParquetColumnarRowInputFormat",
]


class AvroParquetReaders:
    """Reads records of an Avro schema from Parquet files."""

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> StreamFormat:
        """The format of files of this schema; `FileSource` refuses it until it can."""
        return _ParquetFormat(schema)


class _ParquetFormat(StreamFormat):
    """What no source reads yet. `j_stream_format` is a schema of Avro."""

    def __init__(self, j_stream_format: Any) -> None:
        self._schema = j_stream_format


class AvroParquetWriters:
    """Writes records of an Avro schema to Parquet files."""

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> BulkWriterFactory:
        """A writer of records of this schema: dicts. It needs pyarrow; files are not compressed.

        A NotSupportedError for unions other than those with null, logical types, and types within
        themselves.
        """
        from leat.datastream.formats.arrow_writers import ParquetWriterFactory, parquet_options
        from leat.datastream.formats.avro_types import row_type_of

        options = parquet_options(None, "NONE")
        return ParquetWriterFactory(row_type_of(schema), "AvroParquetWriters", options)


class ParquetColumnarRowInputFormat(BulkFormat):
    """Reads rows in batches; `FileSource` refuses it until it can."""

    def __init__(
        self,
        row_type: Any,
        hadoop_config: Any = None,
        batch_size: int = 2048,
        is_utc_timestamp: bool = False,
        is_case_sensitive: bool = True,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"A batch has at least one row, not {batch_size}")
        super().__init__(("parquet", row_type, hadoop_config, batch_size))
        self._is_utc_timestamp = is_utc_timestamp
        self._is_case_sensitive = is_case_sensitive


class ParquetBulkWriters:
    """Writers of Parquet files."""

    @staticmethod
    def for_row_type(
        row_type: RowType, hadoop_config: Configuration | None = None, utc_timestamp: bool = False
    ) -> BulkWriterFactory:
        """A writer of rows (or tuples) of this type, `DataTypes.ROW([...])`. It needs pyarrow.

        Files are compressed by SNAPPY, unless `hadoop_config` has another `parquet.compression`;
        `parquet.block.size`, `parquet.page.size` and `parquet.enable.dictionary` are known, too,
        other keys are NotSupportedErrors. Timestamps without a zone are of the system's, and with
        `utc_timestamp` of UTC.
        """
        from leat.datastream.formats.arrow_writers import ParquetWriterFactory, parquet_options

        options = parquet_options(hadoop_config, "SNAPPY")
        options["use_deprecated_int96_timestamps"] = True  # as Flink's
        return ParquetWriterFactory(row_type, "ParquetBulkWriters", options, not utc_timestamp)
