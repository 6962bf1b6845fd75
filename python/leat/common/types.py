"""`Row` and `RowKind`, with the behaviour of PyFlink's `pyflink.common.types`."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Row", "RowKind"]


class RowKind(Enum):
    """What a row means to a changelog. `str(kind)` is its two-character sign, e.g. `+I`."""

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self) -> str:
        return _SIGNS[self.value]


_SIGNS = ("+I", "-U", "+U", "-D")
_BY_VALUE = tuple(RowKind)


class Row:
    """A sequence of values with an optional name for each, and a `RowKind`.

    `Row(1, "x")` has positions only, `Row(a=1, b="x")` has names as well, in the order in which
    they were written. Mixing both is a ValueError. `Row("a", "b")` can be called like a class:
    `Row("a", "b")(1, "x") == Row(a=1, b="x")`.

    As PyFlink's Row: values are read by position, slice, name or attribute, and assigned by
    position or name; assigning an attribute is an AttributeError.
    """

    __slots__ = ("_fields", "_kind", "_values")

    _fields: tuple[str, ...] | None
    _kind: int
    _values: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "A Row takes either values or named values, not both; write Row(1, 2) or "
                "Row(a=1, b=2)"
            )
        if kwargs:
            _set(self, "_fields", tuple(kwargs))
            _set(self, "_values", list(kwargs.values()))
        else:
            _set(self, "_fields", None)
            _set(self, "_values", list(args))
        _set(self, "_kind", 0)

    @staticmethod
    def of_kind(row_kind: RowKind, *args: Any, **kwargs: Any) -> Row:
        """A Row of the given kind; further arguments as of `Row()`."""
        row = Row(*args, **kwargs)
        row.set_row_kind(row_kind)
        return row

    def as_dict(self, recursive: bool = False) -> dict[str, Any]:
        """Names and values. `recursive` also turns rows inside values, lists and dicts into dicts.

        A TypeError when the row has no names.
        """
        if self._fields is None:
            raise TypeError("A Row without field names has no dict; use set_field_names() first")
        if not recursive:
            return dict(zip(self._fields, self._values, strict=True))
        return {n: _as_dict(v) for n, v in zip(self._fields, self._values, strict=True)}

    def get_row_kind(self) -> RowKind:
        """The kind; INSERT unless it was set."""
        return _BY_VALUE[self._kind]

    def set_row_kind(self, row_kind: RowKind) -> None:
        """Set the kind."""
        _set(self, "_kind", RowKind(row_kind).value)

    def set_field_names(self, field_names: Sequence[str]) -> None:
        """Give every position a name. A ValueError when the number of names is another."""
        names = tuple(field_names)
        if len(names) != len(self._values):
            raise ValueError(f"{len(names)} field names for a Row of {len(self._values)} values")
        _set(self, "_fields", names)

    def get_fields_by_names(self, names: Sequence[str]) -> list[Any]:
        """The values of these fields, in the order of `names`. A ValueError for an unknown name."""
        return [self[name] for name in names]

    def _position(self, name: str) -> int:
        if self._fields is None:
            raise ValueError(f"{name!r}: the Row has no field names")
        try:
            return self._fields.index(name)
        except ValueError:
            raise ValueError(f"{name!r}: the Row's fields are {list(self._fields)}") from None

    def __contains__(self, item: object) -> bool:
        return item in (self._values if self._fields is None else self._fields)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, str):
            item = self._position(item)
        return self._values[item]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, str):
            key = self._position(key)
        self._values[key] = value

    def __getattr__(self, item: str) -> Any:
        if item.startswith("__"):
            raise AttributeError(item)
        try:
            return self._values[self._position(item)]
        except ValueError as e:
            raise AttributeError(e.args[0]) from None

    def __setattr__(self, key: str, value: Any) -> None:
        raise AttributeError(f"A Row's attributes are read only; write row[{key!r}] = ...")

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __call__(self, *args: Any) -> Row:
        """A new Row whose field names are this row's values."""
        if len(args) > len(self._values):
            raise ValueError(f"{len(args)} values for the fields {self._values}")
        row = Row(*args)
        row.set_field_names(self._values[: len(args)])
        return row

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return False
        if self._kind != other._kind or (self._fields is None) != (other._fields is None):
            return False
        if self._fields is None or self._fields == other._fields:
            return self._values == other._values
        return self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self._fields, tuple(self._values), self._kind)

    def __repr__(self) -> str:
        if self._fields is None:
            return f"<Row({', '.join(map(repr, self._values))})>"
        pairs = zip(self._fields, self._values, strict=True)
        return f"Row({', '.join(f'{n}={v!r}' for n, v in pairs)})"


_set = object.__setattr__


def _make(fields: tuple[str, ...] | None, values: tuple[Any, ...], kind: int = 0) -> Row:
    """A Row from its parts: how pickles and the extension module make one."""
    row = Row.__new__(Row)
    _set(row, "_fields", fields)
    _set(row, "_values", list(values))
    _set(row, "_kind", kind)
    return row


def _as_dict(value: Any) -> Any:
    if isinstance(value, Row):
        return value.as_dict(recursive=True)
    if isinstance(value, list):
        return [_as_dict(v) for v in value]
    if isinstance(value, dict):
        return {k: _as_dict(v) for k, v in value.items()}
    return value
