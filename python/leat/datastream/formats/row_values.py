"""Rows taken apart for bulk formats: each value is checked by its type, when it comes and not when
its block is written, so that errors name the record; and is copied, so that it may change later.
"""

from __future__ import annotations

import datetime
import decimal
from operator import index
from typing import TYPE_CHECKING, Any

from leat.common.time import Instant
from leat.common.types import Row
from leat.table import types as t

if TYPE_CHECKING:
    from collections.abc import Callable

    Take = Callable[[Any], Any]


class RowValues:
    """Values of rows of a type, in its order. `local`: timestamps without a zone are of the
    system's, and become those of UTC.
    """

    def __init__(self, row_type: t.RowType, local: bool = False) -> None:
        self._names = row_type.field_names()
        self._takes = [take_of(field.data_type, local) for field in row_type]

    def of(self, row: Any) -> list[Any]:
        """The values of a Row, tuple or list, by place, or of a dict, by name.

        A TypeError for anything else; TypeErrors and ValueErrors of fields name them.
        """
        names = self._names
        values: Any = row
        if isinstance(row, dict):
            values = _by_name(row, names)
        elif not isinstance(row, (Row, tuple, list)):
            raise TypeError(f"a row is needed, and this is {_kind(row)}: {row!r}")
        if len(values) != len(names):
            raise ValueError(f"{len(values)} values for the {len(names)} fields {names}")
        taken = []
        for name, take, value in zip(names, self._takes, values, strict=True):
            try:
                taken.append(take(value))
            except (TypeError, ValueError, OverflowError) as e:
                raise type(e)(f"field {name!r}: {e}") from None
        return taken


def take_of(data_type: t.DataType, local: bool = False) -> Take:
    """What checks a value of that type, and answers it as it is to be written."""
    take = _take_of(data_type, local)
    if data_type._nullable:
        return lambda value: None if value is None else take(value)

    def required(value: Any) -> Any:
        if value is None:
            raise ValueError("None, where the type has no None")
        return take(value)

    return required


def _take_of(data_type: t.DataType, local: bool) -> Take:
    if type(data_type) in _PLAIN:
        return _PLAIN[type(data_type)]
    match data_type:
        case t.DecimalType():
            return _decimals(data_type.precision, data_type.scale)
        case t.TimestampType():
            return _local_timestamp if local else _timestamp
        case t.LocalZonedTimestampType():
            return _instants(digits_of(data_type.precision))
        case t.MultisetType():
            return _pairs(take_of(data_type.element_type, local), _integers(32))
        case t.ArrayType():
            return _lists(take_of(data_type.element_type, local))
        case t.MapType():
            return _pairs(take_of(data_type.key_type, local), take_of(data_type.value_type, local))
        case t.RowType():
            return _rows(data_type, local)
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"bulk formats: no values of the type {data_type!r}")


def _kind(value: Any) -> str:
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _wrong(needed: str, value: Any) -> TypeError:
    return TypeError(f"{needed} is needed, and this is {_kind(value)}: {value!r}")


def _by_name(row: dict[str, Any], names: list[str]) -> list[Any]:
    unknown = row.keys() - set(names)
    if unknown:
        raise ValueError(f"no field is called {sorted(map(repr, unknown))[0]}; there are {names}")
    return [row.get(name) for name in names]


def _of_class(needed: str, cls: type) -> Take:
    def take(value: Any) -> Any:
        if not isinstance(value, cls):
            raise _wrong(needed, value)
        return value

    return take


def _integers(bits: int) -> Take:
    most = 1 << (bits - 1)

    def take(value: Any) -> int:
        try:
            number = index(value)
        except TypeError:
            raise _wrong("an int", value) from None
        if not -most <= number < most:
            raise OverflowError(f"{number} does not fit into {bits} bits")
        return number

    return take


def _float(value: Any) -> float:
    if isinstance(value, str):
        raise _wrong("a float", value)
    try:
        return float(value)
    except TypeError:
        raise _wrong("a float", value) from None


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise _wrong("bytes", value)
    return bytes(value)


def _decimals(precision: int, scale: int) -> Take:
    context = decimal.Context(prec=precision, rounding=decimal.ROUND_HALF_UP)
    unit = decimal.Decimal(1).scaleb(-scale)

    def take(value: Any) -> decimal.Decimal:
        if isinstance(value, bool) or not isinstance(value, (decimal.Decimal, int)):
            raise _wrong("a decimal.Decimal", value)
        try:
            return decimal.Decimal(value).quantize(unit, context=context)
        except decimal.InvalidOperation:
            raise OverflowError(f"{value} is no DECIMAL({precision}, {scale})") from None

    return take


def _date(value: Any) -> datetime.date:
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        raise _wrong("a datetime.date", value)
    return value


def _timestamp(value: Any) -> datetime.datetime:
    if not isinstance(value, datetime.datetime) or value.tzinfo is not None:
        raise _wrong("a datetime.datetime without a zone", value)
    return value


def _local_timestamp(value: Any) -> datetime.datetime:
    return _timestamp(value).astimezone(datetime.UTC).replace(tzinfo=None)


def digits_of(precision: int) -> int:
    """Of a timestamp: files have milliseconds, microseconds or nanoseconds."""
    return 3 if precision <= 3 else 6 if precision <= 6 else 9


def _instants(digits: int) -> Take:
    """Counted from 1970 in units of so many digits; what is finer is cut off."""

    def take(value: Any) -> int:
        if isinstance(value, Instant):
            nanos = value.seconds * 10**9 + value.nanos
        elif isinstance(value, datetime.datetime) and value.tzinfo is not None:
            since = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
            nanos = (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000
        else:
            raise _wrong("an Instant or a datetime.datetime with a zone", value)
        return nanos // 10 ** (9 - digits)

    return take


def _lists(take: Take) -> Take:
    def items(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _wrong("a list", value)
        return [take(item) for item in value]

    return items


def _pairs(key: Take, item: Take) -> Take:
    def pairs(value: Any) -> list[tuple[Any, Any]]:
        if not isinstance(value, dict):
            raise _wrong("a dict", value)
        return [(key(k), item(v)) for k, v in value.items()]

    return pairs


def _rows(row_type: t.RowType, local: bool) -> Take:
    values, names = RowValues(row_type, local), row_type.field_names()
    return lambda value: dict(zip(names, values.of(value), strict=True))


# Types without anything to them.
_PLAIN: dict[type[t.DataType], Take] = {
    t.BooleanType: _of_class("a bool", bool),
    t.TinyIntType: _integers(8),
    t.SmallIntType: _integers(16),
    t.IntType: _integers(32),
    t.BigIntType: _integers(64),
    t.FloatType: _float,
    t.DoubleType: _float,
    t.CharType: _of_class("a str", str),
    t.VarCharType: _of_class("a str", str),
    t.BinaryType: _bytes,
    t.VarBinaryType: _bytes,
    t.DateType: _date,
    t.TimeType: _of_class("a datetime.time", datetime.time),
}
