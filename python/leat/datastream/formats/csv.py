"""Comma-separated values, as PyFlink's `pyflink.datastream.formats.csv`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.serialization import (
    BulkWriterFactory,
    DeserializationSchema,
    SerializationSchema,
)
from leat.common.typeinfo import TypeInformation
from leat.datastream.connectors.file_system import StreamFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CsvBulkWriters",
    "CsvReaderFormat",
    "CsvRowDeserializationSchema",
    "CsvRowSerializationSchema",
    "CsvSchema",
    "CsvSchemaBuilder",
]


class CsvSchema:
    """The columns of a file, and how they are written. Made by `builder`.

    `j_schema` are the settings by name, `row_type` the columns: name, kind and type.
    """

    def __init__(self, j_schema: dict[str, Any], row_type: Sequence[tuple[str, str, Any]]) -> None:
        self._settings = dict(j_schema)
        self._columns = list(row_type)

    @staticmethod
    def builder() -> CsvSchemaBuilder:
        """Begin to describe a schema."""
        return CsvSchemaBuilder()

    def size(self) -> int:
        """The number of columns."""
        return len(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"CsvSchema({', '.join(name for name, _, _ in self._columns)})"


class CsvSchemaBuilder:
    """Describes a CsvSchema; setters answer the builder."""

    def __init__(self) -> None:
        self._columns: list[tuple[str, str, Any]] = []
        self._settings: dict[str, Any] = {}

    def add_array_column(
        self, name: str, separator: str = ";", element_type: Any = None
    ) -> CsvSchemaBuilder:
        """A column of several items, strings by default."""
        return self._column(name, "array", (separator, element_type))

    def add_boolean_column(self, name: str) -> CsvSchemaBuilder:
        """A column of `true` and `false`."""
        return self._column(name, "boolean", None)

    def add_number_column(self, name: str, number_type: Any = None) -> CsvSchemaBuilder:
        """A column of numbers, 64 bit integers by default."""
        return self._column(name, "number", number_type)

    def add_string_column(self, name: str) -> CsvSchemaBuilder:
        """A column of strings."""
        return self._column(name, "string", None)

    def add_columns_from(self, schema: CsvSchema) -> CsvSchemaBuilder:
        """The columns of another schema."""
        self._columns += schema._columns
        return self

    def clear_columns(self) -> CsvSchemaBuilder:
        """No columns any more."""
        self._columns.clear()
        return self

    def set_allow_comments(self, allow: bool = True) -> CsvSchemaBuilder:
        """Whether lines that begin with `#` are left out."""
        return self._set("allow_comments", bool(allow))

    def set_any_property_name(self, name: str) -> CsvSchemaBuilder:
        """The name for columns that have none."""
        return self._set("any_property_name", name)

    def disable_array_element_separator(self) -> CsvSchemaBuilder:
        """Arrays are not taken apart."""
        return self._set("array_element_separator", "")

    def remove_array_element_separator(self, index: int) -> CsvSchemaBuilder:
        """The array of the column of this index is not taken apart."""
        name, kind, (_, element_type) = self._columns[index]
        self._columns[index] = (name, kind, ("", element_type))
        return self

    def set_array_element_separator(self, separator: str) -> CsvSchemaBuilder:
        """What stands between the items of arrays; `;` by default."""
        return self._set("array_element_separator", separator)

    def set_column_separator(self, char: str) -> CsvSchemaBuilder:
        """What stands between columns; `,` by default."""
        return self._set("column_separator", one_char(char, "column_separator"))

    def disable_escape_char(self) -> CsvSchemaBuilder:
        """No character takes another one's meaning; the default."""
        return self._set("escape_char", "")

    def set_escape_char(self, char: str) -> CsvSchemaBuilder:
        """What takes the next character's meaning."""
        return self._set("escape_char", one_char(char, "escape_char"))

    def set_line_separator(self, separator: str) -> CsvSchemaBuilder:
        """What ends a line that is written; a newline by default."""
        return self._set("line_separator", separator)

    def set_null_value(self, null_value: str) -> CsvSchemaBuilder:
        """What stands for None; nothing by default."""
        return self._set("null_value", null_value)

    def disable_quote_char(self) -> CsvSchemaBuilder:
        """Nothing is quoted."""
        return self._set("quote_char", "")

    def set_quote_char(self, char: str) -> CsvSchemaBuilder:
        """What stands around text with separators in it; a double quote by default."""
        return self._set("quote_char", one_char(char, "quote_char"))

    def set_skip_first_data_row(self, skip: bool = True) -> CsvSchemaBuilder:
        """Whether the first line of data is left out."""
        return self._set("skip_first_data_row", bool(skip))

    def set_strict_headers(self, strict: bool = True) -> CsvSchemaBuilder:
        """Whether the header must have the schema's names in its order."""
        return self._set("strict_headers", bool(strict))

    def set_use_header(self, use: bool = True) -> CsvSchemaBuilder:
        """Whether the first line has the names of the columns."""
        return self._set("use_header", bool(use))

    def size(self) -> int:
        """The number of columns so far."""
        return len(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def build(self) -> CsvSchema:
        """The schema."""
        return CsvSchema(self._settings, self._columns)

    def _column(self, name: str, kind: str, type_info: Any) -> CsvSchemaBuilder:
        if any(name == other for other, _, _ in self._columns):
            raise ValueError(f"CsvSchema: there is a column {name!r} already")
        self._columns.append((name, kind, type_info))
        return self

    def _set(self, name: str, value: Any) -> CsvSchemaBuilder:
        self._settings[name] = value
        return self


class CsvReaderFormat(StreamFormat):
    """Reads rows of a schema. `j_csv_format` is the schema."""

    def __init__(self, j_csv_format: CsvSchema) -> None:
        self._schema = j_csv_format

    @staticmethod
    def for_schema(schema: CsvSchema) -> CsvReaderFormat:
        """The format of files with these columns. A TypeError for anything else than a schema."""
        return CsvReaderFormat(_schema(schema))


class CsvBulkWriters:
    """Writers of rows as lines of text."""

    @staticmethod
    def for_schema(schema: CsvSchema) -> BulkWriterFactory:
        """A writer of files with these columns, for rows (or tuples) with a value for each.

        The lines are Flink's, character by character. Settings for reading play no part, and nor
        does what `set_array_element_separator` says, as in Flink: `add_array_column` says it. A
        TypeError for anything else than a schema; values of other types fail the job.
        """
        from leat.datastream.formats.csv_writer import CsvWriterFactory

        return CsvWriterFactory(_schema(schema))


class CsvRowDeserializationSchema(DeserializationSchema):
    """Rows from lines. Made by its Builder; `j_deserialization_schema` are its settings."""

    class Builder:
        """Describes the schema; setters answer the builder. A TypeError without a type."""

        def __init__(self, type_info: TypeInformation) -> None:
            self._settings = {"type_info": _row_type(type_info)}

        def set_field_delimiter(self, delimiter: str) -> CsvRowDeserializationSchema.Builder:
            """What stands between fields; `,` by default."""
            return self._set("field_delimiter", one_char(delimiter, "delimiter"))

        def set_allow_comments(self, allow_comments: bool) -> CsvRowDeserializationSchema.Builder:
            """Whether lines that begin with `#` are left out."""
            return self._set("allow_comments", bool(allow_comments))

        def set_array_element_delimiter(
            self, delimiter: str
        ) -> CsvRowDeserializationSchema.Builder:
            """What stands between the items of arrays; `;` by default."""
            return self._set("array_element_delimiter", delimiter)

        def set_quote_character(self, c: str) -> CsvRowDeserializationSchema.Builder:
            """What stands around text with delimiters in it; a double quote by default."""
            return self._set("quote_character", one_char(c, "quote_character"))

        def set_escape_character(self, c: str) -> CsvRowDeserializationSchema.Builder:
            """What takes the next character's meaning; nothing by default."""
            return self._set("escape_character", one_char(c, "escape_character"))

        def set_null_literal(self, null_literal: str) -> CsvRowDeserializationSchema.Builder:
            """What stands for None; by default nothing does."""
            return self._set("null_literal", null_literal)

        def set_ignore_parse_errors(
            self, ignore_parse_errors: bool
        ) -> CsvRowDeserializationSchema.Builder:
            """Whether what can't be read is left out."""
            return self._set("ignore_parse_errors", bool(ignore_parse_errors))

        def build(self) -> CsvRowDeserializationSchema:
            """The schema."""
            return CsvRowDeserializationSchema(dict(self._settings))

        def _set(self, name: str, value: Any) -> CsvRowDeserializationSchema.Builder:
            self._settings[name] = value
            return self

    def __init__(self, j_deserialization_schema: dict[str, Any]) -> None:
        super().__init__(("csv", j_deserialization_schema))


class CsvRowSerializationSchema(SerializationSchema):
    """Lines from rows. Made by its Builder; `j_csv_row_serialization_schema` are its settings."""

    class Builder:
        """Describes the schema; setters answer the builder. A TypeError without a type."""

        def __init__(self, type_info: TypeInformation) -> None:
            self._settings = {"type_info": _row_type(type_info)}

        def set_field_delimiter(self, c: str) -> CsvRowSerializationSchema.Builder:
            """What stands between fields; `,` by default."""
            return self._set("field_delimiter", one_char(c, "field_delimiter"))

        def set_line_delimiter(self, delimiter: str) -> CsvRowSerializationSchema.Builder:
            """What ends a line; a newline by default."""
            return self._set("line_delimiter", delimiter)

        def set_array_element_delimiter(self, delimiter: str) -> CsvRowSerializationSchema.Builder:
            """What stands between the items of arrays; `;` by default."""
            return self._set("array_element_delimiter", delimiter)

        def disable_quote_character(self) -> CsvRowSerializationSchema.Builder:
            """Nothing is quoted."""
            return self._set("quote_character", "")

        def set_quote_character(self, c: str) -> CsvRowSerializationSchema.Builder:
            """What stands around text with delimiters in it; a double quote by default."""
            return self._set("quote_character", one_char(c, "quote_character"))

        def set_escape_character(self, c: str) -> CsvRowSerializationSchema.Builder:
            """What takes the next character's meaning; nothing by default."""
            return self._set("escape_character", one_char(c, "escape_character"))

        def set_null_literal(self, s: str) -> CsvRowSerializationSchema.Builder:
            """What stands for None; nothing by default."""
            return self._set("null_literal", s)

        def build(self) -> CsvRowSerializationSchema:
            """The schema."""
            return CsvRowSerializationSchema(dict(self._settings))

        def _set(self, name: str, value: Any) -> CsvRowSerializationSchema.Builder:
            self._settings[name] = value
            return self

    def __init__(self, j_csv_row_serialization_schema: dict[str, Any]) -> None:
        super().__init__(("csv", j_csv_row_serialization_schema))


def one_char(text: str, what: str) -> str:
    """The text; a ValueError unless it is one character."""
    if len(text) != 1:
        raise ValueError(f"{what} must be one character, not {text!r}")
    return text


def _schema(schema: CsvSchema) -> CsvSchema:
    if not isinstance(schema, CsvSchema):
        raise TypeError(f"A CsvSchema is needed, not {schema!r}")
    return schema


def _row_type(type_info: TypeInformation | None) -> Any:
    if not isinstance(type_info, TypeInformation):
        raise TypeError(f"type_info must be a type such as Types.ROW([...]), not {type_info!r}")
    return type_info
