"""Schemas between values and bytes, and encoders of files, as PyFlink's
`pyflink.common.serialization`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, BinaryIO, NoReturn

__all__ = [
    "BulkWriter",
    "BulkWriterFactory",
    "ByteArraySchema",
    "DeserializationSchema",
    "Encoder",
    "RowFieldExtractorSchema",
    "SerializationSchema",
    "SimpleStringEncoder",
    "SimpleStringSchema",
]


class SerializationSchema:
    """Base of what turns values into bytes. `j_serialization_schema` is its description."""

    def __init__(self, j_serialization_schema: Any = None) -> None:
        self._schema = j_serialization_schema


class DeserializationSchema:
    """Base of what turns bytes into values. `j_deserialization_schema` is its description."""

    def __init__(self, j_deserialization_schema: Any = None) -> None:
        self._schema = j_deserialization_schema


class SimpleStringSchema(SerializationSchema, DeserializationSchema):
    """Strings as bytes in a charset, both ways."""

    def __init__(self, charset: str = "UTF-8") -> None:
        SerializationSchema.__init__(self, ("string", _known_charset(charset)))
        self._charset = charset


class ByteArraySchema(SerializationSchema, DeserializationSchema):
    """Bytes as they are, both ways."""

    def __init__(self) -> None:
        SerializationSchema.__init__(self, ("bytes",))


class RowFieldExtractorSchema(SerializationSchema):
    """One field of a Row, which must be bytes. A TypeError or ValueError for a wrong index."""

    def __init__(self, field_index: int) -> None:
        if not isinstance(field_index, int) or isinstance(field_index, bool):
            raise TypeError(f"field_index must be an int, not {field_index!r}")
        if field_index < 0:
            raise ValueError(f"field_index must not be negative: {field_index}")
        super().__init__(("row field", field_index))


class Encoder:
    """How a file sink writes a record. `j_encoder` is the charset of its lines."""

    def __init__(self, j_encoder: str) -> None:
        self._charset = j_encoder

    @staticmethod
    def simple_string_encoder(charset_name: str = "UTF-8") -> Encoder:
        """One line per record: its text as Flink's runtime prints it, and a newline.

        A ValueError for a charset that Python does not know.
        """
        return Encoder(_known_charset(charset_name))


class SimpleStringEncoder(Encoder):
    """`Encoder.simple_string_encoder` by the name that it had in older versions of PyFlink."""

    def __init__(self, charset_name: str = "UTF-8") -> None:
        super().__init__(_known_charset(charset_name))


class BulkWriter(ABC):
    """Writes the records of one file in a bulk format, as Flink's `BulkWriter` (Leat's addition).

    Made by a BulkWriterFactory for each file. All calls come from one thread.
    """

    @abstractmethod
    def add_element(self, element: Any) -> None:
        """The next record; it may be kept in memory until `flush`."""

    @abstractmethod
    def flush(self) -> None:
        """Write what was kept; comes before `finish`."""

    @abstractmethod
    def finish(self) -> None:
        """Write what ends the file. The stream is not to be closed."""


class BulkWriterFactory:
    """Makes the writers of a bulk format, one for each file.

    `AvroBulkWriters`, `CsvBulkWriters`, `ParquetBulkWriters`, `AvroParquetWriters` and
    `OrcBulkWriters` have ready ones. A class of one's own (Leat's addition) has
    `create(stream)`, which answers a BulkWriter; it is serialised with the sink, so that what it
    holds must be picklable. `j_bulk_writer_factory` describes a ready one.
    """

    def __init__(self, j_bulk_writer_factory: Any = None) -> None:
        self._factory = j_bulk_writer_factory

    def create(self, stream: BinaryIO) -> BulkWriter:
        """A writer for a new file: `stream` takes bytes by `write`, and can `tell`."""
        raise NotImplementedError(f"{type(self).__name__} has no create(stream)")

    def _check(self) -> None:
        """Called when a sink is described: is everything there that `create` will need?"""

    def get_java_object(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's objects."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError("Leat has no Java objects")


def _known_charset(name: str) -> str:
    if name.upper() in ("UTF-8", "UTF8"):
        return "UTF-8"
    import codecs

    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"Unknown charset {name!r}; UTF-8 is the default") from None
    return name
