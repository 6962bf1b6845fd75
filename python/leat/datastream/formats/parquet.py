"""Parquet files, as PyFlink's `pyflink.datastream.formats.parquet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.serialization import BulkWriterFactory
from leat.datastream.connectors.file_system import BulkFormat, StreamFormat

if TYPE_CHECKING:
    from leat.datastream.formats.avro import AvroSchema

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
        """A writer of records of this schema."""
        return BulkWriterFactory(("parquet of avro", schema))


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
        row_type: Any, hadoop_config: Any = None, utc_timestamp: bool = False
    ) -> BulkWriterFactory:
        """A writer of rows of this type."""
        return BulkWriterFactory(("parquet", row_type, hadoop_config, utc_timestamp))
