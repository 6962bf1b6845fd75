"""Schemas between values and bytes, and encoders of files, as PyFlink's
`pyflink.common.serialization`.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
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


class BulkWriterFactory:
    """How a bulk file sink writes records: comes with the bulk formats."""

    def __init__(self, j_bulk_writer_factory: Any) -> None:
        self._factory = j_bulk_writer_factory

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
