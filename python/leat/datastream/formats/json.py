"""JSON, as PyFlink's `pyflink.datastream.formats.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leat.common.serialization import DeserializationSchema, SerializationSchema

if TYPE_CHECKING:
    from leat.common.typeinfo import TypeInformation

__all__ = ["JsonRowDeserializationSchema", "JsonRowSerializationSchema"]


class JsonRowDeserializationSchema(DeserializationSchema):
    """Rows from JSON. Made by its Builder; `j_deserialization_schema` are its settings."""

    class Builder:
        """Describes the schema; setters answer the builder."""

        def __init__(self) -> None:
            self._settings: dict[str, Any] = {}

        def type_info(self, type_info: TypeInformation) -> JsonRowDeserializationSchema.Builder:
            """The type of the rows."""
            return self._set("type_info", type_info)

        def json_schema(self, json_schema: str) -> JsonRowDeserializationSchema.Builder:
            """A JSON schema that tells the type of the rows. A TypeError for None."""
            if json_schema is None:
                raise TypeError("The json_schema must not be None.")
            return self._set("json_schema", json_schema)

        def fail_on_missing_field(self) -> JsonRowDeserializationSchema.Builder:
            """Fail where a field is missing; it is None otherwise."""
            return self._set("fail_on_missing_field", True)

        def ignore_parse_errors(self) -> JsonRowDeserializationSchema.Builder:
            """Leave out what can't be read."""
            return self._set("ignore_parse_errors", True)

        def build(self) -> JsonRowDeserializationSchema:
            """The schema. A TypeError unless a type or a JSON schema was given."""
            if not self._settings.keys() & {"type_info", "json_schema"}:
                raise TypeError("JsonRowDeserializationSchema: type_info() is missing")
            return JsonRowDeserializationSchema(dict(self._settings))

        def _set(self, name: str, value: Any) -> JsonRowDeserializationSchema.Builder:
            self._settings[name] = value
            return self

    def __init__(self, j_deserialization_schema: dict[str, Any]) -> None:
        super().__init__(("json", j_deserialization_schema))

    @staticmethod
    def builder() -> JsonRowDeserializationSchema.Builder:
        """Begin to describe a schema."""
        return JsonRowDeserializationSchema.Builder()


class JsonRowSerializationSchema(SerializationSchema):
    """JSON from rows. Made by its Builder; `j_serialization_schema` is the type of the rows."""

    class Builder:
        """Describes the schema; setters answer the builder."""

        def __init__(self) -> None:
            self._type_info: TypeInformation | None = None

        def with_type_info(self, type_info: TypeInformation) -> JsonRowSerializationSchema.Builder:
            """The type of the rows."""
            self._type_info = type_info
            return self

        def build(self) -> JsonRowSerializationSchema:
            """The schema. A TypeError unless a type was given."""
            if self._type_info is None:
                raise TypeError("JsonRowSerializationSchema: with_type_info() is missing")
            return JsonRowSerializationSchema(self._type_info)

    def __init__(self, j_serialization_schema: TypeInformation) -> None:
        super().__init__(("json", j_serialization_schema))

    @staticmethod
    def builder() -> JsonRowSerializationSchema.Builder:
        """Begin to describe a schema."""
        return JsonRowSerializationSchema.Builder()
