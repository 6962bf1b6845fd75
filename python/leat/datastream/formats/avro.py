"""Avro, as PyFlink's `pyflink.datastream.formats.avro`: schemas are read and checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from leat.common.io import InputFormat
from leat.common.serialization import (
    BulkWriterFactory,
    DeserializationSchema,
    SerializationSchema,
)
from leat.common.typeinfo import TypeInformation
from leat.datastream.utils import ResultTypeQueryable

__all__ = [
    "AvroBulkWriters",
    "AvroInputFormat",
    "AvroRowDeserializationSchema",
    "AvroRowSerializationSchema",
    "AvroSchema",
    "GenericRecordAvroTypeInfo",
]


class AvroSchema:
    """A schema of Avro. `j_schema` is its JSON, taken apart. `str` tells it as JSON."""

    def __init__(self, j_schema: Any) -> None:
        self._schema = j_schema

    @staticmethod
    def parse_string(json_schema: str) -> AvroSchema:
        """The schema that a JSON text says. A ValueError for what is no JSON."""
        return AvroSchema(json.loads(json_schema))

    @staticmethod
    def parse_file(file_path: str) -> AvroSchema:
        """The schema that a JSON file says."""
        return AvroSchema.parse_string(Path(file_path).read_text(encoding="utf-8"))

    def __str__(self) -> str:
        return json.dumps(self._schema, separators=(",", ":"))

    def __repr__(self) -> str:
        return f"AvroSchema({self})"


class GenericRecordAvroTypeInfo(TypeInformation):
    """The type of records of a schema: dicts, which are not checked before they are written."""

    def __init__(self, schema: AvroSchema) -> None:
        super().__init__()
        self._schema = _checked(schema)

    def _text(self) -> str:
        return "PICKLED"


class AvroInputFormat(InputFormat, ResultTypeQueryable):
    """Reads the records of a file. `create_input` refuses it until it can."""

    def __init__(self, path: str, schema: AvroSchema) -> None:
        super().__init__(("avro", path))
        self._type_info = GenericRecordAvroTypeInfo(schema)

    def get_produced_type(self) -> GenericRecordAvroTypeInfo:
        """The type of its records."""
        return self._type_info


class AvroBulkWriters:
    """Writers of files of Avro."""

    @staticmethod
    def for_generic_record(schema: AvroSchema) -> BulkWriterFactory:
        """A writer of records of this schema: dicts, lists and so on. It needs fastavro."""
        from leat.datastream.formats.avro_types import AvroWriterFactory

        return AvroWriterFactory(_checked(schema))


class AvroRowDeserializationSchema(DeserializationSchema):
    """Rows from Avro. A TypeError unless a class or a schema is given."""

    def __init__(
        self, record_class: str | None = None, avro_schema_string: str | None = None
    ) -> None:
        super().__init__(_described(record_class, avro_schema_string))


class AvroRowSerializationSchema(SerializationSchema):
    """Avro from rows. A TypeError unless a class or a schema is given."""

    def __init__(
        self, record_class: str | None = None, avro_schema_string: str | None = None
    ) -> None:
        super().__init__(_described(record_class, avro_schema_string))


def _described(record_class: str | None, avro_schema_string: str | None) -> tuple[str, Any]:
    if record_class is not None:
        from leat.common.errors import NotSupportedError

        raise NotSupportedError(
            f"the Avro class {record_class!r}: Leat runs no Java", "give avro_schema_string"
        )
    if avro_schema_string is None:
        raise TypeError("record_class or avro_schema_string should be specified.")
    return "avro", AvroSchema.parse_string(avro_schema_string)


def _checked(schema: AvroSchema) -> AvroSchema:
    if not isinstance(schema, AvroSchema):
        raise TypeError(f"An AvroSchema is needed, not {schema!r}")
    return schema
