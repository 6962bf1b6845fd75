"""What `AvroBulkWriters` writes, by fastavro; and Avro's types as those of rows, for Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from leat.common.serialization import BulkWriter, BulkWriterFactory
from leat.common.types import Row
from leat.datastream.formats.libraries import library
from leat.table import types as t

if TYPE_CHECKING:
    from leat.datastream.formats.avro import AvroSchema

__all__ = ["AvroWriterFactory", "row_type_of"]


class AvroWriterFactory(BulkWriterFactory):
    """Makes writers of files of Avro."""

    def __init__(self, schema: AvroSchema) -> None:
        super().__init__(("avro", schema))
        self._schema = schema._schema

    def _check(self) -> None:
        fastavro = library("fastavro", "AvroBulkWriters")
        try:
            fastavro.parse_schema(self._schema)
        except Exception as e:
            raise ValueError(f"AvroBulkWriters: the schema is not understood: {e}") from e

    def create(self, stream: BinaryIO) -> BulkWriter:
        """A writer of a file; its header has the schema."""
        library("fastavro", "AvroBulkWriters")
        return _AvroWriter(stream, self._schema)


class _AvroWriter(BulkWriter):
    def __init__(self, stream: BinaryIO, schema: Any) -> None:
        from fastavro import parse_schema, validation, write

        self._schema = parse_schema(schema)
        self._writer = write.Writer(stream, self._schema)
        self._validate = validation.validate
        fields = schema.get("fields", ()) if isinstance(schema, dict) else ()
        self._names = {field["name"] for field in fields}

    def add_element(self, element: Any) -> None:
        if isinstance(element, Row):
            element = element.as_dict(True)
        if isinstance(element, dict) and self._names and not element.keys() <= self._names:
            odd = min(element.keys() - self._names, key=repr)
            raise ValueError(f"no field is called {odd!r}; there are {sorted(self._names)}")
        try:
            self._writer.write(element)
        except Exception:
            self._validate(element, self._schema)  # which says what is wrong with it
            raise

    def flush(self) -> None:
        self._writer.flush()

    def finish(self) -> None:
        pass


_PLAIN: dict[str, t.DataType] = {
    "boolean": t.BooleanType(False),
    "int": t.IntType(False),
    "long": t.BigIntType(False),
    "float": t.FloatType(False),
    "double": t.DoubleType(False),
    "bytes": t.DataTypes.BYTES(False),
    "string": t.DataTypes.STRING(False),
}


def row_type_of(schema: AvroSchema) -> t.RowType:
    """The type of a record's rows. A NotSupportedError for what columns can't hold."""
    from leat.datastream.formats.avro import AvroSchema

    if not isinstance(schema, AvroSchema):
        raise TypeError(f"An AvroSchema is needed, not {schema!r}")
    found = _type_of(schema._schema, {})
    if not isinstance(found, t.RowType):
        raise ValueError(f"The schema of a file is a record, not {schema}")
    return found


def _type_of(schema: Any, known: dict[str, t.DataType | None]) -> t.DataType:
    """`known`: the types that have a name; None while they are looked at."""
    match schema:
        case str() if schema in _PLAIN:
            return _PLAIN[schema]
        case str():
            return _known(schema, known)
        case list():
            return _union(schema, known)
        case {"logicalType": logical} if logical != "uuid":
            _refuse(f"the logical type {logical!r}", "leave out its logicalType")
        case {"type": "record", "name": str(name), "fields": list(fields)}:
            known[name] = None
            row = [t.RowField(f["name"], _type_of(f["type"], known)) for f in fields]
            known[name] = t.RowType(row, False)
            return _known(name, known)
        case {"type": "array", "items": items}:
            return t.ArrayType(_type_of(items, known), False)
        case {"type": "map", "values": values}:
            return t.MapType(_PLAIN["string"], _type_of(values, known), False)
        case {"type": ("enum" | "fixed") as kind, "name": str(name)}:
            known[name] = _PLAIN["string" if kind == "enum" else "bytes"]
            return _known(name, known)
        case {"type": inner}:
            return _type_of(inner, known)
    raise ValueError(f"AvroParquetWriters: {schema!r} is no type of Avro")


def _known(name: str, known: dict[str, t.DataType | None]) -> t.DataType:
    if name not in known:
        raise ValueError(f"AvroParquetWriters: no type {name!r} is known")
    found = known[name]
    return found if found else _refuse(f"{name!r} within itself", "write it as a string")


def _union(schema: list[Any], known: dict[str, t.DataType | None]) -> t.DataType:
    others = [s for s in schema if s != "null"]
    if len(others) != 1:
        _refuse(f"the union {schema}", "only a union of null and one type has a column")
    found = _type_of(others[0], known)
    return found.nullable() if len(schema) > 1 else found


def _refuse(what: str, instead: str) -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"AvroParquetWriters: {what}", instead)
