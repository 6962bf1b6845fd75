"""What `CsvBulkWriters` writes: lines as Flink's writer makes them.

Text is quoted when it has a backslash or a character that stands before the separator, the quote or
the line separator in the order of characters, such as a space, or is longer than 24: more than is
needed, but that is what Flink's files look like. Numbers and booleans are not.
"""

from __future__ import annotations

import decimal
import math
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from leat.common.serialization import BulkWriter, BulkWriterFactory
from leat.datastream.formats.row_values import RowValues
from leat.table import types as t

if TYPE_CHECKING:
    from collections.abc import Callable

    from leat.datastream.formats.csv import CsvSchema

__all__ = ["CsvWriterFactory"]

_BLOCK = 1 << 16  # characters that are gathered before they are written
_UNQUOTED = 24  # the most characters that are looked at before text is quoted


class CsvWriterFactory(BulkWriterFactory):
    """Makes writers of a schema's lines."""

    def __init__(self, schema: CsvSchema) -> None:
        super().__init__(schema)
        self._lines = CsvLines(schema)

    def create(self, stream: BinaryIO) -> BulkWriter:
        """A writer of a file; its first line has the names if the schema says so."""
        return _CsvWriter(stream, self._lines)


class CsvLines:
    """Lines from rows."""

    def __init__(self, schema: CsvSchema) -> None:
        settings = schema._settings
        self._row = [(name, *_column(kind, detail)) for name, kind, detail in schema._columns]
        self._separator = settings.get("column_separator", ",")
        self._quote = settings.get("quote_char", '"')
        self._escape = settings.get("escape_char", "")
        self._end = settings.get("line_separator", "\n")
        self._null = settings.get("null_value", "")
        self._header = settings.get("use_header", False)
        # The first character that never needs quotes.
        self._safe = chr(max(map(ord, self._separator + (self._quote or "\0") + self._end)) + 1)

    def header(self) -> str:
        """The line of names; nothing if the schema wants none."""
        names = self._separator.join(self.quoted(name) for name, _, _ in self._row)
        return names + self._end if self._header else ""

    def writer(self) -> Callable[[Any], str]:
        """A function from rows to lines. Not picklable, and so not made before it is used."""
        values = RowValues(t.RowType([t.RowField(n, d) for n, d, _ in self._row]))
        texts = [self._text_of(data_type, separator) for _, data_type, separator in self._row]
        join, end, null = self._separator.join, self._end, self._null

        def line(row: Any) -> str:
            taken = zip(texts, values.of(row), strict=True)
            return join([null if v is None else text(v) for text, v in taken]) + end

        return line

    def quoted(self, text: str) -> str:
        """Text as a column has it."""
        quote, escape, safe = self._quote, self._escape, self._safe
        if not quote or not text:
            return text
        short = len(text) <= _UNQUOTED and len(text.encode("utf-16-le")) <= 2 * _UNQUOTED
        if short and min(text) >= safe and (escape or "\\") not in text:
            return text
        if escape:
            text = text.replace(escape, escape + escape)
        return quote + text.replace(quote, quote + quote) + quote

    def _text_of(self, data_type: t.DataType, separator: str) -> Callable[[Any], str]:
        if not isinstance(data_type, t.ArrayType):
            text = _plain_text(data_type)
            return self.quoted if text is str else text
        item = _plain_text(data_type.element_type)
        null = self._null
        return lambda items: self.quoted(
            separator.join([null if v is None else item(v) for v in items])
        )


class _CsvWriter(BulkWriter):
    def __init__(self, stream: BinaryIO, lines: CsvLines) -> None:
        self._stream = stream
        self._line = lines.writer()
        self._kept = [lines.header()]
        self._size = 0

    def add_element(self, element: Any) -> None:
        line = self._line(element)
        self._kept.append(line)
        self._size += len(line)
        if self._size >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        self._stream.write("".join(self._kept).encode())
        self._kept.clear()
        self._size = 0

    def finish(self) -> None:
        pass


def _column(kind: str, detail: Any) -> tuple[t.DataType, str]:
    """The type of a column of a CsvSchema, and what stands between items of an array."""
    match kind:
        case "array":
            separator, element_type = detail
            return t.ArrayType(element_type or t.DataTypes.STRING()), separator or ";"
        case "boolean":
            return t.BooleanType(), ""
        case "number":
            return detail or t.BigIntType(), ""
    return t.DataTypes.STRING(), ""


def _plain_text(data_type: t.DataType) -> Callable[[Any], str]:
    """How Java tells such a value; `str` for text."""
    match data_type:
        case t.BooleanType():
            return lambda value: "true" if value else "false"
        case t.FloatType():
            return lambda value: _java_text(*_single(value))
        case t.DoubleType():
            return lambda value: _java_text(value, repr(value))
        case t.DecimalType():
            return lambda value: "0" if not value else str(value.normalize())
        case t.TinyIntType() | t.SmallIntType() | t.IntType() | t.BigIntType():
            return lambda value: f"{value:d}"
        case t.CharType() | t.VarCharType():
            return str
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(
        f"CSV: no column of the type {data_type!r}", "write it as a string, by a map before"
    )


def _single(value: float) -> tuple[float, str]:
    """The nearest number of 32 bits, and the fewest digits that mean it."""
    try:
        packed = struct.pack("f", value)
    except OverflowError:
        value = math.copysign(math.inf, value)
        return value, repr(value)
    (single,) = struct.unpack("f", packed)
    texts = (f"{single:.{digits}g}" for digits in range(1, 10))
    return single, next((t for t in texts if struct.pack("f", float(t)) == packed), repr(single))


def _java_text(value: float, shortest: str) -> str:
    """`Double.toString`, from the fewest digits that mean the number; Java wants two at least."""
    if math.isnan(value):
        return "NaN"
    if shortest.endswith("inf"):
        return shortest.replace("inf", "Infinity")
    if len(decimal.Decimal(shortest).normalize().as_tuple().digits) == 1:
        shortest = f"{value:.1e}"
    sign, digits, exponent = decimal.Decimal(shortest).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + exponent  # so many digits before it
    begin = "-" if sign else ""
    if not text:
        return begin + "0.0"
    if -3 < point <= 7:
        whole = text[: max(point, 0)].ljust(max(point, 0), "0") or "0"
        return f"{begin}{whole}.{'0' * -min(point, 0)}{text[max(point, 0) :] or '0'}"
    return f"{begin}{text[0]}.{text[1:] or '0'}E{point - 1}"
