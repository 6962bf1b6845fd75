"""Data types, as PyFlink's `pyflink.table.types`: what the columns of bulk formats hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "ArrayType",
    "BigIntType",
    "BinaryType",
    "BooleanType",
    "CharType",
    "DataType",
    "DataTypes",
    "DateType",
    "DecimalType",
    "DoubleType",
    "FloatType",
    "IntType",
    "LocalZonedTimestampType",
    "MapType",
    "MultisetType",
    "RowField",
    "RowType",
    "SmallIntType",
    "TimeType",
    "TimestampType",
    "TinyIntType",
    "VarBinaryType",
    "VarCharType",
]

_LONGEST = 0x7FFFFFFF


class DataType:
    """Base of all types. Two are equal when they are the same in every part, also in whether None
    belongs to them.
    """

    def __init__(self, nullable: bool = True) -> None:
        self._nullable = nullable

    @classmethod
    def type_name(cls) -> str:
        """The class's name without "Type", in capitals."""
        return cls.__name__.removesuffix("Type").upper()

    def not_null(self) -> DataType:
        """The same without None."""
        return self._with(False)

    def nullable(self) -> DataType:
        """The same with None."""
        return self._with(True)

    def _with(self, nullable: bool) -> DataType:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _nullable=nullable)
        return other

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(repr(self))

    def __str__(self) -> str:
        return self.type_name()

    def __repr__(self) -> str:
        parts = ", ".join(
            str(v).lower() if isinstance(v, bool) else repr(v) for v in self.__dict__.values()
        )
        return f"{type(self).__name__}({parts})"


class BooleanType(DataType):
    """True and False."""


class TinyIntType(DataType):
    """Integers of 8 bits."""


class SmallIntType(DataType):
    """Integers of 16 bits."""


class IntType(DataType):
    """Integers of 32 bits."""


class BigIntType(DataType):
    """Integers of 64 bits."""


class FloatType(DataType):
    """Floating point numbers of 32 bits."""


class DoubleType(DataType):
    """Floating point numbers of 64 bits."""


class DateType(DataType):
    """`datetime.date`."""


class _SizedType(DataType):
    def __init__(self, length: int = 1, nullable: bool = True) -> None:
        if length < 1:
            raise ValueError(f"{self.type_name()}: a length of {length}; it must be at least 1")
        self.length = length
        super().__init__(nullable)


class CharType(_SizedType):
    """Strings of `length` characters."""


class VarCharType(_SizedType):
    """Strings of at most `length` characters."""


class BinaryType(_SizedType):
    """`length` bytes."""


class VarBinaryType(_SizedType):
    """At most `length` bytes."""


class DecimalType(DataType):
    """`decimal.Decimal` with `precision` digits (1 to 38), `scale` of them behind the point."""

    def __init__(self, precision: int = 10, scale: int = 0, nullable: bool = True) -> None:
        if not 1 <= precision <= 38 or not 0 <= scale <= precision:
            raise ValueError(
                f"DECIMAL({precision}, {scale}): there are 1 to 38 digits, and no more than those "
                "behind the point"
            )
        self.precision, self.scale = precision, scale
        super().__init__(nullable)


class _PreciseType(DataType):
    def __init__(self, precision: int, nullable: bool = True) -> None:
        if not 0 <= precision <= 9:
            raise ValueError(f"{self.type_name()}: a precision of {precision}; there are 0 to 9")
        self.precision = precision
        super().__init__(nullable)


class TimeType(_PreciseType):
    """`datetime.time`, with `precision` digits behind the seconds."""

    def __init__(self, precision: int = 0, nullable: bool = True) -> None:
        super().__init__(precision, nullable)


class TimestampType(_PreciseType):
    """`datetime.datetime` without zone, with `precision` digits behind the seconds."""

    def __init__(self, precision: int = 6, nullable: bool = True) -> None:
        super().__init__(precision, nullable)


class LocalZonedTimestampType(_PreciseType):
    """Instants: `Instant`, or a `datetime` with a zone; `precision` digits behind the seconds."""

    def __init__(self, precision: int = 6, nullable: bool = True) -> None:
        super().__init__(precision, nullable)

    @classmethod
    def type_name(cls) -> str:
        """The name that SQL has for it."""
        return "TIMESTAMP_LTZ"


class ArrayType(DataType):
    """Lists of one type."""

    def __init__(self, element_type: DataType, nullable: bool = True) -> None:
        self.element_type = _type(element_type)
        super().__init__(nullable)


class MultisetType(ArrayType):
    """Counts of elements of one type: a dict of integers."""


class MapType(DataType):
    """Dicts with keys and values of one type each."""

    def __init__(self, key_type: DataType, value_type: DataType, nullable: bool = True) -> None:
        self.key_type, self.value_type = _type(key_type), _type(value_type)
        super().__init__(nullable)


class RowField:
    """A field of a row."""

    def __init__(self, name: str, data_type: DataType, description: str | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"The name of a field is a string, not {name!r}")
        self.name, self.data_type, self.description = name, _type(data_type), description

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowField) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.name, self.data_type))

    def __repr__(self) -> str:
        return f"RowField({self.name}, {self.data_type!r})"


class RowType(DataType):
    """Rows of `fields`, which have a name and a type each."""

    def __init__(self, fields: Sequence[RowField] | None = None, nullable: bool = True) -> None:
        self.fields = list(fields or ())
        for field in self.fields:
            if not isinstance(field, RowField):
                raise TypeError(f"A row has fields such as DataTypes.FIELD(...), not {field!r}")
        names = self.field_names()
        if len(set(names)) < len(names):
            raise ValueError(f"Two fields of a row have one name: {names}")
        super().__init__(nullable)

    @property
    def names(self) -> list[str]:
        """The names of the fields."""
        return self.field_names()

    def field_names(self) -> list[str]:
        """The names of the fields."""
        return [field.name for field in self.fields]

    def field_types(self) -> list[DataType]:
        """The types of the fields."""
        return [field.data_type for field in self.fields]

    def __iter__(self) -> Iterator[RowField]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, key: str | int) -> RowField:
        if isinstance(key, int):
            return self.fields[key]
        for field in self.fields:
            if field.name == key:
                return field
        raise KeyError(f"No field {key!r}; there are {self.field_names()}")


class DataTypes:
    """Makes data types. `nullable` says whether None belongs to them."""

    @staticmethod
    def BOOLEAN(nullable: bool = True) -> BooleanType:
        """True and False."""
        return BooleanType(nullable)

    @staticmethod
    def TINYINT(nullable: bool = True) -> TinyIntType:
        """Integers of 8 bits."""
        return TinyIntType(nullable)

    @staticmethod
    def SMALLINT(nullable: bool = True) -> SmallIntType:
        """Integers of 16 bits."""
        return SmallIntType(nullable)

    @staticmethod
    def INT(nullable: bool = True) -> IntType:
        """Integers of 32 bits."""
        return IntType(nullable)

    @staticmethod
    def BIGINT(nullable: bool = True) -> BigIntType:
        """Integers of 64 bits."""
        return BigIntType(nullable)

    @staticmethod
    def FLOAT(nullable: bool = True) -> FloatType:
        """Floating point numbers of 32 bits."""
        return FloatType(nullable)

    @staticmethod
    def DOUBLE(nullable: bool = True) -> DoubleType:
        """Floating point numbers of 64 bits."""
        return DoubleType(nullable)

    @staticmethod
    def DECIMAL(precision: int, scale: int, nullable: bool = True) -> DecimalType:
        """Decimals with so many digits, and so many of them behind the point."""
        return DecimalType(precision, scale, nullable)

    @staticmethod
    def CHAR(length: int, nullable: bool = True) -> CharType:
        """Strings of so many characters."""
        return CharType(length, nullable)

    @staticmethod
    def VARCHAR(length: int, nullable: bool = True) -> VarCharType:
        """Strings of at most so many characters."""
        return VarCharType(length, nullable)

    @staticmethod
    def STRING(nullable: bool = True) -> VarCharType:
        """Strings."""
        return VarCharType(_LONGEST, nullable)

    @staticmethod
    def BINARY(length: int, nullable: bool = True) -> BinaryType:
        """So many bytes."""
        return BinaryType(length, nullable)

    @staticmethod
    def VARBINARY(length: int, nullable: bool = True) -> VarBinaryType:
        """At most so many bytes."""
        return VarBinaryType(length, nullable)

    @staticmethod
    def BYTES(nullable: bool = True) -> VarBinaryType:
        """Bytes."""
        return VarBinaryType(_LONGEST, nullable)

    @staticmethod
    def DATE(nullable: bool = True) -> DateType:
        """Dates."""
        return DateType(nullable)

    @staticmethod
    def TIME(precision: int = 0, nullable: bool = True) -> TimeType:
        """Times of day, with so many digits behind the seconds."""
        return TimeType(precision, nullable)

    @staticmethod
    def TIMESTAMP(precision: int = 6, nullable: bool = True) -> TimestampType:
        """Dates with a time and without a zone, with so many digits behind the seconds."""
        return TimestampType(precision, nullable)

    @staticmethod
    def TIMESTAMP_LTZ(precision: int = 6, nullable: bool = True) -> LocalZonedTimestampType:
        """Instants, with so many digits behind the seconds."""
        return LocalZonedTimestampType(precision, nullable)

    @staticmethod
    def TIMESTAMP_WITH_LOCAL_TIME_ZONE(
        precision: int = 6, nullable: bool = True
    ) -> LocalZonedTimestampType:
        """Instants, with so many digits behind the seconds."""
        return LocalZonedTimestampType(precision, nullable)

    @staticmethod
    def ARRAY(element_type: DataType, nullable: bool = True) -> ArrayType:
        """Lists."""
        return ArrayType(element_type, nullable)

    @staticmethod
    def MULTISET(element_type: DataType, nullable: bool = True) -> MultisetType:
        """How often each element is there."""
        return MultisetType(element_type, nullable)

    @staticmethod
    def MAP(key_type: DataType, value_type: DataType, nullable: bool = True) -> MapType:
        """Dicts."""
        return MapType(key_type, value_type, nullable)

    @staticmethod
    def ROW(row_fields: Sequence[RowField] = (), nullable: bool = True) -> RowType:
        """Rows of fields."""
        return RowType(row_fields, nullable)

    @staticmethod
    def FIELD(name: str, data_type: DataType, description: str | None = None) -> RowField:
        """A field of a row."""
        return RowField(name, data_type, description)


def _type(value: Any) -> DataType:
    if not isinstance(value, DataType):
        raise TypeError(f"A data type such as DataTypes.INT() is needed, not {value!r}")
    return value
