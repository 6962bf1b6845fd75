"""`Types` and the type information that it makes, as PyFlink's `pyflink.common.typeinfo`.

A type says which Python values a stream carries and how they look to native operators, in key
hashes and on their way between processes. A stream without type information carries any Python
object, pickled where it crosses a process (`Types.PICKLED_BYTE_ARRAY()` is the same).

Every type has a text for the library, e.g. `TUPLE<STRING,INT>`, given by `_text()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["TypeInformation", "Types"]


class TypeInformation:
    """Base of all types. Two are equal when they describe the same values."""

    def __init__(self) -> None:
        pass

    def get_java_type_info(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's types."""
        from leat.common.errors import NotSupportedError

        raise NotSupportedError("Leat has no Java type information", "use the TypeInformation")

    def need_conversion(self) -> bool:
        """Whether `to_internal_type` and `from_internal_type` change anything."""
        return False

    def to_internal_type(self, obj: Any) -> Any:
        """The form in which a value of this type is stored, as PyFlink stores it."""
        return obj

    def from_internal_type(self, obj: Any) -> Any:
        """The Python value of a stored one; the inverse of `to_internal_type`."""
        return obj

    def _text(self) -> str:
        """This type in the library's type grammar."""
        raise NotImplementedError(type(self).__name__)

    def _key(self) -> Any:
        """What equality and hash look at."""
        return self._text()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))


class BasicTypeInfo(TypeInformation):
    """Strings, booleans, numbers and instants. Made by `Types` or by the static methods here."""

    def __init__(self, basic_type: str) -> None:
        super().__init__()
        self._basic_type = basic_type

    @staticmethod
    def STRING_TYPE_INFO() -> BasicTypeInfo:
        """`str`, or None."""
        return BasicTypeInfo("STRING")

    @staticmethod
    def BOOLEAN_TYPE_INFO() -> BasicTypeInfo:
        """`bool`."""
        return BasicTypeInfo("BOOLEAN")

    @staticmethod
    def BYTE_TYPE_INFO() -> BasicTypeInfo:
        """`int` of 8 bits."""
        return BasicTypeInfo("BYTE")

    @staticmethod
    def SHORT_TYPE_INFO() -> BasicTypeInfo:
        """`int` of 16 bits."""
        return BasicTypeInfo("SHORT")

    @staticmethod
    def INT_TYPE_INFO() -> BasicTypeInfo:
        """`int` of 32 bits."""
        return BasicTypeInfo("INT")

    @staticmethod
    def LONG_TYPE_INFO() -> BasicTypeInfo:
        """`int` of 64 bits."""
        return BasicTypeInfo("LONG")

    @staticmethod
    def FLOAT_TYPE_INFO() -> BasicTypeInfo:
        """`float` of single precision."""
        return BasicTypeInfo("FLOAT")

    @staticmethod
    def DOUBLE_TYPE_INFO() -> BasicTypeInfo:
        """`float`."""
        return BasicTypeInfo("DOUBLE")

    @staticmethod
    def CHAR_TYPE_INFO() -> BasicTypeInfo:
        """`str` of length 1."""
        return BasicTypeInfo("CHAR")

    @staticmethod
    def BIG_INT_TYPE_INFO() -> BasicTypeInfo:
        """`int` of any size."""
        return BasicTypeInfo("BIG_INT")

    @staticmethod
    def BIG_DEC_TYPE_INFO() -> BasicTypeInfo:
        """`decimal.Decimal`, with its scale."""
        return BasicTypeInfo("BIG_DEC")

    @staticmethod
    def INSTANT_TYPE_INFO() -> BasicTypeInfo:
        """`Instant`, in milliseconds."""
        return BasicTypeInfo("INSTANT")

    def _text(self) -> str:
        return self._basic_type

    def __repr__(self) -> str:
        return _BASIC_REPRS[self._basic_type]


_BASIC_REPRS = {
    "STRING": "String",
    "BOOLEAN": "Boolean",
    "BYTE": "Byte",
    "SHORT": "Short",
    "INT": "Integer",
    "LONG": "Long",
    "FLOAT": "Float",
    "DOUBLE": "Double",
    "CHAR": "Char",
    "BIG_INT": "BigInteger",
    "BIG_DEC": "BigDecimal",
    "INSTANT": "Instant",
}


class SqlTimeTypeInfo(TypeInformation):
    """Dates, times of day and timestamps of SQL."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    @staticmethod
    def DATE() -> SqlTimeTypeInfo:
        """`datetime.date`; stored as the days since 1970-01-01."""
        return SqlTimeTypeInfo("SQL_DATE")

    @staticmethod
    def TIME() -> SqlTimeTypeInfo:
        """`datetime.time`; stored as the microseconds since midnight."""
        return SqlTimeTypeInfo("SQL_TIME")

    @staticmethod
    def TIMESTAMP() -> SqlTimeTypeInfo:
        """`datetime.datetime` of the local time zone; stored as microseconds since 1970."""
        return SqlTimeTypeInfo("SQL_TIMESTAMP")

    def need_conversion(self) -> bool:
        """True: dates and times are stored as numbers."""
        return True

    def to_internal_type(self, obj: Any) -> Any:
        """Days (DATE) or microseconds (TIME, TIMESTAMP) of the value; None stays None."""
        if obj is None:
            return None
        if self._kind == "SQL_DATE":
            return obj.toordinal() - _EPOCH_ORDINAL
        if self._kind == "SQL_TIME":
            seconds = obj.hour * 3600 + obj.minute * 60 + obj.second
            return seconds * 1_000_000 + obj.microsecond
        import calendar
        import time

        seconds = (
            calendar.timegm(obj.utctimetuple()) if obj.tzinfo else time.mktime(obj.timetuple())
        )
        return int(seconds) * 1_000_000 + obj.microsecond

    def from_internal_type(self, obj: Any) -> Any:
        """The date, time or timestamp of a stored number; None stays None."""
        if obj is None:
            return None
        import datetime

        if self._kind == "SQL_DATE":
            return datetime.date.fromordinal(obj + _EPOCH_ORDINAL)
        seconds, micros = divmod(obj, 1_000_000)
        if self._kind == "SQL_TIME":
            minutes, second = divmod(seconds, 60)
            return datetime.time(minutes // 60, minutes % 60, second, micros)
        return datetime.datetime.fromtimestamp(seconds).replace(microsecond=micros)

    def _text(self) -> str:
        return self._kind

    def __repr__(self) -> str:
        return _SQL_TIME_REPRS[self._kind]


_EPOCH_ORDINAL = 719163
_SQL_TIME_REPRS = {
    "SQL_DATE": "DateTypeInfo",
    "SQL_TIME": "TimeTypeInfo",
    "SQL_TIMESTAMP": "TimestampTypeInfo",
}


class PickledBytesTypeInfo(TypeInformation):
    """Any Python object; pickled where it leaves the interpreter."""

    def _text(self) -> str:
        return "PICKLED"

    def __repr__(self) -> str:
        return "PickledByteArrayTypeInfo"


class _ElementTypeInfo(TypeInformation):
    """A list of elements of one type."""

    _keyword = ""
    _name = ""

    def __init__(self, element_type: TypeInformation) -> None:
        super().__init__()
        self._element_type = _checked(element_type, f"{type(self).__name__}'s element type")

    @property
    def element_type(self) -> TypeInformation:
        """The type of the elements."""
        return self._element_type

    def need_conversion(self) -> bool:
        """Whether the elements need one."""
        return self._element_type.need_conversion()

    def to_internal_type(self, obj: Any) -> Any:
        """Every element's stored form, in a list."""
        return _each(obj, self._element_type.to_internal_type)

    def from_internal_type(self, obj: Any) -> Any:
        """Every element's Python value, in a list."""
        return _each(obj, self._element_type.from_internal_type)

    def _text(self) -> str:
        return f"{self._keyword}<{self._element_type._text()}>"

    def _key(self) -> Any:
        return self._element_type

    def __repr__(self) -> str:
        return f"{self._name}<{self._element_type}>"


class PrimitiveArrayTypeInfo(_ElementTypeInfo):
    """A list of numbers, booleans or characters, none of them None."""

    _keyword = "PRIMITIVE_ARRAY"
    _name = "PrimitiveArrayTypeInfo"


class BasicArrayTypeInfo(_ElementTypeInfo):
    """A list of numbers, booleans, characters or strings; elements may be None."""

    _keyword = "BASIC_ARRAY"
    _name = "BasicArrayTypeInfo"


class ObjectArrayTypeInfo(_ElementTypeInfo):
    """A list of values of any one type; elements may be None."""

    _keyword = "OBJECT_ARRAY"
    _name = "ObjectArrayTypeInfo"


class ListTypeInfo(_ElementTypeInfo):
    """A list of values of any one type."""

    _keyword = "LIST"
    _name = "ListTypeInfo"

    @property
    def elem_type(self) -> TypeInformation:
        """The type of the elements."""
        return self._element_type


class MapTypeInfo(TypeInformation):
    """A dict with keys of one type and values of one type."""

    def __init__(self, key_type_info: TypeInformation, value_type_info: TypeInformation) -> None:
        super().__init__()
        self._key_type_info = _checked(key_type_info, "MapTypeInfo's key type")
        self._value_type_info = _checked(value_type_info, "MapTypeInfo's value type")

    def need_conversion(self) -> bool:
        """Whether keys or values need one."""
        return self._key_type_info.need_conversion() or self._value_type_info.need_conversion()

    def to_internal_type(self, obj: Any) -> Any:
        """The stored form of every key and value."""
        if obj is None:
            return None
        key, value = self._key_type_info.to_internal_type, self._value_type_info.to_internal_type
        return {key(k): value(v) for k, v in obj.items()}

    def from_internal_type(self, obj: Any) -> Any:
        """The Python value of every key and value."""
        if obj is None:
            return None
        key = self._key_type_info.from_internal_type
        value = self._value_type_info.from_internal_type
        return {key(k): value(v) for k, v in obj.items()}

    def _text(self) -> str:
        return f"MAP<{self._key_type_info._text()},{self._value_type_info._text()}>"

    def _key(self) -> Any:
        return (self._key_type_info, self._value_type_info)

    def __repr__(self) -> str:
        return f"MapTypeInfo<{self._key_type_info}, {self._value_type_info}>"


class TupleTypeInfo(TypeInformation):
    """A Python tuple. Lists, tuples and rows are taken on the way in."""

    def __init__(self, field_types: Sequence[TypeInformation]) -> None:
        super().__init__()
        self._field_types = [_checked(t, "a tuple's field type") for t in field_types]

    def get_field_types(self) -> list[TypeInformation]:
        """The types of the fields, in order."""
        return self._field_types

    def need_conversion(self) -> bool:
        """Whether a field needs one."""
        return any(t.need_conversion() for t in self._field_types)

    def to_internal_type(self, obj: Any) -> Any:
        """A tuple of every field's stored form. A ValueError for what is no tuple, list or Row."""
        from leat.common.types import Row

        if obj is None:
            return None
        if not isinstance(obj, (tuple, list, Row)):
            raise ValueError(f"Unexpected value {obj!r} for {self!r}; give a tuple, list or Row")
        _same_length(len(obj), self._field_types, obj, self)
        return tuple(t.to_internal_type(v) for t, v in zip(self._field_types, obj, strict=True))

    def from_internal_type(self, obj: Any) -> Any:
        """A tuple of every field's Python value."""
        if obj is None:
            return None
        return tuple(t.from_internal_type(v) for t, v in zip(self._field_types, obj, strict=True))

    def _text(self) -> str:
        return f"TUPLE<{','.join(t._text() for t in self._field_types)}>"

    def _key(self) -> Any:
        return tuple(self._field_types)

    def __repr__(self) -> str:
        return f"TupleTypeInfo({', '.join(map(repr, self._field_types))})"


class RowTypeInfo(TypeInformation):
    """A `Row`. Fields without names are called f0, f1 and so on.

    On the way in it takes a dict (by name, what is missing is None), a Row (by name, if it has
    names), a tuple, a list, or an object with a `__dict__`. The row kind is kept. As in PyFlink,
    equality looks at the field types only, not at the names.
    """

    def __init__(
        self,
        field_types: Sequence[TypeInformation],
        field_names: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self._field_types = [_checked(t, "a row's field type") for t in field_types]
        self._field_names = None if field_names is None else list(field_names)
        if self._field_names is not None:
            if len(self._field_names) != len(self._field_types):
                raise ValueError(
                    f"{len(self._field_names)} field names for {len(self._field_types)} types"
                )
            if len(set(self._field_names)) != len(self._field_names):
                raise ValueError(f"Field names must differ: {self._field_names}")

    def get_field_names(self) -> list[str]:
        """The names of the fields: the given ones, else f0, f1 and so on."""
        if self._field_names is not None:
            return self._field_names
        return [f"f{i}" for i in range(len(self._field_types))]

    def get_field_index(self, field_name: str) -> int:
        """The position of this field. A ValueError for an unknown name."""
        names = self.get_field_names()
        if field_name not in names:
            raise ValueError(f"{field_name!r} is no field; they are {names}")
        return names.index(field_name)

    def get_field_types(self) -> list[TypeInformation]:
        """The types of the fields, in order."""
        return self._field_types

    def need_conversion(self) -> bool:
        """True: rows are stored as tuples behind their kind."""
        return True

    def _values(self, obj: Any) -> tuple[int, list[Any]]:
        """The kind and the values, in the order of this type's fields."""
        from leat.common.types import Row

        names = self.get_field_names()
        if isinstance(obj, dict):
            return 0, [obj.get(n) for n in names]
        if isinstance(obj, Row):
            kind = obj.get_row_kind().value
            if obj._fields is not None:
                named = obj.as_dict()
                if len(named) == len(names) and not any(n in named for n in names):
                    return kind, list(obj)
                return kind, [named.get(n) for n in names]
            _same_length(len(obj), self._field_types, obj, self)
            return kind, list(obj)
        if isinstance(obj, (tuple, list)):
            _same_length(len(obj), self._field_types, obj, self)
            return 0, list(obj)
        if hasattr(obj, "__dict__"):
            return 0, [obj.__dict__.get(n) for n in names]
        raise ValueError(f"Unexpected tuple {obj!r} with RowTypeInfo")

    def to_internal_type(self, obj: Any) -> Any:
        """`(kind, value, ...)`. A ValueError for what is no dict, Row, tuple, list or object."""
        if obj is None:
            return None
        kind, values = self._values(obj)
        return (
            kind,
            *(t.to_internal_type(v) for t, v in zip(self._field_types, values, strict=True)),
        )

    def from_internal_type(self, obj: Any) -> Any:
        """The Row, with field names."""
        from leat.common.types import Row, _make

        if obj is None or isinstance(obj, Row):
            return obj
        values = (t.from_internal_type(v) for t, v in zip(self._field_types, obj[1:], strict=True))
        return _make(tuple(self.get_field_names()), tuple(values), obj[0])

    def _text(self) -> str:
        if self._field_names is None:
            return f"ROW<{','.join(t._text() for t in self._field_types)}>"
        pairs = zip(self._field_names, self._field_types, strict=True)
        return f"ROW<{','.join(f'{_quoted(n)} {t._text()}' for n, t in pairs)}>"

    def _key(self) -> Any:
        return tuple(self._field_types)

    def __repr__(self) -> str:
        if self._field_names is None:
            return f"RowTypeInfo({', '.join(map(repr, self._field_types))})"
        pairs = zip(self._field_names, self._field_types, strict=True)
        return f"RowTypeInfo({', '.join(f'{n}: {t!r}' for n, t in pairs)})"


class ExternalTypeInfo(TypeInformation):
    """A type of the Table API at the border of a DataStream; the same values as `type_info`."""

    def __init__(self, type_info: TypeInformation) -> None:
        super().__init__()
        self._type_info = _checked(type_info, "ExternalTypeInfo's type")

    def need_conversion(self) -> bool:
        """Whether the wrapped type needs one."""
        return self._type_info.need_conversion()

    def to_internal_type(self, obj: Any) -> Any:
        """As the wrapped type."""
        return self._type_info.to_internal_type(obj)

    def from_internal_type(self, obj: Any) -> Any:
        """As the wrapped type."""
        return self._type_info.from_internal_type(obj)

    def _text(self) -> str:
        return self._type_info._text()

    def _key(self) -> Any:
        return self._type_info

    def __repr__(self) -> str:
        return f"ExternalTypeInfo<{self._type_info}>"


_PRIMITIVES = ("BOOLEAN", "BYTE", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE", "CHAR")


class Types:
    """Makes type information; each method says which Python values the type stands for."""

    @staticmethod
    def STRING() -> TypeInformation:
        """`str`, or None."""
        return BasicTypeInfo("STRING")

    @staticmethod
    def BYTE() -> TypeInformation:
        """`int` of 8 bits; larger ones wrap, as in PyFlink."""
        return BasicTypeInfo("BYTE")

    @staticmethod
    def BOOLEAN() -> TypeInformation:
        """`bool`."""
        return BasicTypeInfo("BOOLEAN")

    @staticmethod
    def SHORT() -> TypeInformation:
        """`int` of 16 bits; larger ones wrap, as in PyFlink."""
        return BasicTypeInfo("SHORT")

    @staticmethod
    def INT() -> TypeInformation:
        """`int` of 32 bits; larger ones wrap, as in PyFlink."""
        return BasicTypeInfo("INT")

    @staticmethod
    def LONG() -> TypeInformation:
        """`int` of 64 bits."""
        return BasicTypeInfo("LONG")

    @staticmethod
    def FLOAT() -> TypeInformation:
        """`float`, rounded to single precision."""
        return BasicTypeInfo("FLOAT")

    @staticmethod
    def DOUBLE() -> TypeInformation:
        """`float`."""
        return BasicTypeInfo("DOUBLE")

    @staticmethod
    def CHAR() -> TypeInformation:
        """`str` of length 1."""
        return BasicTypeInfo("CHAR")

    @staticmethod
    def BIG_INT() -> TypeInformation:
        """`int` of any size."""
        return BasicTypeInfo("BIG_INT")

    @staticmethod
    def BIG_DEC() -> TypeInformation:
        """`decimal.Decimal`, with its scale."""
        return BasicTypeInfo("BIG_DEC")

    @staticmethod
    def INSTANT() -> TypeInformation:
        """`Instant`, in milliseconds."""
        return BasicTypeInfo("INSTANT")

    @staticmethod
    def SQL_DATE() -> TypeInformation:
        """`datetime.date`."""
        return SqlTimeTypeInfo("SQL_DATE")

    @staticmethod
    def SQL_TIME() -> TypeInformation:
        """`datetime.time`."""
        return SqlTimeTypeInfo("SQL_TIME")

    @staticmethod
    def SQL_TIMESTAMP() -> TypeInformation:
        """`datetime.datetime`, of the local time zone."""
        return SqlTimeTypeInfo("SQL_TIMESTAMP")

    @staticmethod
    def PICKLED_BYTE_ARRAY() -> TypeInformation:
        """Any Python object; what a stream without type information has."""
        return PickledBytesTypeInfo()

    @staticmethod
    def ROW(field_types: Sequence[TypeInformation]) -> TypeInformation:
        """`Row` with fields f0, f1 and so on."""
        return RowTypeInfo(field_types)

    @staticmethod
    def ROW_NAMED(
        field_names: Sequence[str], field_types: Sequence[TypeInformation]
    ) -> TypeInformation:
        """`Row` with these fields. A ValueError unless there is a name for each type."""
        return RowTypeInfo(field_types, field_names)

    @staticmethod
    def TUPLE(field_types: Sequence[TypeInformation]) -> TypeInformation:
        """`tuple` with fields of these types."""
        return TupleTypeInfo(field_types)

    @staticmethod
    def PRIMITIVE_ARRAY(element_type: TypeInformation) -> TypeInformation:
        """`list` of BOOLEAN, BYTE, SHORT, INT, LONG, FLOAT, DOUBLE or CHAR; else a TypeError."""
        _element(element_type, _PRIMITIVES, "PRIMITIVE_ARRAY")
        return PrimitiveArrayTypeInfo(element_type)

    @staticmethod
    def BASIC_ARRAY(element_type: TypeInformation) -> TypeInformation:
        """`list` of the primitive types or STRING, or of None; else a TypeError."""
        _element(element_type, (*_PRIMITIVES, "STRING"), "BASIC_ARRAY")
        return BasicArrayTypeInfo(element_type)

    @staticmethod
    def OBJECT_ARRAY(element_type: TypeInformation) -> TypeInformation:
        """`list` of any one type, or of None."""
        return ObjectArrayTypeInfo(element_type)

    @staticmethod
    def MAP(key_type_info: TypeInformation, value_type_info: TypeInformation) -> TypeInformation:
        """`dict`."""
        return MapTypeInfo(key_type_info, value_type_info)

    @staticmethod
    def LIST(element_type_info: TypeInformation) -> TypeInformation:
        """`list` of any one type."""
        return ListTypeInfo(element_type_info)


def _checked(value: Any, what: str) -> TypeInformation:
    if not isinstance(value, TypeInformation):
        raise TypeError(f"{what} must be a TypeInformation such as Types.INT(), not {value!r}")
    return value


def _element(value: Any, allowed: Sequence[str], what: str) -> None:
    if not isinstance(value, BasicTypeInfo) or value._basic_type not in allowed:
        raise TypeError(f"Types.{what} holds {', '.join(allowed)}; {value!r} is none of them")


def _each(obj: Any, convert: Any) -> Any:
    return None if obj is None else [None if e is None else convert(e) for e in obj]


def _same_length(got: int, types: Sequence[TypeInformation], obj: Any, to: Any) -> None:
    if got != len(types):
        raise ValueError(f"{obj!r} has {got} fields, {to!r} has {len(types)}")


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _as_output_type(output_type: Any) -> TypeInformation | None:
    """What an `output_type` argument means: a type, a list of types for a Row, or None.

    A TypeError for anything else, with PyFlink's text.
    """
    if output_type is None or isinstance(output_type, TypeInformation):
        return output_type
    if isinstance(output_type, list):
        return RowTypeInfo(output_type)
    raise TypeError("output_type must be None, list or TypeInformation")
